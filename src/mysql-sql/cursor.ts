import { tokenAt } from './tokens.ts';

/** A word, name, text or sign of a statement. */
export interface Piece {
  readonly kind: 'word' | 'name' | 'string' | 'number' | 'sign';
  /** As it stands; of a quoted name what is between the quotes. */
  readonly text: string;
  /** In capitals where it is a word, else as `text`. */
  readonly word: string;
  /** Character of the statement. */
  readonly at: number;
  readonly end: number;
}

const CODE_COMMENT = /^\/\*M?!\d*/;

/** The pieces of a statement, without spaces and comments; what the server runs of a comment counts. */
export function piecesOf(sql: string): readonly Piece[] {
  const pieces: Piece[] = [];
  for (let at = 0; at < sql.length;) {
    const { kind, end } = tokenAt(sql, at);
    if (kind === 'code-comment') {
      const opening = CODE_COMMENT.exec(sql.slice(at, at + 12))?.[0].length ?? 3;
      const inside = sql.slice(at + opening, sql.endsWith('*/', end) ? end - 2 : end);
      pieces.push(...piecesOf(inside).map((piece) => moved(piece, at + opening)));
    } else if (kind !== 'space' && kind !== 'comment') pieces.push(pieceOf(sql, kind, at, end));
    at = end;
  }
  return pieces;
}

function moved(piece: Piece, by: number): Piece {
  return { ...piece, at: piece.at + by, end: piece.end + by };
}

function pieceOf(sql: string, kind: ReturnType<typeof tokenAt>['kind'], at: number, end: number): Piece {
  const raw = sql.slice(at, end);
  if (kind === 'name') {
    const text = raw.slice(1, -1).replaceAll('``', '`');
    return { kind: 'name', text, word: text, at, end };
  }
  if (kind === 'word') return { kind: 'word', text: raw, word: raw.toUpperCase(), at, end };
  return { kind: kind === 'string' || kind === 'number' ? kind : 'sign', text: raw, word: raw, at, end };
}

/** Walks over pieces. */
export class Cursor {
  readonly #pieces: readonly Piece[];
  #at = 0;

  constructor(pieces: readonly Piece[]) {
    this.#pieces = pieces;
  }

  get isDone(): boolean {
    return this.#at >= this.#pieces.length;
  }

  peek(ahead = 0): Piece | undefined {
    return this.#pieces[this.#at + ahead];
  }

  next(): Piece | undefined {
    this.#at += 1;
    return this.#pieces[this.#at - 1];
  }

  /** Takes these words, where they stand next; each may be one of several as `A|B`. */
  take(...words: readonly string[]): boolean {
    const fits = words.every((word, ahead) => {
      const piece = this.peek(ahead);
      return piece !== undefined && piece.kind !== 'name' && word.split('|').includes(piece.word);
    });
    if (fits) this.#at += words.length;
    return fits;
  }

  /** A name, quoted or not, without the schema before it. */
  name(): string {
    let piece = this.next();
    while (this.take('.')) piece = this.next();
    return piece?.text ?? '';
  }

  /** What stands in the parentheses that open here; nothing where none do. */
  parentheses(): readonly Piece[] {
    if (!this.take('(')) return [];
    const from = this.#at;
    for (let depth = 1; !this.isDone && depth > 0;) {
      const { word } = this.next() ?? { word: '' };
      depth += word === '(' ? 1 : word === ')' ? -1 : 0;
    }
    return this.#pieces.slice(from, this.#at - 1);
  }

  /** All that is left. */
  rest(): readonly Piece[] {
    return this.#pieces.slice(this.#at);
  }
}

/** Cut at the commas that stand in no parentheses. */
export function byCommas(pieces: readonly Piece[]): readonly (readonly Piece[])[] {
  const parts: Piece[][] = [[]];
  let depth = 0;
  for (const piece of pieces) {
    if (piece.kind === 'sign') depth += piece.text === '(' ? 1 : piece.text === ')' ? -1 : 0;
    if (depth === 0 && piece.kind === 'sign' && piece.text === ',') parts.push([]);
    else parts.at(-1)?.push(piece);
  }
  return parts.filter((part) => part.length > 0);
}

/** Whether a word stands outside of all parentheses. */
export function hasWord(pieces: readonly Piece[], word: string): boolean {
  let depth = 0;
  return pieces.some((piece) => {
    if (piece.kind === 'sign') depth += piece.text === '(' ? 1 : piece.text === ')' ? -1 : 0;
    return depth === 0 && piece.kind === 'word' && piece.word === word;
  });
}
