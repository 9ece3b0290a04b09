import { isObject, parseObject, plainJson, texts } from '../project/json.ts';
import type { Edge, Graph, Node } from './graph.ts';
import { fromIntegrity, isPath, objects, textOf } from './values.ts';

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
      (entry): entry is [string, unknown[]] =>
        isPath(entry[0]) && Array.isArray(entry[1]) && typeof entry[1][0] === 'string',
    ),
  );
  const workspaces = new Map(objects(lock['workspaces']));
  const nodes = new Map<string, Node>();
  const find = (from: string, name: string): string | undefined => {
    for (let place = from; ; place = above(place)) {
      const key = place === '' ? name : `${place}/${name}`;
      const [id] = packages.get(key) ?? [];
      if (typeof id === 'string') return workspaceOf(id) ?? key;
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

/** `name@workspace:folder` is a package of the project. */
function workspaceOf(id: string): string | undefined {
  const at = id.indexOf('@workspace:');
  return at === -1 ? undefined : localKey(id.slice(at + '@workspace:'.length));
}

function localKey(folder: string): string {
  return `workspace ${folder}`;
}

/** The place that a package lies in: of `a/@s/b` it is `a`, as a scope belongs to its name. */
function above(place: string): string {
  const parts = place.split('/');
  return parts.slice(0, parts.at(-2)?.startsWith('@') === true ? -2 : -1).join('/');
}
