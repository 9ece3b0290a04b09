import { UserError } from '../action/errors.ts';
import type { Git } from '../workspace/git.ts';
import type { Finding } from './finding.ts';
import type { Migration } from './migration.ts';
import type { Found, Tool } from './tool.ts';

/** What a change does to the migrations of one tool. */
export interface News {
  /** Those that the base does not have, in their order. */
  readonly added: readonly Migration[];
  /** Those whose file differs from the base's, which may be applied somewhere, in their order. */
  readonly edited: readonly Migration[];
  /** Files that the base has in the folder of the migrations, and this does not. */
  readonly removed: readonly string[];
}

/**
 * Which migrations a pull request or push brings.
 * @param base a commit, such as the merge base of the pull request or what was there before a push
 * @throws UserError where the checkout does not hold it and it cannot be fetched
 */
export async function newMigrations(
  migrations: readonly Migration[],
  { tool, found, base, git }: { readonly tool: Tool; readonly found: Found; readonly base: string; readonly git: Git },
): Promise<News> {
  const changed = (await git.bring(base)) ? await git.changedSince(base) : undefined;
  if (changed === undefined) {
    throw new UserError(`which migrations are new is not known, as the checkout does not hold ${base.slice(0, 7)}`, {
      remedy: 'Give fetch-depth: 0 to actions/checkout, or all-files: true to this action.',
    });
  }
  const files = new Set(changed);
  const before = new Map<string, string | undefined>();
  for (const file of new Set(migrations.map((one) => one.file))) {
    if (files.has(file)) before.set(file, await git.show(base, file));
  }
  const isIn = ({ id, file }: Migration): boolean => {
    const text = before.get(file);
    return text !== undefined && (tool.idsIn?.(file, text).includes(id) ?? true);
  };
  const touched = migrations.filter(({ file }) => before.has(file));
  const now = new Set(migrations.map(({ file }) => file));
  const below = found.directory === '' ? '' : `${found.directory}/`;
  const removed: string[] = [];
  for (const file of changed.filter((one) => one.startsWith(below) && !now.has(one) && MIGRATION.test(one))) {
    if (!(await isThere(file, git)) && (await git.show(base, file)) !== undefined) removed.push(file);
  }
  return {
    added: touched.filter((one) => !isIn(one)),
    // Where a file holds several, an added one changes the file of all: the tool's own checksum tells which was edited.
    edited: tool.idsIn === undefined ? touched.filter((one) => isIn(one)) : [],
    removed,
  };
}

const MIGRATION = /\.(sql|py|js|cjs|mjs|ts|cts|mts)$/;

async function isThere(file: string, git: Git): Promise<boolean> {
  return (await git.show('HEAD', file)) !== undefined;
}

/** What is wrong about changing migrations that are on the base already: they may be applied. */
export function newsFindings({ edited, removed }: News, title: string): readonly Finding[] {
  return [
    ...edited.map(({ file, name }): Finding => ({
      code: 'migration-edited',
      severity: 'warning',
      place: { file, line: 1 },
      message: `${name} is on the base branch already, and this changes it`,
      why: `Where it is applied, ${title} does not run it again: databases would differ by when they were made.`,
      remedy: 'Put it back as it was, and write what changed as a migration of its own.',
      source: 'tool',
    })),
    ...removed.map((file): Finding => ({
      code: 'migration-missing',
      severity: 'warning',
      place: { file },
      message: `${file} is on the base branch, and this takes it away`,
      why: `Where it is applied, ${title} may refuse to run, and a new database will lack what it made.`,
      remedy: 'Keep it, and take back what it made by a migration of its own.',
      source: 'tool',
    })),
  ];
}
