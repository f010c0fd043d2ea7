/**
 * The options of every command that has a runtime.
 * @module
 */
import type { ArgsDef } from 'citty';
import { parseSize } from '../memory/index.js';
import type { Runtime, RuntimeOptions } from '../runtime/index.js';
import { createRuntime } from '../stream/index.js';
import { choiceOption, integerOption, type Words } from './arguments.js';
import { asUsage } from './failure.js';

/** Whether the report is JSON; an option of every command. */
export const JSON_ARG = { json: { type: 'boolean', description: 'Print one JSON object' } } as const satisfies ArgsDef;

/** The options, as citty takes them. */
export const RUNTIME_ARGS = {
  lanes: { type: 'string', description: 'Worker threads; 0: none', valueHint: 'N' },
  memory: { type: 'string', description: 'Arena, such as 256MiB (default)', valueHint: 'SIZE' },
  kernels: { type: 'string', description: 'simd (default) or scalar', valueHint: 'KIND' },
  ...JSON_ARG,
} as const satisfies ArgsDef;

/**
 * What they say.
 * @throws UsageError
 */
export function runtimeOptions(words: Words): RuntimeOptions {
  const lanes = integerOption('lanes', words('lanes'));
  const kernels = choiceOption('kernels', words('kernels'), ['simd', 'scalar'] as const);
  const memory = asUsage('--memory', () => parseSize(words('memory') ?? '256MiB'));
  return { memory, ...(lanes !== undefined && { lanes }), ...(kernels !== undefined && { kernels }) };
}

/**
 * A runtime of these options.
 * @throws UsageError where a number is out of its range
 */
export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  const outcome = await createRuntime(options).catch((error: unknown) => () => {
    throw error;
  });
  return typeof outcome === 'function' ? asUsage('--lanes, --memory', outcome) : outcome;
}
