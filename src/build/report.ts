import { showPlace } from '../action/errors.ts';
import type { RunInfo } from '../action/host.ts';
import {
  type Markdown,
  type Raw,
  block,
  code,
  details,
  link,
  md,
  paragraphs,
  raw,
  table,
  text,
} from '../action/markdown.ts';
import { auditPart } from '../audit/report.ts';
import type { BuiltImage } from '../image/built.ts';
import type { Artifact } from '../artifact/upload.ts';
import type { Published } from '../publish/published.ts';
import { supplyNotes, supplyRows } from '../supply/report.ts';
import type { SupplyReport } from '../supply/supply.ts';
import type { TaskResult } from '../task/task.ts';
import type { TestSummary } from '../test-report/result.ts';
import { coverageMarkdown } from '../coverage/markdown.ts';
import type { CoverageOutcome } from '../coverage/outcome.ts';
import type { Trouble } from '../test-report/trouble.ts';
import { type FailedTest, failedTable, failuresInFull, flakyNote } from './failed-tests.ts';

/** Everything the summary tells. */
export interface BuildReport {
  /** What was built: the image's name, or the package's. */
  readonly name: string;
  readonly info: RunInfo;
  readonly seconds: number;
  /** Such as `Node 24.11.0`. */
  readonly runtime?: string;
  readonly installSeconds?: number;
  /** `true` where nothing was installed, as the cache had all. */
  readonly restored?: boolean;
  readonly tasks: readonly TaskResult[];
  /** What runs a script on a developer's machine, such as `npm run`. */
  readonly runner?: string;
  /** Absent where no report was found. */
  readonly tests?: TestSummary;
  readonly failedTests: readonly FailedTest[];
  /** Tests that failed and passed when run again. */
  readonly flaky?: readonly FailedTest[];
  /** Tasks whose tests hung or whose runner crashed, by name. */
  readonly troubles?: ReadonlyMap<string, Trouble>;
  /** Absent where the tests wrote no report of it. */
  readonly coverage?: CoverageOutcome;
  readonly image?: BuiltImage;
  /** What it is made of and who says so; absent where that was not reached. */
  readonly supply?: SupplyReport;
  readonly published?: Published;
  readonly artifact?: Artifact;
  /** The generated Dockerfile, where nothing else was asked for. */
  readonly printed?: string;
  /** Why it failed, where no task says so. */
  readonly failure?: { readonly why: string; readonly whatToDo: string; readonly cancelled: boolean };
  /** Decisions and their reasons, a sentence each. */
  readonly decisions: readonly string[];
  /** What was made besides an image, a sentence each. */
  readonly made?: readonly string[];
  /** What could be better, a sentence each. */
  readonly advice?: readonly string[];
  /** What was left out and why, a sentence each. */
  readonly skipped: readonly string[];
}

/** The summary page of a build: verdict, reason, evidence, what to do, details folded. */
export function summary(report: BuildReport): Markdown {
  const { failedTests, image } = report;
  return paragraphs(
    headline(report),
    why(report),
    steps(report),
    ...report.skipped.map((sentence) => md`${prose(sentence)}`),
    failedTests.length > 0 && failedTable(failedTests),
    report.flaky !== undefined && report.flaky.length > 0 && flakyNote(report.flaky),
    report.coverage && coverageMarkdown(report.coverage),
    ...report.tasks
      // What failed tests said stands in their table already.
      .filter(({ name, tail }) => tail !== '' && !(failedTests.length > 0 && /test/i.test(name)))
      .map(({ name, tail }) => paragraphs(md`**Last lines of ${name}**`, block(tail))),
    report.printed !== undefined && block(report.printed, 'dockerfile'),
    evidence(report),
    report.supply?.audit && auditPart(report.supply.audit),
    whatToDo(report),
    image?.reference !== undefined && md`Deploy it as ${raw(code(image.reference))}`,
    report.made !== undefined && report.made.length > 0 && list(report.made),
    report.advice !== undefined && report.advice.length > 0 && paragraphs(md`**Could be better**`, list(report.advice)),
    failedTests.length > 0 && details('What the failed tests said', failuresInFull(failedTests)),
    details(
      'How it was built',
      list([...report.decisions, ...(report.supply === undefined ? [] : supplyNotes(report.supply))]),
    ),
    image?.generated !== undefined &&
      details('The generated Dockerfile: save it as Dockerfile to change it', block(image.generated, 'dockerfile')),
    origin(report),
  );
}

