import path from 'node:path';

/**
 * What a file of a site is to a browser that has an older page open:
 * `asset` has its content's hash in its name, so it never changes; `page` names the assets it needs; `worker` is a
 * service worker, which names pages and assets; `other` keeps its name and changes, such as `favicon.ico`.
 */
export type Kind = 'asset' | 'other' | 'page' | 'worker';

/** In which order kinds become visible: each names only what those before it brought. */
export const ORDER: readonly Kind[] = ['asset', 'other', 'page', 'worker'];

/** Kept by browsers and CloudFront for a year without asking again: a new content has a new name. */
export const IMMUTABLE = 'public, max-age=31536000, immutable';
/** Kept, but asked for again before each use: a 304 when nothing changed. */
export const REVALIDATED = 'no-cache';

const ENDING = String.raw`(\.[A-Za-z0-9]+)+$`;
/** rollup and rolldown write eight signs of base64url, webpack eight or more of hexadecimal. */
const HASH = String.raw`(?:-(?<hash>[A-Za-z0-9_-]{8})|[.-](?<hex>[0-9a-f]{8,40}))`;

/**
 * Where each tool puts files with a hash in their name, as its documentation says. A name that merely looks like a hash
 * is not believed elsewhere: a wrong `immutable` stays in browsers for a year.
 */
const PLACES: readonly RegExp[] = [
  // Vite, Docusaurus.
  new RegExp(`^(?:.+/)?assets/(?:[^/]+/)*[^/]*${HASH}${ENDING}`),
  // Astro.
  new RegExp(`^(?:.+/)?_astro/[^/]*\\.(?<hash>[A-Za-z0-9_-]{8})${ENDING}`),
  // Create React App.
  new RegExp(`^static/(?:js|css|media)/[^/]*\\.(?<hex>[0-9a-f]{8,20})(?:\\.chunk)?${ENDING}`),
  // Vue CLI.
  new RegExp(`^(?:js|css|img|fonts|media)/[^/]*\\.(?<hex>[0-9a-f]{8})${ENDING}`),
  // Angular, since 17 and before.
  new RegExp(`^(?:media/)?[^/]*(?:-(?<upper>[0-9A-Z]{8})|\\.(?<hex>[0-9a-f]{16,20}))\\.(?:m?js|css)(?:\\.map)?$`),
  // Gatsby.
  new RegExp(`^[^/]*-(?<hex>[0-9a-f]{20})${ENDING}`),
];
/** Folders whose every file is named by content or build. */
const FOLDERS = /(^|\/)(_next\/static|_app\/immutable|_nuxt)\/./;
/** Named by build and read again by running pages. */
const UNHASHED = /(^|\/)_nuxt\/builds\/latest\.json$/;
const WORKERS = /(^|\/)(sw|service-worker|serviceworker|ngsw|ngsw-worker|firebase-messaging-sw)\.(js|mjs|json)$/;

/** @param immutable globs of the user's own for files that never change under their name */
export function kindOf(file: string, immutable: readonly string[] = []): Kind {
  if (/\.x?html?$/i.test(file)) return 'page';
  if (WORKERS.test(file)) return 'worker';
  if (immutable.some((glob) => path.posix.matchesGlob(file, glob))) return 'asset';
  if (UNHASHED.test(file)) return 'other';
  return FOLDERS.test(file) || PLACES.some((place) => hasHash(place.exec(file))) ? 'asset' : 'other';
}

/** Words (`assets/photo-Portrait.png`) and dates (`assets/report-20261124.pdf`) are as long as a hash, and none. */
function hasHash(found: RegExpExecArray | null): boolean {
  const { hash, hex, upper } = found?.groups ?? {};
  if (upper !== undefined) return true;
  const text = hash ?? hex;
  return text !== undefined && text.split(/[-_]/).some((part) => !/^([A-Z]?[a-z]*|[A-Z]+|\d*)$/.test(part));
}

/** The files in the order in which they become visible; the entry page comes after the other pages. */
export function inOrder<T extends { readonly path: string; readonly kind: Kind }>(files: readonly T[]): readonly T[] {
  const rank = ({ path: file, kind }: T): number => ORDER.indexOf(kind) + (file === 'index.html' ? 0.5 : 0);
  return files.toSorted((a, b) => rank(a) - rank(b));
}
