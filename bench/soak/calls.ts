/**
 * Sessions of calls that are made one by one.
 * @module
 */
import { setTimeout as pause } from 'node:timers/promises';
import { codeOf } from './ledger.js';
import type { Scene } from './scene.js';
import type { Specimen } from './specimen.js';

/** Makes some calls, a few at a time, some of which are given up. */
export async function callSession(scene: Scene): Promise<void> {
  const batches = scene.batches(scene.random.between(20, 120));
  const next = batches.values();
  const caller = async (): Promise<void> => {
    for (const batch of next) await call(scene, batch);
  };
  await Promise.all(Array.from({ length: scene.random.between(1, 8) }, caller));
}

async function call(scene: Scene, specimen: Specimen): Promise<void> {
  const { stage, random, kind } = scene;
  const kills = stage.kills();
  stage.ledger.counts.calls++;
  const stop = new AbortController();
  const reason = new Error('given up');
  // Poison is not given up: it must be found.
  const isCancelled = specimen.right !== undefined && random.chance(0.05);
  const delay = random.below(4);
  const deadline = specimen.right !== undefined && random.chance(0.05) ? random.between(1, 30) : undefined;
  const tensor = await scene.bring(specimen);
  const running = stage.runtime.quantize(tensor, kind.name, {
    signal: stop.signal,
    ...(deadline !== undefined && { deadline }),
  });
  if (isCancelled) void pause(delay).then(() => stop.abort(reason));
  try {
    scene.judge(await running, specimen, 'call');
  } catch (error) {
    if (error === reason) stage.ledger.counts.cancelled++;
    else if (deadline !== undefined && codeOf(error) === 'ERR_QUANTLANE_DEADLINE') stage.ledger.counts.late++;
    else scene.judgeError(error, specimen, kills, 'call');
  }
}
