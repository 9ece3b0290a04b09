import type { Finding } from './finding.ts';
import type { Applied, Migration } from './migration.ts';

/** What a tool does about a pending migration that stands before one that is applied. */
export type OutOfOrder = 'skips' | 'runs' | 'refuses';

export interface CheckOptions {
  readonly title: string;
  readonly outOfOrder: OutOfOrder;
  /** Whether the tool itself refuses a file that was edited after it was applied. */
  readonly refusesEdited?: boolean;
  /** How the tool's checksum of a migration comes about; absent where it keeps none. */
  readonly checksum?: (migration: Migration) => string | undefined;
  /** The number by which it orders, when two may have the same. */
  readonly number?: (migration: Migration) => string | undefined;
  /** Whether a way back is usual with this tool. */
  readonly wantsDown?: boolean;
}

/** What tools pass over in silence, or find out too late. */
export function checkOrder(
  migrations: readonly Migration[],
  applied: readonly Applied[],
  options: CheckOptions,
): readonly Finding[] {
  return [
    ...outOfOrder(migrations, applied, options),
    ...edited(migrations, applied, options),
    ...missing(migrations, applied, options),
    ...numberedTwice(migrations, options),
  ];
}

function outOfOrder(
  migrations: readonly Migration[],
  applied: readonly Applied[],
  { title, outOfOrder: does }: CheckOptions,
): readonly Finding[] {
  const done = new Set(applied.map(({ id }) => id));
  const last = migrations.findLastIndex(({ id }) => done.has(id));
  const newest = migrations[last];
  if (newest === undefined) return [];
  // Where each names what it needs, only what an applied one needs is late; else what stands before an applied one.
  const isGraph = migrations.some(({ after }) => after !== undefined);
  const needed = new Set(migrations.flatMap(({ id, after = [] }) => (done.has(id) ? after : [])));
  const late = migrations.slice(0, last).filter(({ id }) => !done.has(id) && (!isGraph || needed.has(id)));
  return late.map(({ file, name }) => ({
    code: 'migration-out-of-order',
    severity: does === 'runs' ? 'warning' : 'error',
    place: { file, line: 1 },
    message: `${name} is older than ${newest.name}, which is applied already`,
    why: {
      skips: `${title} goes on from the last one that it applied: this one would never run, and nothing would say so.`,
      refuses: `${title} refuses to run until this is settled.`,
      runs: `${title} runs it after newer ones here and before them on a new database: the two schemas may differ.`,
    }[does],
    remedy: 'Give it a name that orders after the newest one.',
    source: 'tool',
  }));
}

function edited(
  migrations: readonly Migration[],
  applied: readonly Applied[],
  { title, checksum, refusesEdited = false }: CheckOptions,
): readonly Finding[] {
  if (checksum === undefined) return [];
  const kept = new Map(applied.map((one) => [one.id, one.checksum]));
  return migrations.flatMap((migration): Finding[] => {
    const [is, was] = [checksum(migration), kept.get(migration.id)];
    if (is === undefined || was === undefined || was === '' || is === was) return [];
    return [
      {
        code: 'migration-edited',
        severity: 'error',
        place: { file: migration.file, line: 1 },
        message: `${migration.name} was changed after it was applied`,
        why: refusesEdited
          ? `${title} refuses to run while the checksum differs.`
          : `${title} never runs it again: what was added reaches new databases only.`,
        remedy: 'Put it back as it was, and write what changed as a migration of its own.',
        source: 'tool',
      },
    ];
  });
}

function missing(
  migrations: readonly Migration[],
  applied: readonly Applied[],
  { title }: CheckOptions,
): readonly Finding[] {
  const known = new Set(migrations.map(({ id }) => id));
  const [first] = migrations;
  if (first === undefined) return [];
  return applied
    .filter(({ id }) => !known.has(id))
    .map(({ id }) => ({
      code: 'migration-missing',
      severity: 'error',
      place: { file: first.file.slice(0, Math.max(0, first.file.lastIndexOf('/'))) || first.file },
      message: `${id} is applied to the database, and not in the repository`,
      why: `Somebody applied it from another branch, or deleted its file: ${title} may refuse to run, and a new database will lack it.`,
      remedy: 'Bring the file back, or this branch up to date with the one that has it.',
      source: 'tool',
    }));
}

function numberedTwice(migrations: readonly Migration[], { title, number }: CheckOptions): readonly Finding[] {
  if (number === undefined) return [];
  const first = new Map<string, Migration>();
  return migrations.flatMap((migration): Finding[] => {
    const own = number(migration);
    const before = own === undefined ? undefined : first.get(own);
    if (own !== undefined && before === undefined) first.set(own, migration);
    if (before === undefined) return [];
    return [
      {
        code: 'migration-number-twice',
        severity: 'error',
        place: { file: migration.file, line: 1 },
        message: `${migration.name} has the number ${own} of ${before.name}`,
        why: `Two branches took the same one: ${title} refuses both, or runs them in an order that nobody chose.`,
        remedy: 'Give the one that is not applied yet the next free number.',
        source: 'tool',
      },
    ];
  });
}

/** New migrations without a way back. A finding only where the tool has one, as a way back is a plan, no duty. */
export function withoutDown(migrations: readonly Migration[], title: string): readonly Finding[] {
  return migrations
    .filter(({ reversible }) => !reversible)
    .map(({ file, name }) => ({
      code: 'no-way-back',
      severity: 'notice',
      place: { file, line: 1 },
      message: `${name} has no way back`,
      why: `Once applied it stays: ${title} cannot undo it, and only a new migration can.`,
      remedy: 'Write the way back, or leave it where the change only adds something.',
      source: 'tool',
    }));
}

/** SQL files below a folder of migrations that belong to none, and that the tool does not tell of. */
export function strangers(
  list: readonly string[],
  migrations: readonly Migration[],
  {
    directory,
    title,
    why,
  }: {
    readonly directory: string;
    readonly title: string;
    readonly why: (name: string, file: string) => string | undefined;
  },
): readonly Finding[] {
  const known = new Set(migrations.flatMap(({ file, down }) => [file, down?.file]));
  return list
    .filter(
      (file) => file.endsWith('.sql') && !known.has(file) && file.startsWith(directory === '' ? '' : `${directory}/`),
    )
    .flatMap((file): Finding[] => {
      const reason = why(file.slice(file.lastIndexOf('/') + 1), file);
      if (reason === undefined) return [];
      return [
        {
          code: 'migration-passed-over',
          severity: 'warning',
          place: { file, line: 1 },
          message: `${title} passes over ${file}: ${reason}`,
          why: 'It never runs, and nothing says so: code that counts on it fails.',
          remedy: 'Name it as the tool wants it, or move it to another folder.',
          source: 'tool',
        },
      ];
    });
}
