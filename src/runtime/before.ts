/**
 * A promise with a deadline.
 * @module
 */

/** Settles as `promise` does, or rejects with what `late` makes after `milliseconds`; keeps a process alive meanwhile. */
export async function before<T>(milliseconds: number, promise: Promise<T>, late?: () => Error): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const lateness = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late?.() ?? new Error(`no answer within ${milliseconds} ms`)), milliseconds);
  });
  try {
    return await Promise.race([promise, lateness]);
  } finally {
    clearTimeout(timer);
  }
}
