import type { RunInfo } from '../action/host.ts';
import { type Markdown, block, code, details, link, md, paragraphs, raw, table, text } from '../action/markdown.ts';
import { type ObjectRef, showRef } from '../kube/kube.ts';

/** How a deploy ended. */
export type Verdict = 'deployed' | 'checked' | 'unchanged' | 'rolled-back' | 'failed' | 'cancelled';

/** One object of the deploy; `seconds` from the start of the wait until it served, absent when it did not. */
export interface DeployedObject {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly change: 'created' | 'configured' | 'unchanged';
  readonly seconds?: number;
}

/** Why a deploy failed, in words and with what the cluster showed. */
export interface Failure {
  readonly ref: ObjectRef;
  /** One sentence. */
  readonly why: string;
  readonly whatToDo: string;
  /** Log lines of the failed container, the last ones. */
  readonly logs: readonly { readonly title: string; readonly lines: string }[];
  readonly events: readonly string[];
}

/** Everything the summary tells. */
export interface DeployReport {
  readonly verdict: Verdict;
  readonly environment: string;
  readonly url: string;
  readonly info: RunInfo;
  readonly seconds: number;
  readonly objects: readonly DeployedObject[];
  readonly failure?: Failure;
  /** What the rollback came to, a sentence an object. */
  readonly rollback?: readonly string[];
  readonly images: readonly string[];
}

/** The summary page of a deploy: verdict, reason, evidence, what to do, details folded. */
export function summary(report: DeployReport): Markdown {
  const { failure } = report;
  return paragraphs(
    headline(report),
    failure && md`**Why:** ${failure.why}`,
    objectTable(report),
    ...(failure?.logs ?? []).map(({ title, lines }) => paragraphs(md`**${title}**`, block(lines))),
    failure && failure.whatToDo !== '' && md`**What to do:** ${failure.whatToDo}`,
    report.rollback && report.rollback.length > 0 && list(report.rollback),
    failure &&
      failure.events.length > 0 &&
      details(`Events since the deploy began (${failure.events.length})`, list(failure.events)),
    origin(report),
  );
}

function headline({ verdict, environment, objects, seconds, failure }: DeployReport): Markdown {
  const where = environment === '' ? '' : ` to ${environment}`;
  const main = failure?.ref.name ?? objects.find(isWorkload)?.name ?? `${objects.length} objects`;
  const changed = objects.filter((object) => object.change !== 'unchanged').length;
  const took = `${seconds.toFixed(0)} s`;
  switch (verdict) {
    case 'deployed':
      return md`### ✅ ${main} is deployed${where} and serving after ${took}`;
    case 'unchanged':
      return md`### ✅ ${main} already serves${where}: nothing had to change`;
    case 'checked':
      return md`### 📋 The cluster would accept all ${objects.length} objects; ${changed} would change. Nothing was changed`;
    case 'rolled-back':
      return md`### ❌ ${main} was not deployed${where} — the old version is still serving`;
    case 'failed':
      return md`### ❌ ${main} was not deployed${where} — the failed version was left in place`;
    case 'cancelled':
      return md`### 🛑 The deploy of ${main}${where} was cancelled`;
  }
}

function objectTable({ objects }: DeployReport): Markdown | undefined {
  if (objects.length === 0) return undefined;
  const shown = objects.filter((object) => isWorkload(object) || object.change !== 'unchanged').slice(0, 40);
  if (shown.length === 0) return undefined;
  const rows = shown.map((object) => [
    code(`${object.kind}/${object.name}`),
    text(object.change),
    text(object.seconds === undefined ? '—' : `serving after ${object.seconds.toFixed(1)} s`),
  ]);
  return table(['object', 'change', 'state'], rows);
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

function isWorkload({ kind }: { readonly kind: string }): boolean {
  return ['Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'CronJob', 'Pod'].includes(kind);
}

function list(items: readonly string[]): Markdown {
  return items
    .slice(0, 50)
    .map((item) => `- ${text(item, 500)}`)
    .join('\n') as Markdown;
}

/** The deploy in one line, for errors and logs. */
export function oneLine(report: Pick<DeployReport, 'failure' | 'verdict'>): string {
  const { failure, verdict } = report;
  if (!failure) return verdict;
  return `${showRef(failure.ref)} was not deployed (${verdict}): ${failure.why}`;
}
