/** Golden rows of one block of 32 values, for every preset that has such a block, row, dimension or tensor. */
import { BLOCK } from './inputs.js';
import { type Details, fromBits, type GoldenRow, type GoldenTable, padded, rowsOf } from './row.js';
import { E5M2, GGML_WASM, REDUCED, UE8M0 } from './systems.js';

const { fround } = Math;

/** One dimension of 32 embeddings. */
const DIMENSION: Details = { shape: [32, 1] };

const block = rowsOf(BLOCK);

/** Blocks of ggml, with their scales. */
const GGML: readonly GoldenRow[] = [
  block('ggml-q8_0', '082885bdf42c637fd40c4300b5ec245b95cc043c73ad001c538dc4fc346ba5dc144b'),
  block('ggml-q8_0-x86', '082885bdf42c637fd40c4300b5ec245b95cc043c73ad001c538dc4fc346ba5dc144b'),
  block(
    'ggml-q8_0',
    '082885bdf52b637fd50b4300b5ed235b95cd033b73ad001b538dc5fd336ba5dd134b',
    undefined,
    undefined,
    GGML_WASM,
  ),
  block('ggml-q8_1', '0828204485bdf42c637fd40c4300b5ec245b95cc043c73ad001c538dc4fc346ba5dc144b'),
  rowsOf(padded(BLOCK, 256))(
    'ggml-q8_K',
    '040201bd7b430cd49d812cf4bd004b14dca56b34fcc48d5300e4ad733c04cc955b24ecb5' +
      `${'00'.repeat(224)}180065ff${'0000'.repeat(14)}`,
  ),
  block('ggml-q4_0', '00b88f4c19d582603bf7c4885d19e6a27f3b'),
  block('ggml-q4_1', '3338c0c380b3e72a7d9fc5084b77a3e62a5d91c4'),
  block('ggml-q5_0', '00b447ce99330f9922bb04d066ff8810aa33cc55ee77'),
  block('ggml-q5_1', '1134c0c3b83167cc0077ee55fc3faa1188ff66dd44bb2299'),
  block('ggml-iq4_nl', '1ca88f3d19e481602bf7c3884d1ae5b26f2c'),
  block('ggml-mxfp4', '7f0e4c69d305265be1c4003c59d2a51d4b'),
  rowsOf(padded(BLOCK, 64))('ggml-nvfp4', `333200005f0dd9a43667ecc1d005577ee0c3266f${'00'.repeat(16)}`),
  block(
    'ggml-f16',
    'c0c340c000b6803d4042004480bd003640400024c0c000b9803cc041c0c280be0030803f404340c10080003b404140c380bf00b0803ec042' +
      'c0c180bc0039c040',
  ),
  block(
    'ggml-bf16',
    '78c008c0c0beb03f48408040b0bfc03e0840803c18c020bf903f384058c0d0bf003ef03f684028c00080603f284068c0f0bf00bed03f5840' +
      '38c090bf203f1840',
  ),
];

const SCALE = fromBits(0x3cfcfcfd);
const AFFINE = bytesOf('80b8f12a627fd00942feb0e9215a90c8013a72a8fd195288c0f9326aa0d9114a');

/** Integers with a zero point. */
const AFFINE_ROWS: readonly GoldenRow[] = [
  block('onnx-dynamic', '003871aae2ff5089c27e3069a1da104881baf2287d99d2084079b2ea205991ca', SCALE, 125, {
    from: 'run',
  }),
  block('torch-dynamic', '001c3854707f2844603e1834506c0824405c78143e4c6804203c5874102c4864', 7.875 / 127, 62, REDUCED),
  block('xnnpack-qd8', AFFINE, fromBits(0x3cfcfcfe), -3),
  block('kleidiai-qai8dxp', AFFINE, fromBits(0x3cfcfcfe), -3),
  block('torch-int8-affine', AFFINE, SCALE, -3),
  block('torch-per-token-affine', AFFINE, SCALE, -3),
  block('tflite-int8-affine', AFFINE, SCALE, -3),
  block('vllm-int8-azp', AFFINE, SCALE, -3),
];

const E4M3 = 'fef7e2727b7ef262773ef8e9707afcf356757df9806c79fdf5d6737cfaf06978';
const E4M3_POWER = 'f8f0dc6b7478eb5c7038f2e26974f6ed506f76f2806672f6efd06d76f4e96272';
const E5M2_CODES = 'fbf7ed75797bf56d775bf8f07479faf667777af9807279faf7e7767af9f47078';
const E4M3_SCALE = fromBits(0x3c124925);
const E5M2_SCALE = fromBits(0x38924925);

