import path from 'node:path';
import type { ReadFile } from '../project/project.ts';
import type { Edge, Graph, Node } from './graph.ts';
import { normalName, requirementName } from './python-lock.ts';
import { fromPrefixed } from './values.ts';

/** Files that one may include, in all: more would be a loop or a trap. */
const MAX_FILES = 50;
const PINNED =
  /^([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*===?\s*([\w.!+-]+)\s*(?:;[^#]*?)?((?:\s+--hash[=\s]\S+)*)\s*$/;

/**
 * requirements.txt with the files that it includes, https://pip.pypa.io/en/stable/reference/requirements-file-format/.
 * Only what stands there with `==` has a version; all else is open. pip-compile and uv note who needs what in comments.
 * @param dev whether the file is for developing, by its name
 */
export function readRequirements(
  read: ReadFile,
  files: readonly { readonly file: string; readonly dev: boolean }[],
): Graph {
  const nodes = new Map<string, Node>();
  const needs = new Map<string, Set<string>>();
  const direct = new Map<string, boolean>();
  const open = new Set<string>();
  const seen = new Set<string>();
  const waiting = [...files];
  for (const { file, dev } of waiting) {
    if (seen.has(file) || seen.size >= MAX_FILES) continue;
    seen.add(file);
    for (const { text, via } of logicalLines(read(file) ?? '')) {
      const [, included] = /^(?:-r|--requirement)[\s=]+(\S+)/.exec(text) ?? [];
      if (included !== undefined) {
        const target = path.posix.normalize(path.posix.join(path.posix.dirname(file), included));
        if (!target.startsWith('..') && !path.posix.isAbsolute(included)) waiting.push({ file: target, dev });
        continue;
      }
      if (text.startsWith('-')) continue;
      const [, name, version = '', hashes = ''] = PINNED.exec(text) ?? [];
      if (name === undefined) {
        open.add(requirementName(text) ?? text.slice(0, 100));
        continue;
      }
      const key = normalName(name);
      const before = nodes.get(key);
      const found = [...hashes.matchAll(/--hash[=\s](\S+)/g)].flatMap(([, hash]) => fromPrefixed(hash));
      nodes.set(key, { name: key, version, hashes: found, dev: dev && (before?.dev ?? true), edges: [] });
      for (const one of via) needs.set(one, (needs.get(one) ?? new Set()).add(key));
      const isDirect = via.length === 0 || via.some((one) => one.startsWith('-r '));
      if (isDirect) direct.set(key, dev && (direct.get(key) ?? true));
    }
  }
  for (const [key, node] of nodes) {
    const edges = [...(needs.get(key) ?? [])].filter((to) => nodes.has(to)).map((to): Edge => ({ to }));
    nodes.set(key, { ...node, edges });
  }
  const edges = [...direct].map(([to, dev]): Edge => ({ to, dev }));
  return {
    ecosystem: 'pypi',
    nodes: nodes.set('the project', { name: '', version: '', local: '.', edges }),
    open: [...open],
  };
}

interface Line {
  readonly text: string;
  /** What pip-compile and uv say needs it: names, or `-r <file>` for the project itself. */
  readonly via: readonly string[];
}

/** Lines with their continuations, each with the `# via` notes that follow it. */
function logicalLines(text: string): readonly Line[] {
  const lines: { text: string; via: string[] }[] = [];
  let noting = false;
  for (const raw of text.replace(/\\\r?\n/g, ' ').split(/\r?\n/)) {
    const line = raw.trim();
    const isComment = line.startsWith('#');
    const note: string | undefined = isComment ? noteOf(line, noting) : line.split(/\s#\s*via\s/)[1];
    noting = isComment && note !== undefined;
    const content = line.replace(/(?:^|\s)#.*$/, '').trim();
    if (content !== '') lines.push({ text: content, via: [] });
    const said = (note ?? '').split(',').map((one) => one.trim());
    lines.at(-1)?.via.push(...said.filter((one) => one !== '').map(named));
  }
  return lines;
}

/** What a comment notes: after `# via`, or on a line after it. */
function noteOf(comment: string, noting: boolean): string | undefined {
  const first = /^#\s*via\b(.*)$/.exec(comment)?.[1];
  return first ?? (noting ? /^#\s+(\S.*)$/.exec(comment)?.[1] : undefined);
}

/** `flask`, or `-r project` where `-r requirements.in` or `my-project (pyproject.toml)` stands for the project itself. */
function named(note: string): string {
  return note.startsWith('-r ') || /\s\(/.test(note) ? '-r project' : normalName(note);
}
