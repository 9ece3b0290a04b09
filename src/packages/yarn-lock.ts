import { UserError } from '../action/errors.ts';
import type { PackageJson } from '../node/manifest.ts';
import { isObject, texts } from '../project/json.ts';
import type { Edge, Graph, Node } from './graph.ts';
import { fromIntegrity, hashOf, objects, sourceOf, textOf } from './values.ts';

type Json = Readonly<Record<string, unknown>>;

/** A package of the project: its folder relative to the lockfile, `.` for the root, and its package.json. */
export interface Member {
  readonly folder: string;
  readonly project: PackageJson;
}

/** More than one project has of a package: each may be what a range of `resolutions` means. */
const MAX_VERSIONS = 10;

/** One entry of yarn.lock: every `name@range` that it answers, and what it says. */
interface Entry {
  readonly selectors: readonly string[];
  readonly node: Omit<Node, 'edges'>;
  readonly wanted: Readonly<Record<string, string>>;
}

/**
 * yarn.lock of yarn 1, https://classic.yarnpkg.com/docs/yarn-lock: neither JSON nor YAML, but two levels of indented
 * `name value`. It does not say what the project asks for, so that comes from the package.json of its members.
 */
export function readYarnClassic(text: string, file: string, members: readonly Member[]): Graph {
  const entries: Entry[] = [];
  let block: string[] = [];
  const lines = [...text.split(/\r?\n/), 'end:'];
  for (const line of lines) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    if (/^\s/.test(line)) {
      if (block.length === 0) throw malformed(file);
      block.push(line);
      continue;
    }
    if (block.length > 0) entries.push(classicEntry(block));
    if (!line.endsWith(':')) throw malformed(file);
    block = [line];
  }
  return graphOf(entries, members);
}

function classicEntry([head = '', ...lines]: readonly string[]): Entry {
  const fields: Record<string, string> = {};
  const wanted: Record<string, string> = {};
  for (const line of lines) {
    const [, indent = '', name = '', value = ''] = /^(\s+)("[^"]*"|\S+)\s*([^]*)$/.exec(line) ?? [];
    if (value !== '') (indent.length > 2 ? wanted : fields)[unquoted(name)] = unquoted(value);
  }
  const selectors = head
    .slice(0, -1)
    .split(',')
    .map((one) => unquoted(one.trim()));
  const [, sha1 = ''] = /#([0-9a-f]{40})$/.exec(fields['resolved'] ?? '') ?? [];
  const hashes = fromIntegrity(fields['integrity']);
  const node = {
    name: realName(selectors[0] ?? ''),
    version: fields['version'] ?? '',
    hashes: hashes.length > 0 ? hashes : hashOf('sha1', sha1),
    source: sourceOf(fields['resolved']),
  };
  return { selectors, node, wanted };
}

/**
 * yarn.lock of yarn 2 and later. Its checksums are those of yarn's own archives, which no registry knows, so they are
 * left out. A member's entry mixes what it wants for developing with the rest: its package.json tells them apart.
 * @param lock the parsed YAML
 */
export function readYarnBerry(lock: Json, members: readonly Member[]): Graph {
  const entries = objects(lock).flatMap(([key, entry]): Entry[] => {
    if (key === '__metadata') return [];
    const resolution = textOf(entry['resolution']) ?? '';
    const at = resolution.indexOf('@', 1);
    const [name, protocol] = [resolution.slice(0, at), resolution.slice(at + 1)];
    const [, folder] = /^workspace:(.+)$/.exec(protocol) ?? [];
    return [
      {
        selectors: [...key.split(',').map((one) => one.trim()), ...(folder === undefined ? [] : [`@local ${folder}`])],
        node: { name, version: textOf(entry['version']) ?? '', ...(folder !== undefined && { local: folder }) },
        wanted: { ...texts(entry['peerDependencies']), ...texts(entry['dependencies']) },
      },
    ];
  });
  return graphOf(entries, members);
}

function graphOf(entries: readonly Entry[], members: readonly Member[]): Graph {
  const nodes = new Map<string, Node>();
  const bySelector = new Map<string, string>();
  const byName = new Map<string, string[]>();
  entries.forEach(({ selectors, node }, index) => {
    const key = String(index);
    for (const selector of selectors) {
      bySelector.set(selector, key);
      const name = nameOf(selector);
      const known = byName.get(name);
      if (known === undefined) byName.set(name, [key]);
      else if (known.length < MAX_VERSIONS) known.push(key);
    }
    if (node.local !== undefined) bySelector.set(`@local ${node.local}`, key);
  });
  const edgesOf = (wanted: Readonly<Record<string, string>>, dev = false): readonly Edge[] =>
    Object.entries(wanted).flatMap(([name, range]) => {
      const exact = [`${name}@${range}`, `${name}@npm:${range}`].map((one) => bySelector.get(one));
      const found = exact.find((one) => one !== undefined);
      // `resolutions` put another range in place of the one that was asked for: then any version of that name may be it.
      const keys = found === undefined ? (byName.get(name) ?? []) : [found];
      return [...new Set(keys)].map((to) => ({ to, ...(dev && { dev }) }));
    });
  entries.forEach(({ node, wanted }, index) => {
    nodes.set(String(index), { ...node, edges: node.local === undefined ? edgesOf(wanted) : [] });
  });
  for (const { folder, project } of members) {
    const { dependencies, optionalDependencies, devDependencies } = project;
    nodes.set(bySelector.get(`@local ${folder}`) ?? `member ${folder}`, {
      name: project.name ?? folder,
      version: '',
      local: folder,
      edges: [...edgesOf({ ...dependencies, ...optionalDependencies }), ...edgesOf(devDependencies, true)],
    });
  }
  return { ecosystem: 'npm', nodes };
}

function nameOf(selector: string): string {
  return selector.slice(0, selector.indexOf('@', 1));
}

/** `alias@npm:name@^1.0.0` stands for the package name. */
function realName(selector: string): string {
  const [, real] = /^.[^@]*@npm:((?:@[^/@]+\/)?[^/@]+)@/.exec(selector) ?? [];
  return real ?? nameOf(selector);
}

function unquoted(text: string): string {
  return /^".*"$/.test(text) ? text.slice(1, -1) : text;
}

function malformed(file: string): UserError {
  return new UserError(`${file} is not what yarn writes.`, {
    remedy: 'Run `yarn install` and commit the lockfile that it writes; look for markers of a merge conflict.',
    place: { file },
  });
}

/** Whether a yarn.lock is that of yarn 2 or later. */
export function isBerry(text: string): boolean {
  return /^__metadata:/m.test(text);
}

/** The folders that `workspaces` of package.json names without a pattern. */
export function plainWorkspaces(value: unknown): readonly string[] {
  const list: unknown = isObject(value) ? value['packages'] : value;
  return Array.isArray(list)
    ? list.filter((one): one is string => typeof one === 'string' && !/[*!?{[]/.test(one))
    : [];
}
