/**
 * One preset on all tokens of a file.
 * @module
 */
import type { TensorFile } from '../src/formats/index.js';
import type { Scheme, StreamingRuntime, StreamOptions, TensorLease } from '../src/index.js';
import { Account, type Totals } from './account.js';
import { calibrate } from './calibration.js';
import { Failure } from './failure.js';
import { type TokenTensor, tokenPages } from './tokens.js';

/** Times that the first page is streamed before the clock runs: the machine code is made after a few thousand tokens. */
const WARM_UP = 16;

/** Streams every token through the scheme; `onPage` hears how many are done. */
export async function measure(
  runtime: StreamingRuntime,
  file: TensorFile,
  tensors: readonly TokenTensor[],
  scheme: Scheme,
  onPage: (tokens: number) => void,
): Promise<Totals> {
  await warmUp(runtime, file, tensors[0]!, scheme);
  const account = new Account();
  for (const tensor of tensors) {
    const before = account.tokens;
    try {
      const options = await optionsOf(runtime, file, tensor, scheme);
      for await (const page of tokenPages(runtime, file, tensor)) {
        await streamPage(runtime, page, scheme, options, account);
        onPage(account.tokens);
      }
    } catch (cause) {
      throw Failure.at(`tensor '${tensor.entry.name}', token ${account.tokens - before}`, cause);
    }
  }
  return account.totals(scheme.name);
}

/** Streams the first page into an account that nobody reads. An error there comes again where it is located. */
async function warmUp(runtime: StreamingRuntime, file: TensorFile, tensor: TokenTensor, scheme: Scheme): Promise<void> {
  try {
    const options = await optionsOf(runtime, file, tensor, scheme);
    for (let round = 0; round < WARM_UP; round++) {
      for await (const page of tokenPages(runtime, file, tensor)) {
        await streamPage(runtime, page, scheme, options, new Account());
        break;
      }
    }
  } catch {
    // It is told below.
  }
}

/** Error statistics, and the parameters or the range of the tensor where the scheme wants them given. */
async function optionsOf(
  runtime: StreamingRuntime,
  file: TensorFile,
  tensor: TokenTensor,
  scheme: Scheme,
): Promise<StreamOptions> {
  if (scheme.parameters === 'dynamic') return { stats: true };
  return { stats: true, ...(await calibrate(runtime, file, tensor, scheme)) };
}

/** Streams the tokens of a page, each a batch of its own. The clock runs from the first one in to the last one out. */
async function streamPage(
  runtime: StreamingRuntime,
  page: readonly TensorLease[],
  scheme: Scheme,
  options: StreamOptions,
  account: Account,
): Promise<void> {
  const copied = runtime.metrics().copiedBytes;
  const start = performance.now();
  await runtime.stream(page, scheme, options).forEach((result) => {
    account.add(result);
  });
  account.seconds += (performance.now() - start) / 1000;
  account.copiedBytes += runtime.metrics().copiedBytes - copied;
}
