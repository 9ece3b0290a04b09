import path from 'node:path';
import { lockfileFolder } from '../node/package-manager.ts';
import { locationBelow } from '../node/workspace-root.ts';
import { type Project, type ReadFile, locationOf, readerOf } from '../project/project.ts';
import { type Workspace, readWorkspace } from '../workspace/graph.ts';

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
export function placeOf(project: Project): Place | undefined {
  const root = lockfileFolder(project.read, locationOf(project));
  const folder = path.join(project.directory, root);
  const read = readerOf(folder);
  const inside = locationBelow(root, locationOf(project));
  const workspace = readWorkspace(folder, root === '' ? project.read : read);
  if (workspace === undefined || (inside !== '' && !workspace.packages.has(inside))) return undefined;
  return { workspace, folder, inside, read };
}
