import semver from 'semver';
import { pathsTo } from '../packages/graph.ts';
import type { PackageSet, ResolvedPackage } from '../packages/package.ts';
import { objectList, textList, textOf } from '../packages/values.ts';
import { isObject } from '../project/json.ts';
import type { Ignore } from './ignore.ts';
import type { Affected, OsvRecord } from './osv.ts';
import { type Graveness, SEVERITIES, type Severity, gravenessOf, isMalware } from './severity.ts';

/** A known vulnerability in a package of the project. */
export interface Finding extends Graveness {
  readonly id: string;
  /** Its names in other databases. */
  readonly aliases: readonly string[];
  readonly summary: string;
  readonly package: ResolvedPackage;
  /** The nearest version without it; absent where there is none. */
  readonly fixed?: string;
  /** From what the project names to the package, as names. */
  readonly path: readonly string[];
  /** The package was made to do harm. */
  readonly malware: boolean;
  /** Why it is let pass. */
  readonly ignored?: Ignore;
}

/** What was found, the gravest first. */
export interface Audit {
  readonly packages: number;
  readonly findings: readonly Finding[];
  /** Entries of the ignore list that did nothing: their day is over, or nothing has that name. */
  readonly idle: readonly { readonly entry: Ignore; readonly why: 'over' | 'not found' }[];
  /** Requirements without a known version, about which nothing can be said. */
  readonly open: readonly string[];
}

/** Turns what the database knows into findings. `today` is milliseconds since 1970. */
export function judge(
  set: PackageSet,
  affected: readonly Affected[],
  ignores: readonly Ignore[],
  today: number,
): Audit {
  const paths = pathsTo(set);
  const day = new Date(today).toISOString().slice(0, 10);
  const used = new Set<Ignore>();
  const findings = affected.flatMap(({ package: one, records }) =>
    merged(records).map((record): Finding => {
      const aliases = namesOf(record).filter((name) => name !== record.id);
      const entry = ignores.find(({ id }) => namesOf(record).includes(id));
      if (entry !== undefined) used.add(entry);
      const fixed = fixedIn(record, one);
      return {
        ...gravenessOf(record),
        id: record.id,
        aliases,
        summary: textOf(record['summary']) ?? textOf(record['details'])?.split('\n')[0] ?? '',
        package: one,
        ...(fixed !== undefined && { fixed }),
        path: paths.get(one.purl) ?? [one.name],
        malware: isMalware(record),
        ...(entry !== undefined && entry.until >= day && { ignored: entry }),
      };
    }),
  );
  const idle = ignores
    .filter((entry) => !used.has(entry) || entry.until < day)
    .map((entry): Audit['idle'][number] => ({ entry, why: used.has(entry) ? 'over' : 'not found' }));
  return { packages: set.packages.length, findings: findings.toSorted(byGravity), idle, open: set.open };
}

/**
 * Whether a finding stops a build at a level. What is for developing only does not run where it could be attacked, but
 * a malicious package does its harm while it is installed. Where nobody has told the severity, it counts as moderate.
 */
export function stops(finding: Finding, level: Severity): boolean {
  if (finding.ignored !== undefined) return false;
  if (finding.package.dev && !finding.malware) return false;
  return rank(finding) >= SEVERITIES.indexOf(level);
}

function rank({ severity = 'moderate' }: Graveness): number {
  return SEVERITIES.indexOf(severity);
}

function byGravity(a: Finding, b: Finding): number {
  const dev = Number(a.package.dev) - Number(b.package.dev);
  return (
    dev ||
    rank(b) - rank(a) ||
    (b.score ?? 0) - (a.score ?? 0) ||
    (a.package.purl + a.id < b.package.purl + b.id ? -1 : 1)
  );
}

/** Several databases tell of one vulnerability: of those that share a name one stays, GitHub's where it is among them. */
function merged(records: readonly OsvRecord[]): readonly OsvRecord[] {
  const kept: OsvRecord[] = [];
  for (const record of records.toSorted((a, b) => order(a.id) - order(b.id))) {
    const names = namesOf(record);
    if (!kept.some((one) => namesOf(one).some((name) => names.includes(name)))) kept.push(record);
  }
  return kept;
}

function order(id: string): number {
  return id.startsWith('GHSA-') ? 0 : 1;
}

function namesOf(record: OsvRecord): readonly string[] {
  return [record.id, ...textList(record['aliases'])];
}

/** The lowest version above the present one that an entry for this package calls fixed. */
function fixedIn(record: OsvRecord, { ecosystem, name, version }: ResolvedPackage): string | undefined {
  const fixes = objectList(record['affected'])
    .filter(
      (entry) => isObject(entry['package']) && textOf(entry['package']['name'])?.toLowerCase() === name.toLowerCase(),
    )
    .flatMap((entry) => objectList(entry['ranges']))
    .flatMap((range) => objectList(range['events']))
    .flatMap((event) => textOf(event['fixed']) ?? []);
  const compare = ecosystem === 'npm' ? compareSemver : compareReleases;
  return fixes.filter((fix) => compare(fix, version) > 0).toSorted(compare)[0];
}

function compareSemver(a: string, b: string): number {
  return semver.valid(a) !== null && semver.valid(b) !== null ? semver.compare(a, b) : compareReleases(a, b);
}

/** By the numbers of the release alone: enough to find the next fix among the few that an advisory names. */
function compareReleases(a: string, b: string): number {
  const [one, other] = [a, b].map((version) => version.split(/[^0-9]+/).map(Number));
  for (let at = 0; at < Math.max(one?.length ?? 0, other?.length ?? 0); at += 1) {
    const difference = (one?.[at] ?? 0) - (other?.[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
