import semver from 'semver';
import type { ManagerName } from './package-manager.ts';

/** Which versions read a lockfile, and the one that is brought where a project names none. */
export interface Fitting {
  readonly range: string;
  readonly usual: string;
}

/** A package of the registry that a manager lies in. */
export interface ManagerPackage {
  readonly module: string;
  /** Where in this package the program of its platform lies, and where in the manager's folder it belongs. */
  readonly native?: { readonly file: string; readonly at: string };
}

/** The machine a program must run on. */
export interface Platform {
  readonly os: NodeJS.Platform;
  readonly arch: string;
  /** Linux without glibc, such as Alpine. */
  readonly musl: boolean;
}

/**
 * What the packages of the usual versions hash to, as the public registry gave it when they were chosen: what is
 * brought to a project that pins nothing is the same everywhere and always.
 */
const PINNED: Readonly<Record<string, string>> = {
  'pnpm@10.34.9': 'sha512-9JtajqD97bRLs8DB1ldQkqU8KVDZW3rRXfEfF5dId6LeOgHAfpNOmyjOcW5RwJqUlixzBtCb4uHksYqMh2L9Mg==',
  'pnpm@8.15.9': 'sha512-SZQ0ydj90aJ5Tr9FUrOyXApjOrzuW7Fee13pDzL0e1E6ypjNXP0AHDHw20VLw4BO3M1XhQHkyik6aBYWa72fgQ==',
  'pnpm@7.33.7': 'sha512-ev4kEGQrOcaY30baTOXHIxpczjYGmNafjPj0IlfUCz5D8jEFOwe43oSf1P+/SnH/V7g1E3d3o1I4jz09p0cgDg==',
  'yarn@1.22.22': 'sha512-prL3kGtyG7o9Z9Sv8IPfBNrWTDmXB4Qbes8A9rEzt6wkJV8mUvoirjU0Mp3GGAU06Y0XQyA3/2/RQFVuK7MTfg==',
  '@yarnpkg/cli-dist@4.18.1':
    'sha512-EH+A4TxAtBWXKE0DGQxW9Bo9crXHLJ73mfxjTQJuv8XonNWWTpei8BQ5JjczHJNU9GROTycwMFn8iOvRIZXUcA==',
  '@yarnpkg/cli-dist@4.14.1':
    'sha512-62uYRCYBnAwNZ1Y4uMh0iUXtgZe4frwAgd5dJFoTu/uWMZWpJzxY2ib0cAva1eiy1L2jiDR0dS1Os+1osiIxvA==',
  '@yarnpkg/cli-dist@4.13.0':
    'sha512-c0YdSja652OezJqFnz9+pZwKfKAiBu2aRPJiHPU73sirTGgvQRTyaS5Y6PQHAmmaoa3RjCY6f3L2q9g8S/urqw==',
  '@yarnpkg/cli-dist@3.8.7':
    'sha512-YMoAlLR9f+kxXjK72ggBIidi3ulQQrQpMSxzrLUt0OUk9Xdst2v26LBSYFlzOm+7KRNWgYIJpFjA8uRnCgB5xQ==',
  '@yarnpkg/cli-dist@3.1.1':
    'sha512-7R8UUelyaGkpiSEgDgeK4A8jEUNmKw+un4UCY0xQoFXBJgVWS6lyWWN57FSs+3ybHZuNrEzaEa9+Bb5hiktGug==',
  '@yarnpkg/cli-dist@2.4.2':
    'sha512-M82xg3uZnE836u68o/DpLtSQjxHUoYkuK82v4psznrFjZO3msYD6qb/wAhGD9KdkO/puwfnDhOc9imA3NDrp9g==',
  '@oven/bun-linux-x64@1.4.5':
    'sha512-IWX9BELoGHAUtMonkeSaNaZwXzRk+oDw6Mk+HBFXd3KHYIBNBsIGRupMZPcgNoDbJpLu6gAJjIoIVPZtt1aJ1g==',
  '@oven/bun-linux-aarch64@1.4.5':
    'sha512-4BXmsSKnjOrlGWqZV4x/oWa7AVoR+B6lCXddMzOAXBIm3t50eslg9wb66gmtW1AamEQ1l1CDvmmruysEhqOWMg==',
  '@oven/bun-linux-x64-musl@1.4.5':
    'sha512-10QoW/YfTgnURaGEaHpJCiXjLI2e5iTtfVDaA5JKcyUzaa1cq6cVUY9/Uq5XkYzvtRjHLRe9Oj/lTDIQcxy8HQ==',
  '@oven/bun-linux-aarch64-musl@1.4.5':
    'sha512-XCNc+WvvMAdNNb+OWTogpy+N9wm62fkVeEVLb6how0RZhW5LPi6c7BlkeVCuWps7XjEl2saFpHFa20/1E+PAHg==',
  '@oven/bun-darwin-x64@1.4.5':
    'sha512-qkLPMGHZM9NI6CeHTWwVezzmlo6cC4Ta7yUAjYIWXS366qQcOlcp75t2uZyiuVRBMPS0h9qE0tCcvCHGaFqjJg==',
  '@oven/bun-darwin-aarch64@1.4.5':
    'sha512-4MIFXHmctH2EhAxLXm2/qxNtv17dFtLJylvaOCsrgq6KSqHTs6eW5YSrJjRbJxYUJaR901fsN8JfZOa+CsWpWQ==',
};

