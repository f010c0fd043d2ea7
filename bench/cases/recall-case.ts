/**
 * The recall of embeddings as a case; its answer is the same on every machine.
 * @module
 */
import { createRuntime } from '../../src/index.js';
import type { Answer, Context } from '../case.js';
import { loadEmbeddings, RECALL_PRESETS, recall, recallTable } from './recall.js';

/** Finds the answer. */
export async function recallCase({ report }: Context): Promise<Answer> {
  const runtime = await createRuntime({ lanes: 0, memory: '32MiB' });
  const data = await recall(runtime, await loadEmbeddings(), RECALL_PRESETS, report);
  await runtime.close();
  const text = recallTable(data);
  return { bars: [], text, data, section: { document: 'quality', marker: 'recall', text } };
}
