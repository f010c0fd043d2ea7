/**
 * The smallest model: what goes in comes out.
 * @module
 */
import { onnx, writeModel } from './model.js';

const { FLOAT } = onnx.TensorProto.DataType;
const type = { tensorType: { elemType: FLOAT } };

/** `y = x`, float32 of any shape. */
export const IDENTITY: Uint8Array = writeModel(
  onnx.ModelProto.create({
    irVersion: 8,
    opsetImport: [{ domain: '', version: 13 }],
    graph: {
      name: 'identity',
      node: [{ opType: 'Identity', input: ['x'], output: ['y'] }],
      input: [{ name: 'x', type }],
      output: [{ name: 'y', type }],
    },
  }),
);
