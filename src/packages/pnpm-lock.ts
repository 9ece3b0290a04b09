import path from 'node:path';
import type { Edge, Graph, Node } from './graph.ts';
import { fromIntegrity, objects, sourceOf, textOf } from './values.ts';
import { isObject } from '../project/json.ts';

type Json = Readonly<Record<string, unknown>>;

/**
 * pnpm-lock.yaml of the versions 5, 6 and 9: https://github.com/pnpm/spec/tree/master/lockfile. In 9 the keys of
 * `packages` are without peers and what they need stands in `snapshots`.
 * @param lock the parsed YAML
 */
export function readPnpmLock(lock: Json): Graph {
  const packages = new Map(objects(lock['packages']));
  const snapshots = isObject(lock['snapshots']) ? new Map(objects(lock['snapshots'])) : packages;
  const nodes = new Map<string, Node>();
  for (const [key, snapshot] of snapshots) {
    const described = packages.get(withoutPeers(key)) ?? packages.get(key) ?? {};
    const [name, version] = split(key);
    const resolution: Json = isObject(described['resolution']) ? described['resolution'] : {};
    nodes.set(key, {
      name: textOf(described['name']) ?? name,
      version: textOf(described['version']) ?? version,
      hashes: fromIntegrity(resolution['integrity']),
      source: sourceOf(resolution['tarball']),
      dev: snapshot['dev'] === true,
      edges: ['dependencies', 'optionalDependencies'].flatMap((kind) => edgesOf(snapshots, snapshot[kind], '.')),
    });
  }
  // A project without workspaces stands at the top in version 5 and 6.
  const importers = isObject(lock['importers']) ? objects(lock['importers']) : [['.', lock] as const];
  for (const [folder, importer] of importers) {
    nodes.set(localKey(folder), {
      name: folder,
      version: '',
      local: folder,
      edges: [
        ...['dependencies', 'optionalDependencies'].flatMap((kind) => edgesOf(snapshots, importer[kind], folder)),
        ...edgesOf(snapshots, importer['devDependencies'], folder).map((edge) => ({ ...edge, dev: true })),
      ],
    });
  }
  return { ecosystem: 'npm', nodes };
}

function localKey(folder: string): string {
  return `importer ${folder}`;
}

function edgesOf(snapshots: ReadonlyMap<string, Json>, wanted: unknown, folder: string): readonly Edge[] {
  if (!isObject(wanted)) return [];
  return Object.entries(wanted).flatMap(([name, value]) => {
    const version = textOf(isObject(value) ? value['version'] : value);
    if (version === undefined) return [];
    if (version.startsWith('link:')) {
      return [{ to: localKey(path.posix.join(folder, version.slice('link:'.length))) }];
    }
    // 9, 6 and 5; an alias or another source is a whole key by itself.
    const keys = [`${name}@${version}`, `/${name}@${version}`, `/${name}/${version}`, version, `/${version}`];
    const to = keys.find((key) => snapshots.has(key));
    return to === undefined ? [] : [{ to }];
  });
}

function withoutPeers(key: string): string {
  const at = key.indexOf('(');
  return at === -1 ? key : key.slice(0, at);
}

/** Name and version of `name@1.0.0(peer@2.0.0)`, `/name@1.0.0(peer@2.0.0)` and `/name/1.0.0_peer@2.0.0`. */
function split(key: string): readonly [string, string] {
  const plain = withoutPeers(key).replace(/^\//, '');
  const older = /^((?:@[^/@]+\/)?[^/@]+)\/([^/_]+)(?:_.*)?$/.exec(plain);
  if (key.startsWith('/') && older !== null) return [older[1] ?? '', older[2] ?? ''];
  const at = plain.indexOf('@', 1);
  return at === -1 ? [plain, ''] : [plain.slice(0, at), plain.slice(at + 1)];
}
