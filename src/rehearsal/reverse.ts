import { connect } from '../postgres/connect.ts';
import { SqlError } from '../postgres/database.ts';
import { readSchema } from '../postgres/read-schema.ts';
import { type Schema, type SchemaDifference, compareSchemas } from '../postgres/schema.ts';
import type { Migration } from '../migration/migration.ts';
import { bare } from './names.ts';
import type { RehearsedMigration } from './rehearsal.ts';
import { runCommand } from './run-by-tool.ts';
import { runScript, scriptOf } from './run-scripts.ts';
import type { Stage } from './stage.ts';

type Reversed = NonNullable<RehearsedMigration['reversed']>;

/** Takes migrations back and applies them again. @throws SqlError with what failed */
interface Ways {
  down(migration: Migration): Promise<void>;
  up(migrations: readonly Migration[]): Promise<void>;
}

/** A tool starts anew for each step back; it takes back only the last few. */
const MAX_STEPS = 5;

/**
 * Takes the last migrations back, as far as they have a way back, and applies them again.
 * @param before the schema before the first of them
 * @returns the entries with what came of it
 */
export async function reverse(stage: Stage, before: Schema, after: Schema): Promise<readonly RehearsedMigration[]> {
  const { entries } = stage.ledger;
  const steps = stage.request.runBy === 'tool' ? MAX_STEPS : entries.length;
  const reachable = entries.findLastIndex(({ migration }) => !hasWayBack(stage, migration)) + 1;
  const first = Math.max(reachable, entries.length - steps);
  if (first === entries.length) return entries;
  stage.observer.watching = false;
  const close: (() => Promise<void>)[] = [];
  const results = new Map<RehearsedMigration, Reversed>();
  try {
    const ways = stage.request.runBy === 'tool' ? waysOfTool(stage) : await waysOfSql(stage, close);
    const down = await goDown(stage, { ways, first, before }, results);
    if (down) await goUp(stage, { ways, first, after }, results);
  } finally {
    for (const one of close) await one();
  }
  return entries.map((entry) => {
    const reversed = results.get(entry);
    return reversed === undefined ? entry : { ...entry, reversed };
  });
}

function hasWayBack({ request }: Stage, migration: Migration): boolean {
  if (!migration.reversible) return false;
  return request.runBy === 'tool' ? request.tool.down !== undefined : migration.down !== undefined;
}

async function goDown(
  stage: Stage,
  { ways, first, before }: { readonly ways: Ways; readonly first: number; readonly before: Schema },
  results: Map<RehearsedMigration, Reversed>,
): Promise<boolean> {
  const { entries, schemas } = stage.ledger;
  for (let at = entries.length - 1; at >= first; at -= 1) {
    const [entry, earlier] = [entries[at], entries[at - 1]];
    if (entry === undefined) return false;
    const failed = await failure(async () => ways.down(entry.migration));
    if (failed !== undefined) {
      results.set(entry, failed);
      return false;
    }
    const expected = (earlier === undefined ? undefined : schemas.get(earlier)) ?? before;
    const differences = await differs(stage, expected, 'after the way back');
    results.set(entry, { same: differences.length === 0, differences });
  }
  return true;
}

async function goUp(
  stage: Stage,
  { ways, first, after }: { readonly ways: Ways; readonly first: number; readonly after: Schema },
  results: Map<RehearsedMigration, Reversed>,
): Promise<void> {
  const back = stage.ledger.entries.slice(first);
  const [oldest] = back;
  if (oldest === undefined) return;
  const failed = await failure(async () => ways.up(back.map(({ migration }) => migration)));
  if (failed !== undefined) results.set(oldest, failed);
  else {
    const differences = await differs(stage, after, 'after the way back and up again');
    if (differences.length > 0) results.set(oldest, { same: false, differences });
  }
}

async function differs({ beside, history }: Stage, expected: Schema, when: string): Promise<readonly string[]> {
  const actual = await readSchema(beside, { without: history });
  return compareSchemas(expected, actual)
    .filter(({ object }) => !history.some((name) => object.includes(bare(name))))
    .map((difference) => sentence(difference, when));
}

function sentence({ object, expected, actual }: SchemaDifference, when: string): string {
  if (actual === undefined) return `${object} is missing ${when}`;
  if (expected === undefined) return `${object} is still there ${when}`;
  return `${object} is other ${when}: ${actual} instead of ${expected}`;
}

async function failure(work: () => Promise<void>): Promise<Reversed | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    return { same: false, differences: [], error };
  }
}

async function waysOfSql(stage: Stage, close: (() => Promise<void>)[]): Promise<Ways> {
  const session = await connect({ ...stage.address, tls: 'off' }, stage.host);
  close.push(async () => session.close());
  const run = async (migration: Migration, script = migration.down): Promise<void> => {
    if (script === undefined) return;
    const failed = await runScript(session, migration, script);
    if (failed?.error !== undefined) throw failed.error;
  };
  return {
    down: async (migration) => run(migration),
    up: async (migrations) => {
      for (const one of migrations) await run(one, scriptOf(one));
    },
  };
}

function waysOfTool(stage: Stage): Ways {
  const { request, address, ledger } = stage;
  const { tool, found, timeouts } = request;
  const run = async (command: ReturnType<NonNullable<typeof tool.up>> | undefined): Promise<void> => {
    if (command === undefined) return;
    ledger.drop();
    const { exitCode, stderr, stdout } = await runCommand(stage, command, timeouts.tool);
    if (exitCode === 0) return;
    const last = `${stdout}\n${stderr}`.trim().split('\n').slice(-3).join(' ');
    throw ledger.failed?.error ?? new SqlError(`${tool.title} failed (exit ${exitCode}): ${last}`, 'XX000');
  };
  return {
    down: async (migration) => {
      const applied = request.migrations.slice(0, request.migrations.indexOf(migration) + 1);
      await run(tool.down?.(found, address, applied));
    },
    up: async () => run(tool.up?.(found, address)),
  };
}
