import { existsSync, realpathSync } from 'node:fs';
import path from 'node:path';
import type { Action } from '../action/action.ts';
import { Cancelled, Failed, UserError, messageOf } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import type { Artifact } from '../artifact/upload.ts';
import type { Inputs, Spec } from '../action/inputs.ts';
import { coverageOutput } from '../coverage/markdown.ts';
import type { Thresholds } from '../coverage/outcome.ts';
import { type PreparedImage, prepareImage } from '../image/prepare.ts';
import { type Project, inRepository, openProject } from '../project/project.ts';
import { countsOf } from '../audit/report.ts';
import { type Supply, openSupply } from '../supply/supply.ts';
import { check, lookUp, takeOver } from './check.ts';
import type { BuildInputs, buildInputs } from './inputs.ts';
import { type BuildReport, summary, verdictOf } from './report.ts';
import { openReuse } from './reuse.ts';
import type { BuildPlan, Toolchain } from './toolchain.ts';

/** An output holds 1 MB. */
const MAX_FLAKY = 100;

const OUTPUTS = [
  'image',
  'digest',
  'name',
  'reused',
  'tests',
  'flaky',
  'coverage',
  'dockerfile',
  'sbom',
  'vulnerabilities',
  'artifact',
] as const;
type SharedOutput = (typeof OUTPUTS)[number];
type Outputs<O extends string> = Partial<Record<SharedOutput | O, string>>;

type Draft<O extends string> = { -readonly [K in keyof BuildReport]: BuildReport[K] } & {
  /** The outputs of the language. */
  outputs: Partial<Record<O, string>>;
};

/** A build action out of what one language brings: inputs -> plan -> execute -> report. */
export function buildAction<S extends Spec & typeof buildInputs, P extends BuildPlan, O extends string>(
  toolchain: Toolchain<S, P, O>,
): Action<S, SharedOutput | O> {
  return {
    name: toolchain.name,
    inputs: toolchain.inputs,
    outputs: [...OUTPUTS, ...toolchain.outputs],
    run: async (given, host) => build(toolchain, given as Inputs<S> & BuildInputs, host),
  };
}

async function build<S extends Spec & typeof buildInputs, P extends BuildPlan, O extends string>(
  toolchain: Toolchain<S, P, O>,
  given: Inputs<S> & BuildInputs,
  host: Host,
): Promise<Outputs<O>> {
  const started = host.clock.now();
  const project = openProject(given.directory, host.info.workspace);
  const report: Draft<O> = {
    name: given.image || path.basename(project.directory),
    info: host.info,
    seconds: 0,
    tasks: [],
    failedTests: [],
    decisions: [],
    skipped: [],
    outputs: {},
  };
  const wanted = thresholdsOf(given);
  const reuse = openReuse(given.cache, host);
  let supply: Supply | undefined;
  let image: PreparedImage | undefined;
  try {
    const planned = toolchain.plan(given, project, host.env);
    const plan = (await toolchain.settle?.(planned, given, project, host)) ?? planned;
    report.name = given.image || plan.name || report.name;
    report.decisions = plan.decisions;
    report.runner = plan.runner;
    report.skipped = plan.skipped ?? [];
    for (const sentence of [...report.decisions, ...report.skipped]) host.log.info(sentence);
    const recipe = plan.image && (await toolchain.recipe(plan, given, project, host));
    if (recipe !== undefined && plan.image?.print === true) {
      report.printed = recipe.generate(given.baseImage || recipe.base);
      host.log.info(report.printed);
    } else {
      // Before anything runs: what the build itself writes must not count as its input.
      const [prepared, known] = await Promise.all([
        plan.image && recipe && prepareImage(given, plan.image, project, recipe, host),
        lookUp(toolchain, plan, project.directory, reuse, wanted, host),
      ]);
      image = prepared;
      const source = {
        ecosystem: toolchain.ecosystem,
        name: report.name,
        ...(plan.locked !== undefined && { locked: plan.locked }),
      };
      supply = await openSupply(given, source, project, host);
      report.supply = supply.report;
      const needsFiles = given.artifact !== '' || toolchain.needsFiles?.(given) === true;
      const isDone = known.passed.all && !needsFiles && (await image?.exists()) === true;
      const { timeout, retry: retries } = given;
      const onFailure = (): void => void prepared?.close();
      const work = { plan, project, reuse, known: known.passed, timeout, retries, wanted, onFailure };
      if (!isDone) await image?.begin();
      Object.assign(report, isDone ? takeOver(plan, known, host) : await check(toolchain, work, host));
      if (verdictOf(report) === undefined) {
        await supply.gate();
        await finish(toolchain, plan, project, report, host);
        if (image !== undefined) report.image = await image.deliver();
        const { pushed, reused = false } = report.image ?? {};
        await supply.deliver(pushed && { ...pushed, reused });
        const published = await toolchain.publish?.(given, project, host, plan);
        if (published !== undefined) report.published = published;
        if (given.artifact !== '') report.artifact = await upload(given, project, host);
      }
    }
    await reuse.settle();
  } catch (error) {
    if (!(error instanceof Cancelled)) await reuse.settle();
    const whatToDo = error instanceof UserError ? (error.remedy ?? '') : '';
    report.failure = { why: messageOf(error), whatToDo, cancelled: error instanceof Cancelled };
    throw error instanceof UserError ? inRepository(error, project) : error;
  } finally {
    await image?.close();
    supply?.close();
    report.seconds = (host.clock.now() - started) / 1000;
    await host.summarize(summary(report));
  }
  const outputs = { ...report.outputs, ...outputsOf(report) } as Outputs<O> & Record<string, string>;
  const verdict = verdictOf(report);
  if (verdict !== undefined) throw new Failed(`${report.name} was not built: ${verdict}`, outputs);
  return outputs;
}

