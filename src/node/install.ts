import { UserError } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import type { PackageManager } from './package-manager.ts';

/** How each manager says that the lockfile and package.json disagree. */
const OUT_OF_STEP =
  /can only install packages when your package\.json and|ERR_PNPM_OUTDATED_LOCKFILE|lockfile needs to be updated|lockfile would have been (?:modified|created)|lockfile is frozen/i;

const TAIL_LINES = 15;

/**
 * Installs exactly what the lockfile says.
 * @returns seconds that it took
 * @throws UserError when the manager fails: with the command that mends the lockfile where that is the fault
 */
export async function install(manager: PackageManager, cwd: string, host: Pick<Host, 'exec' | 'log'>): Promise<number> {
  const [program, ...args] = manager.install;
  const { exitCode, stdout, stderr, took } = await host.log.group(manager.install.join(' '), async () =>
    host.exec.run(program, args, { cwd, onLine: (line) => host.log.info(line) }),
  );
  if (exitCode === 0) return took / 1000;
  const written = `${stdout}\n${stderr}`;
  if (OUT_OF_STEP.test(written)) {
    throw new UserError(`${manager.lockfile} does not fit package.json, so \`${program}\` installs nothing.`, {
      remedy: `Run \`${program} install\` and commit the ${manager.lockfile} that it writes.`,
      place: { file: manager.lockfile },
    });
  }
  const tail = written
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-TAIL_LINES);
  throw new UserError(`\`${manager.install.join(' ')}\` failed with exit code ${exitCode}:\n${tail.join('\n')}`, {
    remedy: 'Mend what the lines above name, then push again; run the job again where a registry did not answer.',
  });
}
