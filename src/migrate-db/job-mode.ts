import { type Problem, UserError } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import { connectTo } from '../cluster/connect.ts';
import { planTarget } from '../cluster/target.ts';
import { jobName, planJob } from '../kube-job/plan.ts';
import { PURPOSE, runJob, runningJobs } from '../kube-job/run.ts';
import type { Kube, KubeObject } from '../kube/kube.ts';
import { ORIGIN } from '../kube/tree.ts';
import { refuse } from './apply-mode.ts';
import { checkMode } from './check-mode.ts';
import type { Checked } from './check.ts';
import type { MigrateInputs } from './inputs.ts';
import { keep } from './keep.ts';
import type { JobOutcome } from './outcome.ts';
import { selectPhase } from './phases.ts';
import type { MigrationSet } from './sets.ts';

/** The cluster ends the Job by its own deadline; its end is awaited a little longer. */
const LATER_MS = 60_000;

/**
 * Applies in the cluster, where the runner has no way to the database: a Job out of the service's own workload runs the
 * service's own command. What is new is judged as a check does it, since the database cannot be asked.
 */
export async function jobMode(given: MigrateInputs, sets: readonly MigrationSet[], host: Host): Promise<JobOutcome> {
  const { kind, name, container } = workloadOf(given);
  const { checked, notRehearsed } = await checkMode(given, sets, host);
  refuse(given, checked);
  checkPhase(given, checked);
  const { kube, namespace: own } = await connectTo(planTarget(given, host.env), host);
  const namespace = given.namespace || own;
  if (namespace === '')
    throw new UserError('input namespace is missing', { remedy: 'Name the namespace of the workload.' });
  const workload = await readWorkload(kube, { kind, name, namespace });
  const job = planJob({
    name: jobName(name, 'migrate', host.info.runId, host.info.runAttempt),
    workload,
    ...(container !== undefined && { container }),
    ...(given.image !== '' && { image: given.image }),
    command: given.command,
    env: {},
    timeout: given.jobTimeout,
    origin: { [PURPOSE]: `migrate ${name}`, [`${ORIGIN}run`]: host.info.runUrl, [`${ORIGIN}commit`]: host.info.sha },
  });
  const others = (await runningJobs(kube, namespace, `migrate ${name}`)).filter(
    (one) => one.name !== job.metadata.name,
  );
  if (others.length > 0) {
    throw new UserError(`another Job migrates ${name} right now: ${others.map((one) => one.name).join(', ')}`, {
      remedy: 'Wait for its end, or delete it if its run is gone.',
    });
  }
  const kept = await keep(given, host);
  const result = await host.log.group(`Job ${job.metadata.name}`, async () =>
    runJob(kube, job, {
      timeout: given.jobTimeout + LATER_MS,
      signal: host.signal,
      clock: host.clock,
      onLine: (line) => host.log.info(line),
      onProgress: (line) => host.log.info(line),
    }),
  );
  return {
    mode: 'job',
    checked,
    job: `${namespace}/${job.metadata.name}`,
    command: given.command,
    result,
    ...(kept && { kept }),
    ...(notRehearsed !== undefined && { notRehearsed }),
  };
}

/** The command of the Job applies whatever is pending: it can't be told to stop. */
function checkPhase({ phase }: MigrateInputs, checked: readonly Checked[]): void {
  const left = checked.flatMap(({ phases }) => selectPhase(phases, phase).leave);
  if (left.length === 0) return;
  throw new UserError(
    `nothing was applied: ${left.map(({ name }) => name).join(', ')} belongs after the deploy, and the Job would apply it before`,
    { remedy: 'Bring it in a pull request of its own, once this one is deployed, and apply it by phase: contract.' },
  );
}

interface Named {
  readonly kind: string;
  readonly name: string;
  readonly container?: string;
}

function workloadOf({ workload, command }: MigrateInputs): Named {
  const problems: Problem[] = [];
  if (workload === '') {
    problems.push({
      message: 'input workload is missing',
      remedy: 'name the workload whose image and environment the Job gets, such as Deployment/tracking-api',
    });
  }
  if (command.length === 0) {
    problems.push({
      message: 'input command is missing',
      remedy: 'give the program and its arguments, one a line, as they run in the image',
    });
  }
  if (problems.length > 0) throw UserError.all(problems, 'run-in: kubernetes needs more');
  const [, kind = '', name = '', container] = /^(\w+)\/([^:]+)(?::(.+))?$/.exec(workload) ?? [];
  return { kind, name, ...(container !== undefined && { container }) };
}

async function readWorkload(
  kube: Kube,
  { kind, name, namespace }: Named & { readonly namespace: string },
): Promise<KubeObject> {
  const found = await kube.get({ apiVersion: 'apps/v1', kind, name, namespace });
  if (found !== undefined) return found;
  throw new UserError(`there is no ${kind} ${name} in the namespace ${namespace}`, {
    remedy: 'Check workload and namespace. A first deploy has none yet: deploy once, then migrate before each deploy.',
  });
}
