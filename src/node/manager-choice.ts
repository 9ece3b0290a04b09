import semver from 'semver';
import { type Place, UserError } from '../action/errors.ts';
import type { PackageJson } from './manifest.ts';

/** What users call the package managers. */
export type Family = 'npm' | 'pnpm' | 'yarn' | 'bun';
/** All package managers by the name a user gives. */
export const FAMILIES: readonly Family[] = ['npm', 'pnpm', 'yarn', 'bun'];

/** The hash that Corepack writes behind a version: `+sha512.` and hexadecimal digits. */
export interface Hash {
  readonly algorithm: 'sha1' | 'sha224' | 'sha256' | 'sha384' | 'sha512';
  readonly hex: string;
}

/** A manager as package.json names it. */
export interface Declared {
  readonly family: Family;
  /** Exact, by `packageManager`. */
  readonly version?: string;
  /** By `devEngines`. */
  readonly range?: string;
  readonly hash?: Hash;
  /** Where it stands, as a phrase. */
  readonly where: string;
}

const HEX_DIGITS = { sha1: 40, sha224: 56, sha256: 64, sha384: 96, sha512: 128 } as const;

/**
 * The manager that package.json names by `packageManager` or `devEngines.packageManager`.
 * @throws UserError when one is not understood or both exclude each other
 */
export function declaredManager(project: PackageJson, file = 'package.json'): Declared | undefined {
  const place = { file };
  const pinned = byPackageManager(project.packageManager, place);
  const ranged = byDevEngines(project, place);
  if (pinned === undefined || ranged === undefined) return pinned ?? ranged;
  const agree =
    pinned.family === ranged.family && semver.satisfies(pinned.version ?? '', ranged.range ?? '*', { loose: true });
  if (agree) return pinned;
  const wanted = `${ranged.family}${ranged.range === undefined ? '' : ` ${ranged.range}`}`;
  throw new UserError(
    `${pinned.where} names ${pinned.family} ${pinned.version}, but \`devEngines.packageManager\` ${wanted}.`,
    { remedy: 'Change one of them so that they agree.', place },
  );
}

/**
 * The range that `engines` gives for a manager; undefined where it gives none. A word such as `please-use-pnpm` under
 * another manager's name is no range.
 */
export function engineOf(project: PackageJson, family: Family): string | undefined {
  const range = project.engines[family];
  return range !== undefined && range.length <= 100 && semver.validRange(range) !== null ? range : undefined;
}

function byPackageManager(value: string | undefined, place: Place): Declared | undefined {
  if (value === undefined) return undefined;
  const [, name, version, build] = /^([a-z]+)@([^+]+)(?:\+(.*))?$/.exec(value) ?? [];
  const family = FAMILIES.find((known) => known === name);
  if (family === undefined || version === undefined || semver.valid(version) === null) {
    throw new UserError(
      `\`packageManager\` is ${JSON.stringify(value.slice(0, 200))}, which names no known package manager.`,
      { remedy: 'Write it as npm, pnpm, yarn or bun with an exact version, such as "npm@11.6.0".', place },
    );
  }
  const hash = build === undefined ? undefined : hashOf(build, place);
  if (hash !== undefined && family === 'bun') {
    throw new UserError('`packageManager` has a hash for bun, whose program is another file on each platform.', {
      remedy: `Write it without the hash: "bun@${version}".`,
      place,
    });
  }
  return { family, version, ...(hash && { hash }), where: `\`packageManager\` in ${place.file}` };
}

function hashOf(build: string, place: Place): Hash {
  const [, name, hex = ''] = /^(\w+)\.([\da-f]+)$/i.exec(build) ?? [];
  const algorithm = (Object.keys(HEX_DIGITS) as Hash['algorithm'][]).find((known) => known === name);
  if (algorithm !== undefined && hex.length === HEX_DIGITS[algorithm]) return { algorithm, hex: hex.toLowerCase() };
  throw new UserError(`\`packageManager\` ends in ${JSON.stringify(`+${build.slice(0, 150)}`)}, which is no hash.`, {
    remedy: 'Let Corepack write it (`corepack use`), or leave out what begins with +.',
    place,
  });
}

function byDevEngines({ devEngines }: PackageJson, place: Place): Declared | undefined {
  const where = `\`devEngines.packageManager\` in ${place.file}`;
  for (const { name, version } of devEngines.packageManager) {
    const family = FAMILIES.find((known) => known === name);
    if (family === undefined) continue;
    if (version === undefined) return { family, where };
    if (version.length <= 100 && semver.validRange(version) !== null) return { family, range: version, where };
    throw new UserError(`${where} asks for ${name} ${JSON.stringify(version.slice(0, 100))}, which is no range.`, {
      remedy: 'Write a version or a range, such as "^10.0.0".',
      place,
    });
  }
  return undefined;
}
