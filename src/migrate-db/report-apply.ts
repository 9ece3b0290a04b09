import { showPlace } from '../action/errors.ts';
import { type Markdown, block, code, details, md, mermaid, paragraphs, raw, table, text } from '../action/markdown.ts';
import type { ApplyFailure, ApplyReport, LockedOut } from '../apply/report.ts';
import type { Migration } from '../migration/migration.ts';
import { describeActivity, spoken } from '../postgres/activity.ts';
import type { Kept } from './keep.ts';
import type { ApplyOutcome } from './outcome.ts';
import { counted, findingLine, locksOf, spokenShort } from './report-parts.ts';
import { serverLine } from './report-survey.ts';
import type { Verdict } from './verdict.ts';

const MAX_ROWS = 100;
/** From there on it is worth a picture which one took so long. */
const PICTURE_SECONDS = 10;

/** The page of `apply`: what was applied and what was not, whether the running version works, what to do. */
export function applySummary(outcome: ApplyOutcome, verdict: Verdict): Markdown {
  const { applied, survey, left, kept } = outcome;
  const reports = applied.map(({ report }) => report);
  const failure = reports.find((report) => report.failure !== undefined)?.failure;
  const drift = applied.flatMap((one) => one.drift);
  return paragraphs(
    headline(outcome, verdict),
    failure && why(failure),
    failure && md`**The version that runs now:** ${failure.running}`,
    migrationTable(reports),
    failure && failure.leftStatements.length > 0 && leftStatements(failure),
    failure && md`**What to do:** ${failure.next}`,
    left.length > 0 && afterDeploy(left),
    ...reports.flatMap((report) => waits(report)),
    keptBefore(kept),
    drift.length > 0 && md`⚠️ The database is not what the migrations make (${counted(drift.length, 'difference')}):`,
    drift.length > 0 &&
      (drift
        .slice(0, 10)
        .map((finding) => findingLine(finding))
        .join('\n') as Markdown),
    timeline(reports),
    statementDetails(reports),
    serverLine(survey),
  );
}

function headline({ applied, survey, left }: ApplyOutcome, verdict: Verdict): Markdown {
  const name = raw(code(survey.server.database));
  const reports = applied.map(({ report }) => report);
  const done = reports.reduce((sum, report) => sum + report.applied.length, 0);
  const all = done + reports.reduce((sum, report) => sum + report.pending.length, 0);
  const seconds = spoken(reports.reduce((sum, report) => sum + report.seconds, 0));
  const failed = reports.find((report) => report.failure !== undefined)?.failure?.migration?.name;
  if (verdict === 'applied') {
    return md`### ✅ ${counted(done, 'migration')} ${done === 1 ? 'is' : 'are'} applied to ${name} after ${seconds}${queued(reports)}`;
  }
  if (verdict === 'cancelled') {
    return md`### 🛑 The run was cancelled — ${done} of ${counted(all, 'migration')} ${done === 1 ? 'is' : 'are'} applied to ${name}`;
  }
  if (verdict === 'failed') {
    return md`### ❌ ${raw(failed === undefined ? text('The migrations') : code(failed))} could not be applied to ${name} — ${done} of ${all} applied`;
  }
  return left.length > 0
    ? md`### ⏭️ Nothing was applied to ${name}: what is pending belongs after the deploy`
    : md`### ✅ ${name} has all migrations already: nothing had to be applied`;
}

/** The snapshot or dump, and how it comes back. */
export function keptBefore(kept: Kept | undefined): Markdown | undefined {
  if (kept === undefined) return undefined;
  return paragraphs(
    md`**Kept before:** the ${kept.kind} ${raw(code(kept.name))}. To go back to it, beside the database that is there:`,
    block(kept.restore, 'sh'),
  );
}

/** How long others stood behind the migrations, at the end of a sentence. */
function queued(reports: readonly ApplyReport[]): string {
  const longest = Math.max(0, ...reports.map(({ queue }) => queue.seconds));
  const sessions = Math.max(0, ...reports.map(({ queue }) => queue.sessions));
  if (sessions === 0) return '; nobody was seen waiting meanwhile';
  return `; others waited ${longest < 0.05 ? 'less than 0.1 s' : `at most ${spoken(longest)}`} meanwhile`;
}

function why({ message, statement }: ApplyFailure): Markdown {
  const where =
    statement && showPlace({ file: statement.file, ...(statement.line !== undefined && { line: statement.line }) });
  return paragraphs(
    md`**Why:** ${message}${where === undefined ? '' : ` (${where}, after ${spokenShort(statement?.seconds ?? 0)})`}`,
    statement && block(statement.sql.slice(0, 1000), 'sql'),
  );
}

