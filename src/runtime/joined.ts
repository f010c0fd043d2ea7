/**
 * Small jobs that are joined: batches of one kind share a descriptor, which is claimed, carried out and reported as one.
 * @module
 */
import type { RunBatch } from '../memory/index.js';
import { Mode } from '../scheme/codes.js';
import { Size } from '../scheme/descriptor.js';
import { CHUNK_ELEMENTS, type Flight } from './flight.js';
import type { Places } from './job.js';

/** Most bytes that one batch may lie before or behind another: a word holds the distance. */
const FAR = 2 ** 30;

/**
 * Finds the jobs to share a descriptor with `first`, and sets the run of all of them. A run has no more values than a part
 * of a large job has, so that it holds a lane, and those whose turn is next, for no longer.
 * @param waiting jobs that wait: no run is so long that a lane has nothing to do
 * @param next the job whose turn it is, and `go` lets it go
 */
export function joined(
  first: Flight,
  lanes: number,
  waiting: number,
  next: () => Flight | undefined,
  go: (flight: Flight) => void,
): void {
  const most = Math.min(Size.RunBatches, Math.ceil((waiting + 1) / lanes));
  if (most < 2 || !isJoinable(first)) return;
  const { places } = first.job;
  const flights = [first];
  const batches: RunBatch[] = [{ values: places.values, shift: 0 }];
  let elements = first.elements;
  for (let other = next(); other !== undefined && flights.length < most; other = next()) {
    elements += other.elements;
    const shift = shiftOf(places, other.job.places);
    const isSame = other.job.kind === first.job.kind && !other.isAlone && shift !== undefined;
    if (!isSame || elements > CHUNK_ELEMENTS) break;
    go(other);
    flights.push(other);
    batches.push({ values: other.job.places.values, shift });
  }
  if (flights.length === 1) return;
  const run = { flights, batches, turn: flights.at(-1)!.turn };
  for (const flight of flights) flight.run = run;
}

/** A range of a tensor is reported by its descriptor, which has room for one. */
function isJoinable({ slots, isAlone, job: { kind } }: Flight): boolean {
  return slots === 1 && !isAlone && (kind.mode === Mode.Quantize || kind.mode === Mode.Dequantize);
}

/** Bytes by which all addresses but that of the values lie behind those of `first`; undefined where they differ. */
function shiftOf(first: Places, other: Places): number | undefined {
  const shift = other.codes - first.codes;
  const isShifted = (one: number, two: number) => (one === 0 ? two === 0 : two - one === shift);
  const isSame =
    first.seed === other.seed &&
    isShifted(first.scale, other.scale) &&
    isShifted(first.zeroPoint, other.zeroPoint) &&
    isShifted(first.rangeLow, other.rangeLow) &&
    isShifted(first.rangeHigh, other.rangeHigh) &&
    isShifted(first.statistics, other.statistics) &&
    isShifted(first.tensorScale, other.tensorScale);
  return isSame && Math.abs(shift) < FAR ? shift : undefined;
}
