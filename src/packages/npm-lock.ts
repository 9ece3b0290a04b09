import { UserError } from '../action/errors.ts';
import type { PackageJson } from '../node/manifest.ts';
import { isObject, parseObject, texts } from '../project/json.ts';
import type { Edge, Graph, Node } from './graph.ts';
import { fromIntegrity, isPath, objects, sourceOf, textOf } from './values.ts';

type Json = Readonly<Record<string, unknown>>;

const REMEDY = 'Run `npm install` and commit the lockfile that it writes.';
const MODULES = 'node_modules/';
/** Deeper than any real tree: the keys of what lies in one another grow with every level. */
const MAX_DEPTH = 100;

/**
 * package-lock.json and npm-shrinkwrap.json, of which version 1 needs package.json to tell what the project itself asks
 * for (`npm help package-lock-json`).
 * @throws UserError when it is not such a file
 */
export function readNpmLock(text: string, file: string, project: PackageJson): Graph {
  const lock = parseObject(text, file, REMEDY);
  if (isObject(lock['packages'])) return { ecosystem: 'npm', nodes: installed(lock['packages']) };
  if (isObject(lock['dependencies'])) return { ecosystem: 'npm', nodes: versionOne(lock['dependencies'], project) };
  if (lock['lockfileVersion'] === undefined) {
    throw new UserError(`${file} holds no packages.`, { remedy: REMEDY, place: { file } });
  }
  return { ecosystem: 'npm', nodes: new Map() };
}

/** Versions 2 and 3: each key is the folder that a package is installed in. */
function installed(packages: Json): Map<string, Node> {
  const entries = new Map(objects(packages).filter(([key]) => isPath(key)));
  const nodes = new Map<string, Node>();
  for (const [key, entry] of entries) {
    if (entry['link'] === true) continue;
    const at = key.lastIndexOf(MODULES);
    const local = at === -1 ? key || '.' : undefined;
    const dev = local === undefined ? undefined : edgesOf(entries, key, entry['devDependencies'], true);
    nodes.set(key, {
      ...described(entry, textOf(entry['name']) ?? key.slice(at + MODULES.length)),
      ...(local !== undefined && { local }),
      edges: [
        ...['dependencies', 'optionalDependencies', 'peerDependencies'].flatMap((kind) =>
          edgesOf(entries, key, entry[kind]),
        ),
        ...(dev ?? []),
      ],
    });
  }
  return nodes;
}

function edgesOf(entries: ReadonlyMap<string, Json>, from: string, wanted: unknown, dev = false): readonly Edge[] {
  return Object.keys(texts(wanted)).flatMap((name) => {
    const to = resolve(entries, from, name);
    return to === undefined ? [] : [{ to, ...(dev && { dev }) }];
  });
}

/** As Node finds a module: in the folder's own node_modules, then in that of each folder above. */
function resolve(entries: ReadonlyMap<string, Json>, from: string, name: string): string | undefined {
  for (let folder = from; ; folder = above(folder)) {
    const key = `${folder === '' ? '' : `${folder}/`}${MODULES}${name}`;
    const entry = entries.get(key);
    if (entry?.['link'] === true) return textOf(entry['resolved']);
    if (entry !== undefined) return key;
    if (folder === '') return undefined;
  }
}

function above(folder: string): string {
  const at = folder.lastIndexOf(`/${MODULES}`);
  if (at !== -1) return folder.slice(0, at);
  if (folder.startsWith(MODULES)) return '';
  return folder.slice(0, Math.max(folder.lastIndexOf('/'), 0));
}

function described(entry: Json, named: string): Omit<Node, 'edges'> {
  const version = textOf(entry['version']) ?? '';
  // Version 1 writes another name's package as `npm:name@version`.
  const [, name = named, real = version] = /^npm:(.+)@([^@]+)$/.exec(version) ?? [];
  return {
    name,
    version: real,
    hashes: fromIntegrity(entry['integrity']),
    license: textOf(entry['license']),
    source: sourceOf(entry['resolved']),
    dev: entry['dev'] === true,
  };
}

/** Version 1: what a package could not share lies within it. It is laid out as the folders that npm makes of it. */
function versionOne(dependencies: Json, project: PackageJson): Map<string, Node> {
  const entries = new Map<string, Json>();
  const waiting: { readonly under: string; readonly tree: unknown; readonly depth: number }[] = [
    { under: '', tree: dependencies, depth: 0 },
  ];
  for (const { under, tree, depth } of waiting) {
    for (const [name, entry] of objects(tree)) {
      const key = `${under}${MODULES}${name}`;
      entries.set(key, entry);
      if (depth < MAX_DEPTH) waiting.push({ under: `${key}/`, tree: entry['dependencies'], depth: depth + 1 });
    }
  }
  const nodes = new Map<string, Node>();
  for (const [key, entry] of entries) {
    const name = key.slice(key.lastIndexOf(MODULES) + MODULES.length);
    // What it says of a workspace does not tell what that wants for developing.
    const [, local] = /^file:((?!.*\.tgz$).+)$/.exec(textOf(entry['version']) ?? '') ?? [];
    const edges = edgesOf(entries, key, entry['requires']);
    nodes.set(key, { ...described(entry, name), ...(local !== undefined && { local }), edges });
  }
  const { dependencies: wanted, optionalDependencies, devDependencies } = project;
  nodes.set('', {
    name: project.name ?? '',
    version: '',
    local: '.',
    edges: [
      ...edgesOf(entries, '', { ...wanted, ...optionalDependencies }),
      ...edgesOf(entries, '', devDependencies, true),
    ],
  });
  return nodes;
}
