import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { systemClock } from '../../src/action/main.ts';
import type { RunResult } from '../../src/action/exec.ts';
import type { Leftover } from '../../src/migration/leftovers.ts';
import type { Command } from '../../src/migration/tool.ts';
import { connect } from '../../src/postgres/connect.ts';
import type { Database, example } from './example.ts';

/** What holds for every tool: it applies all in the order that was read, and takes back the last. */
export function upAndDown({ of, database }: ReturnType<typeof example>): void {
  test('applies all that was read, takes back one after the other, applies them again', async () => {
    const { tool, found, migrations } = of();
    const { address, run, applied } = await database();
    const ids = migrations.map(({ id }) => id);
    expect(ids.length).toBeGreaterThan(2);
    expect(await applied()).toEqual([]);

    succeed(await run(tool.up?.(found, address)));
    const done = await applied();
    expect(done.map(({ id }) => id)).toEqual(ids);
    expect(done.every(({ state }) => state === 'applied')).toBe(true);
    expect(tool.check(migrations, done)).toEqual([]);

    expect(migrations.every(({ reversible }) => reversible)).toBe(tool.down !== undefined);
    for (let left = tool.down === undefined ? 0 : ids.length; left > 0; left -= 1) {
      succeed(await run(tool.down?.(found, address, migrations.slice(0, left))));
      expect((await applied()).map(({ id }) => id)).toEqual(ids.slice(0, left - 1));
    }
    succeed(await run(tool.up?.(found, address)));
    expect((await applied()).map(({ id }) => id)).toEqual(ids);
  }, 300_000);

  test('applies the first alone, where it can', async () => {
    const { tool, found, migrations } = of();
    if (tool.upTo === undefined) return;
    const { address, run, applied } = await database();
    succeed(await run(tool.upTo(found, address, migrations.slice(0, 1))));
    expect((await applied()).map(({ id }) => id)).toEqual([migrations[0]?.id]);
  }, 120_000);
}

/** Fails with what the program said. */
export function succeed({ exitCode, stdout, stderr }: RunResult): void {
  if (exitCode !== 0) throw new Error(`exit code ${exitCode}:\n${stdout}\n${stderr}`);
}

/** Cancels a run while its statement waits for the lock on a table, as a runner does whose job is cancelled. */
export async function cancelWaiting(database: Database, command: Command | undefined, table: string): Promise<void> {
  const { session, run, connection } = database;
  const holder = await connect(connection, { signal: new AbortController().signal, clock: systemClock });
  await holder.query('BEGIN');
  await holder.query(`LOCK TABLE ${table}`);
  const stop = new AbortController();
  const running = run(command, stop.signal).catch((error: unknown) => error);
  const waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
  while ((await session.query(waiting)).length === 0) await sleep(50);
  stop.abort(new Error('cancelled'));
  expect(await running).toEqual(new Error('cancelled'));
  // The relay has what nobody waits for any more cancelled; until then it would still be done.
  while ((await session.query(waiting)).length > 0) await sleep(50);
  await holder.close();
}

/** Runs what mends each, and gives their names. */
export async function mend({ session }: Database, leftovers: readonly Leftover[]): Promise<readonly string[]> {
  for (const { sql } of leftovers) for (const statement of sql) await session.query(statement);
  return leftovers.map(({ name }) => name);
}
