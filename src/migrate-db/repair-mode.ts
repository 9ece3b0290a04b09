import { UserError, messageOf } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import type { Leftover } from '../migration/leftovers.ts';
import type { Database } from '../postgres/database.ts';
import type { InvalidIndex } from '../postgres/invalid-indexes.ts';
import type { MigrateInputs } from './inputs.ts';
import type { RepairOutcome, Repairable } from './outcome.ts';
import type { MigrationSet } from './sets.ts';
import { survey, withSession } from './survey.ts';
import { targetOf } from './reach.ts';

/**
 * Shows what runs that died left, and mends what the input `repair` names.
 * @throws UserError for a name that is not there, before anything is mended
 */
export async function repairMode(
  given: MigrateInputs,
  sets: readonly MigrationSet[],
  host: Host,
): Promise<RepairOutcome> {
  const source = await targetOf(given, host);
  const seen = await survey(source, sets, host);
  const found = [
    ...seen.sets.flatMap(({ leftovers }) => leftovers),
    ...seen.invalidIndexes.map((index) => invalid(index)),
  ];
  const wanted = new Set(given.repair);
  const unknown = [...wanted].filter((name) => name !== 'all' && !found.some((one) => one.name === name));
  if (unknown.length > 0) {
    throw new UserError(`input repair: there is nothing called ${unknown.join(', ')}`, {
      remedy: `Found: ${found.map(({ name }) => name).join(', ') || 'nothing to mend'}.`,
    });
  }
  return withSession(source, host, async (session) => {
    const mended: Repairable[] = [];
    for (const one of found) {
      const chosen = wanted.has('all') || wanted.has(one.name);
      mended.push(chosen ? await mend(session, one, host) : { ...one, state: 'found' });
    }
    return { mode: 'repair', found: mended };
  });
}

async function mend(database: Database, one: Leftover, { log }: Host): Promise<Repairable> {
  try {
    for (const sql of one.sql) await database.query(sql);
    log.info(`mended ${one.name}`);
    return { ...one, state: 'mended' };
  } catch (error) {
    return { ...one, state: 'failed', problem: messageOf(error) };
  }
}

function invalid({ name, table }: InvalidIndex): Leftover {
  return {
    name: `invalid-index:${name}`,
    what: `The index ${name} of ${table} is invalid: every write keeps it up, and no query uses it`,
    mend: 'Drops it without keeping anybody waiting; the migration that was to make it has to run again.',
    sql: [`DROP INDEX CONCURRENTLY IF EXISTS ${name}`],
  };
}
