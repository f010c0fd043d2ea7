/**
 * `quantlane serve`: the Open Inference Protocol in front of a runtime, until a signal ends it.
 * @module
 */
import { readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { type ArgsDef, defineCommand } from 'citty';
import { onLanes, TextGenerator } from '../generate/index.js';
import type { Runtime } from '../runtime/index.js';
import { preset } from '../scheme/index.js';
import { type ModelSettings, QuantlaneServer, type ServerOptions } from '../server/index.js';
import { calibratedValues } from '../watch/index.js';
import { integerOption, type Words, wordsOf } from './arguments.js';
import { calibratedGiven, readCalibrationFile } from './calibration.js';
import type { Context } from './context.js';
import { asUsage, usage } from './failure.js';
import type { Report } from './report.js';
import { RUNTIME_ARGS, runtimeOptions, startRuntime } from './runtime-options.js';

const args = {
  host: { type: 'string', description: 'Address, default 127.0.0.1', valueHint: 'HOST' },
  port: { type: 'string', description: 'Port, default 8000; 0: any', valueHint: 'N' },
  calibration: { type: 'string', description: 'Its tensors become models', valueHint: 'FILE' },
  'token-file': { type: 'string', description: 'Holds the bearer token', valueHint: 'FILE' },
  cert: { type: 'string', description: 'Certificate for TLS, PEM', valueHint: 'FILE' },
  key: { type: 'string', description: 'Key for TLS, PEM', valueHint: 'FILE' },
  'max-tensor': { type: 'string', description: 'Of a request, default 64MiB', valueHint: 'SIZE' },
  'max-pending': { type: 'string', description: 'Requests at a time, default 1024', valueHint: 'N' },
  'max-streams': { type: 'string', description: 'Streams of batches at a time, default 64', valueHint: 'N' },
  generate: { type: 'string', description: 'Language model, as for generate', valueHint: 'DIR' },
  'generate-name': { type: 'string', description: "Its name, default the folder's", valueHint: 'NAME' },
  'max-tokens': { type: 'string', description: 'Of a text, default 512', valueHint: 'N' },
  'max-sessions': { type: 'string', description: 'Texts at a time, default 32', valueHint: 'N' },
  timeout: { type: 'string', description: 'For a request, default 30000', valueHint: 'MS' },
  dashboard: { type: 'boolean', description: 'A page at /dashboard, also where others reach it' },
  'no-dashboard': { type: 'boolean', description: 'No such page, nor what it is made of' },
  'metrics-open': { type: 'boolean', description: 'Metrics need no token' },
  'health-deadline': { type: 'string', description: 'Of lanes, default 5000', valueHint: 'MS' },
  log: { type: 'boolean', description: 'A line for each request, to stderr' },
  ...RUNTIME_ARGS,
} as const satisfies ArgsDef;

/** The command. */
export const serveCommand = defineCommand({
  meta: { name: 'serve', description: 'Quantize over HTTP: the Open Inference Protocol' },
  args,
  // `--no-dashboard` is `dashboard: false` here.
  run: ({ args, data }) => serve(wordsOf(args), args.dashboard, data as Context),
});

async function serve(words: Words, dashboard: boolean | undefined, context: Context): Promise<Report> {
  const options = await serverOptions(words, dashboard, context);
  await using runtime = await startRuntime(runtimeOptions(words));
  using generator = await generatorOf(words, runtime);
  const generators = generator === undefined ? [] : [{ name: nameOf(words), generator }];
  const server = await QuantlaneServer.listen(runtime, { ...options, generators }).catch((error: unknown) => () => {
    throw error;
  });
  if (typeof server === 'function') return asUsage('serve', server);
  context.say(`quantlane serve: listening on ${server.url}`);
  if (server.hasDashboard) context.say(`quantlane serve: ${server.url}/dashboard shows what it does`);
  if (!context.signal.aborted) {
    await new Promise((resolve) => context.signal.addEventListener('abort', resolve, { once: true }));
  }
  await server.close();
  const { calls: all, failed, elements } = runtime.metrics();
  const calls = all - server.looks;
  return {
    lines: [`${calls} batches, ${failed} failed, ${elements} elements`],
    json: { command: 'serve', calls, failed, elements },
  };
}

async function serverOptions(words: Words, dashboard: boolean | undefined, { say }: Context): Promise<ServerOptions> {
  // One after the other: of two that are missing the first is told.
  const cert = await fileOf('cert', words);
  const key = await fileOf('key', words);
  if ((cert === undefined) !== (key === undefined)) throw usage('Expected --cert and --key, got one of them');
  const token = (await fileOf('token-file', words))?.toString('utf8').trim();
  const host = words('host');
  const port = integerOption('port', words('port'));
  const maxTensor = words('max-tensor');
  const maxPending = integerOption('max-pending', words('max-pending'));
  const maxTokens = integerOption('max-tokens', words('max-tokens'));
  const maxSessions = integerOption('max-sessions', words('max-sessions'));
  const maxStreams = integerOption('max-streams', words('max-streams'));
  const timeout = integerOption('timeout', words('timeout'));
  const healthDeadline = integerOption('health-deadline', words('health-deadline'));
  return {
    models: await calibratedModels(words('calibration')),
    ...(host !== undefined && { host }),
    ...(port !== undefined && { port }),
    ...(token !== undefined && { token }),
    ...(cert !== undefined && key !== undefined && { tls: { cert, key } }),
    ...(maxTensor !== undefined && { maxTensor }),
    ...(maxPending !== undefined && { maxPending }),
    ...(maxTokens !== undefined && { maxTokens }),
    ...(maxSessions !== undefined && { maxSessions }),
    ...(maxStreams !== undefined && { maxStreams }),
    ...(timeout !== undefined && { timeout }),
    ...(dashboard !== undefined && { dashboard }),
    ...(words('metrics-open') !== undefined && { metricsOpen: true }),
    ...(words('log') !== undefined && { log: { write: (line: string) => say(line.trimEnd()) } }),
    ...(healthDeadline !== undefined && { healthDeadline }),
  };
}

/** The language model that is served. */
async function generatorOf(words: Words, runtime: Runtime): Promise<TextGenerator | undefined> {
  const folder = words('generate');
  return folder === undefined ? undefined : TextGenerator.open(folder, onLanes(runtime));
}

function nameOf(words: Words): string {
  return words('generate-name') ?? basename(resolve(words('generate')!));
}

async function fileOf(name: string, words: Words): Promise<Buffer | undefined> {
  const path = words(name);
  if (path === undefined) return undefined;
  return readFile(path).catch((cause: NodeJS.ErrnoException) => {
    throw usage(`Expected a file for --${name}, got '${path}' (${cause.code})`);
  });
}

/** A model for every tensor of a calibration file, with its preset and range. */
async function calibratedModels(path: string | undefined): Promise<ModelSettings[]> {
  if (path === undefined) return [];
  const calibration = await readCalibrationFile(path);
  const { preset: target, tensors } = calibration;
  if (target === null) throw usage(`Expected a calibration for a preset, got ${path}, which is for none`);
  const scheme = preset(target.name, target.options);
  return [...tensors].map(([name, tensor]) => {
    const { min } = tensor;
    const given = calibratedGiven(calibration, path, scheme, { name, isOnly: false, parameters: min.length });
    return {
      name,
      scheme,
      calibrated: calibratedValues(tensor),
      ...('range' in given ? { range: given.range } : { parameters: definedOf(given.parameters) }),
    };
  });
}

function definedOf<Z>({ scale, zeroPoint }: { readonly scale: Float32Array; readonly zeroPoint: Z | undefined }) {
  return { scale, ...(zeroPoint !== undefined && { zeroPoint }) };
}
