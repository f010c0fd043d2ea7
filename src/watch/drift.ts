/**
 * Drift: whether what comes in is still what was calibrated for.
 * @module
 */

/** The values that a calibration saw, which a method that cuts off leaves a part of outside its range. */
export interface Calibrated {
  /** Smallest and largest of them, zero included: over all channels where there are several. */
  readonly seenMin: number;
  readonly seenMax: number;
  /** Share of them that is cut off. */
  readonly cut: number;
}

/** What a stream was calibrated for. */
export interface Reference extends Calibrated {
  /** The range that its values are quantized with, zero included: over all channels where there are several. */
  readonly min: number;
  readonly max: number;
}

/** What came in over the last minute. */
export interface Live {
  /** Smallest and largest value, zero included. */
  readonly min: number;
  readonly max: number;
  /** Share of saturated codes: of values that lie outside the calibrated range by more than half a step. */
  readonly saturated: number;
  /** Batches that were looked at. */
  readonly looks: number;
}

/** Whether a stream is as calibrated; `none` without a calibration, `idle` where nothing came in. */
export type DriftState = 'none' | 'idle' | 'ok' | 'watch' | 'drift';

/** Whether a stream is as calibrated, and in what it is not. */
export interface Drift {
  readonly state: DriftState;
  /** How far values lie beyond those of the calibration, as a share of their range. */
  readonly beyond: number;
  /** The range of the values as a multiple of that of the calibration. */
  readonly ratio: number;
  /** Share of saturated codes beyond what the calibration cuts off. */
  readonly excess: number;
  /** What is the case, in words; empty where all is well. */
  readonly reasons: readonly string[];
}

/** From where on it is watched, and from where on it has drifted. */
export const LIMITS = Object.freeze({
  beyond: Object.freeze({ watch: 0.02, drift: 0.1 }),
  excess: Object.freeze({ watch: 0.0002, drift: 0.001 }),
  ratio: Object.freeze({ watch: 0.75, drift: 0.5 }),
});

/** Batches below which a small range tells nothing. */
export const FEW_LOOKS = 10;

/**
 * Compares a minute with the calibration. It has drifted where a value lies beyond those of the calibration by more than
 * 10 % of their range, more than 0.1 % of the codes are saturated that the calibration would not cut off, or at least
 * ten batches together take less than half of the range. It is watched from 2 %, 0.02 % and three quarters on.
 * @param live null where nothing came in
 */
export function driftOf(reference: Reference | null, live: Live | null): Drift {
  if (reference === null) return { state: 'none', beyond: 0, ratio: 1, excess: 0, reasons: [] };
  if (live === null) return { state: 'idle', beyond: 0, ratio: 1, excess: 0, reasons: [] };
  const seen = Math.max(reference.seenMax, 0) - Math.min(reference.seenMin, 0);
  const outside = Math.max(live.max - Math.max(reference.seenMax, 0), Math.min(reference.seenMin, 0) - live.min, 0);
  const beyond = outside === 0 ? 0 : outside / seen;
  const ratio = seen === 0 ? (outside === 0 ? 1 : Number.POSITIVE_INFINITY) : (live.max - live.min) / seen;
  const excess = Math.max(0, live.saturated - reference.cut);
  const isSmall = (limit: number): boolean => live.looks >= FEW_LOOKS && ratio < limit;
  const found = (level: 'watch' | 'drift'): string[] => [
    ...(beyond > LIMITS.beyond[level] ? [`values reach ${percent(beyond)} beyond the calibrated range`] : []),
    ...(excess > LIMITS.excess[level] ? [`${percent(excess)} more codes are saturated than calibrated`] : []),
    ...(isSmall(LIMITS.ratio[level]) ? [`values take ${percent(ratio)} of the calibrated range`] : []),
  ];
  const reasons = found('watch');
  const state = found('drift').length > 0 ? 'drift' : reasons.length > 0 ? 'watch' : 'ok';
  return { state, beyond, ratio, excess, reasons };
}

function percent(share: number): string {
  if (!Number.isFinite(share)) return 'infinitely far';
  return `${Number((share * 100).toPrecision(3))} %`;
}
