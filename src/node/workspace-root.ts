import path from 'node:path';
import { load } from 'js-yaml';
import { isObject, parseObject } from '../project/json.ts';
import type { ReadFile } from '../project/project.ts';

/**
 * The folders from the project's own up to the repository's root, each by its path from the project: `''`, `..`, `../..`.
 * @param location the project's path in the repository, `''` for its root
 */
export function foldersUp(location: string): readonly string[] {
  const depth = location === '' ? 0 : location.split('/').length;
  return Array.from({ length: depth + 1 }, (_, levels) => Array<string>(levels).fill('..').join('/'));
}

/** Reads as `read` does, and nothing that lies above the repository's root. */
export function inRepositoryOnly(read: ReadFile, location: string): ReadFile {
  const highest = foldersUp(location).length - 1;
  return (file) => {
    const normal = path.posix.normalize(file);
    const up = normal.split('/').filter((part) => part === '..').length;
    return up > highest || path.isAbsolute(normal) ? undefined : read(normal);
  };
}

/** A file's path from the project, where it lies in one of {@link foldersUp}. */
export function fileIn(folder: string, file: string): string {
  return path.posix.join(folder, file);
}

/** The project's path from one of {@link foldersUp}. */
export function locationBelow(folder: string, location: string): string {
  return folder === '' ? '' : location.split('/').slice(-folder.split('/').length).join('/');
}

/** What a workspace's root says of the packages that it has: patterns of folders, those to leave out begin with `!`. */
export function workspacePatterns(read: ReadFile, folder: string): readonly string[] {
  const yaml = read(fileIn(folder, 'pnpm-workspace.yaml'));
  if (yaml !== undefined) return patternsOf(parsed(yaml));
  const file = fileIn(folder, 'package.json');
  const text = read(file);
  if (text === undefined) return [];
  const { workspaces } = parseObject(text, file, 'Mend the JSON of package.json.');
  return patternsOf(Array.isArray(workspaces) ? { packages: workspaces } : workspaces);
}

/** Whether the workspace at `folder` has the project at `location` of the repository as one of its packages. */
export function isMember(read: ReadFile, folder: string, location: string): boolean {
  const member = locationBelow(folder, location);
  const [excluded, included] = [true, false].map((out) =>
    workspacePatterns(read, folder).filter((pattern) => pattern.startsWith('!') === out),
  ) as [string[], string[]];
  const matches = (pattern: string): boolean =>
    path.posix.matchesGlob(member, path.posix.normalize(pattern).replace(/\/$/, ''));
  return included.some(matches) && !excluded.some((pattern) => matches(pattern.slice(1)));
}

function patternsOf(value: unknown): readonly string[] {
  const packages = isObject(value) ? value['packages'] : undefined;
  return Array.isArray(packages) ? packages.filter((one) => typeof one === 'string') : [];
}

/** Broken YAML names no packages: pnpm itself says what is wrong with it. */
function parsed(yaml: string): unknown {
  try {
    return load(yaml);
  } catch {
    return undefined;
  }
}
