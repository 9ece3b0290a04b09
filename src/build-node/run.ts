import { readFileSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Action } from '../action/action.ts';
import { Cancelled, Failed, UserError, messageOf } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import { install } from '../node/install.ts';
import type { ReadFile } from '../node/manifest.ts';
import { provideNode } from '../node/runtime.ts';
import { scriptTask } from '../node/scripts.ts';
import { runStages } from '../task/task.ts';
import { findTestReports } from '../test-report/find.ts';
import { placeOf } from '../test-report/place.ts';
import { summarize as summarizeTests } from '../test-report/result.ts';
import { prepareImage } from './image.ts';
import { type BuildInputs, inputs } from './inputs.ts';
import { type BuildPlan, planBuild } from './plan.ts';
import { type BuildReport, gist, summary, verdictOf } from './report.ts';

type Output = 'image' | 'digest' | 'name' | 'reused' | 'tests' | 'node-version';

/** The action build-node. */
export const buildNode: Action<typeof inputs, Output> = {
  name: 'build-node',
  inputs,
  outputs: ['image', 'digest', 'name', 'reused', 'tests', 'node-version'],
  run: build,
};

/** The largest lockfiles there are have some tens of megabytes. */
const MAX_FILE = 100 * 1024 ** 2;

type Draft = { -readonly [K in keyof BuildReport]: BuildReport[K] };

async function build(given: BuildInputs, host: Host): Promise<Partial<Record<Output, string>>> {
  const started = host.clock.now();
  const directory = folderOf(given.directory, host.info.workspace);
  const read = readerOf(directory);
  const name = given.image || path.basename(directory);
  const report: Draft = { name, info: host.info, seconds: 0, tasks: [], failedTests: [], decisions: [] };
  try {
    const plan = planBuild(given, read, host.env);
    report.name = given.image || plan.project.name || name;
    report.decisions = decisionsOf(plan);
    report.runner = scriptTask(plan.manager.name, '').command.slice(0, 2).join(' ');
    for (const decision of report.decisions) host.log.info(decision);
    // Before anything runs: what the build itself writes must not count as its input.
    const image = plan.image && (await prepareImage(given, plan, plan.image, directory, read, host));
    await check(plan, directory, report, host);
    if (image !== undefined && verdictOf(report) === undefined) report.image = await image.deliver();
  } catch (error) {
    const whatToDo = error instanceof UserError ? (error.remedy ?? '') : '';
    report.failure = { why: messageOf(error), whatToDo, cancelled: error instanceof Cancelled };
    throw error;
  } finally {
    report.seconds = (host.clock.now() - started) / 1000;
    await host.summarize(summary(report));
  }
  const verdict = verdictOf(report);
  if (verdict !== undefined) throw new Failed(`${report.name} was not built: ${verdict}`, outputsOf(report));
  return outputsOf(report);
}

/** Installs, runs the scripts and reads what the tests said; what comes of it goes into the report as it comes. */
async function check(plan: BuildPlan, directory: string, report: Draft, host: Host): Promise<void> {
  const node = await provideNode(plan.node, host);
  host.log.info(`Node ${node.version}, from ${node.from}`);
  report.nodeVersion = node.version;
  report.installSeconds = await install(plan.manager, directory, host);
  const began = host.clock.now();
  const stages = plan.scripts.stages.map((stage) => stage.map((script) => scriptTask(plan.manager.name, script)));
  report.tasks = await runStages(stages, directory, host);
  readTests(directory, began, report, host);
}

function readTests(directory: string, since: number, report: Draft, host: Host): void {
  const { files, results, unreadable } = findTestReports(directory, since);
  for (const sentence of unreadable) host.log.warning(`a test report cannot be read: ${sentence}`);
  if (files.length === 0) return;
  report.tests = summarizeTests(results);
  report.failedTests = report.tests.failures.map((result) => {
    const place = placeOf(result, directory, host.info.workspace);
    return { name: result.name, failure: result.failure ?? '', ...(place !== undefined && { place }) };
  });
  for (const { name, place, failure } of report.failedTests) host.log.error(`${name}: ${gist(failure)}`, place);
}

function decisionsOf({ manager, node, scripts, image }: BuildPlan): readonly string[] {
  const run = scripts.stages.map((stage) => stage.join(' and ')).join(', then ');
  return [
    `package manager: ${manager.name}${manager.version === undefined ? '' : ` ${manager.version}`}, by ${manager.reason}`,
    `Node: ${node.range}, by ${node.reason}`,
    `scripts: ${run || 'none'}${scripts.absent.length > 0 ? `; package.json has no ${scripts.absent.join(', ')}` : ''}`,
    ...(image === undefined ? [] : [`image: ${image.name}, by ${image.dockerfile ?? 'a generated Dockerfile'}`]),
  ];
}

function outputsOf({ image, tests, nodeVersion }: BuildReport): Partial<Record<Output, string>> {
  return {
    ...(image?.reference !== undefined && { image: image.reference }),
    ...(image?.digest !== undefined && { digest: image.digest }),
    ...(image !== undefined && { name: image.name, reused: String(image.reused) }),
    ...(tests !== undefined && {
      tests: JSON.stringify({ passed: tests.passed, failed: tests.failed, skipped: tests.skipped }),
    }),
    ...(nodeVersion !== undefined && { 'node-version': nodeVersion }),
  };
}

/** Inside by its real path too, so that no link in the repository leads out of it. */
function folderOf(directory: string, workspace: string): string {
  const folder = path.resolve(workspace, directory);
  const exists = statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
  const relative = exists ? path.relative(realpathSync(workspace), realpathSync(folder)) : '..';
  if (relative !== '..' && !relative.startsWith(`..${path.sep}`)) return folder;
  throw new UserError(`input directory (${JSON.stringify(directory)}) is no folder inside the repository`, {
    remedy: 'Give its path from the root of the repository; run actions/checkout before this action.',
  });
}

function readerOf(directory: string): ReadFile {
  return (file) => {
    const found = statSync(path.join(directory, file), { throwIfNoEntry: false });
    if (found?.isFile() !== true) return undefined;
    if (found.size > MAX_FILE) throw new UserError(`${file} is larger than ${MAX_FILE / 1024 ** 2} MiB`);
    return readFileSync(path.join(directory, file), 'utf8');
  };
}
