/**
 * What is shown before anything came in: how to send something.
 * @module
 */
import { make } from './dom.js';

/** Says that there are no streams yet, and how to make one. */
export function emptyState(hasToken: boolean): HTMLElement {
  const body = { inputs: [{ name: 'x', datatype: 'FP32', shape: [2, 4], data: [0.5, -1, 2, 0.25, 1, 0, -0.5, 4] }] };
  const url = new URL('../v2/models/torchao-int8/infer', import.meta.url);
  const token = hasToken ? ' \\\n  -H "Authorization: Bearer $TOKEN"' : '';
  const command = `curl -sS ${url}${token} \\\n  -d '${JSON.stringify(body)}'`;
  const code = make(
    'pre',
    { tabindex: 0, role: 'region', 'aria-label': 'Command that sends activations' },
    make('code', {}, command),
  );
  return make(
    'div',
    { class: 'empty' },
    make('p', {}, make('strong', {}, 'No activations yet.'), ' Send some, and their stream is shown here:'),
    code,
    make('p', { class: 'quiet' }, 'A stream is a calibrated model, or a preset with the name of the input.'),
  );
}
