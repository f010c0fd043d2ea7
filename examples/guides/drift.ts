/**
 * Code of docs/guides/calibration.md: a fixed range, found once, and a watch that tells when it fits no more.
 * @module
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
// #region calibrate
import { createRuntime, preset } from 'quantlane';
import { calibrationOf, createObserver, readCalibration, writeCalibration } from 'quantlane/ranges';

const observer = createObserver('percentile', { percentile: 99.9 });
for (const batch of batches(64, 1)) observer.observe(batch.data);
const calibration = calibrationOf([['layers.0.input', observer]], { name: 'onnx-dynamic', options: {} });
// #endregion
const folder = await mkdtemp(join(tmpdir(), 'quantlane-'));
const file = join(folder, 'ranges.json');

// #region file
await writeFile(file, writeCalibration(calibration));
const { preset: target, tensors } = readCalibration(await readFile(file, 'utf8'));
const range = tensors.get('layers.0.input')!;
console.log(
  `${target!.name}: ${range.min[0]!.toFixed(3)} to ${range.max[0]!.toFixed(3)}, from ${range.elements} values`,
);
// #endregion
await rm(folder, { recursive: true });

// #region watch
const runtime = await createRuntime({ memory: '16MiB', lanes: 0 });
const scheme = preset(target!.name, target!.options);
const recent = createObserver('moving-average', { averagingConstant: 0.1 });

/** Quantizes with the fixed range; tells of batches that are cut off too often. */
async function serve(name: string, source: Iterable<{ shape: number[]; data: Float32Array<ArrayBuffer> }>) {
  let saturated = 0;
  let elements = 0;
  const watched = (function* () {
    for (const { shape, data } of source) {
      recent.observe(data);
      yield { dtype: 'float32', shape, data } as const;
    }
  })();
  for await (const q of runtime.stream(watched, scheme, { range, stats: true })) {
    saturated += q.stats!.saturated;
    elements += q.data.length;
    q.release();
  }
  const share = saturated / elements; // 0.1 % lie beyond a range of 99.9 %
  const extent = recent.range().max[0]! / range.max[0]!;
  const verdict = share > 0.01 ? 'calibrate again' : 'fits';
  console.log(
    `${name}: ${(share * 100).toFixed(2)} % cut off, largest values ${extent.toFixed(1)} × the range: ${verdict}`,
  );
}

await serve('as calibrated', batches(32, 2));
await serve('twice as large', batches(32, 3, 2));
await runtime.close();
// #endregion

/** Batches of 16 rows of 256 values, about normal, the same on every machine. */
function* batches(
  count: number,
  seed: number,
  gain = 1,
): Generator<{ shape: number[]; data: Float32Array<ArrayBuffer> }> {
  let state = seed;
  const uniform = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const normal = (): number => uniform() + uniform() + uniform() + uniform() + uniform() + uniform() - 3;
  for (let batch = 0; batch < count; batch++) {
    yield { shape: [16, 256], data: Float32Array.from({ length: 16 * 256 }, () => gain * normal()) };
  }
}
