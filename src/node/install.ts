import { UserError } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import { installFault, isIncomplete, isNetworkFault } from './install-fault.ts';
import type { PackageManager } from './package-manager.ts';

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
