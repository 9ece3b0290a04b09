import { type Markdown, details, md, paragraphs, raw, table, text, code } from '../action/markdown.ts';
import { type Finding, blockedBy } from '../migration/finding.ts';
import { spoken } from '../postgres/activity.ts';
import type { Checked } from './check.ts';
import { type CheckOutcome, type PlanOutcome, highestRisk, isBroken } from './outcome.ts';
import {
  baseName,
  counted,
  findingBlock,
  findingLine,
  isOverruled,
  overruledLine,
  riskLine,
  serverName,
  spokenShort,
  statementTable,
  waitingFor,
  weightOf,
} from './report-parts.ts';
import { databaseLine, surveyDetails } from './report-survey.ts';
import type { Verdict } from './verdict.ts';

type Judged = CheckOutcome | PlanOutcome;

/** Findings that are shown in full; the others stand on a line each. */
const IN_FULL = 3;
const MAX_LINES = 100;
const MAX_STATEMENTS = 200;

/** The page of `check` and `plan`: what would happen, why, the safe form, what to do; the rest folded. */
export function checkSummary(outcome: Judged, verdict: Verdict): Markdown {
  const { checked } = outcome;
  const all = checked.flatMap((one) => one.findings.map((finding) => ({ finding, checked: one })));
  const open = all.filter(({ finding }) => finding.allowed === undefined && finding.severity !== 'notice');
  const inFull = open.slice(0, IN_FULL);
  const overruled = all.map(({ finding }) => finding).filter((finding) => isOverruled(finding));
  const others = all.filter((one) => !inFull.includes(one) && !overruled.includes(one.finding));
  return paragraphs(
    headline(outcome, verdict),
    ...inFull.map((one) => findingBlock(one.finding, one.checked)),
    open.length > inFull.length && md`…and ${open.length - inFull.length} more, folded below.`,
    verdict !== 'nothing' && riskLine(highestRisk(checked)),
    rehearsalLine(outcome),
    ...overruled.slice(0, IN_FULL).map((finding) => overruledLine(finding)),
    'survey' in outcome && databaseLine(outcome.survey),
    outcome.mode === 'check' && outcome.unknown !== undefined && md`⚠️ ${outcome.unknown}`,
    others.length > 0 &&
      details(`Other findings (${others.length})`, findingLines(others.map(({ finding }) => finding))),
    ...checked.flatMap((one) => rehearsalDetails(one)),
    'survey' in outcome && surveyDetails(outcome.survey),
    details('Migrations', migrationList(checked)),
  );
}

function headline(outcome: Judged, verdict: Verdict): Markdown {
  const { checked } = outcome;
  const count = checked.reduce((sum, { migrations }) => sum + migrations.length, 0);
  const [what, where] =
    'survey' in outcome ? ['pending', md` in ${raw(code(outcome.survey.server.database))}`] : ['new', md``];
  const worst = worstOf(checked, verdict);
  if (verdict === 'nothing') return md`### ✅ No migration is ${what}${raw(where)}`;
  if (verdict === 'safe') {
    const remarks = checked
      .flatMap(({ findings }) => findings)
      .filter(({ severity, allowed }) => severity !== 'notice' && !allowed);
    const end = remarks.length === 0 ? '' : `, with ${counted(remarks.length, 'remark')}`;
    return md`### ✅ ${counted(count, `${what} migration`)} ${count === 1 ? 'is' : 'are'} safe to apply${raw(where)}${end}`;
  }
  if (worst === undefined) return md`### ⛔ ${counted(count, `${what} migration`)} should not be applied${raw(where)}`;
  return verdict === 'broken'
    ? md`### ❌ ${raw(code(baseName(worst.finding.place.file)))} does not work as it is: ${worst.finding.message}`
    : md`### ⛔ ${raw(code(baseName(worst.finding.place.file)))} would ${raw(effect(worst.finding, worst.checked))}`;
}

