/**
 * Text from a model's folder: the façade of this room.
 * @module
 */
import { join } from 'node:path';
import { Observable } from 'rxjs';
import { fail, got } from '../errors.js';
import type { Arithmetic } from './arithmetic.js';
import type { Caches } from './cache.js';
import { readJson } from './checkpoint.js';
import { type LlamaConfig, llamaConfig } from './config.js';
import { LlamaModel } from './model.js';
import {
  type GeneratedToken,
  type GenerateOptions,
  type ParkedSession,
  Session,
  type SessionParts,
} from './session.js';
import { Stepper } from './stepper.js';
import { TextCodec } from './text.js';

/** Makes text with a model. It holds the weights until `release`. */
export class TextGenerator implements Disposable {
  readonly config: LlamaConfig;
  readonly model: LlamaModel;
  readonly codec: TextCodec;
  readonly caches: Caches;
  readonly #parts: SessionParts;

  private constructor(model: LlamaModel, codec: TextCodec, caches: Caches) {
    this.config = model.config;
    this.model = model;
    this.codec = codec;
    this.caches = caches;
    this.#parts = { config: model.config, codec, stepper: new Stepper(model) };
  }

  /**
   * Opens a model of the Llama architecture.
   * @param folder `config.json`, `tokenizer.json` and weights as safetensors, as Hugging Face lays them out
   * @throws ERR_QUANTLANE_FORMAT for what is missing, broken or not supported, and errors of the runtime
   */
  static async open(folder: string, { project, cachesOf }: Arithmetic): Promise<TextGenerator> {
    const path = join(folder, 'config.json');
    const config = llamaConfig(await readJson(path), path);
    const codec = await TextCodec.open(folder);
    const caches = cachesOf(config);
    return new TextGenerator(await LlamaModel.load(folder, config, project), codec, caches);
  }

  /**
   * A session that begins with a prompt.
   * @param prompt text, or its tokens; at least one
   * @throws ERR_QUANTLANE_ARGUMENT for no tokens, or more than the model has positions for
   */
  session(prompt: string | readonly number[]): Session {
    const ids = typeof prompt === 'string' ? this.codec.encode(prompt) : prompt;
    const { positions, vocabulary } = this.config;
    if (ids.length === 0 || ids.length > positions) {
      throw fail('ERR_QUANTLANE_ARGUMENT', `Expected a prompt of 1 to ${positions} tokens, got ${ids.length}`);
    }
    const strange = ids.find((id) => !Number.isInteger(id) || id < 0 || id >= vocabulary);
    if (strange !== undefined) {
      throw fail('ERR_QUANTLANE_ARGUMENT', `Expected tokens from 0 to ${vocabulary - 1}, got ${got(strange)}`);
    }
    return new Session(this.#parts, ids, this.caches.create());
  }

  /**
   * Goes on with a session that was parked.
   * @throws ERR_QUANTLANE_FORMAT for what was not parked by a session of such a model
   */
  resume({ ids, cache }: ParkedSession): Session {
    const restored = this.caches.restore(cache);
    // The last token is shown to the model only when the next one is asked for.
    if (restored.tokens < ids.length) return new Session(this.#parts, ids, restored);
    restored.release();
    throw fail(
      'ERR_QUANTLANE_FORMAT',
      `Expected more tokens than the ${restored.tokens} in the cache, got ${ids.length}`,
    );
  }

  /** The tokens after a prompt, in a session of their own that is released when they end or nobody wants them. */
  generate(prompt: string | readonly number[], options: GenerateOptions = {}): Observable<GeneratedToken> {
    return new Observable((subscriber) => {
      const session = this.session(prompt);
      subscriber.add(() => void session.release());
      return session.generate(options).subscribe(subscriber);
    });
  }

  /** Gives the weights back; sessions must be released before. */
  release(): void {
    this.model.release();
  }

  /** The same as `release()`. */
  [Symbol.dispose](): void {
    this.release();
  }
}
