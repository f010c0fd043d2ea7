/**
 * The words of a command line, checked against what a command takes: an unknown, repeated or incomplete option is wrong
 * usage, not a positional.
 * @module
 */
import type { ArgDef, ArgsDef } from 'citty';
import { usage } from './failure.js';

/**
 * The words in a form that cannot be misread: `--name=value` and flags first, then `--` and the positionals.
 * @param words what follows the command
 * @param definitions what the command takes; a positional whose name ends with `...` may be repeated
 * @throws UsageError
 */
export function checkedArguments(words: readonly string[], definitions: ArgsDef): string[] {
  const options = new Map<string, string>();
  const positionals: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (word === '--') {
      positionals.push(...words.slice(at + 1));
      break;
    }
    if (word === '-' || !word.startsWith('-')) {
      positionals.push(word);
      continue;
    }
    const { name, value } = partsOf(word);
    const definition = definitionOf(name, definitions);
    if (options.has(name)) throw usage(`Expected --${name} once, got it twice`);
    if (definition.type === 'boolean') {
      if (value !== undefined) throw usage(`Expected no value for --${name}, got '${value}'`);
      options.set(name, `--${name}`);
      continue;
    }
    const given = value ?? words[++at];
    // A negative number is a value; what looks like an option is one.
    if (given === undefined || (value === undefined && /^--?[A-Za-z]/.test(given)))
      throw usage(`Expected a value for --${name}`);
    options.set(name, `--${name}=${given}`);
  }
  checkRequired(options, positionals, definitions);
  return [...options.values(), '--', ...positionals];
}

/** The value of an option; undefined where it is not there. That of a flag is only good for this question. */
export type Words = (name: string) => string | undefined;

/** The options that citty has parsed. */
export function wordsOf(args: Readonly<Record<string, unknown>>): Words {
  return (name) => args[name] as string | undefined;
}

/** An integer option, or undefined where it is not there. */
export function integerOption(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^-?\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw usage(`Expected an integer for --${name}, got '${text}'`);
}

/** An option that is a finite number from 0, or undefined where it is not there. */
export function amountOption(name: string, text: string | undefined): number | undefined {
  const value = numberOption(name, text);
  if (value === undefined || value >= 0) return value;
  throw usage(`Expected a number from 0 for --${name}, got '${text}'`);
}

/** A number option, or undefined where it is not there. */
export function numberOption(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw usage(`Expected a number for --${name}, got '${text}'`);
}

/** An option that is one of a few words, or undefined where it is not there. */
export function choiceOption<T extends string>(
  name: string,
  text: string | undefined,
  choices: readonly T[],
): T | undefined {
  if (text === undefined || (choices as readonly string[]).includes(text)) return text as T | undefined;
  throw usage(`Expected ${choices.join(', ')} for --${name}, got '${text}'`);
}

function partsOf(word: string): { name: string; value: string | undefined } {
  const [, dashes, name = '', value] = /^(--?)([^=]*)(?:=(.*))?$/s.exec(word)!;
  if (dashes === '-') throw usage(`Unknown option ${word}`);
  return { name, value };
}

function definitionOf(name: string, definitions: ArgsDef): ArgDef {
  const definition = Object.hasOwn(definitions, name) ? definitions[name] : undefined;
  if (definition === undefined || definition.type === 'positional') throw usage(`Unknown option --${name}`);
  return definition;
}

function checkRequired(options: ReadonlyMap<string, string>, positionals: readonly string[], all: ArgsDef): void {
  let count = 0;
  let isOpen = false;
  for (const [name, { type, required }] of Object.entries(all)) {
    if (type === 'positional') {
      count++;
      isOpen = name.endsWith('...');
      if (positionals.length < count) throw usage(`Expected ${name.toUpperCase()}, got none`);
    } else if (required === true && !options.has(name)) {
      throw usage(`Expected --${name}, got none`);
    }
  }
  if (positionals.length > count && !isOpen) throw usage(`Expected no further argument, got '${positionals[count]}'`);
}
