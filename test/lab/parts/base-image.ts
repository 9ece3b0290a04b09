import { execFile } from 'node:child_process';
import { access, appendFile, copyFile, cp, mkdir, mkdtemp, realpath, rename, rm, symlink } from 'node:fs/promises';
import { basename, delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { LabContext } from '../part.ts';

const run = promisify(execFile);
const LIMIT = { timeout: 600_000, maxBuffer: 64 * 1024 * 1024 };

/** The name that Dockerfiles ask for. */
export const BASE_IMAGE = 'node:24-slim';
const HUB = 'https://registry-1.docker.io/v2/';

/**
 * Brings `node:24-slim` into the Docker engine: the official one where Docker Hub can be reached, else one made of
 * Debian's packages and the Node of this repository, kept as an archive by version.
 */
export async function bringBaseImage(env: NodeJS.ProcessEnv, context: LabContext): Promise<void> {
  if (await succeeds('docker', ['image', 'inspect', BASE_IMAGE], env)) return;
  if (await reachable(HUB)) {
    context.progress(`pulls ${BASE_IMAGE}`);
    if (await succeeds('docker', ['pull', '--quiet', BASE_IMAGE], env)) return;
  }
  const archive = archiveIn(context.cache);
  if (!(await exists(archive))) {
    context.progress(`makes ${BASE_IMAGE} of Debian's packages, about a minute`);
    await makeArchive(archive);
  }
  const changes = ['ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'CMD ["node"]'];
  await run('docker', ['import', ...changes.flatMap((one) => ['--change', one]), archive, BASE_IMAGE], {
    ...LIMIT,
    env,
  });
}

/** Whether {@link bringBaseImage} can do without making the image, which needs root. */
export async function canBringBaseImage(env: NodeJS.ProcessEnv, cache: string): Promise<boolean> {
  if (await succeeds('docker', ['image', 'inspect', BASE_IMAGE], env)) return true;
  return (await exists(archiveIn(cache))) || reachable(HUB);
}

function archiveIn(cache: string): string {
  return join(cache, 'images', `node-${process.versions.node}-bookworm.tar`);
}

async function makeArchive(archive: string): Promise<void> {
  const folder = join(archive, '..');
  await mkdir(folder, { recursive: true });
  const work = await mkdtemp(join(folder, 'make-'));
  const root = join(work, 'root');
  try {
    await run('debootstrap', ['--variant=minbase', 'bookworm', root], LIMIT);
    for (const unused of ['var/cache/apt', 'var/lib/apt/lists', 'usr/share/doc', 'usr/share/man', 'usr/share/locale']) {
      await rm(join(root, unused), { recursive: true, force: true });
      await mkdir(join(root, unused), { recursive: true });
    }
    await copyFile(await realpath(process.execPath), join(root, 'usr/local/bin/node'));
    await addNpm(root);
    // The official image's ordinary user.
    await appendFile(join(root, 'etc/passwd'), 'node:x:1000:1000::/home/node:/bin/bash\n');
    await appendFile(join(root, 'etc/group'), 'node:x:1000:\n');
    await mkdir(join(root, 'home/node'));
    await run('tar', ['--create', '--file', join(work, 'image.tar'), '--directory', root, '.'], LIMIT);
    await rename(join(work, 'image.tar'), archive);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** npm carries all it needs in its own folder, so the one of this machine is taken. */
async function addNpm(root: string): Promise<void> {
  const links = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'npm'));
  const programs = await Promise.all(links.map(async (link) => realpath(link).catch(() => '')));
  const program = programs.find((path) => basename(path) === 'npm-cli.js');
  if (program === undefined) throw new Error('npm is not on PATH');
  const to = join(root, 'usr/local/lib/node_modules/npm');
  await cp(dirname(dirname(program)), to, { recursive: true, dereference: true });
  for (const name of ['npm', 'npx']) {
    await symlink(`../lib/node_modules/npm/bin/${name}-cli.js`, join(root, 'usr/local/bin', name));
  }
}

async function reachable(url: string): Promise<boolean> {
  return fetch(url, { signal: AbortSignal.timeout(5000) }).then(
    () => true,
    () => false,
  );
}

async function succeeds(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<boolean> {
  return run(program, [...args], { ...LIMIT, env }).then(
    () => true,
    () => false,
  );
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
