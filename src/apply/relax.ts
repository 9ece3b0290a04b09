import type { Row } from '../postgres/database.ts';
import type { Limits } from './limits.ts';

/** A question to a session. */
export type Ask = (sql: string) => Promise<readonly Row[]>;

const OURS = "SELECT name, setting FROM pg_settings WHERE name IN ('lock_timeout', 'statement_timeout')";

/**
 * Gives a session the time that a statement CONCURRENTLY needs: it waits for the transactions of others and may work for
 * hours, and nobody waits for it. What the migration itself has set is left as it is.
 * @returns what sets it back
 */
export async function relax(ask: Ask, limits: Limits, lockTimeout: number): Promise<() => Promise<void>> {
  const now = new Map((await ask(OURS)).map(({ name, setting }) => [name, Number(setting)]));
  const changed = (
    [
      ['lock_timeout', lockTimeout, limits.concurrentLockTimeout],
      ['statement_timeout', limits.statementTimeout, 0],
    ] as const
  ).filter(([name, ours]) => now.get(name) === ours);
  const set = (values: readonly (readonly [string, number])[]): string =>
    `SELECT ${values.map(([name, value]) => `set_config('${name}', '${value}ms', false)`).join(', ')}`;
  if (changed.length === 0) return async () => undefined;
  await ask(set(changed.map(([name, , relaxed]) => [name, relaxed])));
  return async () => void (await ask(set(changed.map(([name, ours]) => [name, ours]))));
}
