/**
 * What a soak has seen: counts, and every violation of what the runtime promises.
 * @module
 */

/** Counts of a soak. */
export interface Counts {
  /** Batches whose result was compared with the scalar twin's. */
  delivered: number;
  /** Values of those. */
  elements: number;
  /** Calls or streams that were given up, as asked. */
  cancelled: number;
  /** Batches that an overflow policy dropped. */
  dropped: number;
  /** Calls that were rejected and batches that were dropped because they were late. */
  late: number;
  /** Streams that failed of an overflow, as their policy says. */
  overflows: number;
  /** Poison batches, each rejected. */
  poisoned: number;
  /** Batches that were rejected because two lanes were killed while they ran them. */
  unlucky: number;
  /** Streams, and calls that were made one by one. */
  streams: number;
  calls: number;
}

/** Most violations that are kept; more are counted. */
const KEPT = 20;

/** Counts and violations. */
export class Ledger {
  readonly counts: Counts = {
    delivered: 0,
    elements: 0,
    cancelled: 0,
    dropped: 0,
    late: 0,
    overflows: 0,
    poisoned: 0,
    unlucky: 0,
    streams: 0,
    calls: 0,
  };
  /** Violations, the first ones as text. */
  readonly violations: string[] = [];
  violated = 0;
  /** When a result was last delivered, as `performance.now()`. */
  lastDelivery = performance.now();

  /** A result was right. */
  deliver(elements: number): void {
    this.counts.delivered++;
    this.counts.elements += elements;
    this.lastDelivery = performance.now();
  }

  /** Something is not as promised. */
  violate(what: string): void {
    this.violated++;
    if (this.violations.length < KEPT) this.violations.push(what);
  }

  /** Something is not as promised unless `holds`. */
  check(holds: boolean, what: () => string): void {
    if (!holds) this.violate(what());
  }
}

/** An error as text, with its code where it has one. */
export function textOf(error: unknown): string {
  const code = codeOf(error);
  const text = error instanceof Error ? error.message : String(error);
  return code === undefined ? text : `${code} (${text})`;
}

/** The stable code of an error. */
export function codeOf(error: unknown): string | undefined {
  return (error as { code?: string } | undefined)?.code;
}
