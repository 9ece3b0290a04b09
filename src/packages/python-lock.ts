import { isObject } from '../project/json.ts';
import type { Edge, Graph, Node } from './graph.ts';
import type { Hash } from './package.ts';
import { fromPrefixed, hashOf, objectList, objects, sourceOf, textList, textOf } from './values.ts';

type Json = Readonly<Record<string, unknown>>;

/** What of pyproject.toml the project itself asks for: names in normal form. */
export interface PythonProject {
  readonly name?: string;
  readonly wanted: readonly string[];
  readonly dev: readonly string[];
}

/** The name that PyPI knows a project by: https://peps.python.org/pep-0503/#normalized-names. */
export function normalName(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, '-');
}

/** The name at the start of a requirement such as `Flask[async]>=3 ; python_version > "3.9"`. */
export function requirementName(requirement: string): string | undefined {
  const [, name] = /^\s*([A-Za-z0-9][\w.-]*)/.exec(requirement) ?? [];
  return name === undefined ? undefined : normalName(name);
}

/** Reads the tables of PEP 621, PEP 735, poetry and pdm that name dependencies. */
export function pythonProject(pyproject: Json): PythonProject {
  const project: Json = isObject(pyproject['project']) ? pyproject['project'] : {};
  const tool: Json = isObject(pyproject['tool']) ? pyproject['tool'] : {};
  const poetry: Json = isObject(tool['poetry']) ? tool['poetry'] : {};
  const pdm: Json = isObject(tool['pdm']) ? tool['pdm'] : {};
  const groups = objects(poetry['group']).flatMap(([, group]) => keysOf(group['dependencies']));
  const lists = [pyproject['dependency-groups'], pdm['dev-dependencies']].flatMap((table) =>
    isObject(table) ? Object.values(table).flatMap(textList) : [],
  );
  const extras = isObject(project['optional-dependencies']) ? Object.values(project['optional-dependencies']) : [];
  const name = textOf(project['name']) ?? textOf(poetry['name']);
  return {
    ...(name !== undefined && { name: normalName(name) }),
    wanted: [
      ...names([...textList(project['dependencies']), ...extras.flatMap(textList)]),
      ...keysOf(poetry['dependencies']).filter((one) => one !== 'python'),
    ],
    dev: [...names(lists), ...groups, ...keysOf(poetry['dev-dependencies'])],
  };
}

function keysOf(table: unknown): readonly string[] {
  return isObject(table) ? Object.keys(table).map(normalName) : [];
}

function names(requirements: readonly string[]): readonly string[] {
  return requirements.map(requirementName).filter((one) => one !== undefined);
}

/** A package of a Python lockfile, before its needs are looked up by name. */
interface Locked {
  readonly node: Omit<Node, 'edges'>;
  readonly needs: readonly string[];
  readonly needsForDev?: readonly string[];
}

/** poetry.lock of poetry 1 and 2. */
export function readPoetryLock(lock: Json, project: PythonProject): Graph {
  const files = isObject(lock['metadata']) && isObject(lock['metadata']['files']) ? lock['metadata']['files'] : {};
  const locked = objectList(lock['package']).map((entry): Locked => {
    const groups = textList(entry['groups']);
    const dev = entry['category'] === 'dev' || (groups.length > 0 && !groups.includes('main'));
    return {
      // Before poetry 1.3 the hashes stood in a table of their own.
      node: {
        ...described(
          entry,
          objectList(entry['files'] ?? files[textOf(entry['name']) ?? '']).map(({ hash }) => hash),
        ),
        dev,
      },
      needs: keysOf(entry['dependencies']),
    };
  });
  return byNames(locked, project);
}

/** pdm.lock. An entry may stand once for each extra; all of them are the same package. */
export function readPdmLock(lock: Json, project: PythonProject): Graph {
  const locked = objectList(lock['package']).map((entry): Locked => {
    const groups = textList(entry['groups']);
    return {
      node: {
        ...described(
          entry,
          objectList(entry['files']).map(({ hash }) => hash),
        ),
        dev: groups.length > 0 && !groups.includes('default'),
      },
      needs: names(textList(entry['dependencies'])),
    };
  });
  return byNames(locked, project);
}

