import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { PRESETS, preset } from '#src/index.js';
import { temporaryFolder } from '../cli/helpers.js';
import { callOf } from '../support/variants.js';
import { binaryRequest, infer, requestParameters, withServer } from './client.js';

const SHAPE = [4, 256];
const values = Float32Array.from({ length: 1024 }, (_, index) => Math.sin(index * 1.7) * (1 + (index % 7)));
const folder = await temporaryFolder();

function bytesOf(view: ArrayBufferView): Buffer {
  return Buffer.from(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
}

describe('the protocol', () => {
  it('tells what the server is, and that it lives', async () => {
    await withServer({}, async (url) => {
      const get = async (path: string) => {
        const response = await fetch(url + path);
        return [response.status, await response.json()] as const;
      };
      expect(await get('/v2')).toEqual([
        200,
        { name: 'quantlane', version: expect.stringMatching(/^\d/), extensions: ['binary_tensor_data'] },
      ]);
      expect(await get('/v2/health/live')).toEqual([200, { live: true }]);
      expect(await get('/v2/health/ready')).toEqual([200, { ready: true }]);
      expect(await get('/v2/models/onnx-dynamic/ready')).toEqual([200, { name: 'onnx-dynamic', ready: true }]);
      expect(await get('/v2/models/onnx-dynamic/versions/1')).toEqual([
        200,
        {
          name: 'onnx-dynamic',
          versions: ['1'],
          platform: 'quantlane',
          inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, -1] }],
          outputs: [
            { name: 'codes', datatype: 'UINT8', shape: [-1, -1] },
            { name: 'scale', datatype: 'FP32', shape: [-1] },
            { name: 'zero_point', datatype: 'UINT8', shape: [-1] },
          ],
          parameters: { scheme: 'onnx-dynamic', input_datatypes: 'FP32,FP16,BF16' },
        },
      ]);
      for (const path of ['/v2/models/nope', '/v2/models/onnx-dynamic/versions/2', '/nope', '/v2/models/x/nope']) {
        expect(await get(path)).toEqual([404, { error: expect.stringMatching(/^Expected /) }]);
      }
    });
  });

  it('answers JSON with JSON, nested or flat', async () => {
    await withServer({}, async (url) => {
      for (const data of [
        [
          [1, 2],
          [3, -4],
        ],
        [1, 2, 3, -4],
      ]) {
        const inputs = [{ name: 'x', datatype: 'FP32', shape: [2, 2], data }];
        const { status, json } = await infer(url, 'onnx-dynamic', { body: JSON.stringify({ id: 'a', inputs }) });
        expect([status, json]).toEqual([
          200,
          {
            model_name: 'onnx-dynamic',
            model_version: '1',
            id: 'a',
            outputs: [
              { name: 'codes', datatype: 'UINT8', shape: [2, 2], data: [182, 219, 255, 0] },
              { name: 'scale', datatype: 'FP32', shape: [], data: [Math.fround(7 / 255)] },
              { name: 'zero_point', datatype: 'UINT8', shape: [], data: [146] },
            ],
          },
        ]);
      }
    });
  });

  it.each(PRESETS.map(({ name }) => name))('gives the bytes of the library: %s', async (name) => {
    await withServer({}, async (url, runtime) => {
      const call = callOf(preset(name));
      using quantized = await runtime.quantize({ dtype: 'float32', shape: SHAPE, data: values }, name, call);
      const parameters = { binary_data_output: true, ...requestParameters(call) };
      const { status, json, outputs } = await infer(url, name, binaryRequest('FP32', SHAPE, values, { parameters }));
      expect(status, JSON.stringify(json)).toBe(200);
      expect(outputs.get('codes')).toMatchObject({ shape: quantized.dataShape, bytes: bytesOf(quantized.data) });
      for (const [key, expected] of [
        ['scale', quantized.scale],
        ['zero_point', quantized.zeroPoint],
      ] as const) {
        expect(outputs.get(key)?.bytes).toEqual(expected === null ? undefined : bytesOf(expected));
      }
    });
  });

  it('takes FP16 and BF16, and outputs one by one', async () => {
    await withServer({}, async (url, runtime) => {
      const bits = Uint16Array.from({ length: 64 }, (_, index) => 0x3c00 + index * 7);
      for (const [datatype, dtype] of [
        ['FP16', 'float16'],
        ['BF16', 'bfloat16'],
      ] as const) {
        using quantized = await runtime.quantize({ dtype, shape: [2, 32], data: bits }, 'vllm-int8-per-token');
        const outputs = [{ name: 'scale' }, { name: 'codes', parameters: { binary_data: true } }];
        const answer = await infer(url, 'vllm-int8-per-token', binaryRequest(datatype, [2, 32], bits, { outputs }));
        expect(answer.json.outputs[0]).toEqual({
          name: 'scale',
          datatype: 'FP32',
          shape: [2, 1],
          data: [...quantized.scale!],
        });
        expect(answer.outputs.get('codes')!.bytes).toEqual(bytesOf(quantized.data));
      }
    });
  });

  it('takes options of a preset', async () => {
    await withServer({}, async (url, runtime) => {
      const scheme = preset('onnx-static', { dtype: 'int8' });
      const call = { parameters: { scale: 0.05, zeroPoint: 3 } };
      using quantized = await runtime.quantize({ dtype: 'float32', shape: SHAPE, data: values }, scheme, call);
      const parameters = { dtype: 'int8', scale: 0.05, zero_point: 3, binary_data_output: true };
      const { outputs } = await infer(url, 'onnx-static', binaryRequest('FP32', SHAPE, values, { parameters }));
      expect(outputs.get('codes')!.bytes).toEqual(bytesOf(quantized.data));
    });
  });

  it('serves models of one’s own', async () => {
    const models = [{ name: 'layer.3', scheme: 'onnx-dynamic', range: { min: -8, max: 8 } }];
    await withServer({ models }, async (url, runtime) => {
      const plain = { dtype: 'float32', shape: SHAPE, data: values } as const;
      using quantized = await runtime.quantize(plain, 'onnx-dynamic', { range: { min: -8, max: 8 } });
      const request = binaryRequest('FP32', SHAPE, values, { parameters: { binary_data_output: true } });
      const { outputs } = await infer(url, 'layer.3', request);
      expect(outputs.get('codes')!.bytes).toEqual(bytesOf(quantized.data));
      const options = binaryRequest('FP32', SHAPE, values, { parameters: { reduce_range: true } });
      expect((await infer(url, 'layer.3', options)).status).toBe(400);
    });
    for (const name of ['', 'a/b', 'onnx-dynamic']) {
      await expect(
        withServer({ models: [{ name, scheme: 'torchao-int8' }] }, async () => undefined),
      ).rejects.toMatchObject({
        code: 'ERR_QUANTLANE_ARGUMENT',
      });
    }
  });

  it('is understood by curl', async () => {
    await withServer({}, async (url, runtime) => {
      const { headers, body } = binaryRequest('FP32', SHAPE, values, { parameters: { binary_data_output: true } });
      const path = join(folder, 'body.bin');
      await writeFile(path, body);
      const words = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
      const { stdout } = await promisify(execFile)(
        'curl',
        ['-sS', '--fail', ...words, '--data-binary', `@${path}`, `${url}/v2/models/ggml-q8_0/infer`],
        { encoding: 'buffer' },
      );
      using quantized = await runtime.quantize({ dtype: 'float32', shape: SHAPE, data: values }, 'ggml-q8_0');
      expect(stdout.subarray(-quantized.data.byteLength)).toEqual(bytesOf(quantized.data));
    });
  });
});
