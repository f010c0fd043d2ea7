/** Calibration files that the command line writes, and what is quantized with them. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  calibrationOf,
  createObserver,
  MinMax,
  RANGE_METHODS,
  type RangeMethod,
  readCalibration,
  staticParameters,
  staticTarget,
  writeCalibration,
} from '#src/ranges/index.js';
import { perChannel, preset } from '#src/scheme/index.js';
import { withRuntime } from '../support/runtime.js';
import { difference } from '../support/vectors.js';
import {
  normal,
  problem,
  putNpy,
  putSafetensors,
  readSafetensors,
  run,
  runJson,
  spawned,
  temporaryFolder,
} from './helpers.js';

const folder = await temporaryFolder();
const at = (name: string): string => join(folder, name);
/** More than is read at once. */
const shape = [500, 600];
const data = normal(300_000);
const npy = await putNpy(at('acts.npy'), 'float32', shape, data);
const parts = [data.slice(0, 64), data.slice(64, 192), data.slice(192, 256)];
const batches = await Promise.all(
  parts.map((part, index) =>
    putSafetensors(at(`batch-${index}.safetensors`), { x: ['float32', [part.length / 8, 8], part] }),
  ),
);

/** Options of a method on the command line, and in the library. */
const OPTIONS: Readonly<Record<RangeMethod, readonly [string[], object]>> = {
  minmax: [[], {}],
  'moving-average': [['--averaging-constant', '0.25'], { averagingConstant: 0.25 }],
  percentile: [
    ['--percentile', '99', '--form', 'onnxruntime', '--asymmetric', '--bins=256'],
    { percentile: 99, form: 'onnxruntime', symmetric: false, bins: 256 },
  ],
  mse: [
    ['--bins', '512', '--start-bin', '16', '--stride', '4', '--unsigned'],
    { bins: 512, startBin: 16, stride: 4, unsigned: true },
  ],
  entropy: [
    ['--bins', '256', '--quantized-bins', '64', '--grid', 'first-batch'],
    { bins: 256, quantizedBins: 64, grid: 'first-batch' },
  ],
  histogram: [['--bins', '128', '--release', '1.13', '--bits', '7'], { bins: 128, release: '1.13', bits: 7 }],
  delayed: [
    ['--history', '2', '--algorithm', 'most_recent', '--margin', '-1', '--format', 'e5m2'],
    { history: 2, algorithm: 'most_recent', margin: -1, format: 'e5m2' },
  ],
};

interface Calibrated {
  tensors: { name: string; min: number[]; max: number[]; batches: number; elements: number; skipped: number }[];
}

async function calibrate(words: readonly string[], out = at('c.json')): Promise<Calibrated> {
  return runJson<Calibrated>(['calibrate', ...words, '--out', out]);
}

describe.each(RANGE_METHODS)('calibrate --method %s', (method) => {
  const [words, options] = OPTIONS[method];

  it('writes what the library writes, read in parts', async () => {
    const observer = createObserver(method, options);
    observer.observe(data, 'float32', shape);
    await calibrate([npy, '--preset', 'onnx-dynamic', '--method', method, ...words]);
    const expected = calibrationOf([['acts', observer]], { name: 'onnx-dynamic', options: {} });
    expect(await readFile(at('c.json'), 'utf8')).toBe(writeCalibration(expected));
  });

  it('takes tensors of one name as batches', async () => {
    const observer = createObserver(method, options);
    for (const part of parts) observer.observe(part);
    const { tensors } = await calibrate([...batches, '--preset', 'onnx-dynamic', '--method', method, ...words]);
    const { min, max } = observer.range();
    expect(tensors).toEqual([{ name: 'x', batches: 3, elements: 256, skipped: 0, min: [...min], max: [...max] }]);
  });
});

