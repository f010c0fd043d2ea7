/**
 * The columns of outliers of a tensor of a file: those of the whole tensor, wherever it is cut.
 * @module
 */
import { Progress } from './context.js';
import { boxesOf, cutOf } from './cut.js';
import { inFlight } from './in-flight.js';
import { type BoxSource, costOf, readBox } from './tensor.js';

/** The columns, in ascending order; undefined for a scheme that keeps no outliers apart. */
export async function outlierColumns(source: BoxSource): Promise<Int32Array | undefined> {
  const { grid, entry, runtime, context } = source;
  const { outliers } = grid.scheme;
  if (outliers === null) return undefined;
  if (outliers.threshold === 0) return new Int32Array();
  const { capacity } = runtime.metrics().arena;
  const cut = cutOf(
    grid,
    capacity,
    (shape) => costOf({ grid, entry, sink: undefined, outliers: undefined }, shape),
    false,
  );
  const progress = new Progress(context.show, entry.name, grid.elements);
  const columns = new Set<number>();
  await inFlight(boxesOf(grid, cut.step), cut.inFlight, async (box) => {
    using lease = await readBox(source, box, undefined);
    for (const column of await runtime.outliers(lease, grid.scheme, { signal: context.signal })) columns.add(column);
    progress.add(lease.elements);
  });
  return Int32Array.from(columns).sort();
}