/** The first sentence of what went wrong; undefined when nothing did. */
export function verdictOf({ tasks, failedTests, tests, troubles, coverage, failure }: BuildReport): string | undefined {
  if (failure !== undefined) return failure.why.split('\n')[0];
  const failed = tasks.filter(({ status }) => status === 'failed').map(({ name }) => name);
  if (failed.length === 0) return coverage?.failure?.why;
  const [first] = failedTests;
  const trouble = [...(troubles ?? [])].map(([name, { what }]) => `${name}: ${what}`).join('; ');
  if (first === undefined) {
    const others = failed.filter((name) => troubles?.has(name) !== true);
    return [trouble, others.length > 0 && `${others.join(' and ')} failed`].filter(Boolean).join('; ');
  }
  const total = tests === undefined ? failedTests.length : tests.passed + tests.failed;
  const where = first.place === undefined ? '' : ` (${showPlace(first.place)})`;
  const others = failedTests.length === 1 ? '' : `, and ${failedTests.length - 1} more`;
  const besides = failed.filter((name) => !/test/i.test(name));
  const also = besides.length === 0 ? '' : `; ${besides.join(' and ')} failed too`;
  const ended = trouble === '' ? '' : `; ${trouble}`;
  return `${failedTests.length} of ${total} tests failed: ${first.name}${where}${others}${also}${ended}`;
}

function headline(report: BuildReport): Markdown {
  const { name, image, seconds } = report;
  const took = `${seconds.toFixed(0)} s`;
  if (report.failure?.cancelled === true) return md`### ⏹️ ${name} was not built: the job was cancelled after ${took}`;
  if (verdictOf(report) !== undefined) return md`### ❌ ${name} was not built`;
  if (report.printed !== undefined) return md`### 📋 This would be the Dockerfile of ${name}; nothing was built`;
  if (image === undefined) return md`### ✅ ${name} is built and its checks pass, after ${took}`;
  if (image.digest === undefined) return md`### ✅ ${name} is built, its image too; nothing was pushed (${took})`;
  const digest = raw(code(image.digest.slice(0, 19)));
  if (image.reused) return md`### ♻️ ${name} was built before from the same content: ${digest} is used again (${took})`;
  return md`### ✅ ${name} is built and pushed as ${digest} after ${took}`;
}

function why(report: BuildReport): Markdown | undefined {
  const verdict = verdictOf(report);
  return verdict === undefined ? undefined : md`**Why:** ${prose(verdict)}`;
}

function whatToDo({
  failure,
  tasks,
  failedTests,
  troubles,
  coverage,
  runner,
  printed,
}: BuildReport): Markdown | undefined {
  if (failure !== undefined) {
    return failure.whatToDo === '' ? undefined : md`**What to do:** ${prose(failure.whatToDo)}`;
  }
  if (printed !== undefined) {
    return md`**What to do:** Save it as ${raw(code('Dockerfile'))} in the folder of the project, commit it, and take ${raw(code('dockerfile: print'))} out of the workflow.`;
  }
  const failed = tasks.filter(({ status }) => status === 'failed').map(({ name }) => atHome(name, runner));
  if (failed.length === 0) {
    return coverage?.failure && md`**What to do:** ${prose(coverage.failure.whatToDo)}`;
  }
  const [trouble] = [...(troubles?.values() ?? [])];
  if (trouble !== undefined && failedTests.length === 0) return md`**What to do:** ${prose(trouble.whatToDo)}`;
  const shown = raw(failed.join(' and ') as Markdown);
  const where = failedTests.length > 0 ? ' The failing lines are marked in the files of the pull request.' : '';
  return md`**What to do:** ${shown} ${failed.length === 1 ? 'shows' : 'show'} the same on your machine; mend it and push again.${where}`;
}

