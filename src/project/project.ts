import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { UserError, withPlaces } from '../action/errors.ts';

/** The text of a file of the project, by its name relative to the project's folder; undefined when there is none. */
export type ReadFile = (file: string) => string | undefined;

/** A project in its checkout. */
export interface Project {
  /** Folder of the project, absolute. */
  readonly directory: string;
  /** Root of the repository, absolute. */
  readonly workspace: string;
  readonly read: ReadFile;
}

/** The largest lockfiles there are have some tens of megabytes. */
const MAX_FILE = 100 * 1024 ** 2;

/**
 * Opens the folder that the input `directory` names, from the root of the repository.
 * @throws UserError when it is none, or leads out of the repository
 */
export function openProject(directory: string, workspace: string): Project {
  const folder = folderOf(directory, workspace);
  return { directory: folder, workspace, read: readerOf(folder) };
}

/** The project's path in the repository, with `/`; `''` for the repository's root. */
export function locationOf({ directory, workspace }: Project): string {
  return path.relative(workspace, directory).split(path.sep).join('/');
}

/** What reads the project names its files from the directory, an annotation from the root of the repository. */
export function inRepository(error: UserError, { directory, workspace }: Project): UserError {
  return withPlaces(error, (place) => {
    const file = path.join(directory, place.file);
    return existsSync(file) ? { ...place, file: path.relative(workspace, file) } : place;
  });
}

/** Inside by its real path too, so that no link in the repository leads out of it. */
function folderOf(directory: string, workspace: string): string {
  const folder = path.resolve(workspace, directory);
  const exists = statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
  const relative = exists ? path.relative(realpathSync(workspace), realpathSync(folder)) : '..';
  if (relative !== '..' && !relative.startsWith(`..${path.sep}`)) return folder;
  throw new UserError(`input directory (${JSON.stringify(directory)}) is no folder inside the repository`, {
    remedy: 'Give its path from the root of the repository; run actions/checkout before this action.',
  });
}

/** Reads files of a folder; what is larger than {@link MAX_FILE} is refused. */
export function readerOf(directory: string): ReadFile {
  return (file) => {
    const found = statSync(path.join(directory, file), { throwIfNoEntry: false });
    if (found?.isFile() !== true) return undefined;
    if (found.size > MAX_FILE) throw new UserError(`${file} is larger than ${MAX_FILE / 1024 ** 2} MiB`);
    return readFileSync(path.join(directory, file), 'utf8');
  };
}
