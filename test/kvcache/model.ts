/**
 * A naive cache: arrays of rows, quantized by formulas written out here. Keys are int4 from the minimum of each channel of a
 * block, values int8 about zero for each token and head.
 */
import { SIZES, WIDTH } from './helpers.js';

const { fround } = Math;
const { headDim } = SIZES;

/** How the caches of the model are stored. */
export const MODEL_RULES = {
  keys: { dtype: 'int4', granularity: 'perChannel' },
  values: { dtype: 'int8' },
  block: 4,
  sinks: 2,
  residual: 3,
} as const;

interface Row {
  readonly key: readonly number[];
  readonly value: readonly number[];
}

interface Block {
  readonly kind: 'sink' | 'float' | 'frozen';
  readonly rows: Row[];
}

/** The tokens of one layer. */
export class ModelLayer {
  blocks: Block[] = [];

  get tokens(): number {
    return this.blocks.flatMap(({ rows }) => rows).length;
  }

  append(keys: Float32Array, values: Float32Array): void {
    for (let at = 0; at < keys.length; at += WIDTH) {
      this.#push({ key: [...keys.subarray(at, at + WIDTH)], value: [...values.subarray(at, at + WIDTH)] });
    }
  }

  #push(row: Row): void {
    const { block, sinks, residual } = MODEL_RULES;
    const last = this.blocks.at(-1);
    const capacity = last?.kind === 'sink' ? sinks : block;
    if (last === undefined || last.kind === 'frozen' || last.rows.length === capacity) {
      this.blocks.push({ kind: this.tokens < sinks ? 'sink' : 'float', rows: [row] });
    } else {
      last.rows.push(row);
    }
    const index = this.blocks.findIndex(({ kind }) => kind === 'float');
    const after = this.blocks.slice(index + 1).flatMap(({ rows }) => rows).length;
    const oldest = this.blocks[index];
    if (oldest?.rows.length === block && after >= residual) {
      this.blocks[index] = { kind: 'frozen', rows: quantized(oldest.rows) };
    }
  }

  truncate(length: number): void {
    let left = length;
    this.blocks = this.blocks.flatMap((block) => {
      const rows = block.rows.slice(0, left);
      left -= rows.length;
      return rows.length === 0 ? [] : [{ ...block, rows }];
    });
  }

  read(): { keys: number[]; values: number[] } {
    const rows = this.blocks.flatMap((block) => block.rows);
    return { keys: rows.flatMap(({ key }) => key), values: rows.flatMap(({ value }) => value) };
  }
}

/** What a block reads back as. */
function quantized(rows: readonly Row[]): Row[] {
  const channels = Array.from({ length: WIDTH }, (_, c) => fromMinimum(rows.map(({ key }) => key[c]!)));
  return rows.map(({ value }, t) => ({
    key: channels.map((channel) => channel[t]!),
    value: Array.from({ length: SIZES.heads }, (_, head) =>
      aboutZero(value.slice(head * headDim, (head + 1) * headDim)),
    ).flat(),
  }));
}

function fromMinimum(values: readonly number[]): number[] {
  const least = Math.min(...values);
  const scale = fround(fround(Math.max(...values) - least) / 15);
  return values.map((x) => {
    const code = scale === 0 ? 0 : Math.min(roundEven(fround(fround(x - least) / scale)), 15);
    return fround(fround(code * scale) + least);
  });
}

function aboutZero(values: readonly number[]): number[] {
  const amax = Math.max(...values.map(Math.abs));
  const scale = fround(amax / 127);
  const multiplier = amax === 0 ? 0 : fround(127 / amax);
  return values.map((x) => fround(roundEven(fround(x * multiplier)) * scale));
}

function roundEven(v: number): number {
  const near = Math.round(v);
  // Integers have one zero.
  return (near - v === 0.5 && near % 2 !== 0 ? near - 1 : near) + 0;
}
