/**
 * Options and JSON, read field by field. Nothing of a value is used before its field was checked, keys that nobody
 * reads are refused (`__proto__` among them), and every error says where in the value it stands.
 * @module
 */
import { type ErrorCode, fail, got } from '../errors.js';

/** Bounds of a number; both ends are allowed. */
export interface Bounds {
  readonly least?: number;
  readonly most?: number;
}

/** An object whose fields are read one by one. */
export class Fields {
  /** Where the object stands, such as `tensors.input`. */
  readonly where: string;
  readonly #code: ErrorCode;
  readonly #value: Readonly<Record<string, unknown>>;

  /**
   * @param code - code of every error of this reader
   * @throws `code` where `value` is no plain object
   */
  constructor(code: ErrorCode, where: string, value: unknown) {
    this.#code = code;
    this.where = where;
    const isPlain = typeof value === 'object' && value !== null && !Array.isArray(value);
    const prototype: unknown = isPlain ? Object.getPrototypeOf(value) : undefined;
    if (!isPlain || (prototype !== Object.prototype && prototype !== null)) {
      throw fail(code, `Expected a plain object as ${where}, got ${got(value)}`);
    }
    this.#value = value as Record<string, unknown>;
  }

  /** The options of a caller; fields that are already being read pass through. */
  static options(options: object | Fields): Fields {
    return options instanceof Fields ? options : new Fields('ERR_QUANTLANE_ARGUMENT', 'options', options);
  }

  /**
   * Refuses every key that is not listed.
   * @returns these fields
   */
  only(...keys: readonly string[]): this {
    for (const key of Object.keys(this.#value)) {
      if (!keys.includes(key)) throw this.wrong(`only ${keys.join(', ') || 'no fields'}`, got(key));
    }
    return this;
  }

  /** Names of the fields. */
  keys(): readonly string[] {
    return Object.keys(this.#value);
  }

  /** Whether there is such a field and it is not undefined. */
  has(key: string): boolean {
    return Object.hasOwn(this.#value, key) && this.#value[key] !== undefined;
  }

  /** Whether the field is there and null. */
  isNull(key: string): boolean {
    return this.has(key) && this.#value[key] === null;
  }

  /** A number within bounds, `otherwise` where it is absent. */
  number(key: string, { least = -Infinity, most = Infinity }: Bounds = {}, otherwise?: number): number {
    const value = this.#get(key, otherwise);
    if (typeof value === 'number' && Number.isFinite(value) && value >= least && value <= most) return value;
    throw this.wrong(`a number ${bounds(least, most)}`, got(value), key);
  }

  /** An integer within bounds, by default from 0 to 2^53 − 1. */
  integer(key: string, { least = 0, most = Number.MAX_SAFE_INTEGER }: Bounds = {}, otherwise?: number): number {
    const value = this.#get(key, otherwise);
    if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most) return value as number;
    throw this.wrong(`an integer ${bounds(least, most)}`, got(value), key);
  }

  /** One of the choices. */
  choice<Choice extends string>(key: string, choices: readonly Choice[], otherwise?: Choice): Choice {
    const value = this.#get(key, otherwise);
    if ((choices as readonly unknown[]).includes(value)) return value as Choice;
    throw this.wrong(choices.map((choice) => `'${choice}'`).join(' or '), got(value), key);
  }

  /** True or false. */
  flag(key: string, otherwise?: boolean): boolean {
    const value = this.#get(key, otherwise);
    if (typeof value === 'boolean') return value;
    throw this.wrong('true or false', got(value), key);
  }

  /** A string of at most `most` characters. */
  text(key: string, most = 1024): string {
    const value = this.#get(key);
    if (typeof value === 'string' && value.length <= most) return value;
    throw this.wrong(`a string of at most ${most} characters`, got(value), key);
  }

  /** An object. */
  object(key: string): Fields {
    return new Fields(this.#code, `${this.where}.${key}`, this.#get(key));
  }

  /** A float32, held exactly. */
  float(key: string): number {
    const value = this.#get(key);
    if (isFloat(value)) return value;
    throw this.wrong('a finite float32', got(value), key);
  }

  /** A list of float32, each held exactly; `null` stands for `hole` where one is allowed. */
  floats(key: string, least: number, most: number, hole?: number): Float32Array {
    const list = this.#list(key, least, most);
    const floats = new Float32Array(list.length);
    for (let index = 0; index < list.length; index++) {
      const value: unknown = list[index];
      if (value === null && hole !== undefined) floats[index] = hole;
      else if (isFloat(value)) floats[index] = value;
      else throw this.wrong('finite float32', `${got(value)} at ${index}`, key);
    }
    return floats;
  }

  /** A list of numbers from 0; whole ones unless `fractions` are allowed. */
  counts(key: string, least: number, most: number, fractions = false): Float64Array {
    const list = this.#list(key, least, most);
    const counts = new Float64Array(list.length);
    for (let index = 0; index < list.length; index++) {
      const value: unknown = list[index];
      const isCount = fractions ? Number.isFinite(value) : Number.isSafeInteger(value);
      if (!isCount || (value as number) < 0) {
        throw this.wrong(fractions ? 'numbers from 0' : 'integers from 0', `${got(value)} at ${index}`, key);
      }
      counts[index] = value as number;
    }
    return counts;
  }

  /** The error of this reader: at `key`, or at the object itself. */
  wrong(expected: string, actual: string, key?: string): Error {
    return fail(
      this.#code,
      `Expected ${expected} as ${key === undefined ? this.where : `${this.where}.${key}`}, got ${actual}`,
    );
  }

  #get(key: string, otherwise?: unknown): unknown {
    return this.has(key) ? this.#value[key] : otherwise;
  }

  /** A list without reading past `most` of it. */
  #list(key: string, least: number, most: number): readonly unknown[] {
    const value = this.#get(key);
    if (!Array.isArray(value)) throw this.wrong('a list', got(value), key);
    if (value.length < least || value.length > most) {
      const range = least === most ? `${least}` : `${least} to ${most}`;
      throw this.wrong(`a list of ${range} numbers`, `${value.length}`, key);
    }
    return value;
  }
}

/** Whether a value is a finite float32. */
function isFloat(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && Math.fround(value) === value;
}

function bounds(least: number, most: number): string {
  if (most === Infinity || most === Number.MAX_SAFE_INTEGER)
    return least === -Infinity ? 'that is finite' : `from ${least}`;
  return least === -Infinity ? `up to ${most}` : `from ${least} to ${most}`;
}
