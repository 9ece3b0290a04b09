import { UserError } from '../action/errors.ts';

/** The parts of an image's name. */
export interface Reference {
  /** Host with port where one is given; Docker Hub is `docker.io`. */
  readonly registry: string;
  /** Path within the registry, such as `library/node`. */
  readonly repository: string;
  readonly tag?: string;
  /** `sha256:` and 64 hexadecimal digits. */
  readonly digest?: string;
}

// The grammar is https://github.com/distribution/reference (reference.go and regexp.go).
const DOMAIN_PART = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const DOMAIN = new RegExp(String.raw`^(?:${DOMAIN_PART}(?:\.${DOMAIN_PART})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?$`);
const PATH_PART = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const REPOSITORY = new RegExp(`^${PATH_PART}(?:/${PATH_PART})*$`);
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;
const MAX_NAME = 255;
const HUB = 'docker.io';

/**
 * Reads an image's name as docker does: `node:24` is `docker.io/library/node` with tag `24`.
 * @throws UserError when it does not follow the grammar
 */
export function parseReference(text: string): Reference {
  const [named, ...digests] = text.split('@');
  const [digest] = digests;
  if (named === undefined || digests.length > 1) throw refused(text, 'it has more than one @');
  if (digest !== undefined && !isDigest(digest)) throw refused(text, `${show(digest)} is not a digest`);
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  const tag = colon === -1 ? undefined : named.slice(colon + 1);
  if (tag !== undefined && !isTag(tag)) throw refused(text, `${show(tag)} is not a tag`);
  return {
    ...splitName(colon === -1 ? named : named.slice(0, colon), text),
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** The whole name, registry included: what it was read from names the same image. */
export function showReference({ registry, repository, tag, digest }: Reference): string {
  return `${registry}/${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

/** Whether a text may stand as a tag: 1 to 128 word characters, dots and dashes, neither of these two first. */
export function isTag(text: string): boolean {
  return TAG.test(text);
}

/** Whether a text is a digest of an algorithm that OCI registers: `sha256:` or `sha512:` with lowercase hex digits. */
export function isDigest(text: string): boolean {
  return DIGEST.test(text);
}

function splitName(name: string, text: string): Pick<Reference, 'registry' | 'repository'> {
  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(slash, 0));
  const hasRegistry = /[.:A-Z]/.test(first) || first === 'localhost';
  const registry = hasRegistry ? first.replace(/^index\.docker\.io$/, HUB) : HUB;
  const path = hasRegistry ? name.slice(slash + 1) : name;
  const repository = registry === HUB && !path.includes('/') ? `library/${path}` : path;
  if (!DOMAIN.test(registry)) throw refused(text, `${show(registry)} is not a registry's host`);
  if (/[A-Z]/.test(path)) throw refused(text, 'a repository is written in lower case');
  if (!REPOSITORY.test(repository)) throw refused(text, `${show(path)} is not a repository`);
  if (/^[a-f0-9]{64}$/.test(name)) throw refused(text, 'it is an image id, not a name');
  if (registry.length + 1 + repository.length > MAX_NAME) throw refused(text, `it is longer than ${MAX_NAME}`);
  return { registry, repository };
}

function refused(text: string, why: string): UserError {
  return new UserError(`${show(text)} is not the name of an image: ${why}.`, {
    remedy: 'Write it as registry/repository, with :tag or @sha256:… where wanted, such as ghcr.io/team/api:1.2.',
  });
}

function show(text: string): string {
  return JSON.stringify(text.slice(0, 300));
}
