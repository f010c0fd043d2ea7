/**
 * Text into tokens and back, by the `tokenizer.json` of a model.
 * @module
 */
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { describe, reason, refuse } from '../formats/refusals.js';
import { readJson } from './checkpoint.js';

/** What stands for bytes that are not, or not yet, a character. */
const UNKNOWN = '\ufffd';

/** Text into tokens and back. */
export class TextCodec {
  readonly #tokenizer: Tokenizer;

  private constructor(tokenizer: Tokenizer) {
    this.#tokenizer = tokenizer;
  }

  /**
   * The codec of a model's folder: `tokenizer.json`, and `tokenizer_config.json` where there is one.
   * @throws ERR_QUANTLANE_FORMAT
   */
  static async open(folder: string): Promise<TextCodec> {
    const path = join(folder, 'tokenizer.json');
    const json = await readJson(path);
    if (typeof json !== 'object' || json === null) throw refuse(path, `Expected an object, got ${describe(json)}`);
    const config = await readJson(join(folder, 'tokenizer_config.json')).catch((error: Error) => {
      if ((error.cause as NodeJS.ErrnoException).code === 'ENOENT') return {};
      throw error;
    });
    try {
      return new TextCodec(new Tokenizer(json, config as object));
    } catch (cause) {
      throw refuse(path, `Expected a tokenizer that is supported, got ${reason(cause)}`, { cause });
    }
  }

  /** The tokens of a text, with those that the tokenizer puts around every text. */
  encode(text: string): number[] {
    return this.#tokenizer.encode(text).ids;
  }

  /** The text of tokens, without special ones. */
  decode(ids: readonly number[]): string {
    return ids.length === 0 ? '' : this.#tokenizer.decode([...ids], { skip_special_tokens: true });
  }

  /** Decodes tokens that come one by one. */
  stream(): TextStream {
    return new TextStream(this);
  }
}

/** The text of tokens that come one by one. */
export class TextStream {
  readonly #codec: TextCodec;
  /** Tokens that may matter: those of the last piece that was given out, which decide about spaces, and newer ones. */
  #ids: number[] = [];
  /** How many of them were given out. */
  #given = 0;

  constructor(codec: TextCodec) {
    this.#codec = codec;
  }

  /** The text that a token adds; empty as long as it ends within a character. */
  push(id: number): string {
    this.#ids.push(id);
    const text = this.#rest();
    return text.endsWith(UNKNOWN) ? '' : this.#give(text);
  }

  /** What is left at the end: bytes that are no character. */
  end(): string {
    return this.#give(this.#rest());
  }

  #rest(): string {
    const before = this.#codec.decode(this.#ids.slice(0, this.#given));
    return this.#codec.decode(this.#ids).slice(before.length);
  }

  #give(text: string): string {
    this.#ids = this.#ids.slice(this.#given);
    this.#given = this.#ids.length;
    return text;
  }
}
