/** Wrong command lines, help, and the streams of the process. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ended, normal, problem, putNpy, run, spawned, start, temporaryFolder } from './helpers.js';

const folder = await temporaryFolder();
const x = await putNpy(join(folder, 'x.npy'), 'float32', [4, 64], normal(256));
const scale = await putNpy(join(folder, 'scale.npy'), 'float32', [], Float32Array.of(0.1));
const zero = await putNpy(join(folder, 'zero.npy'), 'uint8', [], Uint8Array.of(128));
const out = join(folder, 'out.safetensors');
const quantize = ['quantize', x, '--out', out];
const given = ['--preset', 'onnx-static', '--scale', scale, '--zero-point', zero];

const COMMANDS = [
  'quantize',
  'dequantize',
  'calibrate',
  'inspect',
  'compare',
  'recommend',
  'serve',
  'generate',
  'presets',
  'completion',
];

const calibrate = ['calibrate', x, '--preset', 'onnx-dynamic', '--out', join(folder, 'c.json'), '--method'];
const recommend = ['recommend', x, '--budget'];

describe('help', () => {
  it.each([[], ...COMMANDS.map((name) => [name])])('fits 80 columns: %s', async (...words) => {
    for (const flag of ['--help', '-h']) {
      const ran = await run([...words, flag]);
      expect(ran).toMatchObject({ code: 0, err: '' });
      expect(ran.out).toContain('USAGE quantlane');
      expect(ran.out.split('\n').filter((line) => line.length > 80 || line.endsWith(' '))).toEqual([]);
    }
  });

  it('tells the version', async () => {
    expect((await run(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('is not what follows --', async () => {
    expect(await problem(['inspect', '--', '--help'], 1)).toContain('ERR_QUANTLANE_FORMAT: --help: ');
  });
});

describe('wrong usage', () => {
  it.each([
    [[], 'got none'],
    [['nope'], "got 'nope'"],
    [['--nope'], "got '--nope'"],
    [['constructor'], "got 'constructor'"],
    [['presets', 'x'], "Expected no further argument, got 'x'"],
    [['presets', '--nope'], 'Unknown option --nope'],
    [['presets', '-j'], 'Unknown option -j'],
    [['presets', '--json', '--json'], 'once'],
    [['presets', '--json=no'], 'Expected no value'],
    [['presets', '--no-json'], 'Unknown option --no-json'],
    [['inspect'], 'Expected FILE, got none'],
    [['inspect', x, x], 'no further argument'],
    [['inspect', x, '--constructor', '1'], 'Unknown option --constructor'],
    [['quantize'], 'Expected IN..., got none'],
    [['quantize', x, '--preset', 'torchao-int8'], 'Expected --out, got none'],
    [['quantize', x, '--out', out], 'Expected --preset, got none'],
    [['quantize', x, '--out', '--preset', 'torchao-int8'], 'Expected a value for --out'],
    [['quantize', x, '--out'], 'Expected a value for --out'],
    [['quantize', x, '--preset', 'torchao-int8', '--out', 'x.npy'], "got 'x.npy'"],
    [['quantize', '-', '-', '--preset', 'torchao-int8', '--out', out], "Expected '-' once"],
    [[...quantize, '--preset', 'nope'], 'ERR_QUANTLANE_PRESET: --preset: Expected a preset (onnx-dynamic'],
    [[...quantize, '--preset', 'torchao-int8', '--dtype', 'uint8'], "Expected int8 for --dtype, got 'uint8'"],
    [[...quantize, '--preset', 'onnx-dynamic', '--axis', '-1'], "'onnx-dynamic' does not take axis"],
    [[...quantize, '--preset', 'torchao-int8', '--block-size', '32'], 'does not take blockSize'],
    [[...quantize, '--preset', 'torchao-int8', '--lanes', '-1'], 'Expected 0 to'],
    [[...quantize, '--preset', 'torchao-int8', '--lanes', '1.5'], "Expected an integer for --lanes, got '1.5'"],
    [[...quantize, '--preset', 'torchao-int8', '--memory', 'lots'], '--memory: Expected a size'],
    [[...quantize, '--preset', 'torchao-int8', '--memory', '4GiB'], 'below 2 GiB'],
    [[...quantize, '--preset', 'torchao-int8', '--kernels', 'fast'], "Expected simd, scalar for --kernels, got 'fast'"],
    [[...quantize, '--preset', 'torchao-int8', '--non-finite', 'ignore'], "for --non-finite, got 'ignore'"],
    [[...quantize, '--preset', 'torchao-int8', '--scale', scale], 'Expected no --scale'],
    [[...quantize, '--preset', 'onnx-static'], 'Expected --scale'],
    [[...quantize, '--preset', 'onnx-static', '--scale', scale], 'Expected --zero-point'],
    [
      [...quantize, ...given, '--dtype', 'int8'],
      'ERR_QUANTLANE_DTYPE: Expected int8 zero points for --dtype int8, got uint8',
    ],
    [[...quantize, ...given, '--block-size', '0'], 'block size of at least 1'],
    [[...quantize, '--preset', 'torchao-int8', '--reduce-range'], 'does not take reduceRange'],
    [[...quantize, '--preset', 'torch-dynamic', '--reduce-range=1'], 'Expected no value for --reduce-range'],
    [[...quantize, '--preset', 'torchao-int8', '--calibration', 'c.json'], "got 'torchao-int8', which is perToken"],
    [[...quantize, '--preset', 'ggml-q8_0', '--calibration', 'c.json'], "got 'ggml-q8_0', which is perBlock(32)"],
    [[...quantize, ...given, '--calibration', 'c.json'], 'or --scale and --zero-point, got both'],
    [['dequantize', x, '--out', 'x.txt'], "got 'x.txt'"],
    [['calibrate', x], 'Expected --preset, got none'],
    [calibrate.slice(0, -1), 'Expected --method, got none'],
    [
      [...calibrate, 'magic'],
      'Expected minmax, moving-average, percentile, mse, entropy, histogram, delayed for --method',
    ],
    [
      [...calibrate, 'minmax', '--bins', '64'],
      "--method minmax: Expected only granularity, nonFinite as options, got 'bins'",
    ],
    [[...calibrate, 'percentile', '--bins', 'many'], "Expected a number for --bins, got 'many'"],
    [[...calibrate, 'percentile', '--bins', '100'], 'Expected a power of two as options.bins'],
    [[...calibrate, 'percentile', '--percentile', '101'], 'Expected a number from 0 to 100'],
    [[...calibrate, 'percentile', '--asymmetric'], 'Expected true with tensorrt as options.symmetric'],
    [[...calibrate, 'entropy', '--form', 'torch'], "Expected 'tensorrt' or 'onnxruntime' as options.form"],
    [[...calibrate, 'minmax', '--non-finite', 'propagate'], 'Expected error, saturate for --non-finite'],
    [[...calibrate, 'minmax', '--axis', '0'], "'onnx-dynamic' does not take axis"],
    [[...calibrate, 'minmax', '--preset', 'onnx-static'], 'Expected --preset once'],
    [['calibrate', x, '--preset', 'torchao-int8', '--method', 'minmax', '--out', 'c.json'], 'which is perToken'],
    [
      ['calibrate', x, '--preset', 'onnx-static', '--method', 'mse', '--axis', '0', '--out', 'c.json'],
      'minmax or moving',
    ],
    [['calibrate', x, '--preset', 'onnx-static', '--method', 'minmax', '--out', 'c.txt'], "got 'c.txt'"],
    [['inspect', x, '--axis', '0'], 'Expected --preset with --axis'],
    [['inspect', x, '--reduce-range'], 'Expected --preset with --reduce-range'],
    [['inspect', x, '--preset', 'nope'], 'ERR_QUANTLANE_PRESET'],
    [['inspect', x, '--preset', 'onnx-static'], 'Expected --scale'],
    [['compare', x], 'Expected B, got none'],
    [['compare', x, x, x], 'no further argument'],
    [['compare', '-', '-'], "Expected '-' once"],
    [['recommend', x], 'Expected --budget, got none'],
    [[...recommend, 'much'], "Expected a budget such as 40dB for --budget, got 'much'"],
    [[...recommend, '40dBm'], "got '40dBm'"],
    [[...recommend, '40', '--top', '0'], 'Expected at least 1 for --top, got 0'],
  ])('%j', async (words, text) => {
    const line = await problem(words, 2);
    expect(line).toMatch(/^quantlane[a-z ]*: ERR_QUANTLANE_[A-Z]+: /);
    expect(line).toContain(text);
  });

  it('leaves no file', async () => {
    expect((await readdir(folder)).sort()).toEqual(['scale.npy', 'x.npy', 'zero.npy']);
  });
});

describe('the process', () => {
  it('exits with 0, 1 and 2, and says what is wrong in one line', async () => {
    expect(await spawned(['presets'])).toMatchObject({ code: 0, err: '' });
    const failure = await spawned(['inspect', join(folder, 'none.npy')]);
    expect(failure).toMatchObject({ code: 1, out: '' });
    expect(failure.err).toMatch(/^quantlane inspect: ERR_QUANTLANE_FORMAT: .*none\.npy: .*ENOENT\n$/);
    const wrong = await spawned([]);
    expect(wrong).toMatchObject({ code: 2, out: '' });
    expect(wrong.err).toMatch(/^quantlane: ERR_QUANTLANE_ARGUMENT: [^\n]+\n$/);
  });

  it('has no colours, whatever the environment says', async () => {
    for (const env of [{ NO_COLOR: '1' }, { FORCE_COLOR: '1', TERM: 'xterm-256color', CI: '' }]) {
      const { out: text } = await spawned(['quantize', '--help'], { env });
      expect(text).toContain('USAGE');
      expect(text).not.toContain('\u001b');
    }
  });

  it('ends quietly when nobody reads', async () => {
    const child = start(['presets']);
    child.stdout!.destroy();
    const { code, err } = await ended(child);
    expect(err).toBe('');
    expect(code).toBe(0);
  });

  it.runIf(process.platform !== 'win32')('deletes what it began when it is stopped', async () => {
    const child = start(['quantize', '-', '--preset', 'torchao-int8', '--out', join(folder, 'stopped.safetensors')], {
      env: { TMPDIR: folder },
    });
    child.stdin!.on('error', () => undefined);
    child.stdin!.write('begun');
    while (!(await readdir(folder)).some((name) => name.startsWith('quantlane-'))) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    child.kill('SIGINT');
    const { code, err } = await ended(child);
    expect(err).toBe('quantlane quantize: Stopped by SIGINT\n');
    expect(code).toBe(130);
    expect((await readdir(folder)).filter((name) => !name.endsWith('.npy'))).toEqual([]);
  });
});