/** The command on a developer's machine: a package's task, such as `packages/api: test`, runs in its folder. */
function atHome(name: string, runner = ''): Markdown {
  const [, folder, script] = /^(.+): (\S+)$/.exec(name) ?? [];
  return folder === undefined || script === undefined
    ? code(`${runner} ${name}`)
    : md`${raw(code(`${runner} ${script}`))} in ${raw(code(folder))}`;
}

/** A sentence of this repository's own form, whose `code` is shown as code; all else is escaped. */
function prose(sentence: string): Raw {
  const parts = sentence.split(/`([^`\n]+)`/);
  return raw(parts.map((part, index) => (index % 2 === 1 ? code(part) : text(part))).join('') as Markdown);
}

/** What a failure wrote after its first sentence: the last lines of a program, or each of several problems. */
function evidence({ failure }: BuildReport): Markdown | undefined {
  const lines = failure?.why.split('\n').slice(1).join('\n').trim();
  return lines ? block(lines) : undefined;
}

function steps({
  tasks,
  tests,
  image,
  installSeconds,
  restored,
  supply,
  published,
  artifact,
}: BuildReport): Markdown | undefined {
  const counts =
    tests &&
    (['failed', 'passed', 'skipped'] as const)
      .filter((kind) => tests[kind] > 0)
      .map((kind) => `${tests[kind]} ${kind}`)
      .join(', ');
  const rows: Markdown[][] = [];
  if (installSeconds !== undefined)
    rows.push([
      text('install'),
      text(restored === true ? 'restored from the cache' : 'passed'),
      seconds(installSeconds),
    ]);
  for (const task of tasks) {
    const result = task.name === 'test' && counts ? `${statusOf(task)}: ${counts}` : statusOf(task);
    const ran = task.status !== 'not run' && task.passedBefore === undefined;
    rows.push([text(task.name), text(result), ran ? seconds(task.seconds) : text('—')]);
  }
  if (image !== undefined) {
    const made = image.repositoryCreated === true ? ', repository created' : '';
    const where = image.beside === true ? ' beside the checks' : '';
    const pushed = image.beside === true ? ', then pushed' : ' and pushed';
    const delivered = image.reference === undefined ? '' : `${pushed}${made}`;
    const result = image.reused ? 'reused' : `built${where}${delivered}`;
    rows.push([text('image'), text(result), seconds(image.seconds)]);
  }
  if (supply !== undefined) rows.push(...supplyRows(supply).map(([what, came]) => [what, came, text('—')]));
  if (published !== undefined) {
    const signed = published.provenance ? ', with provenance' : '';
    rows.push([
      text('package'),
      text(`${published.name} ${published.version} ${published.verdict}${signed}`),
      text('—'),
    ]);
  }
  if (artifact !== undefined) {
    const size = `${artifact.files} files, ${(artifact.bytes / 1024 ** 2).toFixed(1)} MiB`;
    rows.push([text('artifact'), md`${raw(link(artifact.name, artifact.url))}: ${size}`, text('—')]);
  }
  return rows.length === 0 ? undefined : table(['step', 'result', 'time'], rows);
}

function statusOf({ status, timedOut, reason, passedBefore }: TaskResult): string {
  if (timedOut === true) return 'took too long';
  if (passedBefore !== undefined) return `passed before (${passedBefore.slice(0, 7)})`;
  return reason === undefined ? status : `${status}, as ${reason}`;
}

function seconds(value: number): Markdown {
  return text(`${value.toFixed(1)} s`);
}

function list(items: readonly string[]): Markdown {
  return items.map((item) => md`- ${prose(item)}`).join('\n') as Markdown;
}

function origin({ info, image, runtime }: BuildReport): Markdown | undefined {
  const parts = [
    info.sha && md`commit ${raw(code(info.sha.slice(0, 7)))}`,
    info.actor && md`by ${info.actor}`,
    runtime !== undefined && text(runtime),
    image && image.tags.length > 0 && md`tags ${raw(image.tags.map((tag) => code(tag)).join(', ') as Markdown)}`,
  ].filter((part) => part !== '' && part !== undefined && part !== false);
  return parts.length === 0 ? undefined : (parts.join(' · ') as Markdown);
}
