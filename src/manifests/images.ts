import { type Problem, UserError } from '../action/errors.ts';
import { quote } from '../action/fields.ts';
import { type KubeObject, showRef } from '../kube/kube.ts';
import { podSpecPath } from '../kube/pod-spec.ts';
import type { Document } from '../kube/document.ts';

const LISTS = ['initContainers', 'containers', 'ephemeralContainers'] as const;

/**
 * Puts the images of `lines` (`name=repository@sha256:…`) into all containers whose image has that name: its
 * repository path or the path's last part, whatever host, port, tag or digest it had.
 * @throws UserError listing the names that are there, when a name is in no manifest
 */
export function replaceImages(documents: readonly Document[], lines: readonly string[]): readonly Document[] {
  const wanted = new Map(
    lines.map((line): [string, string] => {
      const at = line.indexOf('=');
      return [line.slice(0, at).trim(), line.slice(at + 1).trim()];
    }),
  );
  const used = new Set<string>();
  const present = new Set<string>();
  const replaced = documents.map((document) => ({
    ...document,
    object: withImages(document.object, (image) => {
      const { path, last } = nameOf(image);
      present.add(path);
      const name = [path, last].find((candidate) => wanted.has(candidate));
      if (name === undefined) return image;
      used.add(name);
      return wanted.get(name) ?? image;
    }),
  }));
  const problems = [...wanted.keys()]
    .filter((name) => !used.has(name))
    .map((name): Problem => ({
      message: `images: no container of the manifests has an image named ${quote(name)}`,
      remedy: present.size > 0 ? `the names there are: ${[...present].toSorted().join(', ')}` : noContainer(documents),
    }));
  if (problems.length > 0) throw UserError.all(problems, 'images do not fit the manifests');
  return replaced;
}

/** Most likely a kind is misspelled, and then it is among these. */
function noContainer(documents: readonly Document[]): string {
  const kinds = [...new Set(documents.map(({ object }) => quote(object.kind)))].toSorted();
  return `no container is there: the manifests hold only ${kinds.slice(0, 20).join(', ')}`;
}

/** Container images that are not named by digest, each as a problem at its document. */
export function imagesWithoutDigest(documents: readonly Document[]): readonly Problem[] {
  return documents.flatMap(({ object, file, line }) =>
    imagesOf(object)
      .filter((image) => !/@sha256:[0-9a-f]{64}$/.test(image))
      .map((image) => ({
        message: `${showRef(object)} uses ${quote(image)}, which is not named by its digest`,
        remedy: 'name it as repository@sha256:… in `images`, or set require-digest: false',
        place: { file, line },
      })),
  );
}

/** All images of an object's pod template, init and ephemeral containers too. */
export function imagesOf(object: KubeObject): readonly string[] {
  const images: string[] = [];
  withImages(object, (image) => {
    images.push(image);
    return image;
  });
  return images;
}

/** The repository path of an image without host, tag and digest, and its last part. */
export function nameOf(image: string): { readonly path: string; readonly last: string } {
  const [bare = ''] = image.split('@');
  const parts = bare.split('/');
  const [host = ''] = parts;
  // As in the reference grammar of distribution: a first part with a dot or port, or localhost, is a host.
  if (parts.length > 1 && (/[.:]/.test(host) || host === 'localhost')) parts.shift();
  const last = (parts.pop() ?? '').replace(/:.*$/, '');
  return { path: [...parts, last].join('/'), last };
}

function withImages(object: KubeObject, change: (image: string) => string): KubeObject {
  const path = podSpecPath(object.kind);
  if (!path) return object;
  const copy = structuredClone(object);
  let spec: unknown = copy;
  for (const step of path) spec = isRecord(spec) ? spec[step] : undefined;
  if (!isRecord(spec)) return object;
  for (const name of LISTS) {
    const containers = spec[name];
    if (!Array.isArray(containers)) continue;
    for (const container of containers as unknown[]) {
      if (isRecord(container) && typeof container['image'] === 'string')
        container['image'] = change(container['image']);
    }
  }
  return copy;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
