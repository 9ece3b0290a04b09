import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import semver from 'semver';
import type { Host } from '../action/host.ts';

/** A tool's version that lies ready in a folder. */
export interface Tool {
  readonly folder: string;
  readonly version: string;
}

type ToolHost = Pick<Host, 'env' | 'info'>;

/** What an ordinary user may not write, or what is mounted to be read alone. */
const NOT_WRITABLE = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR']);

/**
 * The newest version of a tool in the range, out of the runner's tool cache: folders `name/version/arch`, each with a
 * file `arch.complete` beside it, as @actions/tool-cache keeps them.
 */
export function findTool(name: string, range: string, host: ToolHost): Tool | undefined {
  const found = toolCaches(host).flatMap((cache) =>
    versionsIn(path.join(cache, name)).map((version) => ({
      version,
      folder: path.join(cache, name, version, process.arch),
    })),
  );
  return found
    .filter(({ version, folder }) => semver.satisfies(version, range) && existsSync(`${folder}.complete`))
    .toSorted((a, b) => semver.rcompare(a.version, b.version))[0];
}

/**
 * Keeps a tool in the tool cache, or for this job alone where nobody may write there.
 * @param fill puts the tool's files into an empty folder; the tool is there whole or not at all
 */
export async function keepTool(
  name: string,
  version: string,
  host: ToolHost,
  fill: (folder: string) => Promise<void>,
): Promise<string> {
  const [cache, ...others] = toolCaches(host) as [string, ...string[]];
  const staging = await firstWritable([cache, ...others], path.join(name, version));
  const folder = path.join(path.dirname(staging), process.arch);
  try {
    await fill(staging);
    if (existsSync(`${folder}.complete`)) return folder;
    await rm(folder, { recursive: true, force: true });
    await rename(staging, folder);
    await writeFile(`${folder}.complete`, '');
    return folder;
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

function toolCaches({ env, info }: ToolHost): readonly string[] {
  const cache = env['RUNNER_TOOL_CACHE'];
  return [...(cache ? [cache] : []), path.join(info.temp, 'tools')];
}

async function firstWritable(caches: readonly string[], below: string): Promise<string> {
  let refused: unknown;
  for (const cache of caches) {
    const staging = path.join(cache, below, `${process.arch}-${randomBytes(6).toString('hex')}`);
    try {
      await mkdir(staging, { recursive: true });
      return staging;
    } catch (error) {
      if (!NOT_WRITABLE.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
      refused = error;
    }
  }
  throw refused;
}

function versionsIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((version) => semver.valid(version) !== null);
  } catch {
    return [];
  }
}