describe('calibrate', () => {
  it('finds a range for each channel', async () => {
    await calibrate([npy, '--preset', 'onnx-static', '--axis', '1', '--method', 'minmax']);
    const observer = new MinMax({ granularity: perChannel(1) as { kind: 'perChannel'; axis: number } });
    observer.observe(data, 'float32', shape);
    const { tensors, preset, options } = readCalibration(await readFile(at('c.json'), 'utf8'));
    expect(tensors.get('acts')).toMatchObject(observer.range());
    expect(preset).toEqual({ name: 'onnx-static', options: { axis: 1 } });
    expect(options['granularity']).toEqual(perChannel(1));
  });

  it('searches for as many bits as the codes have', async () => {
    for (const [dtype, bits] of [
      ['int8', 8],
      ['uint16', 16],
    ] as const) {
      await calibrate([batches[0]!, '--preset', 'onnx-static', '--dtype', dtype, '--method', 'mse', '--bins', '64']);
      expect(readCalibration(await readFile(at('c.json'), 'utf8')).options['bits']).toBe(bits);
    }
  });

  it('takes differently named files as batches of one tensor', async () => {
    const files = await Promise.all(parts.map((part, i) => putNpy(at(`p${i}.npy`), 'float32', [part.length], part)));
    const { tensors } = await calibrate([...files, '--as', 'all', '--preset', 'onnx-dynamic', '--method', 'minmax']);
    expect(tensors).toMatchObject([{ name: 'all', batches: 3, elements: 256 }]);
  });

  it('leaves out what is not finite where it is told to', async () => {
    const odd = Float32Array.of(1, Number.NaN, -2, Infinity);
    const path = await putNpy(at('odd.npy'), 'float32', [2, 2], odd);
    const words = [path, '--preset', 'onnx-dynamic', '--method', 'minmax'];
    const line = await problem(['calibrate', ...words, '--out', at('no.json')], 1);
    expect(line).toContain(`ERR_QUANTLANE_NON_FINITE: ${path}: tensor "odd": Expected finite values, got 2 of 4`);
    const { tensors } = await calibrate([...words, '--non-finite', 'saturate']);
    expect(tensors).toEqual([{ name: 'odd', batches: 1, elements: 2, skipped: 2, min: [-2], max: [1] }]);
    const none = await putNpy(at('nan.npy'), 'float32', [1], Float32Array.of(Number.NaN));
    const all = ['calibrate', none, '--preset', 'onnx-dynamic', '--method', 'minmax', '--non-finite', 'saturate'];
    expect(await problem([...all, '--out', at('no.json')], 1)).toContain('tensor "nan": Expected a finite value');
    expect((await readdir(folder)).filter((name) => name.startsWith('no.json'))).toEqual([]);
  });

  it('reads standard input, and says what it found in 80 columns', async () => {
    const words = ['calibrate', '-', '--preset', 'onnx-dynamic', '--method', 'minmax', '--out', at('in.json')];
    const ran = await spawned(words, { input: await readFile(npy) });
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(ran.out).toContain('tensor batches elements ranges');
    expect(ran.out).toMatch(/^stdin +1 +300k +1 /m);
    expect(ran.out.split('\n').filter((line) => line.length > 80 && !line.includes(folder))).toEqual([]);
  });

  it('refuses other types, and folders that are not there', async () => {
    const ints = await putSafetensors(at('ints.safetensors'), { ids: ['int32', [2], new Int32Array(2)] });
    const words = ['--preset', 'onnx-dynamic', '--method', 'minmax', '--out'];
    expect(await problem(['calibrate', ints, ...words, at('no.json')], 1)).toContain('tensor "ids": Expected float32');
    expect(await problem(['calibrate', npy, ...words, at('none/no.json')], 1)).toContain('got ENOENT');
    const deep = await putNpy(at('deep.npy'), 'float32', new Array(9).fill(1), Float32Array.of(1));
    expect(await problem(['calibrate', deep, ...words, at('no.json')], 1)).toContain('ERR_QUANTLANE_SHAPE');
  });

  it('can be stopped', async () => {
    const stop = new AbortController();
    stop.abort(new Error('enough'));
    const words = ['calibrate', npy, '--preset', 'onnx-dynamic', '--method', 'minmax', '--out', at('no.json')];
    const { code, err } = await run(words, { signal: stop.signal });
    expect([code, err]).toEqual([1, 'quantlane calibrate: enough']);
  });

  it('shows progress where somebody watches', async () => {
    const shown: string[] = [];
    const words = ['calibrate', npy, '--preset', 'onnx-dynamic', '--method', 'percentile', '--out', at('c.json')];
    await run(words, { show: (line) => shown.push(line) });
    expect(shown[0]).toMatch(/^\d+ % acts$/);
  });
});

