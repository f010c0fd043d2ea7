/**
 * Question: how much of the processor does a request take with the dashboard's watch, against a server without one?
 * @module
 */
import { Agent, request } from 'node:http';
import { createRuntime } from '../../src/index.js';
import { QuantlaneServer } from '../../src/server/index.js';
import { faster } from '../bars.js';
import type { Answer, Context } from '../case.js';
import { type Contender, measure, toldTimes } from '../rounds.js';
import { activations, assertSame } from '../work.js';

const MODEL = 'torchao-int8';
const SHAPES = [
  [1, 64],
  [8, 1_024],
  [128, 1_024],
] as const;

const [WITH, WITHOUT] = ['with the watch', 'without'];

/** How nearly as fast a request is to be. */
const LEAST = 0.9;

/** Finds the answer. */
export async function watch({ effort, report }: Context): Promise<Answer> {
  const runtime = await createRuntime({ lanes: 0, memory: '64MiB' });
  const servers = await Promise.all(
    [true, false].map((dashboard) => QuantlaneServer.listen(runtime, { port: 0, dashboard })),
  );
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const answers: Answer[] = [];
  for (const shape of SHAPES) {
    report(`watch ${shape.join(' x ')}`);
    const [watched, plain] = servers.map(
      ({ url }) =>
        () =>
          infer(`${url}/v2/models/${MODEL}/infer`, agent, shape),
    );
    assertSame('answer', await watched!(), await plain!());
    const contenders = [working(WITH!, watched!), working(WITHOUT!, plain!)];
    const times = await measure(contenders, { ...effort, blockMs: 20 * effort.blockMs, turnMs: 10 * effort.turnMs });
    const bar = faster(times, `a request of ${shape.join(' x ')} values`, WITH!, WITHOUT!, LEAST);
    answers.push({ bars: [bar], text: `${shape.join(' x ')}: ${toldTimes(times)}` });
  }
  agent.destroy();
  await Promise.all(servers.map((server) => server.close()));
  await runtime.close();
  return { bars: answers.flatMap(({ bars }) => bars), text: answers.map(({ text }) => text).join('\n\n') };
}

/** Requests one after the other, by the time that the processor works on them at both ends: nobody waits for them. */
function working(name: string, send: () => Promise<unknown>): Contender {
  const time = async (runs: number): Promise<number> => {
    const start = process.cpuUsage();
    for (let index = 0; index < runs; index++) await send();
    const { user, system } = process.cpuUsage(start);
    return (user + system) * 1000;
  };
  return { name, time };
}

/** Sends values and receives codes, all binary, on a connection that stays open. */
function infer(url: string, agent: Agent, shape: readonly [number, number]): Promise<Buffer> {
  const values = activations(new Float32Array(shape[0] * shape[1]));
  const input = { name: 'x', datatype: 'FP32', shape, parameters: { binary_data_size: values.byteLength } };
  const head = JSON.stringify({ inputs: [input], parameters: { binary_data_output: true } });
  const body = Buffer.concat([Buffer.from(head), Buffer.from(values.buffer)]);
  const headers = { 'inference-header-content-length': head.length, 'content-length': body.length };
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', agent, headers }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => resolve(Buffer.concat(parts)));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
