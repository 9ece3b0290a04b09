import type { Host } from '../action/host.ts';
import { check } from './check.ts';
import type { MigrateInputs } from './inputs.ts';
import type { CheckOutcome } from './outcome.ts';
import { withRehearsing } from './rehearsing.ts';
import { type MigrationSet, newsOf } from './sets.ts';
import { readSizes } from './sizes-file.ts';

/** Reads, rehearses and judges what is new; touches no real database. */
export async function checkMode(
  given: MigrateInputs,
  sets: readonly MigrationSet[],
  host: Host,
): Promise<CheckOutcome> {
  const news = await Promise.all(sets.map(async (set) => newsOf(set, given, host)));
  const unknown = news.find((one) => one.unknown !== undefined)?.unknown;
  const sizes = await readSizes(given, host);
  const isNeeded = news.some(({ migrations }) => migrations.length > 0);
  const rehearsable = { ...given, rehearse: given.rehearse && isNeeded };
  return withRehearsing(rehearsable, undefined, host, async (rehearsing) => {
    const checked = [];
    for (const [at, set] of sets.entries()) {
      const tryOut =
        rehearsing && (async (migrations: MigrationSet['migrations']) => rehearsing.tryOut(set, migrations));
      checked.push(await check(set, news[at]?.migrations ?? [], { sizes, ...(tryOut && { tryOut }) }, host));
    }
    return {
      mode: 'check',
      checked,
      ...(unknown !== undefined && { unknown }),
      ...(rehearsing?.missing !== undefined && { notRehearsed: rehearsing.missing }),
    };
  });
}
