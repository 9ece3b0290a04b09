import type { ApplyReport } from '../apply/report.ts';
import type { Finding, Risk } from '../migration/finding.ts';
import type { Leftover } from '../migration/leftovers.ts';
import type { Migration } from '../migration/migration.ts';
import type { Checked } from './check.ts';
import type { JobResult } from '../kube-job/run.ts';
import type { Kept } from './keep.ts';
import type { MigrationSet } from './sets.ts';
import type { Survey } from './survey.ts';

/** What `mode: check` came to. */
export interface CheckOutcome {
  readonly mode: 'check';
  readonly checked: readonly Checked[];
  /** Why all migrations were looked at, where it is not known which are new. */
  readonly unknown?: string;
  /** Why nothing could be rehearsed at all. */
  readonly notRehearsed?: string;
}

/** What `mode: plan` came to. */
export interface PlanOutcome {
  readonly mode: 'plan';
  readonly checked: readonly Checked[];
  readonly survey: Survey;
  readonly notRehearsed?: string;
}

/** What `mode: apply` came to; a set that was not reached, after one that failed, has no report. */
export interface ApplyOutcome {
  readonly mode: 'apply';
  readonly checked: readonly Checked[];
  readonly survey: Survey;
  readonly applied: readonly {
    readonly set: MigrationSet;
    readonly report: ApplyReport;
    readonly drift: readonly Finding[];
  }[];
  /** What the phase leaves for after the deploy. */
  readonly left: readonly Migration[];
  /** The snapshot or dump that was taken before. */
  readonly kept?: Kept;
  readonly notRehearsed?: string;
}

/** What `mode: apply` with `run-in: kubernetes` came to. */
export interface JobOutcome {
  readonly mode: 'job';
  readonly checked: readonly Checked[];
  /** Name of the Job, with its namespace. */
  readonly job: string;
  readonly command: readonly string[];
  readonly result: JobResult;
  readonly kept?: Kept;
  readonly notRehearsed?: string;
}

/** What `mode: status` came to. */
export interface StatusOutcome {
  readonly mode: 'status';
  readonly survey: Survey;
}

/** What `mode: capture-schema` came to. */
export interface CaptureOutcome {
  readonly mode: 'capture-schema';
  readonly file: string;
  /** Where sizes were written; `''` where they were not asked for. */
  readonly sizes: string;
  readonly survey: Survey;
  /** Tables of tools whose rows are in the file. */
  readonly history: readonly string[];
}

/** Something that was mended, or might be. */
export interface Repairable extends Leftover {
  readonly state: 'found' | 'mended' | 'failed';
  /** Why mending it failed. */
  readonly problem?: string;
}

/** What `mode: repair` came to. */
export interface RepairOutcome {
  readonly mode: 'repair';
  readonly found: readonly Repairable[];
}

export type Outcome =
  | CheckOutcome
  | PlanOutcome
  | ApplyOutcome
  | JobOutcome
  | StatusOutcome
  | RepairOutcome
  | CaptureOutcome;

/** All findings of an outcome. */
export function findingsOf(outcome: Outcome): readonly Finding[] {
  if (!('checked' in outcome)) return [];
  const drift = outcome.mode === 'apply' ? outcome.applied.flatMap((one) => one.drift) : [];
  return [...outcome.checked.flatMap(({ findings }) => findings), ...drift];
}

/** The highest risk of the sets. */
export function highestRisk(checked: readonly Checked[]): Risk {
  const risks = new Set(checked.map(({ risk }) => risk));
  return risks.has('high') ? 'high' : risks.has('low') ? 'low' : 'none';
}

/** Findings with which a change can't work at all, whoever agrees to it. */
const BROKEN = new Set([
  'rehearsal-failed',
  'syntax-error',
  'not-text',
  'script-too-large',
  'psql-command',
  'copy-from-stdin',
  'concurrently-in-transaction',
  'cannot-run-in-transaction',
  'enum-value-used',
  'transaction-nested',
  'transaction-left-open',
  'migration-number-twice',
  'migration-out-of-order',
  'migration-edited',
  'migration-missing',
  'allow-without-reason',
  'allow-unknown-code',
]);

/** Whether a finding means that the change can't work as it is. */
export function isBroken({ code, severity, allowed }: Finding): boolean {
  return severity === 'error' && allowed === undefined && BROKEN.has(code);
}