describe('quantize --calibration', () => {
  const out = at('out.safetensors');
  const quantize = (...words: string[]): string[] => ['quantize', npy, '--out', out, ...words];

  it('gives a dynamic preset its range, whole and in parts', async () => {
    await calibrate([npy, '--preset', 'onnx-dynamic', '--method', 'percentile', '--percentile', '98']);
    const { tensors } = readCalibration(await readFile(at('c.json'), 'utf8'));
    const range = tensors.get('acts')!;
    await withRuntime({}, async (runtime) => {
      const whole = { dtype: 'float32', shape, data } as const;
      using expected = await runtime.quantize(whole, 'onnx-dynamic', { range, stats: true });
      for (const memory of ['64KiB', '64MiB']) {
        const words = quantize('--preset', 'onnx-dynamic', '--calibration', at('c.json'), '--memory', memory);
        const result = await runJson<{ tensors: { saturated: number }[] }>(words);
        expect(result.tensors[0]!.saturated).toBe(expected.stats!.saturated);
        expect(expected.stats!.saturated).toBeGreaterThan(1000);
        const written = (await readSafetensors(out)).tensors;
        expect(difference(written['acts']!.bytes, expected.data)).toBe('');
        expect(difference(written['acts.scale']!.bytes, expected.scale!)).toBe('');
      }
    });
  });

  it('gives every channel its range', async () => {
    await calibrate([npy, '--preset', 'torch-int8-per-channel', '--axis', '1', '--method', 'moving-average']);
    const { tensors } = readCalibration(await readFile(at('c.json'), 'utf8'));
    const range = tensors.get('acts')!;
    await runJson(quantize('--preset', 'torch-int8-per-channel', '--calibration', at('c.json'), '--memory', '64KiB'));
    await withRuntime({}, async (runtime) => {
      const scheme = preset('torch-int8-per-channel', { axis: 1 });
      using expected = await runtime.quantize({ dtype: 'float32', shape, data }, scheme, { range });
      const written = (await readSafetensors(out)).tensors;
      expect(difference(written['acts']!.bytes, expected.data)).toBe('');
      expect(difference(written['acts.scale']!.bytes, expected.scale!)).toBe('');
    });
  });

  it.each([
    ['onnx-static', 'uint8', []],
    ['onnx-static', 'int8', ['--axis', '0']],
    ['onnx-static', 'uint16', ['--axis', '1']],
    ['onnx-static', 'int16', []],
  ] as const)('gives %s of %s parameters of its range %j', async (name, dtype, axis) => {
    const words = ['--preset', name, '--dtype', dtype, ...axis];
    await calibrate([npy, ...words, '--method', 'minmax']);
    await runJson(quantize('--preset', name, '--calibration', at('c.json'), '--memory', '64KiB'));
    const { codes, ...views } = {
      uint8: { codes: [0, 255], zero: Uint8Array },
      int8: { codes: [-128, 127], zero: Int8Array },
      uint16: { codes: [0, 65535], zero: Uint16Array },
      int16: { codes: [-32768, 32767], zero: Int16Array },
    }[dtype];
    const { tensors } = readCalibration(await readFile(at('c.json'), 'utf8'));
    const { scale, zeroPoint } = staticParameters(tensors.get('acts')!, staticTarget(codes as [number, number]));
    const written = (await readSafetensors(out)).tensors;
    expect(difference(written['acts.scale']!.bytes, scale)).toBe('');
    expect(difference(written['acts.zero_point']!.bytes, views.zero.from(zeroPoint))).toBe('');
    const { tensors: found } = await runJson<{ tensors: { sqnr: number }[] }>(['compare', npy, out]);
    expect(found[0]!.sqnr).toBeGreaterThan(35);
  });

  it('gives int32 zero points to presets that have them, none to symmetric ones', async () => {
    const shifted = await putNpy(
      at('acts2.npy'),
      'float32',
      [64],
      data.slice(0, 64).map((x) => x + 5),
    );
    for (const name of ['vllm-int8-static', 'vllm-int8-static-azp']) {
      await calibrate([shifted, '--preset', name, '--method', 'minmax']);
      await runJson(['quantize', shifted, '--preset', name, '--calibration', at('c.json'), '--out', out]);
      const zero = (await readSafetensors(out)).tensors['acts2.zero_point'];
      if (name === 'vllm-int8-static') expect(zero).toBeUndefined();
      else expect(Buffer.from(zero!.bytes).readInt32LE()).toBeLessThan(-50);
    }
  });

  it('finds the only tensor whatever its name, and others by name', async () => {
    await calibrate([npy, '--preset', 'onnx-dynamic', '--method', 'minmax']);
    const [single] = batches;
    const words = ['--preset', 'onnx-dynamic', '--calibration', at('c.json'), '--out', out];
    await runJson(['quantize', single!, ...words]);
    const two = await putSafetensors(at('two.safetensors'), {
      acts: ['float32', [8], data.slice(0, 8)],
      other: ['float32', [8], data.slice(0, 8)],
    });
    expect(await problem(['quantize', two, ...words], 1)).toBe(
      `quantlane quantize: ERR_QUANTLANE_PARAMETERS: ${two}: tensor "other": Expected its range in ${at('c.json')}, got those of "acts"`,
    );
    await calibrate([two, '--preset', 'onnx-dynamic', '--method', 'minmax']);
    await runJson(['quantize', two, ...words]);
  });

  it('says what does not fit', async () => {
    const c = at('c.json');
    await calibrate([npy, '--preset', 'onnx-static', '--axis', '1', '--dtype', 'int8', '--method', 'minmax']);
    expect(await problem(quantize('--preset', 'onnx-dynamic', '--calibration', c), 2)).toContain(
      `Expected --preset onnx-static, for which ${c} is, got 'onnx-dynamic'`,
    );
    for (const words of [
      ['--axis', '0'],
      ['--dtype', 'uint8'],
      ['--block-size', '4'],
    ]) {
      expect(await problem(quantize('--preset', 'onnx-static', ...words, '--calibration', c), 2)).toMatch(
        words[0] === '--block-size' ? /perBlock/ : /\(--dtype int8 --axis 1\), got others$/,
      );
    }
    await runJson(quantize('--preset', 'onnx-static', '--axis', '1', '--non-finite', 'saturate', '--calibration', c));
    const narrow = await putNpy(at('acts.npy.narrow.npy'), 'float32', [2, 3], data.slice(0, 6));
    const few = ['quantize', narrow, '--preset', 'onnx-static', '--calibration', c, '--out', out];
    expect(await problem(few, 1)).toContain(`Expected 3 ranges, got 600 in ${c}`);
    await writeFile(at('bad.json'), '{}');
    const bad = quantize('--preset', 'onnx-static', '--calibration', at('bad.json'));
    expect(await problem(bad, 1)).toContain(`ERR_QUANTLANE_FORMAT: ${at('bad.json')}: Expected`);
    const missing = quantize('--preset', 'onnx-static', '--calibration', at('missing.json'));
    expect(await problem(missing, 1)).toContain('Expected a calibration file, got ENOENT');
  });

  it('takes the options of the command line where the file is for no preset', async () => {
    const observer = createObserver('minmax');
    observer.observe(data);
    await writeFile(at('free.json'), writeCalibration(calibrationOf([['acts', observer]])));
    await runJson(quantize('--preset', 'onnx-static', '--dtype', 'int16', '--calibration', at('free.json')));
    expect((await readSafetensors(out)).tensors['acts']!.dtype).toBe('I16');
  });
});

it('a reduced range is kept in files', async () => {
  const out = at('reduced.safetensors');
  const words = ['--preset', 'torch-dynamic', '--reduce-range'];
  await calibrate([npy, ...words, '--method', 'minmax']);
  await runJson(['quantize', npy, '--preset', 'torch-dynamic', '--calibration', at('c.json'), '--out', out]);
  const first = await readFile(out);
  await runJson(['quantize', npy, ...words, '--out', out]);
  expect(first.equals(await readFile(out))).toBe(true);
  const { metadata, tensors } = await readSafetensors(out);
  expect(JSON.parse(metadata['quantlane.tensor.acts']!)).toMatchObject({ reduceRange: true });
  const extent = Math.fround(data.reduce((a, b) => Math.max(a, b)) - data.reduce((a, b) => Math.min(a, b)));
  expect(Buffer.from(tensors['acts.scale']!.bytes).readDoubleLE()).toBeCloseTo(extent / 127, 6);
  const { tensors: found } = await runJson<{ tensors: { sqnr: number }[] }>(['compare', npy, out]);
  expect(found[0]!.sqnr).toBeGreaterThan(25);
});
