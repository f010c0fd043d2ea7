/**
 * The words of the command line, as a shell may complete them.
 * @module
 */
import type { ArgDef, CommandDef } from 'citty';
import { KEY_VALUE_PRESETS } from '../kvcache/index.js';
import { RANGE_METHODS } from '../ranges/index.js';
import { CODE_DTYPES, PRESETS, SCALE_RULES } from '../scheme/index.js';

/** What may stand where a value is expected. */
export type Values = readonly string[] | 'file' | 'folder' | 'any';

/** An option of a command. */
export interface OptionWord {
  readonly name: string;
  readonly description: string;
  /** Undefined for a flag. */
  readonly values: Values | undefined;
}

/** A command. */
export interface CommandWord {
  readonly name: string;
  readonly description: string;
  readonly options: readonly OptionWord[];
  /** What its arguments are. */
  readonly positionals: Values;
}

/** The shells that there are words for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;

const presets = (): string[] => PRESETS.map(({ name }) => name);

/** Options whose values are a list, whatever command has them. */
const LISTS: Readonly<Record<string, () => readonly string[]>> = {
  preset: presets,
  scheme: () => [...presets(), 'none'],
  kv: () => [...KEY_VALUE_PRESETS.map(({ name }) => name), 'none'],
  method: () => RANGE_METHODS,
  dtype: () => CODE_DTYPES,
  'scale-rule': () => SCALE_RULES,
  'non-finite': () => ['error', 'saturate', 'propagate'],
  kernels: () => ['simd', 'scalar'],
  form: () => ['tensorrt', 'onnxruntime'],
  grid: () => ['dyadic', 'first-batch'],
  release: () => ['1.13', '2.0'],
  algorithm: () => ['max', 'most_recent'],
  format: () => ['e4m3', 'e5m2'],
};

/** Options that name a folder, and those that name a file though their hint does not say so. */
const FOLDERS: readonly string[] = ['model'];
const FILES: readonly string[] = ['out'];

/** The words of a command. */
// biome-ignore lint/suspicious/noExplicitAny: each command has arguments of its own
export function wordsOfCommand(name: string, { meta, args }: CommandDef<any>): CommandWord {
  const all = Object.entries(args as Readonly<Record<string, ArgDef>>);
  const arguments_ = all.filter(([, { type }]) => type === 'positional');
  return {
    name,
    description: (meta as { description?: string }).description ?? '',
    options: all
      .filter(([, { type }]) => type !== 'positional')
      .map(([option, definition]) => ({
        name: option,
        description: definition.description ?? '',
        values: definition.type === 'boolean' ? undefined : valuesOf(option, definition),
      })),
    positionals: arguments_.length === 0 ? [] : arguments_[0]![0] === 'shell' ? SHELLS : 'file',
  };
}

function valuesOf(name: string, definition: ArgDef): Values {
  const list = LISTS[name];
  if (list !== undefined) return list();
  if (FOLDERS.includes(name)) return 'folder';
  const hint = (definition as { valueHint?: string }).valueHint ?? '';
  return FILES.includes(name) || /FILE|\.[a-z]+$/i.test(hint) ? 'file' : 'any';
}
