import { execFile } from 'node:child_process';
import { access, constants, readdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Installed programs of PostgreSQL. */
export interface Binaries {
  /** Folder of them, such as of `initdb` and `postgres`. */
  readonly folder: string;
  /** As `server_version_num`, such as 150018 for 15.18. */
  readonly version: number;
}

/** Where installed servers lie besides PATH: Debian and Ubuntu, Red Hat, Homebrew on both kinds of Mac. */
const PLACES = [
  { parent: '/usr/lib/postgresql', name: /^\d+$/, below: 'bin' },
  { parent: '/usr', name: /^pgsql-\d+$/, below: 'bin' },
  { parent: '/opt/homebrew/opt', name: /^postgresql(@\d+)?$/, below: 'bin' },
  { parent: '/usr/local/opt', name: /^postgresql(@\d+)?$/, below: 'bin' },
];

/**
 * The installed server that fits best: of the major version asked for where there is one, else the newest.
 * @returns undefined where none is installed
 */
export async function findBinaries(
  env: Readonly<Record<string, string | undefined>>,
  major?: number,
): Promise<Binaries | undefined> {
  const found = await findPrograms(env, 'postgres', 'initdb');
  const fits = found.filter(({ version }) => majorOf(version) === major);
  return (fits.length > 0 ? fits : found).toSorted((a, b) => b.version - a.version)[0];
}

/** The folders that have a program of PostgreSQL, with its version; `beside` has to lie there too. */
export async function findPrograms(
  env: Readonly<Record<string, string | undefined>>,
  program: string,
  beside = program,
): Promise<readonly Binaries[]> {
  const folders = await Promise.all(PLACES.map(foldersIn));
  const inPath = (env['PATH'] ?? '').split(path.delimiter).filter((folder) => path.isAbsolute(folder));
  const candidates = await Promise.all(
    [...new Set([...inPath, ...folders.flat()])].map(async (folder) => binariesIn(folder, program, beside)),
  );
  return candidates.filter((one) => one !== undefined);
}

/** The major version: 15 for 150018. */
export function majorOf(version: number): number {
  return Math.floor(version / 10_000);
}

async function foldersIn({ parent, name, below }: (typeof PLACES)[number]): Promise<readonly string[]> {
  const names = await readdir(parent).catch(() => []);
  return names.filter((one) => name.test(one)).map((one) => path.join(parent, one, below));
}

async function binariesIn(folder: string, program: string, beside: string): Promise<Binaries | undefined> {
  try {
    await access(path.join(folder, beside), constants.X_OK);
    const { stdout } = await run(path.join(folder, program), ['--version'], { timeout: 10_000 });
    const version = versionIn(stdout);
    return version === undefined ? undefined : { folder, version };
  } catch {
    return undefined;
  }
}

/** `server_version_num` out of `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`; 170000 for `17beta1`. */
function versionIn(text: string): number | undefined {
  const [, major, minor] = /\(PostgreSQL\) (\d+)(?:\.(\d+))?/.exec(text) ?? [];
  return major === undefined ? undefined : Number(major) * 10_000 + Number(minor ?? 0);
}
