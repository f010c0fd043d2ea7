/**
 * Batches whose right result is known: what the scalar twin makes of the same values.
 * @module
 */
import {
  type InputDtype,
  type PlainTensor,
  PRESETS,
  preset,
  type QuantizedTensor,
  type Runtime,
} from '../../src/index.js';
import { ENDLESS, POISON } from './lane.js';
import { codeOf } from './ledger.js';
import type { Random } from './random.js';

/** A batch and its right result. */
export interface Specimen {
  readonly tensor: PlainTensor;
  readonly elements: number;
  /** Codes and parameters; undefined for a poison batch, which has no result. */
  readonly right: Uint8Array | undefined;
}

/** A preset with a type of input that it takes. */
export interface Kind {
  readonly name: string;
  readonly dtype: InputDtype;
}

/** Fewest values of a poison batch: fewer could run in place, where there is no lane to die. */
const POISON_ELEMENTS = 200_000;

/** The part of poison that lanes never come to the end of. */
const ENDLESS_RATE = 0.2;

/** Makes specimens. */
export class Specimens {
  /** Every kind that quantizes without anything given. */
  readonly kinds: readonly Kind[];
  readonly #twin: Runtime;

  /** @param twin a runtime without lanes and with scalar kernels */
  constructor(twin: Runtime) {
    this.#twin = twin;
    const dtypes = ['float32', 'float16', 'bfloat16'] as const;
    this.kinds = PRESETS.flatMap(({ name }) => dtypes.map((dtype) => ({ name, dtype }))).filter((kind) =>
      this.#isUsable(kind),
    );
  }

  #isUsable({ name, dtype }: Kind): boolean {
    if (preset(name).parameters !== 'dynamic') return false;
    try {
      this.#rightOf({ dtype, shape: [4, 256], data: viewOf(dtype, 1024) }, name);
      return true;
    } catch (error) {
      if (codeOf(error) === 'ERR_QUANTLANE_DTYPE' || codeOf(error) === 'ERR_QUANTLANE_PARAMETERS') return false;
      throw error;
    }
  }

  /** A batch of random shape and values. */
  make(random: Random, { name, dtype }: Kind): Specimen {
    for (;;) {
      // Rows of any length, but for presets whose blocks must be whole.
      const columns = random.chance(0.5) ? random.between(1, 700) : random.between(1, 8) * 256;
      const elements = random.chance(0.7) ? 20_000 : random.chance(0.8) ? 150_000 : 600_000;
      const rows = random.between(1, Math.ceil(elements / columns));
      const tensor = { dtype, shape: [rows, columns], data: valuesOf(random, dtype, rows * columns) };
      try {
        return { tensor, elements: rows * columns, right: this.#rightOf(tensor, name) };
      } catch (error) {
        if (codeOf(error) !== 'ERR_QUANTLANE_SHAPE') throw error;
      }
    }
  }

  /** A batch that ends every lane which touches it, or keeps it busy until its thread is ended. */
  makePoison(random: Random, { dtype }: Kind): Specimen {
    const columns = random.between(1, 4) * 256;
    const rows = Math.ceil((POISON_ELEMENTS * random.between(1, 3)) / columns);
    const data = valuesOf(random, dtype, rows * columns);
    new Int32Array(data.buffer)[0] = random.chance(ENDLESS_RATE) ? ENDLESS : POISON;
    return { tensor: { dtype, shape: [rows, columns], data }, elements: rows * columns, right: undefined };
  }

  #rightOf(tensor: PlainTensor, name: string): Uint8Array {
    const quantized = this.#twin.quantizeSync(tensor, name);
    const bytes = Uint8Array.from(bytesOf(quantized));
    quantized.release();
    return bytes;
  }
}

/** All bytes of a result, copied: codes, scales, zero points, outliers and the scale of the tensor. */
export function bytesOf(quantized: QuantizedTensor): Buffer {
  const { data, scale, zeroPoint, outliers, outlierValues, tensorScale } = quantized;
  const parts = [data, scale, zeroPoint, outliers, outlierValues, tensorScale].flatMap((part) =>
    part === null ? [] : [new Uint8Array(part.buffer, part.byteOffset, part.byteLength)],
  );
  return Buffer.concat(parts);
}

function viewOf(dtype: InputDtype, count: number): Float32Array | Uint16Array {
  return dtype === 'float32' ? new Float32Array(count) : new Uint16Array(count);
}

/** Finite values: around zero with a few large ones for float32, any bits below 2 or so for the small types. */
function valuesOf(random: Random, dtype: InputDtype, count: number): Float32Array | Uint16Array {
  const values = viewOf(dtype, count);
  for (let k = 0; k < count; k++) {
    const bits = random.bits();
    if (dtype === 'float32') values[k] = ((bits | 0) / 2 ** 29) * ((bits & 127) === 0 ? 30 : 1);
    else if (dtype === 'float16') values[k] = bits & 0xbfff;
    else values[k] = (bits & 0x807f) | ((110 + (bits >>> 28)) << 7);
  }
  return values;
}
