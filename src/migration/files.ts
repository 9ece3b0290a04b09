import { createHash } from 'node:crypto';
import { type Dirent, lstatSync, readFileSync } from 'node:fs';
import { lstat, opendir, readFile, realpath } from 'node:fs/promises';
import path from 'node:path';
import { UserError, messageOf } from '../action/errors.ts';

/** The files of a repository that may have to do with migrations. */
export interface Files {
  /** Paths from the root of the repository, with `/`, in order of their names. */
  readonly list: readonly string[];
  /** The text of one; undefined where there is none, or it is no text that a person wrote. */
  read(file: string): string | undefined;
}

/** What tools and package managers put there, and nobody edits. */
const PASSED_OVER = new Set([
  'node_modules',
  '.git',
  '.venv',
  'venv',
  'site-packages',
  '__pycache__',
  'dist',
  'vendor',
  'target',
  '.terraform',
  '.yarn',
]);
const KINDS =
  /\.(sql|js|cjs|mjs|ts|cts|mts|py|xml|ya?ml|json|toml|ini|conf|properties|prisma|lock|java|go)$|(^|\/)(\.sequelizerc|manage\.py|Pipfile|Pipfile\.lock|yarn\.lock|\.node-pg-migraterc)$/;
const MAX_FILES = 200_000;
/** A migration of more is data, and belongs elsewhere; it is read, and told. */
export const MAX_BYTES = 32 * 1024 * 1024;

/**
 * Reads the names of a repository's files, and the contents of those that are asked for. Links are not followed, so
 * nothing outside is read and no loop is walked; folders that may not be read are passed over.
 * @throws UserError where there are too many that may have to do with migrations, or the root cannot be read
 */
export async function filesOf(workspace: string): Promise<Files> {
  const list: string[] = [];
  const folders = [''];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for await (const entry of await entriesOf(workspace, folder)) {
      const name = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory() && !PASSED_OVER.has(entry.name)) folders.push(name);
      if (entry.isFile() && KINDS.test(name)) list.push(name);
      if (list.length > MAX_FILES) {
        throw new UserError(`the repository has more than ${MAX_FILES} files of code, SQL and settings`, {
          remedy: 'Check out only what the migrations need, by sparse-checkout of actions/checkout.',
        });
      }
    }
  }
  const texts = new Map<string, string | undefined>();
  return {
    list: list.toSorted((a, b) => (a < b ? -1 : 1)),
    read(file) {
      if (!texts.has(file)) texts.set(file, textIn(path.join(workspace, file)));
      return texts.get(file);
    },
  };
}

async function entriesOf(workspace: string, folder: string): Promise<AsyncIterable<Dirent>> {
  try {
    return await opendir(path.join(workspace, folder));
  } catch (error) {
    if (folder !== '') return (async function* none() {})();
    throw new UserError(`the repository cannot be read: ${messageOf(error)}`, {
      remedy: 'Run actions/checkout before this action.',
    });
  }
}

function textIn(file: string): string | undefined {
  try {
    const found = lstatSync(file);
    return found.isFile() && found.size <= MAX_BYTES ? readFileSync(file, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}

/** A migration's file as it stands. */
export interface Source {
  readonly file: string;
  readonly text: string;
  /** SHA-256 of its bytes in hex. */
  readonly checksum: string;
}

/**
 * Reads a migration's file.
 * @throws UserError where it is missing, a link, too large, or no text
 */
export async function readSource(workspace: string, file: string): Promise<Source> {
  const full = path.join(workspace, file);
  const found = await lstat(full).catch(() => undefined);
  if (found === undefined) {
    throw new UserError(`the migration ${file} is missing`, {
      place: { file },
      remedy: 'Bring it back, or take out what names it.',
    });
  }
  const problem = !found.isFile()
    ? 'is no file of its own'
    : found.size > MAX_BYTES
      ? `has ${Math.round(found.size / 1024 ** 2)} MiB, more than ${MAX_BYTES / 1024 ** 2}`
      : undefined;
  if (problem !== undefined) {
    throw new UserError(`the migration ${file} ${problem}`, {
      place: { file },
      remedy: 'Load data by a program, not by a migration.',
    });
  }
  // A folder on the way may be a link too.
  if ((await realpath(full)) !== path.join(await realpath(workspace), file)) {
    throw new UserError(`the migration ${file} lies behind a link`, {
      place: { file },
      remedy: 'Put the files themselves there.',
    });
  }
  const bytes = await readFile(full);
  const text = bytes.toString('utf8');
  if (bytes.includes(0) || text.includes('\uFFFD')) {
    throw new UserError(`the migration ${file} is no text in UTF-8`, {
      place: { file },
      remedy: 'Store it as UTF-8; a dump in the custom format is none of the migrations that a tool runs.',
    });
  }
  return { file, text: text.startsWith('\uFEFF') ? text.slice(1) : text, checksum: sha256(bytes) };
}

/** The files right in a folder. */
export function filesIn(files: Files | readonly string[], folder: string, name: RegExp): readonly string[] {
  const list = 'list' in files ? files.list : files;
  return list.filter((file) => folderOf(file) === folder && name.test(baseOf(file)));
}

export function folderOf(file: string): string {
  const at = file.lastIndexOf('/');
  return at === -1 ? '' : file.slice(0, at);
}

export function baseOf(file: string): string {
  return file.slice(file.lastIndexOf('/') + 1);
}

/** A path below a folder, both from the root of the repository; what would lead out of it stays within. */
export function within(folder: string, relative: string): string {
  const joined = path.posix.normalize(path.posix.join('/', folder, relative)).slice(1);
  return joined.replace(/\/$/, '');
}

/** The nearest folder at or above `from` that has one of these files. */
export function nearest(files: Files, from: string, names: readonly string[]): string | undefined {
  const known = new Set(files.list);
  for (let folder = from; ; folder = folderOf(folder)) {
    if (names.some((name) => known.has(within(folder, name)))) return folder;
    if (folder === '') return undefined;
  }
}

export function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