/** uv.lock, in which the project and its workspace members are entries themselves. */
export function readUvLock(lock: Json): Graph {
  const locked = objectList(lock['package']).map((entry): Locked => {
    const source: Json = isObject(entry['source']) ? entry['source'] : {};
    const folder = textOf(source['editable']) ?? textOf(source['virtual']) ?? textOf(source['directory']);
    const archives = [...objectList([entry['sdist']]), ...objectList(entry['wheels'])];
    const hashes = archives.map(({ hash }) => hash);
    const optional = tables(entry['optional-dependencies']);
    return {
      node: {
        ...described(entry, hashes),
        source: sourceOf(archives[0]?.['url']),
        ...(folder !== undefined && { local: folder }),
      },
      needs: entryNames([...objectList(entry['dependencies']), ...optional]),
      needsForDev: entryNames(tables(entry['dev-dependencies'])),
    };
  });
  return byNames(locked);
}

/** pylock.toml, https://packaging.python.org/en/latest/specifications/pylock-toml/. */
export function readPylock(lock: Json, project: PythonProject): Graph {
  const locked = objectList(lock['packages']).map((entry): Locked => {
    const archives = [...objectList([entry['sdist'], entry['archive']]), ...objectList(entry['wheels'])];
    const hashes = archives.flatMap(({ hashes: one }) => allHashes(one));
    return {
      node: { ...described(entry, []), hashes, source: sourceOf(archives[0]?.['url']) },
      needs: entryNames(objectList(entry['dependencies'])),
    };
  });
  return byNames(locked, project);
}

/** Pipfile.lock: two flat lists, which do not say what needs what. */
export function readPipfileLock(lock: Json, pipfile: Json): Graph {
  const nodes = new Map<string, Node>();
  for (const [section, dev] of [
    ['develop', true],
    ['default', false],
  ] as const) {
    for (const [name, entry] of objects(lock[section])) {
      const node = described(
        { name, version: textOf(entry['version'])?.replace(/^===?/, '') },
        textList(entry['hashes']),
      );
      nodes.set(normalName(name), { ...node, dev, edges: [] });
    }
  }
  const wanted = [...keysOf(pipfile['packages']), ...keysOf(pipfile['dev-packages'])];
  return { ecosystem: 'pypi', nodes: withRoot(nodes, wanted, []) };
}

function described(entry: Json, hashes: readonly unknown[]): Omit<Node, 'edges'> {
  return {
    name: normalName(textOf(entry['name']) ?? ''),
    version: textOf(entry['version']) ?? '',
    hashes: hashes.flatMap(fromPrefixed),
  };
}

function allHashes(value: unknown): readonly Hash[] {
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([algorithm, hex]) => hashOf(algorithm, textOf(hex) ?? ''));
}

function tables(value: unknown): readonly Json[] {
  return isObject(value) ? Object.values(value).flatMap(objectList) : [];
}

function entryNames(entries: readonly Json[]): readonly string[] {
  return entries.flatMap(({ name }) => (typeof name === 'string' ? [normalName(name)] : []));
}

/**
 * A graph of entries that need each other by name. Where several versions of a name are locked, for other platforms or
 * Pythons, each of them may be what is needed.
 */
function byNames(locked: readonly Locked[], project?: PythonProject): Graph {
  const nodes = new Map<string, Node>();
  const keys = new Map<string, string[]>();
  locked.forEach(({ node }, index) => {
    const list = keys.get(node.name) ?? [];
    list.push(String(index));
    keys.set(node.name, list);
  });
  const edges = (wanted: readonly string[], dev = false): readonly Edge[] =>
    wanted.flatMap((name) => (keys.get(name) ?? []).map((to) => ({ to, ...(dev && { dev }) })));
  locked.forEach(({ node, needs, needsForDev = [] }, index) => {
    nodes.set(String(index), { ...node, edges: [...edges(needs), ...edges(needsForDev, true)] });
  });
  if (project === undefined) return { ecosystem: 'pypi', nodes };
  const [wanted, dev] = [edges(project.wanted), edges(project.dev, true)];
  return { ecosystem: 'pypi', nodes: withRoot(nodes, [], [...wanted, ...dev]) };
}

/** Adds the project itself, where it is known to ask for anything. */
function withRoot(nodes: Map<string, Node>, wanted: readonly string[], edges: readonly Edge[]): Map<string, Node> {
  const all = [...edges, ...wanted.map((to) => ({ to, dev: nodes.get(to)?.dev === true }))];
  if (all.length === 0) return nodes;
  return new Map([...nodes, ['project', { name: '', version: '', local: '.', edges: all }]]);
}
