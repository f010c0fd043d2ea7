/**
 * What the server and its models say of themselves.
 * @module
 */

import { type Datatype, INPUT_DATATYPES } from '../protocol/index.js';
import {
  dataDtype,
  type ScaleDtype,
  type Scheme,
  type StorageDtype,
  type ZeroPointDtype,
  zeroPointDtype,
} from '../scheme/index.js';
import { version } from '../version.js';
import type { Model } from './models.js';

/** Types of outputs by those of the arrays that hold them. */
const DATATYPES: Readonly<Record<StorageDtype | ScaleDtype | ZeroPointDtype, Datatype>> = {
  int8: 'INT8',
  uint8: 'UINT8',
  int16: 'INT16',
  uint16: 'UINT16',
  int32: 'INT32',
  float32: 'FP32',
  float64: 'FP64',
  float16: 'FP16',
  float8e8m0: 'UINT8',
  float8e4m3fn: 'UINT8',
};

/** The answer of `GET /v2`. */
export function serverMetadata(): object {
  return { name: 'quantlane', version: version(), extensions: ['binary_tensor_data'] };
}

/** The answer of `GET /v2/models/NAME`; a size of −1 follows from the request. */
export function modelMetadata({ name, scheme }: Model): object {
  return {
    name,
    versions: ['1'],
    platform: 'quantlane',
    inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, -1] }],
    outputs: outputsOf(scheme),
    parameters: { scheme: scheme.name, input_datatypes: Object.keys(INPUT_DATATYPES).join() },
  };
}

function outputsOf(scheme: Scheme): object[] {
  const codes = { name: 'codes', datatype: DATATYPES[dataDtype(scheme)], shape: [-1, -1] };
  if (scheme.layout !== 'planar') return [codes];
  const scale = { name: 'scale', datatype: DATATYPES[scheme.scaleDtype], shape: [-1] };
  if (scheme.symmetric) return [codes, scale];
  return [codes, scale, { name: 'zero_point', datatype: DATATYPES[zeroPointDtype(scheme)], shape: [-1] }];
}
