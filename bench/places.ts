/**
 * Question: from which size on is a lane faster than the caller's thread? The scheduler's threshold comes from here.
 * @module
 */
import { createRuntime } from '../src/index.js';
import { compare } from './contender.js';

/** A row of the answer; microseconds a call. */
export interface PlaceRow {
  readonly elements: number;
  readonly inPlace: number;
  readonly lane: number;
}

const SIZES = [1_024, 4_096, 16_384, 65_536, 131_072, 262_144];

/** Runs the comparison, on rows of 1,024 values. */
export async function places(report: (text: string) => void): Promise<PlaceRow[]> {
  const runtime = await createRuntime({ lanes: 1, inPlaceLimit: 0 });
  const rows: PlaceRow[] = [];
  for (const elements of SIZES) {
    report(`${elements} elements`);
    const batch = runtime.lease('float32', [elements / 1_024, 1_024]);
    batch.data.forEach((_, index) => {
      batch.data[index] = Math.sin(index * 1.7);
    });
    const options = { keep: true };
    const [inPlace, lane] = await compare([
      { name: 'in place', run: () => runtime.quantizeSync(batch, 'torchao-int8', options).release() },
      {
        name: 'lane',
        run: async () => (await runtime.quantize(batch, 'torchao-int8', options)).release(),
      },
    ]);
    rows.push({ elements, inPlace: inPlace!.milliseconds * 1000, lane: lane!.milliseconds * 1000 });
    batch.release();
  }
  await runtime.close();
  return rows;
}
