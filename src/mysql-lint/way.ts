import type { Table } from './catalog.ts';

/** The server that a script is for. */
export interface Server {
  readonly flavour: 'MySQL' | 'MariaDB';
  /** Such as 80036 or 101119. */
  readonly version: number;
}

/** Ways in which InnoDB changes a table, the cheapest first: `nocopy` may build an index, `rebuild` writes all anew. */
export const WAYS = ['instant', 'nocopy', 'rebuild', 'copy'] as const;
export type Way = (typeof WAYS)[number];

/** What a change does to a table, at best, and so without being told how. */
export interface Effect {
  readonly way: Way;
  /** What of others waits while it works: nobody, their writes, or all. */
  readonly waits: 'none' | 'writes' | 'all';
  /** Whether the schema that it depends on is known. */
  readonly isSure: boolean;
}

const BEST: Effect = { way: 'instant', waits: 'none', isSure: true };

/** What is slowest and blocks most of several. */
export function worst(effects: readonly Effect[]): Effect {
  const blocks = ['none', 'writes', 'all'] as const;
  return effects.reduce(
    (a, b) => ({
      way: WAYS[Math.max(WAYS.indexOf(a.way), WAYS.indexOf(b.way))] ?? 'copy',
      waits: blocks[Math.max(blocks.indexOf(a.waits), blocks.indexOf(b.waits))] ?? 'all',
      isSure: a.isSure && b.isSure,
    }),
    BEST,
  );
}

/** Whether the server is of this version or a newer one. */
export function since({ version }: Server, first: number): boolean {
  return version >= first;
}

/** Whether a column of it is computed when it is read. */
export function hasVirtual(table: Table | undefined): boolean {
  return [...(table?.columns.values() ?? [])].some(({ generated }) => generated === 'virtual');
}
