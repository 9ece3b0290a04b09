import type { Host } from '../action/host.ts';
import type { MigrateInputs } from './inputs.ts';
import type { StatusOutcome } from './outcome.ts';
import type { MigrationSet } from './sets.ts';
import { survey } from './survey.ts';
import { targetOf } from './reach.ts';

/** Tells what the database has and what is pending; changes nothing. */
export async function statusMode(
  given: MigrateInputs,
  sets: readonly MigrationSet[],
  host: Host,
): Promise<StatusOutcome> {
  return { mode: 'status', survey: await survey(await targetOf(given, host), sets, host) };
}
