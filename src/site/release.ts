import { UserError } from '../action/errors.ts';
import type { Kind } from './kind.ts';
import { STATE, type SiteFile } from './scan.ts';

/** A file of a release, as it is kept in the bucket. */
export interface ReleasedFile extends Pick<SiteFile, 'path' | 'kind' | 'sha256' | 'bytes' | 'id'> {
  /** What S3 called it when it was put in its place: it is still ours while S3 says the same. */
  readonly etag: string;
}

/** One release: what the bucket has to hold for it, in `.releases/<id>.json`. */
export interface Release {
  readonly id: string;
  /** When it was made, in milliseconds since 1970. */
  readonly at: number;
  readonly commit: string;
  /** Page of the run that made it. */
  readonly run: string;
  /** One hash for all of it without its configuration: equal in every environment that one build was brought to. */
  readonly content: string;
  readonly files: readonly ReleasedFile[];
}

/** The keys of one site in its bucket. */
export interface Layout {
  /** `''`, or ends in `/`. */
  readonly prefix: string;
  /** Begins every key that is kept and not served. */
  readonly state: string;
  /** Says which release is served. */
  readonly pointer: string;
  key(path: string): string;
  release(id: string): string;
  /** The copy of a file whose name does not change: what a rollback puts back. */
  stored(file: Pick<ReleasedFile, 'id'>): string;
}

export function layoutOf(prefix: string): Layout {
  const state = `${prefix}${STATE}/`;
  return {
    prefix,
    state,
    pointer: `${state}current.json`,
    key: (path) => `${prefix}${path}`,
    release: (id) => `${state}${id}.json`,
    stored: ({ id }) => `${state}files/${id}`,
  };
}

/** The form of a release's id: its time, commit and content, so that ids sort by time. */
export const RELEASE_ID = /\d{8}-\d{6}-[0-9a-z]{1,7}-[0-9a-f]{6}/;

export function releaseId(at: number, commit: string, content: string): string {
  const [day = '', time = ''] = new Date(at)
    .toISOString()
    .replaceAll(/[-:]|\.\d+Z/g, '')
    .split('T');
  return `${day}-${time}-${commit.slice(0, 7).toLowerCase() || 'local'}-${content.slice(0, 6)}`;
}

export function isReleaseId(value: unknown): value is string {
  return typeof value === 'string' && new RegExp(`^${RELEASE_ID.source}$`).test(value);
}

/** The ids of the releases that a list shows, in order of time. */
export function idsIn(keys: Iterable<string>, { state }: Layout): readonly string[] {
  return [...keys]
    .filter((key) => key.startsWith(state) && key.endsWith('.json'))
    .map((key) => key.slice(state.length, -'.json'.length))
    .filter(isReleaseId)
    .toSorted();
}

/** When the release of this id was made, in milliseconds since 1970. */
export function timeOf(id: string): number {
  const [, y, mo, d, h, mi, s] = /^(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)/.exec(id) ?? [];
  return Date.parse(`${y}-${mo}-${d}T${h}:${mi}:${s}Z`);
}

export function writeRelease(release: Release): Buffer {
  return Buffer.from(JSON.stringify({ version: 1, ...release }));
}

/** @throws UserError when somebody else wrote it, or a later version of this action */
export function readRelease(text: string, key: string): Release {
  const value = parsed(text, key);
  const { id, at, commit, run, content, files } = value;
  const isWhole =
    [id, commit, run, content].every((one) => typeof one === 'string') &&
    typeof at === 'number' &&
    Array.isArray(files) &&
    files.every(isReleasedFile);
  if (!isWhole) throw strange(key);
  return { id, at, commit, run, content, files } as Release;
}

/** What JSON of this action holds. @throws UserError when it is of another form */
export function parsed(text: string, key: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && 'version' in value && value.version === 1) return { ...value };
  } catch {
    // told below
  }
  throw strange(key);
}

export function strange(key: string): UserError {
  return new UserError(`${key} in the bucket is not what deploy-web wrote`, {
    remedy: `Use the newest version of the action; where somebody else wrote it, give the site another prefix or delete the folder ${STATE}.`,
  });
}

function isReleasedFile(value: unknown): value is ReleasedFile {
  if (typeof value !== 'object' || value === null) return false;
  const { path, kind, sha256, bytes, id, etag } = value as Record<string, unknown>;
  const known: readonly Kind[] = ['asset', 'other', 'page', 'worker'];
  return (
    [path, sha256, etag].every((one) => typeof one === 'string') &&
    typeof bytes === 'number' &&
    known.some((one) => one === kind) &&
    typeof id === 'string' &&
    /^[0-9a-f]{64}$/.test(id)
  );
}
