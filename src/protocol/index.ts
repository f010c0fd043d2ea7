/**
 * What the server and the client of the Open Inference Protocol share.
 * @module
 */

export type { TensorArray } from './datatypes.js';
export {
  arrayFrom,
  arrayOf,
  DATATYPE_OF,
  type Datatype,
  datatypeOf,
  INPUT_DATATYPES,
  isDatatype,
} from './datatypes.js';
export {
  type Frame,
  framed,
  HEAD_LENGTH,
  PREFIX,
  SUBPROTOCOL,
  TOKEN_PROTOCOL,
  tokenProtocol,
  unframed,
} from './frame.js';
