import { UserError } from '../action/errors.ts';
import { milliseconds } from '../action/fields.ts';
import type { Host } from '../action/host.ts';
import { applyMigrations } from '../apply/apply.ts';
import { driftFindings } from '../apply/drift.ts';
import type { Limits } from '../apply/limits.ts';
import type { ApplyReport } from '../apply/report.ts';
import type { Migration } from '../migration/migration.ts';
import type { Tool } from '../migration/tool.ts';
import { readSchema } from '../postgres/read-schema.ts';
import { historyTables } from '../rehearsal/history.ts';
import { checkAgreed } from './agreed.ts';
import type { Checked } from './check.ts';
import type { MigrateInputs } from './inputs.ts';
import { keep } from './keep.ts';
import { type ApplyOutcome, findingsOf, highestRisk, isBroken } from './outcome.ts';
import { selectPhase } from './phases.ts';
import { planMode } from './plan-mode.ts';
import type { MigrationSet } from './sets.ts';
import { targetOf } from './reach.ts';

const RISKS = ['none', 'low', 'high'] as const;

/** Judges what is pending as `plan` does, then applies it, one set after the other. */
export async function applyMode(
  given: MigrateInputs,
  sets: readonly MigrationSet[],
  host: Host,
): Promise<ApplyOutcome> {
  const { checked, survey, notRehearsed } = await planMode(given, sets, host);
  refuse(given, checked);
  const source = await targetOf(given, host);
  const isAnything = checked.some((one) => selectPhase(one.phases, given.phase).apply.length > 0);
  const kept = isAnything ? await keep(given, host, source) : undefined;
  const applied: ApplyOutcome['applied'][number][] = [];
  const left: Migration[] = [];
  for (const one of checked) {
    const { set } = one;
    const chosen = selectPhase(one.phases, given.phase);
    left.push(...chosen.leave);
    if (chosen.apply.length === 0) continue;
    const stops = chosen.leave.length > 0;
    if (stops) checkStops(set.tool);
    const whole = !stops && one.rehearsal !== undefined && one.rehearsal.failed === undefined;
    const report = await orToldAsFailed(
      applied.length > 0,
      chosen.apply,
      applyMigrations(
        {
          tool: set.tool,
          found: set.found,
          migrations: set.migrations,
          pending: chosen.apply,
          stops,
          connection: source,
          limits: limitsOf(given),
          ...(whole && {
            expected: one.rehearsal.schema,
            readSchema: async (database) =>
              readSchema(database, { without: await historyTables(database, set.tool, set.found, set.migrations) }),
          }),
          keepRecord: true,
        },
        host,
      ),
    );
    applied.push({ set, report, drift: driftFindings(report.drift ?? [], set.found.directory) });
    if (report.state === 'failed' || report.state === 'cancelled') break;
  }
  return {
    mode: 'apply',
    checked,
    survey,
    applied,
    left,
    ...(kept && { kept }),
    ...(notRehearsed !== undefined && { notRehearsed }),
  };
}

/**
 * What is refused after another set was applied is a failure of the whole: "nothing was applied" would be a lie.
 * @param isLater another set was applied before
 */
async function orToldAsFailed(
  isLater: boolean,
  pending: readonly Migration[],
  work: Promise<ApplyReport>,
): Promise<ApplyReport> {
  try {
    return await work;
  } catch (error) {
    if (!isLater || !(error instanceof UserError)) throw error;
    return {
      state: 'failed',
      applied: [],
      pending,
      failure: {
        message: error.message,
        left: 'nothing',
        leftStatements: [],
        running: 'Nothing of these migrations was begun; those of the sets before are applied.',
        next: error.remedy ?? 'Mend what it says, and run this job again: it goes on from here.',
      },
      lockedOut: [],
      terminated: [],
      droppedIndexes: [],
      queue: { sessions: 0, seconds: 0 },
      seconds: 0,
    };
  }
}

/** What can't work, and what is riskier than those who agreed to it were told, is not begun. */
export function refuse({ expectRisk, expectPending }: MigrateInputs, checked: readonly Checked[]): void {
  const broken = findingsOf({ mode: 'check', checked }).filter((finding) => isBroken(finding));
  if (broken.length > 0) {
    throw UserError.all(
      broken.map(({ message, remedy, place }) => ({ message, remedy, place })),
      'nothing was applied, as the migrations cannot work as they are',
    );
  }
  checkAgreed(expectPending, checked);
  const risk = highestRisk(checked);
  if (expectRisk === '' || RISKS.indexOf(risk) <= RISKS.indexOf(expectRisk)) return;
  throw new UserError(`nothing was applied: the risk is ${risk}, and ${expectRisk} was agreed to`, {
    remedy: 'Run the workflow again: the plan is then made anew, and whoever has to agree is asked.',
  });
}

/** @throws UserError for a tool that can't stop before what belongs after the deploy */
function checkStops(tool: Tool): void {
  if (tool.up === undefined || tool.upTo !== undefined) return;
  throw new UserError(
    `${tool.title} applies all that is pending or nothing, so phase: expand cannot stop before what belongs after the deploy`,
    { remedy: 'Bring what belongs after the deploy in a pull request of its own, once this one is deployed.' },
  );
}

/** How far applying may go, by the inputs. */
export function limitsOf(given: MigrateInputs): Partial<Limits> {
  const older = milliseconds(given.terminateBlockersOlderThan);
  return {
    lockTimeout: given.lockTimeout,
    lockRetries: given.lockRetries,
    statementTimeout: given.statementTimeout,
    migratorWait: given.waitForMigrator,
    maxLag: given.maxLag,
    ...(Number.isFinite(older) && { terminateBlockersOlderThan: older }),
  };
}
