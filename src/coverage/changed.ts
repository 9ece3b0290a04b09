import { mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Host } from '../action/host.ts';
import { readEvent } from '../github/event.ts';
import { isObject } from '../project/json.ts';

/** The lines that a pull request or a push adds or changes, by file relative to the root of the repository. */
export interface Changed {
  /** What changed them, as a word: `pull request` or `push`. */
  readonly by: string;
  readonly lines: ReadonlyMap<string, ReadonlySet<number>>;
}

/** Why the changed lines are not known, and what would make them known. */
export interface Unknown {
  readonly unknown: string;
}

const MAX_DIFF = 50_000_000;
const FETCH_MS = 30_000;
const COMMIT = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;

type GitHost = Pick<Host, 'exec' | 'info'>;
interface Base {
  readonly by: string;
  readonly sha: string;
  /** The head of the pull request, which the checkout may have merged with the base. */
  readonly head?: string;
}

/**
 * The lines changed by what the run was started for: by `git diff` against the base that the event names. Undefined where
 * the event has no base, such as a schedule.
 */
export async function changedLines(host: GitHost): Promise<Changed | Unknown | undefined> {
  const base = await baseOf(host);
  if (base === undefined) return undefined;
  const from = await startOf(base, host);
  if (from === undefined) {
    return {
      unknown: `which lines this ${base.by} changes is not known, since the checkout does not hold the commit it builds upon: give \`fetch-depth: 0\` to actions/checkout`,
    };
  }
  const diff = await diffOf(from, host);
  if (diff === undefined) return { unknown: `git could not tell which lines this ${base.by} changes` };
  return { by: base.by, lines: parseDiff(diff) };
}

/** The added lines of a `git diff --unified=0`, whose paths begin with `b/`. */
export function parseDiff(diff: string): ReadonlyMap<string, ReadonlySet<number>> {
  const files = new Map<string, Set<number>>();
  let lines: Set<number> | undefined;
  // Within a hunk, a line of the file itself may look like a header.
  let left = 0;
  for (const line of diff.split('\n')) {
    if (left > 0 && /^[-+]/.test(line)) {
      left -= 1;
      continue;
    }
    if (line.startsWith('+++ ')) {
      const file = /^\+\+\+ b\/([^\t]+)\t?$/.exec(line)?.[1];
      lines = file === undefined ? undefined : new Set();
      if (file !== undefined && lines !== undefined) files.set(file, lines);
    }
    const [, removed = '1', start, added = '1'] = /^@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(line) ?? [];
    if (start === undefined) continue;
    left = Number(removed) + Number(added);
    for (let i = 0; i < Math.min(Number(added), 1_000_000); i += 1) lines?.add(Number(start) + i);
  }
  return files;
}

async function baseOf({ info }: GitHost): Promise<Base | undefined> {
  const event = await readEvent(info);
  const { pull_request: pull, merge_group: group, before } = event;
  if (isObject(pull) && isObject(pull['base']) && isObject(pull['head'])) {
    const [sha, head] = [commit(pull['base']['sha']), commit(pull['head']['sha'])];
    return sha === undefined ? undefined : { by: 'pull request', sha, ...(head !== undefined && { head }) };
  }
  const sha = commit(isObject(group) ? group['base_sha'] : before);
  // A new branch comes after nothing, which is all zeros.
  return sha === undefined || /^0+$/.test(sha) ? undefined : { by: isObject(group) ? 'merge group' : 'push', sha };
}

/**
 * The commit to compare with. GitHub checks a pull request out as a merge of its head into the base of this moment: that
 * base is the merge's first parent. Otherwise it is where both parted, and of a push what was there before.
 */
async function startOf({ by, sha, head }: Base, host: GitHost): Promise<string | undefined> {
  if (by !== 'pull request') return present(sha, host);
  const parents = await ask(['cat-file', 'commit', 'HEAD'], host);
  const [header = ''] = (parents ?? '').split('\n\n');
  const [first, second] = [...header.matchAll(/^parent ([0-9a-f]+)$/gm)].map(([, id]) => id);
  if (first !== undefined && second !== undefined && second === head) return present(first, host);
  const parted = await ask(['merge-base', sha, 'HEAD'], host);
  return parted === undefined ? undefined : commit(parted.trim());
}

/** A shallow checkout lacks the commit: it alone is fetched, with what the checkout left for signing in, if anything. */
async function present(sha: string, host: GitHost): Promise<string | undefined> {
  const has = async (): Promise<boolean> => (await ask(['cat-file', '-e', `${sha}^{tree}`], host)) !== undefined;
  if (await has()) return sha;
  await host.exec
    .run('git', ['fetch', '--quiet', '--no-tags', '--depth=1', '--no-recurse-submodules', 'origin', sha], {
      cwd: host.info.workspace,
      timeout: FETCH_MS,
      env: { GIT_TERMINAL_PROMPT: '0' },
    })
    .catch(() => undefined);
  return (await has()) ? sha : undefined;
}

async function diffOf(from: string, host: GitHost): Promise<string | undefined> {
  await mkdir(host.info.temp, { recursive: true });
  const folder = await mkdtemp(path.join(host.info.temp, 'diff-'));
  try {
    const file = path.join(folder, 'diff');
    const plain = ['--no-color', '--no-ext-diff', '--no-textconv', '--src-prefix=a/', '--dst-prefix=b/'];
    const args = [
      '-c',
      'core.quotePath=false',
      'diff',
      '--unified=0',
      ...plain,
      '--diff-filter=AMR',
      `--output=${file}`,
    ];
    if ((await ask([...args, from, 'HEAD'], host)) === undefined) return undefined;
    if ((await stat(file)).size > MAX_DIFF) return undefined;
    return await readFile(file, 'utf8');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function ask(args: readonly string[], { exec, info }: GitHost): Promise<string | undefined> {
  const answer = await exec.ask('git', args, { cwd: info.workspace }).catch(() => undefined);
  return answer?.exitCode === 0 ? answer.stdout : undefined;
}

function commit(value: unknown): string | undefined {
  return typeof value === 'string' && COMMIT.test(value) ? value : undefined;
}