/** Floats of 8 bits. */
const FLOAT8: readonly GoldenRow[] = [
  block('torchao-float8', E4M3, E4M3_SCALE),
  block('torchao-float8', E5M2_CODES, E5M2_SCALE, undefined, E5M2),
  block('vllm-fp8-static', E4M3, E4M3_SCALE, undefined, { call: { parameters: { scale: [E4M3_SCALE] } } }),
  block('vllm-fp8-per-tensor', E4M3, E4M3_SCALE),
  block('vllm-fp8-per-token', E4M3, E4M3_SCALE),
  block('vllm-fp8-group', E4M3, E4M3_SCALE),
  block('vllm-fp8-group', E4M3_POWER, 2 ** -6, undefined, UE8M0),
  block('sglang-fp8-group', E4M3, E4M3_SCALE),
  block('sglang-fp8-group', E4M3_POWER, 121, undefined, UE8M0),
  block('deepseek-fp8-1x128', E4M3, E4M3_SCALE),
  block('deepgemm-fp8-1x128', E4M3, E4M3_SCALE),
  block('deepgemm-fp8-1x128', E4M3_POWER, 121, undefined, UE8M0),
  block('te-current', E4M3, E4M3_SCALE),
  block('te-current', E5M2_CODES, E5M2_SCALE, undefined, E5M2),
  block('te-current', E4M3_POWER, 2 ** -6, undefined, UE8M0),
  block('te-delayed', E4M3, E4M3_SCALE, undefined, { call: { range: { min: -4, max: 4 } } }),
];

/** Microscaling: the scale is the byte of an exponent. */
const MICROSCALING: readonly GoldenRow[] = [
  block('mx-fp8-e4m3', E4M3_POWER, 0x79),
  block('mx-fp8-e5m2', 'f8f4ea727678f26a7458f5ed7076f7f2647477f5806f75f7f4e47277f6f06d75', 0x72),
  block('mx-fp6-e3m2', '3c382e161a1c360e18013931141a3b3608181b392013193b3828161b3a341119', 0x7d),
  block('mx-fp6-e2m3', '3830230b14182b03100032250914362d010f1632200712362f210d1634290512', 0x7f),
  block('mx-fp4', 'ce39651b049c52bd40d628e58c53ad41', 0x7f),
  block('mx-int8', 'c2defa163240ea062200daf6122ecae6021e3ad6000e2ac6e2fe1a36d2ee0a26', 0x81),
  { preset: 'nvfp4-torchao', input: BLOCK, codes: 'df49761c05ad63ce50e738f68d75ce62', scale: [0x33, 0x32] },
  {
    preset: 'nvfp4-torchao',
    input: BLOCK,
    codes: 'df49761c05ae63cf50e738f68d75ce62',
    scale: [0x7e, 0x7d],
    // amax / (448 · 6), as the option of the call that a preset with two levels has.
    call: { tensorScale: fround(4 / 2688) } as object,
  },
];

/** Codes of 4 bits. */
const SMALL: readonly GoldenRow[] = [
  block('bnb-nf4', '026bef38d725ae137cf17ae027ce149d', 4),
  block('bnb-fp4', 'bde423c651ae72bc153a072bd943af62', 4),
  // The float16 nearest to 4 / 7, as raw bits.
  block('quarot-int4', 'c92f751e04fc52da30b620a50d63eb41', 0x3892),
];

const FLOOR = '003871aae2ff5089c27d3069a1da104881baf2287d99d2084079b2ea205991ca';

/** Embeddings; the zero point of a range is its smallest value. */
const EMBEDDINGS: readonly GoldenRow[] = [
  block('st-uint8', FLOOR, SCALE, -3.875, DIMENSION),
  block(
    'st-int8',
    bytesOf(FLOOR).map((code) => (code < 0 ? code + 128 : code - 128)),
    SCALE,
    -3.875,
    DIMENSION,
  ),
  block('faiss-sq8', FLOOR, 7.875, -3.875, DIMENSION),
  block(
    'qdrant-int8',
    '001c3855717f2845613f1834516d0824415d79143e4d6904203c5975102c4965',
    fromBits(0x3d7dfbf8),
    -3.875,
  ),
  block('usearch-i8', 'daebfd0d1f28f3031500e9fa0b1cdff0011224e600081adceeff1021e4f50617'),
  block('st-ubinary', '1dcce633'),
  block('st-binary', '9d4c66b3'),
  block('usearch-b1', '1dcce633'),
  block('pgvector-binary', '1dcce633'),
  block('qdrant-binary', 'b83367cc'),
];

/** One block of 32 values. */
export const ONE_BLOCK: GoldenTable = {
  'block, ggml': GGML,
  'block, affine': AFFINE_ROWS,
  'block, float8': FLOAT8,
  'block, microscaling': MICROSCALING,
  'block, small codes': SMALL,
  'block, embeddings': EMBEDDINGS,
};

function bytesOf(hex: string): number[] {
  return [...Int8Array.from(Buffer.from(hex, 'hex'))];
}
