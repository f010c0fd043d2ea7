/**
 * Elements, made and changed by hand. What has not changed is not touched, so that nothing is read aloud twice.
 * @module
 */

/** What an element has beside its children: attributes; none for `undefined` or false. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** An element of the page that is there. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`Expected an element #${id}, got none`);
  return found as T;
}

/** A new element. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children);
  return element;
}

/** Sets the text of an element where it is another. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** A number as it is shown, with the exact one for machines. */
export function datum(): HTMLDataElement {
  return make('data', { value: '' }, '–');
}

/** Shows a number; a dash for none. */
export function setDatum(element: HTMLDataElement, value: number | null | undefined, text: (value: number) => string) {
  const isThere = value !== null && value !== undefined;
  const exact = isThere ? String(value) : '';
  if (element.value !== exact) element.value = exact;
  setText(element, isThere ? text(value) : '–');
}

/** Makes the children of an element those given, and leaves them alone where they are already. */
export function setChildren(element: Element, children: readonly Node[]): void {
  const isSame =
    children.length === element.childNodes.length && children.every((child, at) => element.childNodes[at] === child);
  if (!isSame) element.replaceChildren(...children);
}
