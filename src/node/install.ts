import { UserError } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import { installFault, isIncomplete, isNetworkFault } from './install-fault.ts';
import type { PackageManager } from './package-manager.ts';
import type { Project } from '../project/project.ts';
import { installHooks } from './tree.ts';

/** Between attempts, in milliseconds: what a registry or a network needs to come back. */
const WAITS_MS = [2000, 8000];

/**
 * Installs exactly what the lockfile says. Where the network fails, it is tried again: every manager keeps what it has
 * downloaded, so that a further attempt gets further.
 * @param cwd the manager's root, where the lockfile lies
 * @returns seconds that it took
 * @throws UserError when the manager is not there or fails: with the command that mends the lockfile where that is the
 *   fault, with the last lines it wrote otherwise
 */
export async function install(
  manager: PackageManager,
  cwd: string,
  host: Pick<Host, 'exec' | 'log' | 'clock' | 'signal'>,
): Promise<number> {
  const started = host.clock.now();
  for (const wait of [...WAITS_MS, undefined]) {
    const { exitCode, written } = await attempt(manager, cwd, host);
    if (exitCode === 0 && !isIncomplete(written)) return (host.clock.now() - started) / 1000;
    if (wait === undefined || !isNetworkFault(written)) throw installFault(manager, exitCode, written);
    host.log.warning(`The network failed during the install; it is tried again in ${wait / 1000} s.`);
    await host.clock.sleep(wait, host.signal);
  }
  throw new TypeError('a last attempt ends the loop');
}

async function attempt(
  manager: PackageManager,
  cwd: string,
  host: Pick<Host, 'exec' | 'log'>,
): Promise<{ readonly exitCode: number; readonly written: string }> {
  const [program, ...args] = manager.install;
  const running = host.log.group(manager.install.join(' '), async () =>
    host.exec.run(program, args, { cwd, onLine: (line) => host.log.info(line) }),
  );
  const { exitCode, stdout, stderr } = await running.catch((error: unknown) => {
    throw isMissing(error) ? notThere(manager, error) : error;
  });
  return { exitCode, written: `${stdout}\n${stderr}` };
}

/**
 * Runs the scripts of the project itself that npm runs at install, where the dependencies came out of a cache.
 * @throws UserError when one of them fails
 */
export async function runInstallHooks(project: Project, host: Pick<Host, 'exec' | 'log'>): Promise<void> {
  for (const hook of installHooks(project)) {
    // Without scripts, npm runs the one that is named, but none that belongs before or after it.
    const args = ['run', '--ignore-scripts', hook];
    const { exitCode, stdout, stderr } = await host.log.group(`npm ${args.join(' ')}`, async () =>
      host.exec.run('npm', args, { cwd: project.directory, onLine: (line) => host.log.info(line) }),
    );
    if (exitCode === 0) continue;
    const tail = `${stdout}\n${stderr}`.split('\n').filter((line) => line.trim() !== '');
    throw new UserError(`the script ${hook} failed with exit code ${exitCode}\n${tail.slice(-15).join('\n')}`, {
      remedy: 'Mend what the last lines name, then push again.',
    });
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof UserError && (error.cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT';
}

/** Only Node's own npm can be missing here: any other manager was brought. */
function notThere(manager: PackageManager, cause: unknown): UserError {
  const [program] = manager.install;
  return new UserError(`The project uses ${program} (by ${manager.reason}), which this runner does not have`, {
    remedy: 'Add a step with actions/setup-node before this one, or use a runner that has npm, such as ubuntu-24.04.',
    cause,
  });
}
