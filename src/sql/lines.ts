/** Turns characters of a text (as JavaScript counts them, in UTF-16) into lines and columns from 1. */
export class Lines {
  readonly #starts: number[] = [0];
  readonly #first: number;

  /** @param first the line of the file on which the text begins */
  constructor(text: string, first = 1) {
    this.#first = first;
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) this.#starts.push(at + 1);
  }

  at(offset: number): { readonly line: number; readonly column: number } {
    let [low, high] = [0, this.#starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + this.#first, column: offset - (this.#starts[low] ?? 0) + 1 };
  }
}

/**
 * The character at a count of bytes of UTF-8: PostgreSQL's parser counts in bytes.
 * @returns an index that never lies inside a surrogate pair
 */
export function characterAtByte(text: string, bytes: number): number {
  let [at, seen] = [0, 0];
  while (at < text.length && seen < bytes) {
    const point = text.codePointAt(at) ?? 0;
    seen += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x1_00_00 ? 3 : 4;
    at += point < 0x1_00_00 ? 1 : 2;
  }
  return at;
}

/** The character at a count of code points: PostgreSQL's errors count in them. */
export function characterAtPoint(text: string, points: number): number {
  let at = 0;
  for (let seen = 0; seen < points && at < text.length; seen += 1) {
    at += (text.codePointAt(at) ?? 0) < 0x1_00_00 ? 1 : 2;
  }
  return at;
}