function thresholdsOf({ coverageThreshold, coverageThresholdChanged }: BuildInputs): Thresholds {
  return {
    ...(coverageThreshold !== undefined && { overall: coverageThreshold }),
    ...(coverageThresholdChanged !== undefined && { changed: coverageThresholdChanged }),
  };
}

async function finish<S extends Spec & typeof buildInputs, P extends BuildPlan, O extends string>(
  toolchain: Toolchain<S, P, O>,
  plan: P,
  project: Project,
  report: Draft<O>,
  host: Host,
): Promise<void> {
  const finished = await toolchain.finish?.(plan, project, host);
  if (finished === undefined) return;
  report.outputs = { ...report.outputs, ...finished.outputs };
  report.made = finished.made;
}

async function upload({ artifact, artifactName }: BuildInputs, { directory }: Project, host: Host): Promise<Artifact> {
  const file = path.resolve(directory, artifact);
  // By its real path too, so that no link leads out to what the job must not give away.
  const real = existsSync(file) ? realpathSync(file) : path.join(realpathSync(directory), artifact);
  const ways = [path.relative(directory, file), path.relative(realpathSync(directory), real)];
  if (ways.some((way) => way.startsWith('..'))) {
    throw new UserError(`input artifact (${JSON.stringify(artifact)}) leads out of the directory`, {
      remedy: 'Give the path of a folder or file within it.',
    });
  }
  const { uploadArtifact } = await import('../artifact/upload.ts');
  return uploadArtifact({ path: file, shown: artifact, name: artifactName }, host);
}

function outputsOf({
  image,
  tests,
  flaky,
  coverage,
  printed,
  supply,
  artifact,
}: BuildReport): Partial<Record<SharedOutput, string>> {
  return {
    ...(image?.reference !== undefined && { image: image.reference }),
    ...(image?.digest !== undefined && { digest: image.digest }),
    ...(image !== undefined && { name: image.name, reused: String(image.reused) }),
    ...(printed !== undefined && { dockerfile: printed }),
    ...(artifact !== undefined && { artifact: artifact.url }),
    ...(supply?.sbom !== undefined && { sbom: supply.sbom }),
    ...(supply?.audit?.audit !== undefined && { vulnerabilities: JSON.stringify(countsOf(supply.audit)) }),
    ...(tests !== undefined && {
      tests: JSON.stringify({ passed: tests.passed, failed: tests.failed, skipped: tests.skipped }),
    }),
    ...(flaky !== undefined &&
      flaky.length > 0 && { flaky: JSON.stringify(flaky.slice(0, MAX_FLAKY).map(({ name }) => name)) }),
    ...(coverage !== undefined && coverage.total.total > 0 && { coverage: coverageOutput(coverage) }),
  };
}
