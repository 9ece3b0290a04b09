import { UserError } from '../action/errors.ts';
import { type Ecosystem, type Hash, type PackageSet, type ResolvedPackage, packageUrl } from './package.ts';

/** One entry of a lockfile, before it is known what leads to it. */
export interface Node {
  readonly name: string;
  readonly version: string;
  readonly hashes?: readonly Hash[];
  readonly license?: string | undefined;
  readonly source?: string | undefined;
  /** A package of the project itself: nothing that a registry gave. Its path relative to the lockfile, `.` for the root. */
  readonly local?: string;
  readonly edges: readonly Edge[];
  /** What the lockfile itself says; used where nothing leads to the entry. */
  readonly dev?: boolean;
}

/** That an entry needs another. */
export interface Edge {
  /** Key of the other in the lockfile's map of nodes. */
  readonly to: string;
  /** Only of packages of the project: wanted for developing. */
  readonly dev?: boolean;
}

/** What a lockfile holds, by keys that only this lockfile has to understand. */
export interface Graph {
  readonly ecosystem: Ecosystem;
  readonly nodes: ReadonlyMap<string, Node>;
  readonly open?: readonly string[];
}

/** More than the largest public lockfiles hold (about 10,000), so that a made-up one cannot take all memory. */
const MAX_PACKAGES = 100_000;

/**
 * The packages of a lockfile, with what is for developing only and what is named directly.
 * @param member path of the workspace package that is built: only what it needs counts. Without one, all of them count.
 * @throws UserError when there are more than 100,000 of them
 */
export function settle(graph: Graph, lockfile: string, member?: string): PackageSet {
  const { ecosystem, nodes, open = [] } = graph;
  if (nodes.size > MAX_PACKAGES) throw new UserError(`${lockfile} holds more than ${MAX_PACKAGES} packages`);
  const locals = [...nodes].filter(([, { local }]) => local !== undefined);
  const starts = (member === undefined ? locals : locals.filter(([, { local }]) => local === member)).map(
    ([key]) => key,
  );
  const production = reach(graph, starts, false);
  const everything = reach(graph, starts, true);
  const direct = directOf(graph, member === undefined ? starts : [...everything]);

  const urls = new Map([...nodes].map(([key, node]) => [key, urlOf(ecosystem, node)]));
  const found = new Map<string, ResolvedPackage>();
  const unknown = new Set(open);
  for (const [key, node] of nodes) {
    const counts = everything.has(key) || member === undefined || starts.length === 0;
    if (node.local !== undefined || !counts) continue;
    const purl = urls.get(key);
    if (purl === undefined) {
      if (NAME.test(node.name)) unknown.add(node.name);
      continue;
    }
    const before = found.get(purl);
    const dev = everything.has(key) ? !production.has(key) : (node.dev ?? false);
    const dependencies = node.edges.flatMap(({ to }) => urls.get(to) ?? []);
    const { license = before?.license, source = before?.source } = node;
    found.set(purl, {
      ecosystem,
      name: node.name,
      version: node.version,
      purl,
      hashes: before?.hashes.length ? before.hashes : (node.hashes ?? []),
      ...(license !== undefined && { license }),
      ...(source !== undefined && { source }),
      // One version may stand in several places of node_modules: it is what any of them is.
      dev: dev && (before?.dev ?? true),
      direct: direct.has(key) || (before?.direct ?? false),
      dependencies: [...new Set([...(before?.dependencies ?? []), ...dependencies])].toSorted(),
    });
  }
  const packages = [...found.values()].toSorted((a, b) => (a.purl < b.purl ? -1 : 1));
  return { lockfile, packages, open: [...unknown].toSorted() };
}

/** Every key that the starts lead to; with `dev` what they want for developing too. */
function reach({ nodes }: Graph, starts: readonly string[], dev: boolean): ReadonlySet<string> {
  const seen = new Set(starts);
  const first = new Set(starts);
  // A set hands out what is added while it is walked.
  for (const key of seen) {
    for (const edge of nodes.get(key)?.edges ?? []) {
      if (edge.dev !== true || (dev && first.has(key))) seen.add(edge.to);
    }
  }
  return seen;
}

function directOf({ nodes }: Graph, among: readonly string[]): ReadonlySet<string> {
  const locals = among.map((key) => nodes.get(key)).filter((node) => node?.local !== undefined);
  return new Set(locals.flatMap((node) => node?.edges.map(({ to }) => to) ?? []));
}

function urlOf(ecosystem: Ecosystem, node: Node): string | undefined {
  return node.local === undefined && isUsable(node) ? packageUrl(ecosystem, node.name, node.version) : undefined;
}

/** A lockfile is text from outside: names that no registry has are left out, since they reach addresses and tables. */
function isUsable({ name, version }: Node): boolean {
  return NAME.test(name) && VERSION.test(version);
}

/** npm's older names may hold more than today's; none holds a space, a control character or a second slash. */
const NAME = /^(?:@[^\s/@\p{Cc}]{1,200}\/)?[^\s/@\p{Cc}]{1,214}$/u;
const VERSION = /^[\w.+!*~-]{1,256}$/;

/** The shortest way from a package of the project to each package: `express > body-parser > qs`, as names. */
export function pathsTo({ packages }: PackageSet): ReadonlyMap<string, readonly string[]> {
  const byUrl = new Map(packages.map((one) => [one.purl, one]));
  const paths = new Map<string, readonly string[]>();
  const isBetter = (one: ResolvedPackage): boolean => one.direct && !one.dev;
  // Those that reach production first, so that the path shown is the one that matters.
  for (const one of packages.filter(isBetter)) paths.set(one.purl, [one.name]);
  walk(byUrl, paths);
  for (const one of packages.filter(({ direct, purl }) => direct && !paths.has(purl))) paths.set(one.purl, [one.name]);
  walk(byUrl, paths);
  return paths;
}

function walk(byUrl: ReadonlyMap<string, ResolvedPackage>, paths: Map<string, readonly string[]>): void {
  for (const [purl, path] of paths) {
    for (const next of byUrl.get(purl)?.dependencies ?? []) {
      const one = byUrl.get(next);
      if (one !== undefined && !paths.has(next)) paths.set(next, [...path, one.name]);
    }
  }
}