function worstOf(checked: readonly Checked[], verdict: Verdict) {
  const all = checked.flatMap((one) => one.findings.map((finding) => ({ finding, checked: one })));
  const fits = ({ allowed, severity }: Finding): boolean => allowed === undefined && severity === 'error';
  return all.find(({ finding }) => fits(finding) && (verdict !== 'broken' || isBroken(finding)));
}

/** What a finding would do in production, as it follows `would`. */
function effect(finding: Finding, checked: Checked): Markdown {
  const { lock, phase, message } = finding;
  if (phase === 'contract') return md`break the version that runs now: ${message}`;
  if (lock === undefined || blockedBy(lock.mode) === 'nothing') return md`do harm: ${message}`;
  const seconds = weightOf(finding, checked)?.seconds;
  const long =
    seconds === undefined
      ? 'for as long as its table is large'
      : seconds < 1
        ? 'for a moment'
        : `for about ${spoken(seconds)}`;
  return md`block ${raw(waitingFor(lock))} ${long}`;
}

function rehearsalLine({ checked, notRehearsed }: Judged): Markdown | false {
  const parts = checked.flatMap(({ rehearsal, set, migrations, notRehearsed: own }): Markdown[] => {
    if (own !== undefined) return [md`⚠️ **Not rehearsed**, so judged by its text alone: ${own}`];
    if (rehearsal === undefined || migrations.length === 0) return [];
    const statements = rehearsal.migrations.reduce((sum, one) => sum + one.statements.length, 0);
    const by = rehearsal.ranBy === 'tool' ? ` by ${set.tool.title} itself` : '';
    const back = rehearsal.migrations.filter(({ reversed }) => reversed?.same === true).length;
    const ways = back === 0 ? '' : `; the way back works for ${back === rehearsal.migrations.length ? 'all' : back}`;
    return [
      md`**Rehearsed** on ${serverName(rehearsal)}${by}: ${counted(rehearsal.migrations.length, 'migration')}, ${counted(statements, 'statement')}, ${spokenShort(rehearsal.seconds)}${ways}.`,
    ];
  });
  if (parts.length === 0 && notRehearsed !== undefined) {
    return md`⚠️ **Not rehearsed**, so judged by its text alone: ${notRehearsed}`;
  }
  return parts.length > 0 && paragraphs(...parts);
}

function rehearsalDetails({ rehearsal, set }: Checked): readonly Markdown[] {
  if (rehearsal === undefined) return [];
  const statements = rehearsal.migrations.flatMap((one) => one.statements);
  if (statements.length === 0 && rehearsal.notes.length === 0) return [];
  const more =
    statements.length > MAX_STATEMENTS && md`The first ${MAX_STATEMENTS} of ${statements.length} statements.`;
  const body = paragraphs(
    ...rehearsal.notes.map((note) => md`ℹ️ ${note}`),
    statements.length > 0 && statementTable(statements.slice(0, MAX_STATEMENTS)),
    more,
  );
  return [details(`What ${set.tool.title} made the server do (${counted(statements.length, 'statement')})`, body)];
}

function findingLines(findings: readonly Finding[]): Markdown {
  const more = findings.length > MAX_LINES ? [md`- and ${findings.length - MAX_LINES} more`] : [];
  return [...findings.slice(0, MAX_LINES).map((finding) => findingLine(finding)), ...more].join('\n') as Markdown;
}

function migrationList(checked: readonly Checked[]): Markdown {
  const rows = checked.flatMap(({ set, migrations, phases }) =>
    migrations.slice(0, MAX_LINES).map((migration) => {
      const phase = phases.find((one) => one.migration.id === migration.id)?.phase ?? 'expand';
      const when = { expand: 'before the deploy', contract: 'after the deploy', mixed: 'both: split it' }[phase];
      return [code(migration.file), text(set.tool.title), text(when), text(migration.reversible ? 'yes' : 'no')];
    }),
  );
  const found = checked.map(
    ({ set }) => md`- ${set.tool.title}: ${counted(set.migrations.length, 'migration')}; ${set.found.reason}`,
  );
  return paragraphs(
    rows.length > 0 && table(['migration', 'tool', 'belongs', 'has a way back'], rows),
    found.join('\n') as Markdown,
  );
}
