/**
 * Question: how many small requests does the server answer, and how late, against Fastify with ONNX Runtime behind it, which
 * speaks the same protocol?
 * @module
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type Bar, digits } from '../bars.js';
import type { Answer, Context } from '../case.js';
import { table } from '../document.js';
import { type LoadOrder, type LoadResult, requestOf } from '../serve/request.js';
import { median, ratio } from '../statistics.js';

const CONNECTIONS = 256;
const ELEMENTS = 4_096;
const ROUNDS = 9;
const SECONDS = 3;
const WORK = `${CONNECTIONS} connections, 1 × ${ELEMENTS.toLocaleString('en')} float32`;
const RIVAL = 'Fastify and ONNX Runtime';

/** A process that does its part. */
interface Part {
  readonly process: ChildProcess;
  readonly url: string;
}

/** Finds the answer: both servers and the load have a process each, and the servers have their turns. */
export async function serve({ effort, report }: Context): Promise<Answer> {
  const [mine, rival] = await Promise.all([server('mine'), server('rival')]);
  const load = start('load');
  const found = { mine: [] as LoadResult[], rival: [] as LoadResult[] };
  try {
    await assertSameAnswers(mine.url, rival.url);
    const seconds = effort.isQuick ? 0.5 : SECONDS;
    const turn = async (which: 'mine' | 'rival'): Promise<LoadResult> => {
      const url = which === 'mine' ? mine.url : rival.url;
      const order: LoadOrder = { url, seconds, connections: CONNECTIONS, elements: ELEMENTS };
      load.send(order);
      const [result] = (await once(load, 'message')) as [LoadResult];
      if (result.failed > 0) throw new Error(`${which}: ${result.failed} of ${result.requests} requests failed`);
      return result;
    };
    // Both are warm before the first round counts.
    for (const which of ['mine', 'rival'] as const) await turn(which);
    for (let round = 0; round < (effort.isQuick ? 1 : ROUNDS); round++) {
      report(`serve, ${round + 1}`);
      const order = ['mine', 'rival'] as const;
      for (const which of round % 2 === 0 ? order : [...order].reverse()) found[which].push(await turn(which));
    }
  } finally {
    for (const each of [mine.process, rival.process, load]) each.disconnect();
  }
  return { bars: bars(found.mine, found.rival), text: rates(found.mine, found.rival), data: found };
}

function bars(mine: readonly LoadResult[], rival: readonly LoadResult[]): Bar[] {
  const of = (results: readonly LoadResult[], key: 'rate' | 'p99'): number[] => results.map((each) => each[key]);
  const bar = (what: string, key: 'rate' | 'p99', bound: Bar['bound']): Bar => ({
    work: `${WORK}: ${what}`,
    rival: RIVAL,
    unit: '×',
    measured: ratio(of(mine, key), of(rival, key)),
    bound,
  });
  return [bar('requests a second', 'rate', { least: 2 }), bar('99th percentile', 'p99', { most: 1 })];
}

function rates(mine: readonly LoadResult[], rival: readonly LoadResult[]): string {
  const row = (name: string, results: readonly LoadResult[]): string[] => [
    name,
    digits(median(results.map(({ rate }) => rate))),
    `${digits(median(results.map(({ p50 }) => p50)))} ms`,
    `${digits(median(results.map(({ p99 }) => p99)))} ms`,
  ];
  const head = ['Server', 'Requests a second', 'Median', '99th percentile'];
  return table(head, [row('quantlane serve', mine), row(RIVAL, rival)]);
}

function start(name: string): ChildProcess {
  return fork(fileURLToPath(new URL(`../serve/${name}.js`, import.meta.url)));
}

/** A server, once it listens. */
async function server(name: string): Promise<Part> {
  const process = start(name);
  const [url] = (await once(process, 'message')) as [string];
  return { process, url };
}

/** @throws where the servers do not give the same bytes */
async function assertSameAnswers(...urls: readonly string[]): Promise<void> {
  const { body, headers } = requestOf(ELEMENTS);
  const answers = await Promise.all(
    urls.map(async (url) => {
      const response = await fetch(`${url}/v2/models/onnx-dynamic/infer`, { method: 'POST', body, headers });
      const bytes = Buffer.from(await response.arrayBuffer());
      return bytes.subarray(Number(response.headers.get('inference-header-content-length'))).toString('hex');
    }),
  );
  if (answers[0] === '' || answers[0] !== answers[1]) throw new Error('serve: the answers differ');
}
