import { createHash } from 'node:crypto';
import { UserError } from '../action/errors.ts';
import { isObject, parseObject } from '../project/json.ts';
import type { Reference } from './reference.ts';
import { type Auths, manifest, refusal } from './registry.ts';
import { type RegistryAnswer, type RegistryHost, type RegistryTransport, registryTransport } from './registry-http.ts';

/** What is attached to an image: an SBOM or an attestation. */
export interface Attachment {
  /** Media type of the content; it is what referrers are told apart by. */
  readonly type: string;
  readonly content: Uint8Array<ArrayBuffer>;
  /** Such as the predicate of an attestation. */
  readonly annotations: Readonly<Record<string, string>>;
}

/** A part of a manifest that names content. */
interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

type Image = Reference & { readonly digest: string };

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';
/** The configuration of what is no image, by the image specification: two bytes, `{}`. */
const EMPTY = { type: 'application/vnd.oci.empty.v1+json', content: new TextEncoder().encode('{}') };
const UPLOAD_MS = 60_000;
/** Another job may put its own entry between the look and the put. */
const TRIES = 4;
/** Between a write of the list and the look whether it stayed. */
const SETTLE_MS = 150;

/**
 * Attaches something to an image as a referrer of the OCI distribution specification 1.1: a manifest of its own, whose
 * `subject` is the image. The image and its tags stay as they are, so nothing that pulls it meets an attestation. A
 * registry without the referrers API finds it by the tag `sha256-…`, which the specification sets for this.
 * @returns the digest of the referrer; the same content again gives the same
 * @throws UserError when the registry refuses
 */
export async function attach(image: Image, attachment: Attachment, auths: Auths, host: RegistryHost): Promise<string> {
  const ask = registryTransport(auths[image.registry], { ...host, timeout: UPLOAD_MS });
  const { type, content, annotations } = attachment;
  const subject = await descriptorOf(image, ask);
  const config = await pushBlob(image, EMPTY.type, EMPTY.content, ask);
  const layer = await pushBlob(image, type, content, ask);
  const body = bytes({
    schemaVersion: 2,
    mediaType: MANIFEST,
    artifactType: type,
    config,
    layers: [layer],
    subject,
    annotations,
  });
  const digest = digestOf(body);
  const answer = await put(image, digest, MANIFEST, body, ask);
  // By the specification this header says that the registry keeps the list itself.
  if (answer.headers.get('oci-subject') === null) {
    const entry = { mediaType: MANIFEST, digest, size: body.length, artifactType: type, annotations };
    await addToFallback(image, entry, ask, host);
  }
  return digest;
}

/**
 * What refers to an image: the registry's own list, else that of the fallback tag.
 * @param type artifact type that is wanted; all without one
 */
export async function referrers(
  image: Image,
  auths: Auths,
  host: RegistryHost,
  type?: string,
): Promise<readonly Descriptor[]> {
  const ask = registryTransport(auths[image.registry], host);
  const { registry, repository, digest } = image;
  const answer = await ask({
    registry,
    repository,
    method: 'GET',
    path: `referrers/${digest}`,
    actions: 'pull',
    accept: INDEX,
  });
  const isList = answer.status === 200 && answer.headers.get('content-type')?.startsWith(INDEX) === true;
  const list = isList ? entriesOf(answer) : (await fallback(image, ask)).entries;
  return list.filter(({ artifactType }) => type === undefined || artifactType === type);
}

async function descriptorOf(image: Image, ask: RegistryTransport): Promise<Descriptor> {
  const answer = await manifest(ask, 'GET', {
    registry: image.registry,
    repository: image.repository,
    digest: image.digest,
  });
  if (answer.status !== 200) throw refusal(answer, image, 'be read');
  const mediaType = answer.headers.get('content-type') ?? MANIFEST;
  return { mediaType, digest: image.digest, size: answer.body.length };
}

/** Pushes in one piece, unless the registry has it. */
async function pushBlob(
  image: Image,
  mediaType: string,
  content: Uint8Array<ArrayBuffer>,
  ask: RegistryTransport,
): Promise<Descriptor> {
  const { registry, repository } = image;
  const call = { registry, repository, actions: 'pull,push' } as const;
  const digest = digestOf(content);
  const descriptor = { mediaType, digest, size: content.length };
  if ((await ask({ ...call, method: 'HEAD', path: `blobs/${digest}` })).status === 200) return descriptor;
  const opened = await ask({ ...call, method: 'POST', path: 'blobs/uploads/' });
  const [, upload] = opened.headers.get('location')?.split(`/v2/${repository}/`) ?? [];
  if (opened.status !== 202 || upload === undefined) throw refusal(opened, image, 'get an attachment');
  const answer = await ask({
    ...call,
    method: 'PUT',
    path: `${upload}${upload.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`,
    body: { type: 'application/octet-stream', content },
  });
  if (answer.status !== 201) throw refusal(answer, image, 'get an attachment');
  return descriptor;
}

async function put(
  image: Image,
  name: string,
  type: string,
  content: Uint8Array<ArrayBuffer>,
  ask: RegistryTransport,
): Promise<RegistryAnswer> {
  const { registry, repository } = image;
  const answer = await ask({
    registry,
    repository,
    method: 'PUT',
    path: `manifests/${name}`,
    actions: 'pull,push',
    body: { type, content },
  });
  if (answer.status !== 201 && answer.status !== 200) throw refusal(answer, image, 'get an attachment');
  return answer;
}

function fallbackTag({ digest }: Image): string {
  return digest.replace(':', '-');
}

async function fallback(image: Image, ask: RegistryTransport): Promise<{ readonly entries: readonly Descriptor[] }> {
  const { registry, repository } = image;
  const answer = await manifest(ask, 'GET', { registry, repository, tag: fallbackTag(image) });
  if (answer.status === 404) return { entries: [] };
  if (answer.status !== 200) throw refusal(answer, image, 'be read');
  return { entries: entriesOf(answer) };
}

/**
 * No registry can compare before it sets a tag, so a job that read the list before this one wrote may write over it:
 * what was added is looked for again when such a job has had time for that, and added anew where it is gone.
 */
async function addToFallback(
  image: Image,
  entry: Descriptor,
  ask: RegistryTransport,
  { clock, signal }: RegistryHost,
): Promise<void> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const { entries } = await fallback(image, ask);
    if (entries.some(({ digest }) => digest === entry.digest)) return;
    const body = bytes({ schemaVersion: 2, mediaType: INDEX, manifests: [...entries, entry] });
    await put(image, fallbackTag(image), INDEX, body, ask);
    await clock.sleep(SETTLE_MS * (1 + Math.random()), signal);
  }
  const { entries } = await fallback(image, ask);
  if (entries.some(({ digest }) => digest === entry.digest)) return;
  throw new UserError(`Other jobs keep changing what is attached to ${image.repository}@${image.digest}.`, {
    remedy: 'Run the job again once they are done.',
  });
}

/** Whatever else the list holds stays as it is. */
function entriesOf({ body }: RegistryAnswer): readonly Descriptor[] {
  const list = parseObject(body.toString(), 'the list of referrers', 'Ask who runs the registry.')['manifests'];
  const isDescriptor = (one: unknown): one is Descriptor =>
    isObject(one) && typeof one['digest'] === 'string' && typeof one['mediaType'] === 'string';
  return Array.isArray(list) ? list.filter(isDescriptor) : [];
}

function bytes(value: object): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(value));
}

function digestOf(content: Uint8Array): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}
