/**
 * The page: a file in, codes out.
 * @module
 */
import {
  type BrowserRuntime,
  createRuntime,
  openTensors,
  PRESETS,
  type PresetName,
  type TensorFile,
} from 'quantlane/browser/standalone';
import { element, make } from './elements.js';
import { figures, title } from './figures.js';
import { histogram } from './histogram.js';
import { bytes } from './numbers.js';
import { type Finding, isAlone, isQuantizable, quantizeTensor } from './quantizing.js';

/** A tensor and its result must fit in together. */
const MEMORY = '512MiB';

const presets = PRESETS.filter(({ name }) => isAlone(name));
let runtime: BrowserRuntime;
let file: TensorFile | undefined;
/** Gives up what runs. */
let running: AbortController | undefined;

/** Shows what is being done; nothing where it is done. */
function report(stage: string, share?: number): void {
  const progress = element('progress');
  element('status').textContent = stage === '' ? '' : `${stage}…`;
  progress.hidden = stage === '';
  if (share === undefined) progress.removeAttribute('value');
  else progress.value = share;
}

/** Does what may go wrong, and says so where it does. */
async function attempt(body: () => Promise<void>): Promise<void> {
  element('error').textContent = '';
  try {
    await body();
  } catch (error) {
    report('');
    if ((error as Error).name === 'AbortError') element('status').textContent = 'Cancelled.';
    else element('error').textContent = (error as Error).message;
  }
}

/** Takes a file in. */
async function open(blob: Blob, name: string): Promise<void> {
  running?.abort();
  file = undefined;
  element('choice').disabled = true;
  element('facts').hidden = true;
  const opened = await openTensors(blob, name);
  const first = opened.tensors.find(isQuantizable);
  if (first === undefined) throw new Error(`${name}: Expected a tensor of float32, float16 or bfloat16, got none`);
  file = opened;
  element('tensor').replaceChildren(
    ...opened.tensors.map((entry) => {
      const option = new Option(`${entry.name}: ${entry.dtype} [${entry.shape.join(', ')}]`, entry.name);
      option.disabled = !isQuantizable(entry);
      return option;
    }),
  );
  element('tensor').value = first.name;
  const { length } = opened.tensors;
  const facts = `${name}: ${length} tensor${length === 1 ? '' : 's'}, ${bytes(blob.size)}`;
  element('facts').textContent = facts;
  element('facts').hidden = false;
  element('choice').disabled = false;
  element('status').textContent = `Opened ${facts}.`;
}

/** Quantizes what is chosen. */
async function run(): Promise<void> {
  if (file === undefined || running !== undefined) return;
  const stop = new AbortController();
  running = stop;
  element('run').disabled = true;
  element('cancel').hidden = false;
  try {
    const name = element('preset').value as PresetName;
    const found = await quantizeTensor(runtime, file, file.find(element('tensor').value), name, report, stop.signal);
    show(found);
    report('');
    element('status').textContent = `Done: ${title(found)}.`;
    element('result').focus({ preventScroll: innerWidth >= 900 });
  } finally {
    running = undefined;
    element('run').disabled = false;
    element('cancel').hidden = true;
  }
}

/** Shows a result in place of the one before. */
function show(found: Finding): void {
  element('empty').hidden = true;
  element('found').hidden = false;
  element('what').textContent = title(found);
  element('figures').replaceChildren(...figures(found));
  element('histogram-title').textContent = found.counts.of;
  element('histogram').replaceChildren(...histogram(found.counts));
  const stem = `${found.name.replaceAll(/[^\w.-]+/g, '_')}.${found.scheme.name}`;
  for (const kind of ['npy', 'safetensors'] as const) {
    const link = element(kind);
    if (link.href.startsWith('blob:')) URL.revokeObjectURL(link.href);
    link.href = URL.createObjectURL(found[kind]);
    link.download = `${stem}.${kind}`;
  }
}

/** The presets by their consumers. */
function fillPresets(): void {
  for (const consumer of new Set(presets.map((row) => row.consumer))) {
    const group = make('optgroup');
    group.label = consumer;
    group.append(...presets.filter((row) => row.consumer === consumer).map(({ name }) => new Option(name)));
    element('preset').append(group);
  }
  element('preset').value = 'vllm-int8-per-token';
  describePreset();
}

function describePreset(): void {
  const { notes, source } = presets.find(({ name }) => name === element('preset').value)!;
  element('notes').textContent = `${notes === '' ? '' : `${notes} `}Source: ${source}`;
}

/** Drops may go anywhere on the page. */
function takeDrops(): void {
  const drop = element('drop');
  const mark = (isOver: boolean) => drop.toggleAttribute('data-over', isOver);
  document.addEventListener('dragover', (event) => {
    event.preventDefault();
    mark(true);
  });
  document.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) mark(false);
  });
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    mark(false);
    const dropped = event.dataTransfer?.files[0];
    if (dropped !== undefined) void attempt(() => open(dropped, dropped.name));
  });
}

function listen(): void {
  takeDrops();
  element('file').addEventListener('change', () => {
    const chosen = element('file').files?.[0];
    if (chosen !== undefined) void attempt(() => open(chosen, chosen.name));
  });
  element('bundled').addEventListener('click', () => {
    void attempt(async () => {
      report('Loading');
      const answer = await fetch('/activations.safetensors');
      if (!answer.ok) throw new Error(`Expected the bundled activations, got status ${answer.status}`);
      const blob = await answer.blob();
      report('');
      await open(blob, 'activations.safetensors');
    });
  });
  element('preset').addEventListener('change', describePreset);
  element('cancel').addEventListener('click', () => running?.abort());
  element('form').addEventListener('submit', (event) => {
    event.preventDefault();
    void attempt(run);
  });
}

await attempt(async () => {
  fillPresets();
  runtime = await createRuntime({ memory: MEMORY });
  const { length } = runtime.lanes;
  const place = element('place');
  place.dataset['lanes'] = String(length);
  place.textContent =
    runtime.fallback === null
      ? `${length} worker${length === 1 ? '' : 's'} over shared memory`
      : `On this page's own thread, in slices: ${runtime.fallback.message}`;
  listen();
});
