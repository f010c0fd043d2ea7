/**
 * How a stream stands to its calibration: a word, a sign and a colour, of which each is enough.
 * @module
 */
import type { Drift, DriftState } from '../../../watch/index.js';
import { make } from './dom.js';

const WORDS: Readonly<Record<DriftState, string>> = {
  none: 'Not calibrated',
  idle: 'Idle',
  ok: 'As calibrated',
  watch: 'Watch',
  drift: 'Drift',
};

/** Signs in a square of 12. */
const PATHS: Readonly<Record<DriftState, string>> = {
  none: 'M3 6h6',
  idle: 'M6 1.5a4.500 4.500 0 1 0 .01 0z',
  ok: 'M2 6.500 5 9.500 10 3',
  watch: 'M6 1.500 11 10.500H1z',
  drift: 'M6 .500 11.500 6 6 11.500 .500 6zM6 3.500v3M6 8v.700',
};

/** The word for a state. */
export function stateWord(state: DriftState): string {
  return WORDS[state];
}

/** A sign and a word. */
export function stateBadge({ state }: Drift): HTMLElement {
  const namespace = 'http://www.w3.org/2000/svg';
  const sign = document.createElementNS(namespace, 'svg');
  sign.setAttribute('viewBox', '0 0 12 12');
  sign.setAttribute('aria-hidden', 'true');
  const path = sign.appendChild(document.createElementNS(namespace, 'path'));
  path.setAttribute('d', PATHS[state]);
  const badge = make('span', { class: 'badge', 'data-state': state });
  badge.append(sign, WORDS[state]);
  return badge;
}
