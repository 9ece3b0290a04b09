import type { Host } from '../action/host.ts';
import { isCommit } from '../github/runs.ts';

/** What is asked of the repository's own git. */
export interface Git {
  /** Whether the commit is there, fetched where it was not. */
  bring(commit: string): Promise<boolean>;
  /** The commit from which both went their ways; undefined where the history here does not reach so far. */
  mergeBase(one: string, other: string): Promise<string | undefined>;
  /** Files that differ between a commit and HEAD, from the root of the repository; undefined where git cannot say. */
  changedSince(commit: string): Promise<readonly string[] | undefined>;
  /** The text of a file in a commit; undefined where it was not there. */
  show(commit: string, file: string): Promise<string | undefined>;
}

type GitHost = Pick<Host, 'exec' | 'info' | 'mask'>;

/**
 * Git in the root of the repository, by argument arrays alone.
 * @param token with which a commit is fetched, as the checkout may have kept none
 */
export function gitIn(root: string, token: string, host: GitHost): Git {
  const ask = async (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    host.exec
      // A checkout in a container often belongs to another user: what is asked here runs nothing that it holds.
      .ask('git', ['-c', `safe.directory=${root}`, '-c', 'core.fsmonitor=false', ...args], { cwd: root, env })
      .catch(() => ({ exitCode: 1, stdout: '' }));
  const has = async (commit: string): Promise<boolean> =>
    isCommit(commit) && (await ask(['cat-file', '-e', `${commit}^{commit}`])).exitCode === 0;
  return {
    async bring(commit) {
      if (!isCommit(commit)) return false;
      if (await has(commit)) return true;
      const flags = ['--quiet', '--no-tags', '--depth=1', '--no-recurse-submodules', '--no-write-fetch-head'];
      await ask(['fetch', ...flags, 'origin', commit], signIn(token, host));
      return has(commit);
    },
    async mergeBase(one, other) {
      const { exitCode, stdout } = await ask(['merge-base', one, other]);
      return exitCode === 0 && isCommit(stdout.trim()) ? stdout.trim() : undefined;
    },
    async changedSince(commit) {
      const flags = ['--name-only', '-z', '--no-renames', '--no-ext-diff', '--no-textconv'];
      const { exitCode, stdout } = await ask(['diff', ...flags, commit, 'HEAD', '--']);
      return exitCode === 0 ? stdout.split('\0').filter((file) => file !== '') : undefined;
    },
    async show(commit, file) {
      const { exitCode, stdout } = await ask(['cat-file', 'blob', `${commit}:${file}`]);
      return exitCode === 0 ? stdout : undefined;
    },
  };
}

/** By the environment, so that no token stands on a command line; the empty value takes away what the checkout set. */
function signIn(token: string, { info, mask }: GitHost): Readonly<Record<string, string>> {
  if (token === '') return { GIT_TERMINAL_PROMPT: '0' };
  const basic = Buffer.from(`x-access-token:${token}`).toString('base64');
  mask(basic);
  const key = `http.${info.serverUrl}/.extraheader`;
  return {
    GIT_TERMINAL_PROMPT: '0',
    GIT_CONFIG_COUNT: '2',
    GIT_CONFIG_KEY_0: key,
    GIT_CONFIG_VALUE_0: '',
    GIT_CONFIG_KEY_1: key,
    GIT_CONFIG_VALUE_1: `AUTHORIZATION: basic ${basic}`,
  };
}
