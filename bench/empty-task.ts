/**
 * The task of a Piscina worker that has nothing to do.
 * @module
 */

/** Does nothing. */
export default function empty(): void {}
