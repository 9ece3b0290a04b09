import { UserError, type UserErrorDetails } from '../action/errors.ts';
import type { PackageManager } from './package-manager.ts';

/** What is known of a fault by what the manager wrote. */
interface Refusal {
  readonly what: string;
  readonly remedy: string;
}

/** How each manager says that the lockfile and package.json disagree. */
const OUT_OF_STEP =
  /can only install packages when your package\.json and|ERR_PNPM_OUTDATED_LOCKFILE|ERR_PNPM_FROZEN_LOCKFILE_WITH_OUTDATED_LOCKFILE|lockfile needs to be updated|lockfile would have been (?:modified|created)|lockfile is frozen/i;

/** How they say that a registry of packages refuses, by the status it answered with; Yarn 4 names its 401 YN0041. */
const REFUSED =
  /\bcode E(40[134])\b|ERR_PNPM_FETCH_(40[134])\b|\b(40[134]) (?:Unauthorized|Forbidden|Not Found)\b|(?:Response Code:|- ) ?(40[134])\b/i;

const REFUSALS: Readonly<Record<string, Refusal>> = {
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

/** Words of Node's, bun's and the managers' own network code for what another attempt may mend. */
const NETWORK =
  /\b(?:ECONNRESET|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN|ENOTFOUND|EPIPE|ERR_SOCKET_TIMEOUT|ESOCKETTIMEDOUT|ENETUNREACH|EHOSTUNREACH|UND_ERR_\w+|ConnectionClosed|ConnectionRefused|ConnectionReset|FailedToOpenSocket|Timeout|ReadError|RequestError|TimeoutError)\b|socket hang up|premature close|unexpected end of file|network connection|other side closed|fetch failed|\bcode E(?:5\d\d|429)\b|ERR_PNPM_FETCH_(?:5\d\d|429)|ERR_PNPM_(?:META_FETCH_FAIL|BAD_TARBALL_SIZE)|(?:Request failed "|Response Code:|- ) ?(?:5\d\d|429)\b/i;

const DISK_FULL = /\bENOSPC\b|no space left on device|NoSpaceLeft|disk quota exceeded/i;
/** A line of a manager's own stack, which would push the reason out of sight. */
const STACK = /^\s+at .*:\d+:\d+\)?$/;
const TAIL_LINES = 15;

/** How a registry refused by what a manager wrote; undefined where it did not. */
export function refusalIn(written: string): Refusal | undefined {
  const status = REFUSED.exec(written)?.slice(1).find(Boolean) ?? (/\bYN0041\b/.test(written) ? '401' : '');
  return REFUSALS[status];
}

/** Whether what a manager wrote tells of a network or registry that may do better on the next attempt. */
export function isNetworkFault(written: string): boolean {
  return NETWORK.test(written) && refusalIn(written) === undefined && !DISK_FULL.test(written);
}

/**
 * Whether files are missing although the manager ended well: npm 11 only warns of those that it could not write to a
 * full disk.
 */
export function isIncomplete(written: string): boolean {
  return /\bTAR_ENTRY_ERROR ENOSPC\b/.test(written);
}

/** Why an install failed and what mends it, by what the manager wrote. */
export function installFault(manager: PackageManager, exitCode: number, written: string): UserError {
  const [program] = manager.install;
  const command = manager.install.join(' ');
  if (OUT_OF_STEP.test(written)) {
    return new UserError(`${manager.lockfile} does not fit package.json, so \`${program}\` installs nothing.`, {
      remedy: `Run \`${program} install\` and commit the ${manager.lockfile} that it writes.`,
      place: { file: manager.lockfile },
    });
  }
  const tail = written
    .split('\n')
    .filter((line) => line.trim() !== '' && !STACK.test(line))
    .slice(-TAIL_LINES)
    .join('\n');
  const { what, ...details } = knownFault(written) ?? {
    what: undefined,
    remedy: 'Mend what the last lines name, then push again; run the job again where a registry did not answer.',
  };
  const why = `\`${command}\` failed${what === undefined ? ` with exit code ${exitCode}` : `: ${what}`}`;
  return new UserError(`${why}\n${tail}`, details);
}

function knownFault(written: string): (Refusal & Pick<UserErrorDetails, 'place'>) | undefined {
  if (DISK_FULL.test(written)) {
    return {
      what: 'the disk of this runner is full (ENOSPC)',
      remedy:
        'Free space in a step before this one, such as `docker system prune --all --force`, or use a larger runner.',
    };
  }
  const engine = engineFault(written);
  if (engine !== undefined) return engine;
  const refusal = refusalIn(written);
  if (refusal !== undefined) return refusal;
  if (!isNetworkFault(written)) return undefined;
  return {
    what: 'the network or the registry of packages failed, on every attempt',
    remedy: 'Run the job again; where it stays so, see whether the registry that .npmrc names is up.',
  };
}

function engineFault(written: string): (Refusal & Pick<UserErrorDetails, 'place'>) | undefined {
  const found =
    /\bcode EBADENGINE\b|ERR_PNPM_UNSUPPORTED_ENGINE|engine "\w+" is incompatible|\bEBADDEVENGINES\b|ERR_PNPM_BAD_PM_VERSION/.exec(
      written,
    );
  if (found === null) return undefined;
  return {
    what: 'a package excludes this version of Node or of the package manager (`engines`)',
    remedy:
      'Change the Node version (.nvmrc, `engines.node` or the input node-version), or the package that the last lines name.',
    place: { file: 'package.json' },
  };
}
