import { type Dirent, readdirSync } from 'node:fs';
import path from 'node:path';
import { UserError, messageOf } from '../action/errors.ts';
import type { Declaration } from './declaration.ts';

/** More folders than any workspace has that is not searched by mistake, such as by `**` over what a build wrote. */
const MAX_FOLDERS = 100_000;
const NEVER = new Set(['node_modules', '.git', 'bower_components']);

/**
 * The folders with a package.json that a workspace declares, from the root with `/`, sorted. Links are not followed, so
 * neither a loop nor something outside of the root is ever found.
 * @throws UserError when a folder cannot be read, or there are more than `limit` to look through
 */
export function packageFolders(root: string, { patterns, file }: Declaration, limit = MAX_FOLDERS): readonly string[] {
  const wanted = patterns.filter((pattern) => !pattern.startsWith('!'));
  const taken = patterns.filter((pattern) => pattern.startsWith('!')).map((pattern) => pattern.slice(1));
  const found = new Set<string>();
  let left = limit;
  const visit = (folder: string, pattern: string, depth: number): void => {
    if ((left -= 1) < 0) throw tooMany(file, limit);
    const entries = entriesOf(path.join(root, folder));
    if (entries.some((entry) => entry.name === 'package.json' && entry.isFile()) && matches(folder, pattern)) {
      found.add(folder);
    }
    if (depth === 0) return;
    for (const entry of entries) {
      if (!entry.isDirectory() || NEVER.has(entry.name)) continue;
      visit(folder === '' ? entry.name : `${folder}/${entry.name}`, pattern, depth - 1);
    }
  };
  for (const pattern of new Set(wanted)) {
    const { start, depth } = reachOf(pattern);
    if (isPlainFolder(root, start)) visit(start, pattern, depth);
  }
  found.delete('');
  return [...found].filter((folder) => !taken.some((pattern) => isTaken(folder, pattern))).toSorted();
}

/** Where a search has to begin, and how many folders deep it goes. */
function reachOf(pattern: string): { readonly start: string; readonly depth: number } {
  const parts = pattern.split('/');
  const magic = parts.findIndex((part) => /[*?[\]{}()!+@\\]/.test(part) && !/^@[\w.-]+$/.test(part));
  if (magic < 0) return { start: pattern === '.' ? '' : pattern, depth: 0 };
  // Braces may hold a slash, and `**` any number of folders.
  const open = pattern.includes('**') || /\{[^}]*\//.test(pattern);
  return { start: parts.slice(0, magic).join('/'), depth: open ? Number.POSITIVE_INFINITY : parts.length - magic };
}

/** Each part of the way is a folder of its own, and no link to one. */
function isPlainFolder(root: string, folder: string): boolean {
  let at = root;
  for (const part of folder.split('/').filter((one) => one !== '' && one !== '.')) {
    const entry = entriesOf(at, true).find(({ name }) => name === part);
    if (entry?.isDirectory() !== true) return false;
    at = path.join(at, part);
  }
  return true;
}

function matches(folder: string, pattern: string): boolean {
  return folder === pattern || path.posix.matchesGlob(folder, pattern);
}

// As pnpm does it, by the manifest too: what takes away all below the folder test takes the package test itself.
function isTaken(folder: string, pattern: string): boolean {
  return matches(folder, pattern) || path.posix.matchesGlob(`${folder}/package.json`, pattern);
}

function entriesOf(folder: string, lenient = false): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (lenient) return [];
    throw new UserError(`A folder of the workspace cannot be read: ${messageOf(error)}`, {
      remedy: 'Mend its permissions, or take it out of the globs of the workspace.',
      cause: error,
    });
  }
}

function tooMany(file: string, limit: number): UserError {
  return new UserError(`The globs of the workspace in ${file} lead through more than ${limit} folders.`, {
    remedy: 'Name the folders that hold packages, such as packages/*, instead of **.',
    place: { file },
  });
}
