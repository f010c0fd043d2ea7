/**
 * A golden row: a small input whose output is known, chosen to tell the presets apart. The tables of rows name presets
 * that the library may not have yet; their rows wait for them.
 */
import type { QuantizeOptions, Scheme } from '#src/index.js';

/** An input and its known output. */
export interface GoldenRow {
  /** Name of the preset. */
  readonly preset: string;
  /** The system, where it is not the preset's own but has its rules with some changed. */
  readonly system?: string;
  readonly changes?: Partial<Scheme>;
  /** Options of the preset; also those that presets to come may have. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** Options of the call, such as given parameters. */
  readonly call?: QuantizeOptions;
  /** `run`: the real software gave this output. Absent: its published source was evaluated. */
  readonly from?: 'run';
  /** `propagate` where the input holds NaN or ±Inf: the output is the system's own. Absent: any policy. */
  readonly nonFinite?: 'propagate';
  /** The values, each the nearest float32. */
  readonly input: readonly number[];
  /** Shape of the input; absent: [1, columns]. */
  readonly shape?: readonly number[];
  /** The codes, or their bytes as hexadecimal; absent where only the parameters are known. */
  readonly codes?: readonly number[] | string;
  /** Every scale: numbers, or the raw bits of a type that JavaScript has no numbers for; absent within blocks. */
  readonly scale?: readonly number[];
  /** Absent for a symmetric preset, and where the system leaves it open. */
  readonly zeroPoint?: readonly number[];
}

/** Rows of one section, by the name of their input. */
export type GoldenTable = Readonly<Record<string, readonly GoldenRow[]>>;

/** What a row says beyond input, codes and parameters. */
export type Details = Omit<GoldenRow, 'preset' | 'input' | 'codes' | 'scale' | 'zeroPoint'>;

/** Makes the rows of one input: preset, codes, the one scale, the one zero point and details. */
export function rowsOf(input: readonly number[]) {
  return (
    preset: string,
    codes: GoldenRow['codes'],
    scale?: number,
    zeroPoint?: number,
    details: Details = {},
  ): GoldenRow => ({
    preset,
    input,
    ...(codes !== undefined && { codes }),
    ...(scale !== undefined && { scale: [scale] }),
    ...(zeroPoint !== undefined && { zeroPoint: [zeroPoint] }),
    ...details,
  });
}

/** A row whose scale and zero point are given; they are also what comes out. */
export function givenRow(
  preset: string,
  input: readonly number[],
  codes: GoldenRow['codes'],
  scale: number,
  zeroPoint?: number,
  details: Details = {},
): GoldenRow {
  const parameters = { scale: [scale], ...(zeroPoint !== undefined && { zeroPoint: [zeroPoint] }) };
  return rowsOf(input)(preset, codes, scale, zeroPoint, { call: { parameters }, ...details });
}

/** The values, and zeros up to `length`. */
export function padded(values: readonly number[], length: number): number[] {
  return [...values, ...new Array<number>(length - values.length).fill(0)];
}

/** The float32 of these bits. */
export function fromBits(bits: number): number {
  return new Float32Array(Uint32Array.of(bits).buffer)[0]!;
}

/** The bytes of codes as hexadecimal. */
export function hexOf(codes: readonly number[]): string {
  return Buffer.from(codes.map((code) => code & 255)).toString('hex');
}
