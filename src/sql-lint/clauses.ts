import type { ColumnDef, Node } from 'libpg-query';
import { characterAtByte } from '../sql/lines.ts';
import { tokenAt } from '../sql/tokens.ts';

/** A node of a statement's tree under its name, or undefined where it is of another kind. */
export function as<K extends string>(
  node: Node | undefined,
  kind: K,
): Extract<Node, Readonly<Record<K, unknown>>>[K] | undefined {
  if (node === undefined || !(kind in node)) return undefined;
  return (node as Extract<Node, Readonly<Record<K, unknown>>>)[kind];
}

/** All nodes below a tree, itself included, that are of a kind. */
export function* within<K extends string>(
  tree: unknown,
  kind: K,
): Generator<Extract<Node, Readonly<Record<K, unknown>>>[K]> {
  const waiting: unknown[] = [tree];
  for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
    if (typeof one !== 'object' || one === null) continue;
    for (const [name, value] of Object.entries(one)) {
      if (name === kind) yield value as Extract<Node, Readonly<Record<K, unknown>>>[K];
      if (typeof value === 'object') waiting.push(value);
    }
  }
}

/** The words and signs of a piece of SQL, without spaces and comments. */
export function* tokensOf(
  sql: string,
): Generator<{ readonly text: string; readonly at: number; readonly depth: number }> {
  let depth = 0;
  for (let at = 0; at < sql.length;) {
    const { kind, end } = tokenAt(sql, at);
    if (kind !== 'space' && kind !== 'comment') {
      const text = sql.slice(at, end);
      if (text === ')') depth -= 1;
      yield { text, at, depth };
      if (text === '(') depth += 1;
    }
    at = end;
  }
}

/**
 * The commands of an ALTER TABLE as they stand in its text: `ADD COLUMN a int`, `DROP b`.
 * @param start the byte at which the table is named
 * @returns as many as there are, or none where the text can't be told apart so
 */
export function commandsOf(sql: string, start: number, count: number): readonly string[] {
  const body = sql.slice(characterAtByte(sql, start));
  const named = [...tokensOf(body)];
  // The name with its schema, and the star of old for "with descendants".
  let next = 1;
  while (named[next]?.text === '.') next += 2;
  if (named[next]?.text === '*') next += 1;
  const edges = named.slice(next).filter(({ text, depth }) => text === ',' && depth === 0);
  const starts = [named[next]?.at ?? body.length, ...edges.map(({ at }) => at + 1)];
  const commands = starts.map((at, index) => body.slice(at, edges[index]?.at ?? body.length).trim());
  return commands.length === count ? commands : [];
}

/** A clause of a column's definition: its node, and its text. */
export interface ColumnClause {
  readonly node: Node;
  readonly sql: string;
}

/** A column's definition in pieces of its text: the name with its type, then each constraint. */
export function clausesOf(
  sql: string,
  column: ColumnDef,
  end: number,
): { readonly head: string; readonly clauses: readonly ColumnClause[] } {
  const located = (column.constraints ?? [])
    .map((node) => ({ node, at: as(node, 'Constraint')?.location ?? -1 }))
    .toSorted((a, b) => a.at - b.at);
  const cut = (from: number, to: number | undefined): string =>
    sql.slice(characterAtByte(sql, from), to === undefined ? end : characterAtByte(sql, to)).trim();
  return {
    head: cut(column.location ?? 0, located[0]?.at),
    clauses: located.map(({ node, at }, index) => ({ node, sql: cut(at, located[index + 1]?.at) })),
  };
}
