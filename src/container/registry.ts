import { createHash } from 'node:crypto';
import { UserError } from '../action/errors.ts';
import type { Log } from '../action/log.ts';
import { type Reference, isDigest, parseReference, showReference } from './reference.ts';
import {
  type RegistryAnswer,
  type RegistryAuth,
  type RegistryHost,
  type RegistryTransport,
  registryTransport,
} from './registry-http.ts';

/** How to sign in at a registry, by its host; registries that are not named are asked anonymously. */
export type Auths = Readonly<Record<string, RegistryAuth>>;

const MANIFESTS = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

const PIN_MS = 3000;

/**
 * The digest that a reference stands for now, of the index where the image has several platforms.
 * @returns undefined when the registry has no such image, or no such repository
 * @throws UserError when the registry refuses or cannot be reached
 */
export async function resolveDigest(
  reference: Reference,
  auths: Auths,
  host: RegistryHost,
): Promise<string | undefined> {
  const ask = registryTransport(auths[reference.registry], host);
  const answer = await manifest(ask, 'HEAD', reference);
  if (answer.status === 404) return undefined;
  const told = answer.status === 200 ? answer.headers.get('docker-content-digest') : null;
  if (told !== null && isDigest(told)) return told;
  // The spec lets a registry leave the header out; then the digest is that of the manifest's bytes. And the reason of a
  // refusal, such as the permission that is missing, stands in a body, which HEAD has none of.
  const whole = await manifest(ask, 'GET', reference);
  if (whole.status !== 200) throw refusal(whole, reference, 'be read');
  return digestOf(whole.body);
}

/**
 * Gives an image one more tag, by putting the manifest that is already there once more: no layer is moved.
 * A tag that stands on this digest already is left alone, so that it works in registries with immutable tags too.
 * @param reference with the digest of the image
 * @throws UserError when the tag is immutable and stands on another digest, or the registry refuses
 */
export async function addTag(
  reference: Reference & { readonly digest: string },
  tag: string,
  auths: Auths,
  host: RegistryHost,
): Promise<void> {
  const { registry, repository, digest } = reference;
  const target = parseReference(`${registry}/${repository}:${tag}`);
  const before = await resolveDigest(target, auths, host);
  if (before === digest) return;
  const ask = registryTransport(auths[registry], host);
  const source = await manifest(ask, 'GET', { registry, repository, digest });
  if (source.status !== 200) throw refusal(source, reference, 'be read');
  const type = source.headers.get('content-type') ?? 'application/vnd.oci.image.manifest.v1+json';
  const answer = await ask({
    registry,
    repository,
    method: 'PUT',
    path: `manifests/${tag}`,
    actions: 'pull,push',
    body: { type, content: source.body },
  });
  if (answer.status === 201 || answer.status === 200) return;
  if (isImmutable(answer)) return settleImmutable(target, digest, auths, host);
  throw refusal(answer, target, 'be tagged');
}

/**
 * Asks for an upload and takes it back, so that a refused push is known before anything is built: docker itself finds out
 * last, and tries again for most of a minute.
 * @throws UserError when the registry does not let this sign-in push to the repository
 */
export async function checkPush(reference: Reference, auths: Auths, host: RegistryHost): Promise<void> {
  const { registry, repository } = reference;
  const ask = registryTransport(auths[registry], host);
  const call = { registry, repository, actions: 'pull,push' } as const;
  const answer = await ask({ ...call, method: 'POST', path: 'blobs/uploads/' });
  if ([401, 403, 404].includes(answer.status)) throw refusal(answer, reference, 'be pushed');
  const [, upload] = answer.headers.get('location')?.split(`/v2/${repository}/`) ?? [];
  // An upload that cannot be taken back ends by itself; what else is wrong shows when docker pushes.
  if (upload !== undefined) await ask({ ...call, method: 'DELETE', path: upload });
}

/** A base image as it is built upon. */
export interface Pinned {
  /** With the digest, when it could be found. */
  readonly name: string;
  readonly digest?: string;
}

/**
 * Pins a base image by its digest, so that the same sources give the same image. A registry that does not answer
 * within 3 s stops no build: the name stays as it is, and one line in the log says so.
 */
export async function pinBase(name: string, auths: Auths, host: RegistryHost & { readonly log: Log }): Promise<Pinned> {
  const reference = parseReference(name);
  if (reference.digest !== undefined) return { name, digest: reference.digest };
  const limit = AbortSignal.timeout(PIN_MS);
  try {
    const signal = AbortSignal.any([limit, host.signal]);
    const digest = await resolveDigest(reference, auths, { ...host, signal, timeout: PIN_MS, attempts: 2 });
    if (digest !== undefined) return { name: `${name}@${digest}`, digest };
    host.log.info(`${name} is not pinned by digest: ${reference.registry} has no such image`);
  } catch (error) {
    host.signal.throwIfAborted();
    const why = error instanceof UserError ? error.message : `${reference.registry} did not answer within 3 s`;
    host.log.info(`${name} is not pinned by digest: ${why}`);
  }
  return { name };
}

