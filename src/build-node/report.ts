import type { Place } from '../action/errors.ts';
import { showPlace } from '../action/errors.ts';
import type { RunInfo } from '../action/host.ts';
import { type Markdown, block, code, details, md, paragraphs, raw, table, text } from '../action/markdown.ts';
import type { TaskResult } from '../task/task.ts';
import type { TestSummary } from '../test-report/result.ts';

/** A test that failed, as the summary shows it. */
export interface FailedTest {
  readonly name: string;
  readonly place?: Place;
  /** Message and stack. */
  readonly failure: string;
}

/** The image of a build. */
export interface BuiltImage {
  /** Repository path, without the registry. */
  readonly name: string;
  /** `repository@sha256:…`; absent where it was built and not pushed. */
  readonly reference?: string;
  readonly digest?: string;
  readonly reused: boolean;
  readonly tags: readonly string[];
  readonly seconds: number;
  /** The Dockerfile where it was generated. */
  readonly generated?: string;
  readonly repositoryCreated?: boolean;
}

/** Everything the summary tells. */
export interface BuildReport {
  /** What was built: the image's name, or the package's. */
  readonly name: string;
  readonly info: RunInfo;
  readonly seconds: number;
  readonly nodeVersion?: string;
  readonly installSeconds?: number;
  readonly tasks: readonly TaskResult[];
  /** Absent where no report was found. */
  readonly tests?: TestSummary;
  readonly failedTests: readonly FailedTest[];
  readonly image?: BuiltImage;
  /** Why it failed, where no task says so. */
  readonly failure?: { readonly why: string; readonly whatToDo: string };
  /** Decisions and their reasons, a sentence each. */
  readonly decisions: readonly string[];
}

const MAX_ROWS = 20;

/** The summary page of a build: verdict, reason, evidence, what to do, details folded. */
export function summary(report: BuildReport): Markdown {
  const { failedTests, image, failure } = report;
  return paragraphs(
    headline(report),
    why(report),
    steps(report),
    failedTests.length > 0 && failedTable(failedTests),
    ...report.tasks
      .filter(({ tail }) => tail !== '' && failedTests.length === 0)
      .map(({ name, tail }) => paragraphs(md`**Last lines of ${name}**`, block(tail))),
    evidence(report),
    failure && failure.whatToDo !== '' && md`**What to do:** ${failure.whatToDo}`,
    image?.reference !== undefined && md`Deploy it as ${raw(code(image.reference))}`,
    details('How it was built', list(report.decisions)),
    image?.generated !== undefined &&
      details('The generated Dockerfile: save it as Dockerfile to change it', block(image.generated, 'dockerfile')),
    origin(report),
  );
}

/** The first sentence of what went wrong; undefined when nothing did. */
export function verdictOf({ tasks, failedTests, tests, failure }: BuildReport): string | undefined {
  if (failure !== undefined) return failure.why.split('\n')[0];
  const failed = tasks.filter(({ status }) => status === 'failed').map(({ name }) => name);
  if (failed.length === 0) return undefined;
  const [first] = failedTests;
  if (first === undefined) return `${failed.join(' and ')} failed`;
  const total = tests === undefined ? failedTests.length : tests.passed + tests.failed;
  const where = first.place === undefined ? '' : ` (${showPlace(first.place)})`;
  const others = failedTests.length === 1 ? '' : `, and ${failedTests.length - 1} more`;
  return `${failedTests.length} of ${total} tests failed: ${first.name}${where}${others}`;
}

/** What a failed test said first. */
export function firstLine(failure: string): string {
  const lines = failure.split('\n').map((line) => line.trim());
  return lines.find((line) => line !== '') ?? 'it failed without a message';
}

function headline(report: BuildReport): Markdown {
  const { name, image, seconds } = report;
  const took = `${seconds.toFixed(0)} s`;
  if (verdictOf(report) !== undefined) return md`### ❌ ${name} was not built`;
  if (image === undefined) return md`### ✅ ${name} is built and its checks pass, after ${took}`;
  if (image.digest === undefined) return md`### ✅ ${name} is built, its image too; nothing was pushed (${took})`;
  const digest = raw(code(image.digest.slice(0, 19)));
  if (image.reused) return md`### ♻️ ${name} was built before from the same content: ${digest} is used again (${took})`;
  return md`### ✅ ${name} is built and pushed as ${digest} after ${took}`;
}

function why(report: BuildReport): Markdown | undefined {
  const verdict = verdictOf(report);
  return verdict === undefined ? undefined : md`**Why:** ${verdict}`;
}

/** What a failure wrote after its first sentence: the last lines of a program, or each of several problems. */
function evidence({ failure }: BuildReport): Markdown | undefined {
  const lines = failure?.why.split('\n').slice(1).join('\n').trim();
  return lines ? block(lines) : undefined;
}

function steps({ tasks, tests, image, installSeconds }: BuildReport): Markdown | undefined {
  const counts = tests && `${tests.passed} passed, ${tests.failed} failed, ${tests.skipped} skipped`;
  const rows: Markdown[][] = [];
  if (installSeconds !== undefined) rows.push([text('install'), text('passed'), seconds(installSeconds)]);
  for (const task of tasks) {
    const result = task.name === 'test' && counts !== undefined ? `${task.status}: ${counts}` : task.status;
    rows.push([text(task.name), text(result), task.status === 'not run' ? text('—') : seconds(task.seconds)]);
  }
  if (image !== undefined) {
    const made = image.repositoryCreated === true ? ', repository created' : '';
    const result = image.reused ? 'reused' : image.reference === undefined ? 'built' : `built and pushed${made}`;
    rows.push([text('image'), text(result), seconds(image.seconds)]);
  }
  return rows.length === 0 ? undefined : table(['step', 'result', 'time'], rows);
}

function failedTable(failedTests: readonly FailedTest[]): Markdown {
  const rows = failedTests
    .slice(0, MAX_ROWS)
    .map(({ name, place, failure }) => [
      text(name, 200),
      place === undefined ? text('—') : code(showPlace(place)),
      text(firstLine(failure), 300),
    ]);
  const more = failedTests.length - rows.length;
  return paragraphs(
    table(['failed test', 'where', 'what it said'], rows),
    more > 0 && md`… and ${more} more in the log.`,
  );
}

function seconds(value: number): Markdown {
  return text(`${value.toFixed(1)} s`);
}

function list(items: readonly string[]): Markdown {
  return items.map((item) => `- ${text(item, 500)}`).join('\n') as Markdown;
}

function origin({ info, image }: BuildReport): Markdown | undefined {
  const parts = [
    info.sha && md`commit ${raw(code(info.sha.slice(0, 7)))}`,
    info.actor && md`by ${info.actor}`,
    image && image.tags.length > 0 && md`tags ${raw(image.tags.map((tag) => code(tag)).join(', ') as Markdown)}`,
  ].filter((part) => part !== '' && part !== undefined && part !== false);
  return parts.length === 0 ? undefined : (parts.join(' · ') as Markdown);
}
