import type { Place } from '../action/errors.ts';
import type { RunInfo } from '../action/host.ts';
import { type Markdown, block, code, link, md, paragraphs, raw, table, text } from '../action/markdown.ts';
import { type ObjectRef, showRef } from '../kube/kube.ts';
import { folded, showChanges, showFileLine } from './markdown-parts.ts';
import type { Outcome } from './outcome.ts';
import type { Moment } from './record.ts';

/** How a deploy ended. */
export type Verdict = 'deployed' | 'checked' | 'unchanged' | 'rolled-back' | 'failed' | 'cancelled';

/** Why a deploy failed, in words and with what the cluster showed. */
export interface Failure {
  /** The workload that does not come up; absent when the cluster refused an object. */
  readonly ref?: ObjectRef;
  /** One sentence. */
  readonly why: string;
  readonly whatToDo: string;
  /** The line of the manifests to look at. */
  readonly place?: Place;
  /** Log lines of the failed container, the last ones. */
  readonly logs: readonly { readonly title: string; readonly lines: string }[];
  readonly events: readonly string[];
}

/** Everything the summary of a deploy tells. */
export interface DeployReport {
  readonly verdict: Exclude<Verdict, 'checked'>;
  readonly environment: string;
  readonly url: string;
  readonly info: RunInfo;
  readonly seconds: number;
  /** What was applied. */
  readonly outcomes: readonly Outcome[];
  /** What was not, in words, such as `Deployment/web was not reached`. */
  readonly notApplied: readonly string[];
  readonly failure?: Failure;
  /** Commit of the version that was there before; `''` when it is not known. */
  readonly previous: string;
  /** Whether the rollback put back all that was there before, and it serves again. */
  readonly restored: boolean;
  readonly moments: readonly Moment[];
  readonly images: readonly string[];
  /** The next step after a cancelled run. */
  readonly whatToDo?: string;
}

const MAX_ROWS = 40;

/** The summary page of a deploy: verdict, reason, evidence, what to do, details folded. */
export function summary(report: DeployReport): Markdown {
  const { failure, info, outcomes, moments, notApplied } = report;
  const whatToDo = failure?.whatToDo ?? report.whatToDo ?? '';
  return paragraphs(
    headline(report),
    failure && md`**Why:** ${failure.why}`,
    outcomeTable(outcomes),
    report.verdict !== 'deployed' && notApplied.length > 0 && md`**Not applied:** ${notApplied.join('; ')}`,
    ...(failure?.logs ?? []).map(({ title, lines }) => paragraphs(md`**${title}**`, block(lines))),
    whatToDo !== '' &&
      (failure?.place
        ? md`**What to do:** ${whatToDo} (${raw(showFileLine(failure.place, info))})`
        : md`**What to do:** ${whatToDo}`),
    folded({
      'Events since the deploy began': failure?.events ?? [],
      Timeline: moments.map(({ seconds: at, what }) => `${at.toFixed(1)} s ${what}`),
      Objects: outcomes.map(({ ref, change }) => `${showRef(ref)} ${change}`),
    }),
    origin(report),
  );
}

function headline(report: DeployReport): Markdown {
  const { verdict, outcomes, seconds, failure, restored, previous } = report;
  const where = report.environment === '' ? '' : ` to ${report.environment}`;
  const main = failure?.ref?.name ?? outcomes.find(({ ref }) => isWorkload(ref))?.ref.name ?? 'what the manifests hold';
  const old = previous === '' ? text('the old version') : md`the old version (${raw(code(previous.slice(0, 7)))})`;
  switch (verdict) {
    case 'deployed':
      return md`### ✅ ${main} is deployed${where} and serving after ${seconds.toFixed(0)} s`;
    case 'unchanged':
      return md`### ✅ ${main} already serves${where}: nothing had to change`;
    case 'rolled-back':
      return restored
        ? md`### ❌ ${main} was not deployed${where} — ${raw(old)} is still serving`
        : md`### ❌ ${main} was not deployed${where} — and not all is as it was before: the table says what`;
    case 'failed':
      return md`### ❌ ${main} was not deployed${where} — what failed was left in place`;
    case 'cancelled':
      return outcomes.length === 0
        ? md`### 🛑 The deploy${where} was cancelled before anything was changed`
        : md`### 🛑 The deploy of ${main}${where} was cancelled with ${outcomes.length} of ${outcomes.length + report.notApplied.length} objects applied`;
  }
}

function outcomeTable(outcomes: readonly Outcome[]): Markdown | undefined {
  const told = outcomes.filter(({ ref, change }) => isWorkload(ref) || change !== 'unchanged');
  if (told.length === 0) return undefined;
  const rows = told
    .toSorted((a, b) => Number(isWorkload(b.ref)) - Number(isWorkload(a.ref)))
    .slice(0, MAX_ROWS)
    .map(({ ref, wanted, serving, happened, changes }) => [
      code(showRef(ref)),
      text(wanted),
      text(serving),
      [text(happened, 300), showChanges(changes)].filter((part) => part !== '').join('; ') as Markdown,
    ]);
  const rest = told.length - rows.length;
  const shown = table(['workload', 'wanted', 'serving', 'what happened'], rows);
  return rest > 0 ? paragraphs(shown, md`and ${rest} more`) : shown;
}

function origin({ info, url, images }: DeployReport): Markdown | undefined {
  const parts = [
    info.sha && md`commit ${raw(code(info.sha.slice(0, 7)))}`,
    info.actor && md`by ${info.actor}`,
    ...images.slice(0, 5).map((image) => code(image)),
    url && link(url, url),
  ].filter((part) => part !== '');
  return parts.length === 0 ? undefined : (parts.join(' · ') as Markdown);
}

/** Whether pods come of it. */
export function isWorkload({ kind }: { readonly kind: string }): boolean {
  return ['Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'CronJob', 'Pod'].includes(kind);
}

/** The deploy in one line, for errors and logs. */
export function oneLine({ failure, verdict }: Pick<DeployReport, 'failure' | 'verdict'>): string {
  if (!failure) return verdict;
  const what = failure.ref ? `${showRef(failure.ref)} was not deployed` : 'not everything was deployed';
  return `${what} (${verdict}): ${failure.why}`;
}
