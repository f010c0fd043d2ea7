/**
 * The elements of the page.
 * @module
 */

/** The elements with an id that the code uses, by their kind. */
const KINDS = {
  bundled: HTMLButtonElement,
  cancel: HTMLButtonElement,
  choice: HTMLFieldSetElement,
  drop: HTMLLabelElement,
  empty: HTMLParagraphElement,
  error: HTMLParagraphElement,
  facts: HTMLParagraphElement,
  figures: HTMLDListElement,
  file: HTMLInputElement,
  form: HTMLFormElement,
  found: HTMLDivElement,
  histogram: HTMLDivElement,
  'histogram-title': HTMLElement,
  notes: HTMLParagraphElement,
  npy: HTMLAnchorElement,
  place: HTMLParagraphElement,
  preset: HTMLSelectElement,
  progress: HTMLProgressElement,
  result: HTMLElement,
  run: HTMLButtonElement,
  safetensors: HTMLAnchorElement,
  source: HTMLFieldSetElement,
  status: HTMLParagraphElement,
  tensor: HTMLSelectElement,
  what: HTMLParagraphElement,
} as const;

/** The element with that id. */
export function element<K extends keyof typeof KINDS>(id: K): InstanceType<(typeof KINDS)[K]> {
  const found = document.getElementById(id);
  if (found instanceof KINDS[id]) return found as InstanceType<(typeof KINDS)[K]>;
  throw new Error(`Expected an element with the id ${id}, got ${found}`);
}

/** A new element with text in it. */
export function make<K extends keyof HTMLElementTagNameMap>(tag: K, text = ''): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}
