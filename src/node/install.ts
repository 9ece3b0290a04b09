import { UserError } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import type { Project } from '../project/project.ts';
import { type PackageManager, managerPackage } from './package-manager.ts';
import { installHooks } from './tree.ts';

/** How each manager says that the lockfile and package.json disagree. */
const OUT_OF_STEP =
  /can only install packages when your package\.json and|ERR_PNPM_OUTDATED_LOCKFILE|lockfile needs to be updated|lockfile would have been (?:modified|created)|lockfile is frozen/i;

/** How they say that a registry of packages refuses, by the status it answered with. */
const REFUSED = /\bcode E(40[134])\b|ERR_PNPM_FETCH_(40[134])\b|\b(40[134]) (?:Unauthorized|Forbidden|Not Found)\b/i;

const REFUSALS: Readonly<Record<string, { readonly what: string; readonly remedy: string }>> = {
  401: {
    what: 'the registry of packages does not know who is asking (401)',
    remedy:
      'Give this step the token that .npmrc reads, such as `env: NPM_TOKEN: ${{ secrets.NPM_TOKEN }}`; one that was given may have expired.',
  },
  403: {
    what: 'the registry of packages does not allow it (403)',
    remedy: 'Give the account whose token .npmrc reads the right to read the package that the last lines name.',
  },
  404: {
    what: 'the registry of packages does not have a package, or hides it from who is asking (404)',
    remedy:
      'Check the name that the last lines show; for a private package, that .npmrc names its registry and a token.',
  },
};

const TAIL_LINES = 15;

/**
 * Installs exactly what the lockfile says.
 * @returns seconds that it took
 * @throws UserError when the manager is not there or fails: with the command that mends the lockfile where that is the
 *   fault, with the last lines it wrote otherwise
 */
export async function install(manager: PackageManager, cwd: string, host: Pick<Host, 'exec' | 'log'>): Promise<number> {
  const [program, ...args] = manager.install;
  const command = manager.install.join(' ');
  const running = host.log.group(command, async () =>
    host.exec.run(program, args, { cwd, onLine: (line) => host.log.info(line) }),
  );
  const { exitCode, stdout, stderr, took } = await running.catch((error: unknown) => {
    throw isMissing(error) ? notThere(manager, error) : error;
  });
  if (exitCode === 0) return took / 1000;
  const written = `${stdout}\n${stderr}`;
  if (OUT_OF_STEP.test(written)) {
    throw new UserError(`${manager.lockfile} does not fit package.json, so \`${program}\` installs nothing.`, {
      remedy: `Run \`${program} install\` and commit the ${manager.lockfile} that it writes.`,
      place: { file: manager.lockfile },
    });
  }
  const refusal = REFUSALS[REFUSED.exec(written)?.slice(1).find(Boolean) ?? ''];
  const tail = written.split('\n').filter((line) => line.trim() !== '');
  const why = `\`${command}\` failed${refusal === undefined ? ` with exit code ${exitCode}` : `: ${refusal.what}`}`;
  throw new UserError(`${why}\n${tail.slice(-TAIL_LINES).join('\n')}`, {
    remedy:
      refusal?.remedy ??
      'Mend what the last lines name, then push again; run the job again where a registry did not answer.',
  });
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
    throw new UserError(`the script ${hook} failed with exit code ${exitCode}\n${tail.slice(-TAIL_LINES).join('\n')}`, {
      remedy: 'Mend what the last lines name, then push again.',
    });
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof UserError && (error.cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT';
}

function notThere(manager: PackageManager, cause: unknown): UserError {
  const [program] = manager.install;
  const module = managerPackage(manager);
  return new UserError(`The project uses ${program} (by ${manager.reason}), which this runner does not have`, {
    remedy:
      module === undefined
        ? 'Add a step with actions/setup-node before this one, or use a runner that has npm, such as ubuntu-24.04.'
        : `Add a step before this one that brings it: \`run: npm install --global ${module}\`.`,
    cause,
  });
}
