import { execFile } from 'node:child_process';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { cache } from '../lab/cache.ts';
import { openLab } from '../lab/lab.ts';
import { bringPythonBase } from '../lab/python-base.ts';
import { findPythonProgram } from '../lab/python.ts';
import type { Files } from './projects.ts';

const run = promisify(execFile);
const LIMIT = { timeout: 10 * 60_000, maxBuffer: 64 * 1024 * 1024 };

/** The lab's engine with `python:3.11-slim`, and the index that its builds reach. */
export interface PythonEngine {
  readonly env: { readonly DOCKER_HOST: string; readonly DOCKER_CONFIG: string };
  /** What a job sets that uses the lab's index. */
  readonly index: Readonly<Record<string, string>>;
  readonly indexUrl: string;
  readonly uv: string;
  readonly address: string;
  /** `host:port` of the lab's container registry. */
  readonly registry: string;
}

/** Brings what image builds of Python projects need. */
export async function openPythonEngine(): Promise<PythonEngine> {
  const { images, packages, registry } = await openLab('images', 'packages', 'registry');
  if (!images || !packages || !registry) throw new Error('the lab has no images, packages or registry');
  const env = { DOCKER_HOST: images.dockerHost, DOCKER_CONFIG: images.dockerConfig };
  await bringPythonBase(images);
  const index = { PIP_INDEX_URL: packages.url, PIP_TRUSTED_HOST: packages.host };
  const uv = await findPythonProgram('uv', cache);
  return { env, index, indexUrl: packages.url, uv, address: images.address, registry: registry.host };
}

/** Gives `use` a folder with these files; it is removed afterwards. */
export async function withProject<T>(files: Files, use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), 'python-image-'));
  try {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
      await writeFile(path.join(folder, name), text);
    }
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs a program of PyPI in a folder by uvx, or uv itself, against the lab's index; its cache is the lab's. */
export async function tool(engine: PythonEngine, folder: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await run(engine.uv, args, {
    ...LIMIT,
    cwd: folder,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: folder,
      UV_CACHE_DIR: path.join(cache, 'python', 'uv'),
      UV_TOOL_DIR: path.join(cache, 'python', 'uv-tools'),
      UV_PYTHON_DOWNLOADS: 'never',
      UV_DEFAULT_INDEX: engine.indexUrl,
      ...engine.index,
    },
  });
  return stdout;
}

/** `docker buildx build` into the engine, which may download for minutes. */
export async function buildx({ env }: Pick<PythonEngine, 'env'>, ...args: readonly string[]): Promise<void> {
  await run('docker', ['buildx', 'build', '--load', ...args], { ...LIMIT, env: { ...process.env, ...env } });
}
