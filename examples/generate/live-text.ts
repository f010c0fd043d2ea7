/**
 * Text that grows on a terminal, above a line that says how it goes.
 * @module
 */

/** Where text goes: standard output, or what stands for it. */
export interface Output {
  /** Whether lines can be written anew. */
  readonly isTTY?: boolean | undefined;
  write(text: string): unknown;
}

/** Columns of a line. */
const WIDTH = 79;

/** Writes a text piece by piece in lines of 79 columns. On a terminal the line below it is replaced as it goes. */
export class LiveText {
  readonly #output: Output;
  /** The text of the last line, which is not finished. */
  #line = '';
  #status = '';
  #isShown = false;

  constructor(output: Output) {
    this.#output = output;
  }

  /** Adds a piece of text. */
  add(text: string): void {
    const lines = wrapped(this.#line + text);
    this.#line = lines.pop()!;
    if (this.#output.isTTY === true) {
      this.#clear();
      for (const line of lines) this.#output.write(`${line}\n`);
      this.#show();
    } else {
      for (const line of lines) this.#output.write(`${line}\n`);
    }
  }

  /** Replaces the line below the text; only seen on a terminal. */
  say(status: string): void {
    if (this.#output.isTTY !== true) return;
    this.#clear();
    this.#status = status.slice(0, WIDTH);
    this.#show();
  }

  /** Finishes the text with a last line below it. */
  end(status: string): void {
    if (this.#output.isTTY === true) this.#clear();
    this.#output.write(`${this.#line}\n\n${status}\n`);
    this.#line = '';
    this.#status = '';
  }

  /** The last line of the text, and the other one below it, where the cursor stays. */
  #show(): void {
    this.#output.write(`${this.#line}\n${this.#status}`);
    this.#isShown = true;
  }

  /** Removes both lines. */
  #clear(): void {
    if (this.#isShown) this.#output.write('\r\x1b[K\x1b[1A\r\x1b[K');
    this.#isShown = false;
  }
}

/** A text in lines of at most 79 columns, broken at spaces as far as there are any; the last one may grow. */
function wrapped(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const lines: string[] = [];
    let rest = line;
    while (rest.length > WIDTH) {
      const space = rest.lastIndexOf(' ', WIDTH);
      const end = space > 0 ? space : WIDTH;
      lines.push(rest.slice(0, end));
      rest = rest.slice(space > 0 ? end + 1 : end);
    }
    return [...lines, rest];
  });
}
