/**
 * Work on one item after the other, a few of them at a time.
 * @module
 */

/**
 * Works on every item, at most `limit` at a time, in their order. After a failure no item is begun, those in work are
 * waited for, and the failure of the earliest item is thrown; so it does not depend on which one was faster.
 * @param work works on an item; `before` settles when all items before it are over, whatever became of them
 */
export async function inFlight<T>(
  items: Iterable<T>,
  limit: number,
  work: (item: T, index: number, before: Promise<unknown>) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  let begun = 0;
  let last: Promise<unknown> = Promise.resolve();
  const failures: { readonly index: number; readonly error: unknown }[] = [];
  const carryOn = async (): Promise<void> => {
    while (failures.length === 0) {
      const { value, done } = iterator.next();
      if (done === true) return;
      const index = begun++;
      const working = work(value, index, last);
      last = Promise.allSettled([last, working]);
      try {
        await working;
      } catch (error) {
        failures.push({ index, error });
      }
    }
  };
  await Promise.all(Array.from({ length: limit }, carryOn));
  const [earliest] = failures.sort((a, b) => a.index - b.index);
  if (earliest !== undefined) throw earliest.error;
}
