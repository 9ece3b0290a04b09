import { glob, readFile, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { type Problem, UserError, showPlace } from '../action/errors.ts';
import type { Document } from '../kube/document.ts';
import { quote } from '../action/fields.ts';
import { showRef } from '../kube/kube.ts';
import { identityOf } from './identity.ts';
import { parseManifest } from './parse.ts';

const MAX_FILES = 2000;
const MAX_FILE_BYTES = 4 * 1024 * 1024;
const MANIFEST = /\.(ya?ml|json)$/i;

/**
 * Reads the objects that `patterns` (files, directories or globs below `workspace`) name, in the order of the patterns
 * and sorted by path within each; a file named twice is read once.
 * @param namespace where objects without a namespace go, to tell the same object twice
 * @throws UserError with every problem found: nothing matched, unreadable YAML, incomplete or doubled objects
 */
export async function loadManifests(
  patterns: readonly string[],
  workspace: string,
  namespace = '',
): Promise<readonly Document[]> {
  const root = await realpath(workspace);
  const files = new Set<string>();
  const problems: Problem[] = [];
  for (const pattern of patterns) {
    const found = await matches(pattern, root);
    if (found.length === 0) problems.push(nothingMatched(pattern));
    for (const file of found) files.add(file);
  }
  if (files.size > MAX_FILES) throw new UserError(`manifests match ${files.size} files, more than ${MAX_FILES}`);
  const documents: Document[] = [];
  for (const file of files) {
    const { size } = await stat(join(root, file));
    if (size > MAX_FILE_BYTES) {
      problems.push({ message: `${file} has ${size} bytes, more than ${MAX_FILE_BYTES}`, place: { file } });
      continue;
    }
    const parsed = parseManifest(await readFile(join(root, file), 'utf8'), file);
    documents.push(...parsed.documents);
    problems.push(...parsed.problems);
  }
  problems.push(...doubled(documents, namespace));
  if (problems.length === 0 && documents.length === 0) {
    problems.push({ message: `no Kubernetes object stands in the files of manifests (${[...files].join(', ')})` });
  }
  if (problems.length > 0) throw UserError.all(problems, 'the manifests have problems');
  return documents;
}

/** Paths below `root`, with `/`, sorted; links that lead out of it are left out. */
async function matches(pattern: string, root: string): Promise<readonly string[]> {
  if (isAbsolute(pattern) || pattern.split(/[\\/]/).includes('..')) return [];
  const info = await stat(join(root, pattern)).catch(() => undefined);
  const found: string[] = [];
  if (info?.isFile()) found.push(pattern);
  else {
    const wanted = info?.isDirectory() ? join(pattern, '**/*') : pattern;
    for await (const file of glob(wanted, { cwd: root })) if (MANIFEST.test(file)) found.push(file);
  }
  const inside: string[] = [];
  for (const file of found) {
    const real = await realpath(join(root, file)).catch(() => undefined);
    if (!real?.startsWith(root + sep) || !(await stat(real)).isFile()) continue;
    inside.push(relative(root, join(root, file)).replaceAll(sep, '/'));
  }
  return inside.toSorted();
}

function doubled(documents: readonly Document[], namespace: string): readonly Problem[] {
  const first = new Map<string, Document>();
  return documents.flatMap((document) => {
    const identity = identityOf(document.object, namespace);
    const before = first.get(identity);
    if (!before) {
      first.set(identity, document);
      return [];
    }
    return [
      {
        message: `${showRef(document.object)} stands here and in ${showPlace(before)}`,
        remedy: 'keep one of them',
        place: { file: document.file, line: document.line },
      },
    ];
  });
}

function nothingMatched(pattern: string): Problem {
  return {
    message: `manifests: ${quote(pattern)} matches no .yaml, .yml or .json file`,
    remedy: 'give a file, directory or glob inside the repository, and check out the repository before this step',
  };
}