const MODULES: Readonly<Record<ManagerName, string>> = {
  npm: 'npm',
  pnpm: 'pnpm',
  'yarn-classic': 'yarn',
  'yarn-berry': '@yarnpkg/cli-dist',
  bun: 'bun',
};

/** The package that npm installs to bring a manager to a machine that has npm alone. */
export function moduleOf(name: ManagerName): string {
  return MODULES[name];
}

/** The integrity that this action knows of a package, in the form of the registry's `dist.integrity`. */
export function pinnedIntegrity(module: string, version: string): string | undefined {
  return PINNED[`${module}@${version}`];
}

/**
 * Which versions read each format of a lockfile and leave it as it is: a frozen install fails where its manager would
 * write a newer format. Measured with those versions; the last entry is for formats yet to come.
 */
const FORMATS: Readonly<Record<Exclude<ManagerName, 'npm'>, readonly (readonly [format: number, Fitting])[]>> = {
  pnpm: [
    [5, { range: '7', usual: '7.33.7' }],
    [6, { range: '8', usual: '8.15.9' }],
    [Infinity, { range: '>=9', usual: '10.34.9' }],
  ],
  'yarn-classic': [[Infinity, { range: '1', usual: '1.22.22' }]],
  'yarn-berry': [
    [4, { range: '2', usual: '2.4.2' }],
    [5, { range: '3.0 - 3.1', usual: '3.1.1' }],
    [6, { range: '3.2 - 3', usual: '3.8.7' }],
    [8, { range: '4.0 - 4.13', usual: '4.13.0' }],
    [9, { range: '4.14', usual: '4.14.1' }],
    [Infinity, { range: '>=4.15', usual: '4.18.1' }],
  ],
  bun: [
    [1, { range: '>=1.2', usual: '1.4.5' }],
    [Infinity, { range: '>=1.4', usual: '1.4.5' }],
  ],
};

/** Where each manager's lockfile tells its format: `lockfileVersion: '9.0'`, `__metadata:\n  version: 8`, JSON. */
const FORMAT = /^\s*(?:"?lockfileVersion"?:\s*['"]?|__metadata:\s+version:\s*)(\d+)/m;

/** Which versions of a manager read this lockfile; a binary or empty one tells no format and has the last one's. */
export function fittingFor(name: ManagerName, lockfile: string): Fitting {
  if (name === 'npm') return { range: '*', usual: '' };
  const format = Number(FORMAT.exec(lockfile.slice(0, 2000))?.[1] ?? Infinity);
  const fitting = FORMATS[name].find(([last]) => format <= last)?.[1];
  if (fitting === undefined) throw new TypeError(`no entry of ${name} is for every format`);
  return fitting;
}

/**
 * The packages that make up a manager on this platform, the one that a hash in `packageManager` is of first. Since
 * version 12, pnpm is a program of its platform beside a package with what it needs; bun is such a program alone.
 */
export function packagesOf(name: ManagerName, version: string, platform: Platform): readonly ManagerPackage[] {
  const libc = platform.musl ? '-musl' : '';
  if (name === 'bun') {
    const arch = platform.arch === 'arm64' ? 'aarch64' : platform.arch;
    return [{ module: `@oven/bun-${platform.os}-${arch}${libc}`, native: { file: 'bin/bun', at: 'bun' } }];
  }
  const own = { module: moduleOf(name) };
  // A range has no version yet; where it reaches no 12, there is none.
  if (name !== 'pnpm' || semver.lt(semver.minVersion(version) ?? '0.0.0', '12.0.0')) return [own];
  const native = { file: 'pnpm', at: 'pnpm' };
  return [own, { module: `@pnpm/exe.${platform.os}-${platform.arch}${libc}`, native }];
}
