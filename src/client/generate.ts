/**
 * Text from a language model of the server, as it is made: Server-Sent Events.
 * @module
 */
import { RemoteError } from './error.js';
import { jsonOf } from './tensors.js';

/** What is wanted of a text. */
export interface GenerateRequest {
  /** What the text begins with. */
  readonly prompt: string;
  /** Tokens at most; default: as many as the server allows. */
  readonly maxTokens?: number;
  /** 0 (default): the likeliest token. */
  readonly temperature?: number;
  /** Of chance; default 0. */
  readonly seed?: number;
}

/** The body of a request. */
export function generateBody({ prompt, maxTokens, temperature, seed }: GenerateRequest): string {
  return JSON.stringify({ text_input: prompt, parameters: { max_tokens: maxTokens, temperature, seed } });
}

/**
 * The texts of events.
 * @throws RemoteError for an event that is an error
 */
export async function* textsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string, void, undefined> {
  for await (const data of eventsOf(body)) {
    const { text_output: text, error } = jsonOf(new TextEncoder().encode(data)) as Record<string, unknown>;
    if (typeof error === 'string') throw new RemoteError(500, error);
    if (typeof text === 'string' && text !== '') yield text;
  }
}

/** The data of events, of which this server writes one line each. The body is given up where nobody wants more. */
async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const events = (text + decoder.decode(value, { stream: true })).split(/\r?\n\r?\n/);
      text = events.pop()!;
      for (const event of events) {
        const lines = event.split(/\r?\n/).filter((line) => line.startsWith('data:'));
        if (lines.length > 0) yield lines.map((line) => line.slice(5).replace(/^ /, '')).join('\n');
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
