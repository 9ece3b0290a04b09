import type { Host } from '../action/host.ts';
import { check } from './check.ts';
import type { MigrateInputs } from './inputs.ts';
import type { PlanOutcome } from './outcome.ts';
import { withRehearsing } from './rehearsing.ts';
import type { MigrationSet } from './sets.ts';
import { writeSizes } from './sizes-file.ts';
import { survey } from './survey.ts';
import { targetOf } from './reach.ts';

const PER_MAJOR = 10_000;

/** Reads the target and judges what is pending there; changes nothing. */
export async function planMode(given: MigrateInputs, sets: readonly MigrationSet[], host: Host): Promise<PlanOutcome> {
  const seen = await survey(await targetOf(given, host), sets, host);
  await writeSizes(given, seen.sizes, host);
  const isNeeded = seen.sets.some(({ pending }) => pending.length > 0);
  const major = Math.floor(seen.server.version / PER_MAJOR);
  return withRehearsing({ ...given, rehearse: given.rehearse && isNeeded }, major, host, async (rehearsing) => {
    const checked = [];
    for (const { set, pending, applied } of seen.sets) {
      const tryOut =
        rehearsing && (async (migrations: MigrationSet['migrations']) => rehearsing.tryOut(set, migrations));
      const options = {
        sizes: seen.sizes,
        past: seen.past,
        phase: given.phase,
        version: seen.server.version,
        applied,
        ...(seen.schema && { schema: seen.schema }),
        ...(tryOut && { tryOut }),
      };
      checked.push(await check(set, pending, options, host));
    }
    const missing = rehearsing?.missing;
    return { mode: 'plan', checked, survey: seen, ...(missing !== undefined && { notRehearsed: missing }) };
  });
}
