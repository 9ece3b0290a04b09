import { type Problem, describe } from '../action/errors.ts';
import { type Markdown, md, paragraphs } from '../action/markdown.ts';
import type { Finding } from '../migration/finding.ts';
import type { MigrateInputs } from './inputs.ts';
import { type Outcome, findingsOf, highestRisk } from './outcome.ts';
import { applySummary } from './report-apply.ts';
import { captureSummary, jobSummary } from './report-job.ts';
import { checkSummary } from './report-check.ts';
import { repairSummary, statusSummary } from './report-survey.ts';
import type { Verdict } from './verdict.ts';

const UNDONE = {
  check: 'checked',
  plan: 'planned',
  apply: 'applied',
  status: 'read',
  repair: 'mended',
  'capture-schema': 'captured',
} as const;
const MAX_PROBLEMS = 20;

/** The summary page of a run: verdict, reason, evidence, what to do, details folded. */
export function summaryOf(outcome: Outcome, verdict: Verdict): Markdown {
  switch (outcome.mode) {
    case 'check':
    case 'plan':
      return checkSummary(outcome, verdict);
    case 'apply':
      return applySummary(outcome, verdict);
    case 'job':
      return jobSummary(outcome);
    case 'status':
      return statusSummary(outcome);
    case 'capture-schema':
      return captureSummary(outcome);
    case 'repair':
      return repairSummary(outcome);
  }
}

/** The page of a run that did not get to its work, since something was missing or wrong. */
export function refusalSummary(mode: MigrateInputs['mode'], problems: readonly Problem[]): Markdown {
  const [first, ...others] = problems;
  return paragraphs(
    md`### ❌ Nothing was ${UNDONE[mode]}: ${first?.message ?? 'something is wrong'}`,
    ...others.slice(0, MAX_PROBLEMS).map((problem) => md`- ${describe(problem)}`),
    first?.remedy !== undefined && md`**What to do:** ${first.remedy}`,
  );
}

/** What programs read of a run: the output `report`. */
export function jsonOf(outcome: Outcome, verdict: Verdict): object {
  const { mode } = outcome;
  const findings = findingsOf(outcome).map((finding) => findingJson(finding));
  if (mode === 'repair') return { mode, verdict, found: outcome.found };
  const database = 'survey' in outcome && {
    database: outcome.survey.server.database,
    version: outcome.survey.server.version,
    pending: outcome.survey.sets.flatMap(({ pending }) => pending.map(({ name }) => name)),
  };
  if (!('checked' in outcome)) return { mode, verdict, ...database };
  const migrations = outcome.checked.flatMap(({ set, phases, rehearsal }) =>
    phases.map(({ migration, phase }) => ({
      name: migration.name,
      file: migration.file,
      tool: set.found.tool,
      phase,
      rehearsed: rehearsal?.migrations
        .find((one) => one.migration.id === migration.id)
        ?.statements.map(({ sql, place, seconds, locks, rewritten, scanned }) => ({
          sql: sql.slice(0, 500),
          line: place.line,
          seconds,
          locks,
          rewritten,
          scanned,
        })),
    })),
  );
  const judged = { mode, verdict, risk: highestRisk(outcome.checked), ...database, migrations, findings };
  if (mode === 'job') return { ...judged, job: outcome.job, result: outcome.result.verdict };
  if (mode !== 'apply') return judged;
  const applied = outcome.applied.map(({ report: { state, applied: done, pending, failure, queue, seconds } }) => ({
    state,
    applied: done.map(({ migration, seconds: own }) => ({ name: migration.name, seconds: own })),
    notApplied: pending.map(({ name }) => name),
    ...(failure && {
      failure: { message: failure.message, left: failure.left, running: failure.running, next: failure.next },
    }),
    queue,
    seconds,
  }));
  return { ...judged, applied, left: outcome.left.map(({ name }) => name) };
}

function findingJson({
  code,
  severity,
  place,
  message,
  why,
  remedy,
  rewrite,
  lock,
  phase,
  source,
  allowed,
}: Finding): object {
  return { code, severity, place, message, why, remedy, rewrite, lock, phase, source, allowed };
}