/** Between the look and the put another run may have set the same tag: then all is well. */
async function settleImmutable(target: Reference, digest: string, auths: Auths, host: RegistryHost): Promise<void> {
  const now = await resolveDigest(target, auths, host);
  if (now === digest) return;
  throw new UserError(`${showReference(target)} is immutable and stands on ${now ?? 'another image'}.`, {
    remedy: 'Push the commit anew, so that the image gets a tag of its own; tags in this repository never move.',
  });
}

/** ECR answers 400 with code TAG_INVALID (or its own ImageTagAlreadyExistsException) and names the immutability. */
function isImmutable({ status, body }: RegistryAnswer): boolean {
  return (status === 400 || status === 409 || status === 412) && /immutable|AlreadyExists/i.test(body.toString());
}

/** A manifest as it is; whatever was asked for by digest has that digest. @throws UserError when it has not */
export async function manifest(
  ask: RegistryTransport,
  method: 'GET' | 'HEAD',
  { registry, repository, tag = 'latest', digest }: Reference,
): Promise<RegistryAnswer> {
  const path = `manifests/${digest ?? tag}`;
  const answer = await ask({ registry, repository, method, path, actions: 'pull', accept: MANIFESTS });
  if (method === 'GET' && answer.status === 200 && digest?.startsWith('sha256:') && digestOf(answer.body) !== digest) {
    throw new UserError(`${registry} gave a manifest of ${repository} that does not have the digest ${digest}.`, {
      remedy: 'Do not use this image; ask who runs the registry, or a proxy before it.',
    });
  }
  return answer;
}

function digestOf(body: Buffer): string {
  return `sha256:${createHash('sha256').update(body).digest('hex')}`;
}

/** What GitHub's own registry asks for. */
export function githubRight(registry: string): string {
  return registry === 'ghcr.io' ? ', `packages: write` in the permissions of the job' : '';
}

const MEANINGS: Readonly<Record<number, string>> = {
  401: 'it does not know who is asking',
  403: 'it knows who is asking and does not allow it',
  404: 'it does not know the repository',
  429: 'too many requests',
};

/** What a registry's answer that is no success means, with what to do. `what` completes "the image cannot …". */
export function refusal(answer: RegistryAnswer, reference: Reference, what: string): UserError {
  const { registry, repository } = reference;
  const told = reasonIn(answer);
  // A token service answers a sign-in without the right by a token without it, and the registry that one by 401.
  const scope = /insufficient_scope/.test(`${told} ${answer.headers.get('www-authenticate') ?? ''}`);
  const status = scope ? 403 : answer.status;
  const remedies: Readonly<Record<number, string>> = {
    401: `Give registry-username and registry-password, or sign in at ${registry} with docker/login-action before this step; a password or token that was given may have expired.`,
    403: `Give the account that is signed in at ${registry} the right to pull from and push to ${repository}${githubRight(registry)}.`,
    404: `Check the inputs image and registry; create the repository ${repository} at ${registry} where that does not happen by itself.`,
    429: `Wait a few minutes and run the job again; a signed-in account has a higher limit.`,
  };
  const remedy =
    permissionIn(told) ?? remedies[status] ?? `Run the job again; when it stays so, ask who runs ${registry}.`;
  const said = `${answer.status} (${MEANINGS[status] ?? 'a fault of the registry'})${told}`;
  return new UserError(`${showReference(reference)} cannot ${what}: ${registry} answers ${said}`, { remedy });
}

/** The remedy where ECR itself says which action IAM does not allow. */
export function permissionIn(told: string): string | undefined {
  const [, action] = /not authorized to perform: (\w+:\w+)/.exec(told) ?? [];
  return action && `Add the IAM action ${action} to the policy of the role.`;
}

/** The first error in the spec's form, `{"errors": [{"code", "message"}]}`, as a phrase. */
function reasonIn({ body }: RegistryAnswer): string {
  try {
    const json = JSON.parse(body.toString()) as { errors?: { code?: unknown; message?: unknown }[] } | null;
    const { code, message } = json?.errors?.[0] ?? {};
    const words = [code, message].filter((part) => typeof part === 'string' && part !== '');
    return words.length === 0 ? '' : `: ${words.join(': ').slice(0, 300)}`;
  } catch {
    return '';
  }
}
