/**
 * Examples of every command, which its help shows and tests run.
 * @module
 */

/** An example: what it is for, and its command line in one or two lines of at most 78 columns. */
export interface Example {
  readonly purpose: string;
  readonly line: string;
}

/** The examples of each command. */
export const EXAMPLES: Readonly<Record<string, readonly Example[]>> = {
  quantize: [
    {
      purpose: 'int8 codes and a scale for each token, for vLLM',
      line: 'quantlane quantize x.npy --preset vllm-int8-per-token --out codes.safetensors',
    },
    {
      purpose: 'Static uint8 codes from ranges that calibrate found',
      line: 'quantlane quantize model.safetensors --preset onnx-static\n  --calibration ranges.json --out codes.safetensors',
    },
    {
      purpose: 'From standard input, with blocks of 32 values',
      line: 'quantlane quantize - --preset ggml-q8_0 --out codes.safetensors <x.npy',
    },
  ],
  dequantize: [
    {
      purpose: 'The float32 values that a consumer reads from the codes',
      line: 'quantlane dequantize codes.safetensors --out y.npy',
    },
  ],
  calibrate: [
    {
      purpose: 'Ranges without one value in a thousand',
      line: 'quantlane calibrate model.safetensors --preset onnx-static\n  --method percentile --percentile 99.9 --out ranges.json',
    },
    {
      purpose: 'Files that are batches of one tensor',
      line: 'quantlane calibrate a.npy b.npy --as x --preset onnx-dynamic\n  --method minmax --out x.json',
    },
  ],
  inspect: [
    { purpose: 'What is in a file', line: 'quantlane inspect model.safetensors' },
    { purpose: 'How well a preset does on it', line: 'quantlane inspect x.npy --preset torchao-int8' },
  ],
  compare: [
    { purpose: 'What quantization costs', line: 'quantlane compare x.npy codes.safetensors' },
    { purpose: 'The same for a program', line: 'quantlane compare x.npy codes.safetensors --json' },
  ],
  recommend: [
    {
      purpose: 'The smallest preset within 30 dB',
      line: 'quantlane recommend model.safetensors --budget 30dB --top 3',
    },
  ],
  serve: [
    { purpose: 'On this machine alone, on any port that is free', line: 'quantlane serve --port 0' },
    {
      purpose: 'For others, with a token and TLS',
      line: 'quantlane serve --host 0.0.0.0 --port 8443 --token-file token\n  --cert cert.pem --key key.pem',
    },
    {
      purpose: 'With the tensors of a calibration as models',
      line: 'quantlane serve --port 0 --calibration ranges.json',
    },
  ],
  node: [
    { purpose: 'A host of the cluster whose NATS server is on this machine', line: 'quantlane node --lanes 4' },
    {
      purpose: 'Of another cluster, with servers elsewhere and credentials',
      line: 'quantlane node --servers tls://nats.example:4222 --stream embeddings\n  --creds host.creds --memory 1GiB',
    },
  ],
  generate: [
    {
      purpose: 'Some words of a model in the layout of Hugging Face',
      line: 'quantlane generate --model model --prompt "Fellow-citizens" --max-tokens 8',
    },
    {
      purpose: 'With 4-bit keys and values, and chance',
      line: 'quantlane generate --model model --prompt "The sea" --max-tokens 8\n  --kv int4 --temperature 0.8 --seed 1',
    },
  ],
  presets: [{ purpose: 'For a program', line: 'quantlane presets --json' }],
  completion: [
    { purpose: 'In ~/.bashrc', line: 'source <(quantlane completion bash)' },
    { purpose: 'In ~/.zshrc, after compinit', line: 'source <(quantlane completion zsh)' },
    { purpose: 'In ~/.config/fish/config.fish', line: 'quantlane completion fish | source' },
  ],
};

/** The section of a command's help; empty for a command without examples. */
export function examplesOf(name: string): string {
  const examples = EXAMPLES[name] ?? [];
  const texts = examples.map(({ purpose, line }) => {
    const [first, ...more] = line.split('\n');
    return [`  # ${purpose}`, `  ${first}${more.length > 0 ? ' \\' : ''}`, ...more.map((rest) => `  ${rest}`)].join(
      '\n',
    );
  });
  return texts.length === 0 ? '' : `\n\nEXAMPLES\n\n${texts.join('\n\n')}`;
}
