// oxlint-disable no-underscore-dangle -- Emscripten names what it exports so
import { setFlagsFromString } from 'node:v8';
import type { Node } from 'libpg-query';
import type pgQuery from 'libpg-query/wasm/libpg-query.js';
import { characterAtPoint } from './lines.ts';

type PgQuery = Awaited<ReturnType<typeof pgQuery>>;

/** Why a statement could not be parsed. */
export interface SyntaxFault {
  /** PostgreSQL's own words, such as `syntax error at or near "TABEL"`. */
  readonly message: string;
  /** Character of the statement, from 0. */
  readonly offset: number;
}

/** What became of a statement: its tree, or why there is none. */
export type Parsed = { readonly node: Node } | { readonly fault: SyntaxFault };

/** PostgreSQL's own parser, of version 18. */
export interface Parser {
  /** Parses one statement. Never throws for what stands in it. */
  parse(sql: string): Parsed;
  /** The tree of a function in PL/pgSQL, as JSON; undefined where it can't be parsed. @param create its CREATE FUNCTION */
  plpgsql(create: string): unknown;
  /** A nesting too deep for its stack leaves a parser that is better not used again. */
  readonly isSpent: boolean;
  /** Ends its use: V8 optimizes other WebAssembly of the process again. */
  close(): void;
}

/** What lets V8 optimize WebAssembly that runs often. */
const TIERING = ['wasm-tier-up', 'wasm-dynamic-tiering'] as const;

/** Starts a parser, which takes about 15 ms the first time. The code and its WebAssembly are read only now. */
export async function openParser(): Promise<Parser> {
  const { default: open } = await import('libpg-query/wasm/libpg-query.js');
  // The parser's functions are huge: while it works, V8 spends half a gigabyte and more time on optimizing them than
  // thousands of statements take without.
  for (const flag of TIERING) setFlagsFromString(`--no-${flag}`);
  instance ??= open();
  return new WasmParser(await instance);
}

/** The one that is used until it is spent: to start it costs more than to lint a usual migration. */
let instance: Promise<PgQuery> | undefined;

class WasmParser implements Parser {
  readonly #wasm: PgQuery;
  isSpent = false;

  constructor(wasm: PgQuery) {
    this.#wasm = wasm;
  }

  parse(sql: string): Parsed {
    // To C, a string ends at its first NUL: what follows would be passed over in silence.
    const nul = sql.indexOf('\0');
    if (nul >= 0) return { fault: { message: 'it holds a NUL character', offset: nul } };
    return this.#guarded(
      () => this.#with(sql, (pointer) => this.#parse(sql, pointer)),
      (message) => ({ fault: { message, offset: 0 } }),
    );
  }

  plpgsql(create: string): unknown {
    if (create.includes('\0')) return undefined;
    return this.#guarded(
      () =>
        this.#with(create, (pointer) => {
          const result = this.#wasm._wasm_parse_plpgsql(pointer);
          const text = this.#wasm.UTF8ToString(result);
          this.#wasm._wasm_free_string(result);
          return text.startsWith('{') ? (JSON.parse(text) as unknown) : undefined;
        }),
      () => undefined,
    );
  }

  close(): void {
    for (const flag of TIERING) setFlagsFromString(`--${flag}`);
  }

  #parse(sql: string, pointer: number): Parsed {
    const wasm = this.#wasm;
    // Three pointers: the tree as JSON, what went to stderr, the error.
    const result = wasm._wasm_parse_query_raw(pointer);
    try {
      const error = wasm.getValue(result + 8, 'i32');
      if (error !== 0) {
        const position = wasm.getValue(error + 16, 'i32');
        return {
          fault: {
            message: wasm.UTF8ToString(wasm.getValue(error, 'i32')),
            offset: characterAtPoint(sql, Math.max(0, position - 1)),
          },
        };
      }
      const tree = JSON.parse(wasm.UTF8ToString(wasm.getValue(result, 'i32'))) as { stmts?: { stmt?: Node }[] };
      const node = tree.stmts?.[0]?.stmt;
      return node === undefined ? { fault: { message: 'it is empty', offset: 0 } } : { node };
    } finally {
      wasm._wasm_free_parse_result(result);
    }
  }

  #with<T>(text: string, use: (pointer: number) => T): T {
    const bytes = this.#wasm.lengthBytesUTF8(text) + 1;
    const pointer = this.#wasm._malloc(bytes);
    if (pointer === 0) throw new RangeError('out of memory');
    try {
      this.#wasm.stringToUTF8(text, pointer, bytes);
      return use(pointer);
    } finally {
      this.#wasm._free(pointer);
    }
  }

  /** What WebAssembly throws says nothing about SQL but that this text is too much for it. */
  #guarded<T>(work: () => T, failed: (message: string) => T): T {
    if (this.isSpent) return failed('an earlier statement was too deeply nested for the parser');
    try {
      return work();
    } catch (error) {
      if (!(error instanceof Error && /^(?:RangeError|RuntimeError)$/.test(error.name))) throw error;
      this.isSpent = true;
      instance = undefined;
      return failed('it is nested too deeply to be parsed');
    }
  }
}
