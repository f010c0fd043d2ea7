/**
 * A model of one DynamicQuantizeLinear node, as the protocol buffer that ONNX Runtime loads.
 * @module
 */

type Bytes = readonly number[];

function varint(value: number): Bytes {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest & 127) | 128);
    rest >>>= 7;
  }
  return [...bytes, rest];
}

/** A field that holds bytes, text or a message. */
function field(number: number, content: Bytes | string): Bytes {
  const bytes = typeof content === 'string' ? [...Buffer.from(content)] : content;
  return [...varint((number << 3) | 2), ...varint(bytes.length), ...bytes];
}

/** A field that holds an integer. */
function integer(number: number, value: number): Bytes {
  return [...varint(number << 3), ...varint(value)];
}

const FLOAT = 1;
const UINT8 = 2;

/** ValueInfoProto of a tensor whose dimensions have names. */
function tensor(name: string, type: number, dimensions: readonly string[]): Bytes {
  const shape = dimensions.flatMap((dimension) => field(1, field(2, dimension)));
  return [...field(1, name), ...field(2, field(1, [...integer(1, type), ...field(2, shape)]))];
}

/** Input `x` float32 [n]; outputs `y` uint8 [n], `scale` float32, `zero` uint8. */
export function dynamicQuantizeModel(): Uint8Array {
  const node = [
    ...field(1, 'x'),
    ...field(2, 'y'),
    ...field(2, 'scale'),
    ...field(2, 'zero'),
    ...field(4, 'DynamicQuantizeLinear'),
  ];
  const graph = [
    ...field(1, node),
    ...field(2, 'bench'),
    ...field(11, tensor('x', FLOAT, ['n'])),
    ...field(12, tensor('y', UINT8, ['n'])),
    ...field(12, tensor('scale', FLOAT, [])),
    ...field(12, tensor('zero', UINT8, [])),
  ];
  const opset = [...field(1, ''), ...integer(2, 13)];
  return Uint8Array.from([...integer(1, 8), ...field(7, graph), ...field(8, opset)]);
}
