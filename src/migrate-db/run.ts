import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Action } from '../action/action.ts';
import { Failed, UserError, describe } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import { digestsOf } from './agreed.ts';
import { annotate } from './annotate.ts';
import { applyMode } from './apply-mode.ts';
import { captureMode } from './capture-mode.ts';
import { checkMode } from './check-mode.ts';
import { tellPullRequest } from './comment.ts';
import { isMysql } from './dialect.ts';
import { jobMode } from './job-mode.ts';
import { type MigrateInputs, inputs } from './inputs.ts';
import { type Outcome, findingsOf, highestRisk } from './outcome.ts';
import { planMode } from './plan-mode.ts';
import { repairMode } from './repair-mode.ts';
import { jsonOf, refusalSummary, summaryOf } from './report.ts';
import { sarifOf } from './sarif.ts';
import { type MigrationSet, readSets } from './sets.ts';
import { statusMode } from './status-mode.ts';
import { type Verdict, failureOf, verdictOf } from './verdict.ts';

const OUTPUTS = ['verdict', 'risk', 'pending', 'pending-digests', 'applied', 'findings', 'sarif', 'report'] as const;
type Outputs = Partial<Record<(typeof OUTPUTS)[number], string>>;

/** An output holds 1 MB. */
const MAX_OUTPUT = 500_000;

/** The action migrate-db. */
export const migrateDb: Action<typeof inputs, (typeof OUTPUTS)[number]> = {
  name: 'migrate-db',
  inputs,
  outputs: OUTPUTS,
  run: migrate,
};

async function migrate(given: MigrateInputs, host: Host): Promise<Outputs> {
  let outcome: Outcome;
  try {
    outcome = await reach(given, host);
  } catch (error) {
    if (error instanceof UserError) await host.summarize(refusalSummary(given.mode, error.problems));
    throw error;
  }
  const verdict = verdictOf(outcome);
  annotate(findingsOf(outcome), host.log);
  const summary = summaryOf(outcome, verdict);
  await host.summarize(summary);
  const sarif = await writeSarif(outcome, given, host);
  if (given.comment && outcome.mode === 'check') await tellPullRequest(summary, outcome, given, host);
  const outputs = outputsOf(outcome, verdict, sarif);
  const failure = failureOf(outcome, verdict, given.failOn);
  if (failure !== undefined) throw new Failed(describe(failure), outputs, failure);
  return outputs;
}

async function reach(given: MigrateInputs, host: Host): Promise<Outcome> {
  const sets = await readSets(given, host);
  return isMysql(given) ? reachMysql(given, sets, host) : reachPostgres(given, sets, host);
}

async function reachMysql(given: MigrateInputs, sets: readonly MigrationSet[], host: Host): Promise<Outcome> {
  const { mysqlOutcome } = await import('./mysql-mode.ts');
  return mysqlOutcome(given, sets, host);
}

async function reachPostgres(given: MigrateInputs, sets: readonly MigrationSet[], host: Host): Promise<Outcome> {
  switch (given.mode) {
    case 'check':
      return checkMode(given, sets, host);
    case 'plan':
      return planMode(given, sets, host);
    case 'apply':
      return given.runIn === 'kubernetes' ? jobMode(given, sets, host) : applyMode(given, sets, host);
    case 'capture-schema':
      return captureMode(given, sets, host);
    case 'status':
      return statusMode(given, sets, host);
    case 'repair':
      return repairMode(given, sets, host);
  }
}

async function writeSarif(outcome: Outcome, { sarifFile }: MigrateInputs, host: Host): Promise<string> {
  if (sarifFile === '') return '';
  const file = path.resolve(host.info.workspace, sarifFile);
  await writeFile(file, JSON.stringify(sarifOf(findingsOf(outcome), '1')));
  return sarifFile;
}

function outputsOf(outcome: Outcome, verdict: Verdict, sarif: string): Outputs {
  const findings = findingsOf(outcome);
  const pending =
    'survey' in outcome ? outcome.survey.sets.flatMap((one) => one.pending.map(({ name }) => name)) : undefined;
  const applied = outcome.mode === 'apply' ? outcome.applied.flatMap(({ report }) => report.applied) : undefined;
  return {
    verdict,
    ...('checked' in outcome && { risk: highestRisk(outcome.checked) }),
    ...(pending && { pending: bounded(pending) }),
    ...('checked' in outcome && { 'pending-digests': bounded(digestsOf(outcome.checked)) }),
    ...(applied && { applied: bounded(applied.map(({ migration, seconds }) => ({ name: migration.name, seconds }))) }),
    findings: bounded(
      findings.map(({ code, severity, place, message, allowed }) => ({
        code,
        severity,
        ...place,
        message,
        ...(allowed && { allowed }),
      })),
    ),
    sarif,
    report: bounded([jsonOf(outcome, verdict)]),
  };
}

/** As JSON, with the last items left out where it would be too long. */
function bounded(items: readonly unknown[]): string {
  let kept = items;
  for (;;) {
    const text = JSON.stringify(kept);
    if (text.length <= MAX_OUTPUT || kept.length === 0) return text;
    kept = kept.slice(0, Math.floor(kept.length / 2));
  }
}