function migrationTable(reports: readonly ApplyReport[]): Markdown | false {
  const rows = reports.flatMap(({ applied, pending, failure }) => [
    ...applied.map(({ migration, seconds, resumed }) => [
      code(migration.name),
      text(resumed ? '✅ finished what an earlier run began' : '✅ applied'),
      text(spokenShort(seconds)),
    ]),
    ...pending.map((migration) => [
      code(migration.name),
      text(migration.id === failure?.migration?.id ? `❌ ${leftInWords(failure)}` : 'not begun'),
      text(''),
    ]),
  ]);
  if (rows.length === 0) return false;
  const more = rows.length > MAX_ROWS && md`…and ${rows.length - MAX_ROWS} more.`;
  return paragraphs(table(['migration', 'what happened', 'time'], rows.slice(0, MAX_ROWS)), more);
}

function leftInWords({ left, leftStatements: kept }: ApplyFailure): string {
  if (left === 'nothing') return 'failed; nothing of it is there';
  return left === 'part'
    ? `failed; its first ${kept.length === 1 ? 'statement stays' : `${kept.length} statements stay`}`
    : 'failed; what is there of it is not known';
}

function leftStatements({ leftStatements: kept }: ApplyFailure): Markdown {
  return paragraphs(md`**What stays of it:**`, block(kept.slice(0, 20).join(';\n'), 'sql'));
}

function afterDeploy(left: readonly Migration[]): Markdown {
  const names = left.slice(0, 10).map(({ name }) => code(name));
  const more = left.length > 10 ? ` and ${left.length - 10} more` : '';
  return md`**After the deploy:** ${raw(names.join(', ') as Markdown)}${more} — from the first that breaks the running version on, they wait for ${raw(code('phase: contract'))}.`;
}

/** What stood in the way, and what was done about it. */
function waits({ lockedOut, terminated, droppedIndexes }: ApplyReport): readonly Markdown[] {
  return [
    ...(lockedOut.length === 0 ? [] : [tries(lockedOut)]),
    ...(terminated.length === 0
      ? []
      : [
          md`⚠️ ${counted(terminated.length, 'session was', 'sessions were')} ended, as it blocked for longer than terminate-blockers-older-than: ${terminated.slice(0, 5).map(describeActivity).join('; ')}`,
        ]),
    ...(droppedIndexes.length === 0
      ? []
      : [
          md`ℹ️ Dropped before the next try, as a CONCURRENTLY that failed left them invalid: ${droppedIndexes.join(', ')}`,
        ]),
  ];
}

function tries(lockedOut: readonly LockedOut[]): Markdown {
  const rows = lockedOut.slice(0, MAX_ROWS).map(({ statement, lockTimeout, error, blockers }) => [
    code(statement, 80),
    text(error.code === '55P03' ? `no lock within ${lockTimeout / 1000} s` : error.message.slice(0, 100)),
    text(
      blockers
        .filter(({ waitsFor }) => waitsFor.length === 0)
        .slice(0, 3)
        .map(describeActivity)
        .join('; ') || 'not seen',
    ),
  ]);
  return paragraphs(
    md`**Waited for locks:** ${counted(lockedOut.length, 'try', 'tries')} gave way, so that nobody queues behind it.`,
    table(['statement', 'try', 'held by'], rows),
  );
}

/** Which migration took how long, where that is worth a picture. */
function timeline(reports: readonly ApplyReport[]): Markdown | false {
  const applied = reports.flatMap((report) => report.applied);
  const seconds = applied.reduce((sum, one) => sum + one.seconds, 0);
  if (applied.length < 2 || applied.length > 30 || seconds < PICTURE_SECONDS) return false;
  let at = 0;
  const bars = applied.map(({ migration, seconds: own }) => {
    const bar = `  ${migration.name.replaceAll(/[^\w.-]+/g, ' ')} :${Math.round(at)}, ${Math.max(1, Math.round(own))}s`;
    at += own;
    return bar;
  });
  return mermaid(['gantt', '  dateFormat X', '  axisFormat %M:%S', ...bars].join('\n'));
}

function statementDetails(reports: readonly ApplyReport[]): Markdown | false {
  const statements = reports.flatMap(({ applied }) => applied.flatMap((one) => one.statements));
  if (statements.length === 0) return false;
  const slowest = statements.toSorted((a, b) => b.seconds - a.seconds).slice(0, MAX_ROWS);
  const rows = slowest.map(({ sql, seconds, locks }) => [
    code(sql.replaceAll(/\s+/g, ' ').trim(), 100),
    locksOf(locks),
    text(spokenShort(seconds)),
  ]);
  return details(
    `Statements, slowest first (${slowest.length === statements.length ? '' : `${slowest.length} of `}${statements.length})`,
    table(['statement', 'locks', 'time'], rows),
  );
}
