import path from 'node:path';
import { ALL_LOCKFILES } from '../node/package-manager.ts';
import { type Project, type ReadFile, readerOf } from '../project/project.ts';
import { type Workspace, findWorkspaceRoot, readWorkspace } from '../workspace/graph.ts';

/** Where a project lies in a workspace. */
export interface Place {
  readonly workspace: Workspace;
  /** Folder of the workspace, absolute: there is the lockfile, so there it is installed. */
  readonly folder: string;
  /** The project's folder from there, with `/`; `''` where it is the root. */
  readonly inside: string;
  /** Reads from the workspace's folder. */
  readonly read: ReadFile;
}

/**
 * The workspace that a project is the root or a package of; undefined for a project that stands for itself, as one with
 * a lockfile of its own does.
 * @throws UserError when the workspace cannot be read
 */
export function placeOf({ directory, workspace: repository, read }: Project): Place | undefined {
  const own = readWorkspace(directory, read);
  if (own !== undefined) return { workspace: own, folder: directory, inside: '', read };
  if (ALL_LOCKFILES.some((file) => read(file) !== undefined)) return undefined;
  const found = findWorkspaceRoot(directory, repository, readerOf);
  if (found === undefined) return undefined;
  const inside = path.relative(found.folder, directory).split(path.sep).join('/');
  return { ...found, inside, read: readerOf(found.folder) };
}
