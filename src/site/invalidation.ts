/** What has changed behind a distribution. */
export interface Changed {
  /** Paths inside the site of files that are new, others or gone; assets with a hash in their name are never among them. */
  readonly paths: readonly string[];
  /** Paths inside the site of the assets: caches should keep those. */
  readonly assets: readonly string[];
  /** Where the site begins behind the distribution: `/`, or such as `/shop/`. */
  readonly base: string;
  /** Whether nothing is known of what was there before. */
  readonly isFirst: boolean;
  /** Pages that the distribution serves in place of errors. */
  readonly fallbacks: readonly string[];
}

/** CloudFront's price list: a thousand paths a month are free, and one with a wildcard counts as one. */
const MOST_PATHS = 15;

/**
 * The fewest paths that invalidate what has changed. A folder without assets goes as a whole, since everything in it is
 * asked for again anyway; where the list would still be long, or a page stands in for any address, all goes.
 */
export function invalidationPaths({ paths, assets, base, isFirst, fallbacks }: Changed): readonly string[] {
  if (isFirst) return [`${encoded(base)}*`];
  if (paths.length === 0) return [];
  const addresses = new Set(paths.map((path) => `${base}${path}`));
  if (fallbacks.some((page) => addresses.has(page))) return ['/*'];
  const withAssets = new Set(assets.flatMap(foldersOf));
  const found = new Set<string>();
  for (const path of paths) {
    const whole = foldersOf(path).find((folder) => folder !== '' && !withAssets.has(folder));
    if (whole !== undefined) found.add(`${encoded(`${base}${whole}/`)}*`);
    else for (const one of spellings(path)) found.add(encoded(`${base}${one}`));
  }
  return found.size > MOST_PATHS ? [`${encoded(base)}*`] : [...found];
}

/** Folders around a file, the outermost first; the site itself is `''`. */
function foldersOf(path: string): readonly string[] {
  const parts = path.split('/').slice(0, -1);
  return ['', ...parts.map((_, i) => parts.slice(0, i + 1).join('/'))];
}

/** A folder's page is asked for by the folder's address too. */
function spellings(path: string): readonly string[] {
  return /(^|\/)index\.html$/.test(path) ? [path.slice(0, -'index.html'.length), path] : [path];
}

/** As a browser would ask for it. */
function encoded(address: string): string {
  return address
    .split('/')
    .map((part) => encodeURIComponent(part).replaceAll('*', '%2A'))
    .join('/');
}
