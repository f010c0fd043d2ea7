/**
 * All cases, in the order in which they are measured.
 * @module
 */
import type { Case } from './case.js';
import { allocation } from './cases/allocation.js';
import { browser } from './cases/browser.js';
import { channels } from './cases/channels.js';
import { cold } from './cases/cold.js';
import { dequantize } from './cases/dequantize.js';
import { dynamic } from './cases/dynamic.js';
import { generation } from './cases/generation.js';
import { halves } from './cases/halves.js';
import { kvcache } from './cases/kvcache.js';
import { linear } from './cases/linear.js';
import { loop } from './cases/loop.js';
import { machine } from './cases/machine.js';
import { pipeline } from './cases/pipeline.js';
import { places } from './cases/places.js';
import { recallCase } from './cases/recall-case.js';
import { rows } from './cases/rows.js';
import { serve } from './cases/serve.js';
import { streams } from './cases/streams.js';
import { tokens } from './cases/tokens.js';
import { twins } from './cases/twins.js';
import { wake } from './cases/wake.js';
import { watch } from './cases/watch.js';

/** The cases. */
export const CASES: readonly Case[] = [
  { name: 'cold', question: 'How long from createRuntime to the first result in a fresh process?', run: cold },
  { name: 'machine', question: 'What can this machine do at all, in C?', run: machine },
  { name: 'dynamic', question: 'How fast is one range and uint8 codes, against ONNX Runtime?', run: dynamic },
  { name: 'rows', question: 'How near are int8 codes of rows to the limits of the machine?', run: rows },
  { name: 'halves', question: 'Is input of 16 bits as fast as float32?', run: halves },
  { name: 'twins', question: 'What do the vector kernels give over their scalar twins?', run: twins },
  { name: 'dequantize', question: 'How fast do int8 codes become float32, against ONNX Runtime?', run: dequantize },
  { name: 'pipeline', question: 'What is left of the kernel at the end of a pipeline of tokens?', run: pipeline },
  { name: 'streams', question: 'Do 64 streams of tokens keep up with one thread of the bare kernel?', run: streams },
  { name: 'serve', question: 'How many small requests does the server answer, against ONNX Runtime?', run: serve },
  { name: 'wake', question: 'How long to wake an idle lane, against an empty task of Piscina?', run: wake },
  { name: 'watch', question: 'How much more of the processor does a request take with the dashboard?', run: watch },
  { name: 'loop', question: 'How much later is the event loop while the runtime is saturated?', run: loop },
  { name: 'allocation', question: 'What does a small batch in place allocate, and what stays?', run: allocation },
  {
    name: 'channels',
    question: 'What does a call cost that is told on a channel, and one that is not?',
    run: channels,
  },
  { name: 'browser', question: 'Is a page as fast as Node.js?', run: browser },
  { name: 'linear', question: 'How fast are int8 layers, against ONNX Runtime on one thread?', run: linear },
  { name: 'kvcache', question: 'What does attention over a quantized cache cost, and lose?', run: kvcache },
  { name: 'generation', question: 'What does a quantized model lose, by scheme and by cache?', run: generation },
  { name: 'tokens', question: 'How fast is text made, against float32 and ONNX Runtime?', run: tokens },
  { name: 'places', question: 'From which size on is a lane faster than in place?', run: places },
  { name: 'recall', question: 'How well do quantized embeddings find their neighbours?', run: recallCase },
];
