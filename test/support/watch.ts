/** Who watches a channel while a test runs. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';

/** What was told on a channel while `body` ran. */
export async function watching<E>(name: string, body: (events: readonly E[]) => Promise<unknown>): Promise<E[]> {
  const events: E[] = [];
  const listener = (event: unknown) => void events.push(event as E);
  subscribe(name, listener);
  try {
    await body(events);
  } finally {
    unsubscribe(name, listener);
  }
  return events;
}
