import { isObject, parseObject, texts } from '../project/json.ts';
import type { Edge, Graph, Node } from './graph.ts';
import { fromIntegrity, objects, textOf } from './values.ts';

type Json = Readonly<Record<string, unknown>>;

const KINDS = ['dependencies', 'optionalDependencies', 'peerDependencies'] as const;

/**
 * bun.lock, https://bun.com/docs/install/lockfile: JSON with commas before closing brackets. A key of `packages` is the
 * package's place in node_modules, such as `express/debug`.
 * @throws UserError when it is not JSON
 */
export function readBunLock(text: string, file: string): Graph {
  const lock = parseObject(plainJson(text), file, 'Run `bun install` and commit the lockfile that it writes.');
  const packages = new Map(
    Object.entries(isObject(lock['packages']) ? lock['packages'] : {}).filter(
      (entry): entry is [string, unknown[]] => Array.isArray(entry[1]) && typeof entry[1][0] === 'string',
    ),
  );
  const workspaces = new Map(objects(lock['workspaces']));
  const nodes = new Map<string, Node>();
  const find = (from: string, name: string): string | undefined => {
    for (let place = from; ; place = above(place)) {
      const key = place === '' ? name : `${place}/${name}`;
      const [id] = packages.get(key) ?? [];
      const [, folder] = /@workspace:(.*)$/.exec(String(id)) ?? [];
      if (folder !== undefined) return localKey(folder);
      if (id !== undefined) return key;
      if (place === '') return undefined;
    }
  };
  const edgesOf = (from: string, wanted: unknown, dev = false): readonly Edge[] =>
    Object.keys(texts(wanted)).flatMap((name) => {
      const to = find(from, name);
      return to === undefined ? [] : [{ to, ...(dev && { dev }) }];
    });

  for (const [key, entry] of packages) {
    const id = String(entry[0]);
    const at = id.indexOf('@', 1);
    if (id.startsWith('workspace:', at + 1)) continue;
    const facts: Json = entry.find(isObject) ?? {};
    nodes.set(key, {
      name: id.slice(0, at),
      version: id.slice(at + 1),
      hashes: fromIntegrity(entry.at(-1)),
      edges: KINDS.flatMap((kind) => edgesOf(key, facts[kind])),
    });
  }
  for (const [folder, workspace] of workspaces) {
    const name = textOf(workspace['name']) ?? '';
    const from = folder === '' ? '' : name;
    nodes.set(localKey(folder), {
      name,
      version: '',
      local: folder === '' ? '.' : folder,
      edges: [
        ...KINDS.flatMap((kind) => edgesOf(from, workspace[kind])),
        ...edgesOf(from, workspace['devDependencies'], true),
      ],
    });
  }
  return { ecosystem: 'npm', nodes };
}

function localKey(folder: string): string {
  return `workspace ${folder}`;
}

/** The place that a package lies in: of `a/@s/b` it is `a`, as a scope belongs to its name. */
function above(place: string): string {
  const parts = place.split('/');
  return parts.slice(0, parts.at(-2)?.startsWith('@') === true ? -2 : -1).join('/');
}

/** JSON without comments and without commas before a closing bracket; walked once, as regular expressions go astray. */
function plainJson(text: string): string {
  const out: string[] = [];
  let comma = -1;
  for (let at = 0; at < text.length;) {
    const end = endOfToken(text, at);
    const token = text.slice(at, end);
    at = end;
    if (token.startsWith('//') || token.startsWith('/*')) continue;
    if ((token === '}' || token === ']') && comma !== -1) out[comma] = '';
    if (token.trim() !== '') comma = token === ',' ? out.length : -1;
    out.push(token);
  }
  return out.join('');
}

/** Where the text, comment or character that begins at a place ends. */
function endOfToken(text: string, at: number): number {
  const after = (end: number, length: number): number => (end === -1 ? text.length : end + length);
  if (text.startsWith('//', at)) return after(text.indexOf('\n', at), 0);
  if (text.startsWith('/*', at)) return after(text.indexOf('*/', at + 2), 2);
  if (text[at] !== '"') return at + 1;
  let end = at + 1;
  while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
  return end + 1;
}
