/**
 * `quantlane generate`: text from a model of the Llama architecture, with quantized activations and cache.
 * @module
 */
import { type ArgsDef, defineCommand } from 'citty';
import type { Observable } from 'rxjs';
import { type GeneratedToken, type GenerateOptions, onLanes, TextGenerator } from '../generate/index.js';
import { amountOption, integerOption, type Words, wordsOf } from './arguments.js';
import type { Context } from './context.js';
import { asUsage, printable } from './failure.js';
import type { Report } from './report.js';
import { RUNTIME_ARGS, runtimeOptions, startRuntime } from './runtime-options.js';

const args = {
  model: { type: 'string', description: 'Folder in the layout of Hugging Face', valueHint: 'DIR', required: true },
  prompt: { type: 'string', description: 'What the text begins with', valueHint: 'TEXT', required: true },
  'max-tokens': { type: 'string', description: 'Tokens at most', valueHint: 'N' },
  scheme: {
    type: 'string',
    description: 'Preset of activations; none: float32',
    valueHint: 'P',
  },
  kv: { type: 'string', description: 'How keys and values are kept; none: float32', valueHint: 'P' },
  temperature: { type: 'string', description: '0 (default): the likeliest token', valueHint: 'T' },
  seed: { type: 'string', description: 'Of chance; default 0', valueHint: 'N' },
  ...RUNTIME_ARGS,
} as const satisfies ArgsDef;

/** The command. */
export const generateCommand = defineCommand({
  meta: { name: 'generate', description: 'Make text with a Llama model, quantized at run time' },
  args,
  run: ({ args, data }) => generate(wordsOf(args), data as Context),
});

async function generate(words: Words, context: Context): Promise<Report> {
  const options = generateOptions(words);
  const [folder, prompt] = [words('model')!, words('prompt')!];
  const [scheme, cache] = [words('scheme') ?? 'vllm-int8-per-token', words('kv') ?? 'int8'];
  await using runtime = await startRuntime(runtimeOptions(words));
  const arithmetic = asUsage('--scheme, --kv', () => onLanes(runtime, { scheme, cache }));
  using generator = await TextGenerator.open(folder, arithmetic);
  await using session = asUsage('--prompt', () => generator.session(prompt));
  const begin = performance.now();
  const tokens = await collected(session.generate(options), context, words('json') === undefined);
  const seconds = (performance.now() - begin) / 1000;
  return {
    // The text is there already.
    lines: [],
    json: {
      command: 'generate',
      model: folder,
      scheme,
      kv: cache,
      prompt,
      text: tokens.map(({ text }) => text).join(''),
      ids: tokens.map(({ id }) => id),
      finish: tokens.at(-1)?.finish ?? 'tokens',
      cacheBytes: session.byteLength,
      tokensPerSecond: tokens.length / seconds,
    },
  };
}

function generateOptions(words: Words): GenerateOptions {
  const temperature = amountOption('temperature', words('temperature'));
  const seed = integerOption('seed', words('seed'));
  const maxTokens = amountOption('max-tokens', integerOption('max-tokens', words('max-tokens'))?.toString());
  return {
    ...(temperature !== undefined && { temperature }),
    ...(seed !== undefined && { seed }),
    ...(maxTokens !== undefined && { maxTokens }),
  };
}

/** All tokens; their text is written as they come. */
function collected(
  source: Observable<GeneratedToken>,
  { signal, write }: Context,
  isShown: boolean,
): Promise<GeneratedToken[]> {
  return new Promise((resolve, reject) => {
    const tokens: GeneratedToken[] = [];
    const stop = (): void => {
      subscription.unsubscribe();
      reject(signal.reason);
    };
    const subscription = source.subscribe({
      next: (token) => {
        tokens.push(token);
        if (isShown) write(token.text.split('\n').map(printable).join('\n'));
      },
      error: reject,
      complete: () => resolve(tokens),
    });
    subscription.add(() => signal.removeEventListener('abort', stop));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop);
  });
}
