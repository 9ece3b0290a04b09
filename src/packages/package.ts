/** Where a package comes from, by the names of https://github.com/package-url/purl-spec. */
export type Ecosystem = 'npm' | 'pypi';

/** The digest of a package's archive. */
export interface Hash {
  /** Lower case without a dash, as `sha512`. */
  readonly algorithm: 'md5' | 'sha1' | 'sha256' | 'sha384' | 'sha512';
  /** Hexadecimal digits. */
  readonly value: string;
}

/** One package in one version, as a lockfile settles it. */
export interface ResolvedPackage {
  readonly ecosystem: Ecosystem;
  /** As its registry writes it; those of PyPI in the normal form of PEP 503. */
  readonly name: string;
  readonly version: string;
  /** Package URL: what names it in SBOMs and vulnerability databases. */
  readonly purl: string;
  /** One for each archive that the lockfile accepts. */
  readonly hashes: readonly Hash[];
  /** SPDX expression, where the lockfile says it. */
  readonly license?: string;
  /** Address of the archive, without credentials. */
  readonly source?: string;
  /** Needed for developing only: nothing that runs in production leads to it. */
  readonly dev: boolean;
  /** Named by the project itself, not only by other packages. */
  readonly direct: boolean;
  /** Package URLs of what it needs. */
  readonly dependencies: readonly string[];
}

/** All packages of a project. */
export interface PackageSet {
  /** Name of the file that they were read from. */
  readonly lockfile: string;
  /** In the order of their package URLs, each once. */
  readonly packages: readonly ResolvedPackage[];
  /** Requirements that the file leaves open, and packages of no registry: no version of them is known. */
  readonly open: readonly string[];
}

/** The package URL of a package. */
export function packageUrl(ecosystem: Ecosystem, name: string, version: string): string {
  const path = name.split('/').map(encode).join('/');
  return `pkg:${ecosystem}/${path}@${encode(version)}`;
}

/** The specification leaves letters, digits and `.-_~:` as they are, and percent-encodes all others, `@` and `+` too. */
function encode(part: string): string {
  return encodeURIComponent(part)
    .replace(/[!'()*]/g, (found) => `%${found.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%3A', ':');
}
