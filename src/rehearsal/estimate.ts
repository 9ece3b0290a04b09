import { type LockMode, blockedBy } from '../migration/finding.ts';
import { spoken } from '../postgres/activity.ts';
import type { ObservedStatement, TableSize } from './rehearsal.ts';

/** How long a statement will take on production, as far as its tables' sizes tell. */
export interface Estimate {
  readonly seconds: number;
  readonly relation: string;
  /** Such as `rewrites 40 million rows of shipments (12 GB), about 4 min under AccessExclusiveLock: reads and writes wait`. */
  readonly sentence: string;
  /** Whether times of earlier runs on that database stand behind it, or {@link RATES}. */
  readonly by: 'history' | 'rates';
}

/** A statement that was applied before, and the largest table that it locked. */
export interface Earlier {
  readonly statement: string;
  readonly seconds: number;
  /** With indexes, as `pg_total_relation_size` counts. */
  readonly bytes: number;
}

type Work = 'rewrites' | 'indexes' | 'reads' | 'writes';

/**
 * Bytes per second, with a table's indexes counted. Measured with PostgreSQL 15 on 2 million rows of 158 bytes with 4
 * indexes, two shared cores and all in memory: rewriting 110 MB/s, an index 240 MB/s, reading 1,400 MB/s, an UPDATE of
 * all rows 8 MB/s. Halved, and reading bounded by what disks in a cloud give.
 */
export const RATES: Readonly<Record<Work, number>> = { rewrites: 55e6, indexes: 120e6, reads: 250e6, writes: 4e6 };

/** Smaller ones tell of the start of a statement more than of its work. */
const TELLING_BYTES = 10e6;

/** Bytes per second; what seems faster had nothing to do, such as a change of a type that rewrites nothing. */
const FASTEST = 5e9;

/** What a statement will take; undefined where it does nothing that grows with its tables, or their sizes are unknown. */
export function estimate(
  observed: ObservedStatement,
  sizes: readonly TableSize[],
  history: readonly Earlier[] = [],
): Estimate | undefined {
  const table = [...worked(observed)]
    .flatMap((relation) => sizes.find((size) => size.relation === relation) ?? [])
    .toSorted((a, b) => b.bytes - a.bytes)[0];
  const work = workOf(observed);
  if (table === undefined || work === undefined) return undefined;
  const known = median(
    history
      .filter(({ statement, bytes }) => worksLike(statement) === work && bytes >= TELLING_BYTES)
      .map(({ bytes, seconds }) => bytes / seconds)
      .filter((rate) => rate < FASTEST),
  );
  const seconds = table.bytes / (known ?? RATES[work]);
  const mode = observed.locks.find(({ relation }) => relation === table.relation)?.mode;
  return {
    seconds,
    relation: table.relation,
    sentence: sentence(work, table, seconds, mode),
    by: known === undefined ? 'rates' : 'history',
  };
}

function sentence(work: Work, { relation, rows, bytes }: TableSize, seconds: number, mode?: LockMode): string {
  const what = {
    rewrites: `rewrites ${inWords(rows)} rows of ${relation}`,
    indexes: `builds an index over ${inWords(rows)} rows of ${relation}`,
    reads: `reads ${inWords(rows)} rows of ${relation}`,
    writes: `writes up to ${inWords(rows)} rows of ${relation}`,
  }[work];
  const time = seconds < 1 ? 'less than a second' : `about ${spoken(seconds)}`;
  const waits = mode === undefined || blockedBy(mode) === 'nothing' ? '' : `: ${blockedBy(mode)} wait`;
  return `${what} (${inBytes(bytes)}), ${time}${mode === undefined ? '' : ` under ${mode}`}${waits}`;
}

/** The tables whose size decides. */
function worked({ sql, rewritten, scanned, locks }: ObservedStatement): ReadonlySet<string> {
  if (worksLike(sql) !== 'writes') return new Set([...rewritten, ...scanned]);
  return new Set(locks.filter(({ mode }) => mode === 'RowExclusiveLock').map(({ relation }) => relation));
}

function workOf({ sql, rewritten, scanned }: ObservedStatement): Work | undefined {
  const by = worksLike(sql);
  // Its new files are empty.
  if (/^\s*truncate\b/i.test(sql)) return undefined;
  if (by === 'indexes' || by === 'writes') return by;
  if (rewritten.length > 0) return 'rewrites';
  return scanned.length > 0 ? 'reads' : undefined;
}

/** What a statement does, by its text alone: all that is kept of those of the past. */
function worksLike(sql: string): Work | undefined {
  const text = sql.trim().toLowerCase();
  if (/^(create\s+(unique\s+)?index|reindex)\b/.test(text)) return 'indexes';
  if (/^(update|delete)\b/.test(text)) return 'writes';
  if (/^(vacuum\s*\(?\s*full|cluster)\b|^alter\s+table\b[^]*\balter\b[^]*\stype\s/.test(text)) return 'rewrites';
  if (/\badd\s+(constraint\s+\S+\s+)?(unique|primary\s+key|exclude)\b(?!\s+using\s+index)/.test(text)) return 'indexes';
  return /\b(set\s+not\s+null|validate\s+constraint|add\s+(constraint\s+\S+\s+)?(check|foreign))\b/.test(text)
    ? 'reads'
    : undefined;
}

function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/** A large number as people say it: `41 million`. */
function inWords(count: number): string {
  if (count < 10_000) return Math.round(count).toLocaleString('en');
  const compact = { notation: 'compact', compactDisplay: 'long', maximumSignificantDigits: 2 } as const;
  return count.toLocaleString('en', compact);
}

function inBytes(bytes: number): string {
  const [value, unit] = bytes < 1e6 ? [bytes / 1e3, 'kB'] : bytes < 1e9 ? [bytes / 1e6, 'MB'] : [bytes / 1e9, 'GB'];
  return `${value.toLocaleString('en', { maximumSignificantDigits: 2 })} ${unit}`;
}
