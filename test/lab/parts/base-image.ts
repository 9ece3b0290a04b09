import { execFile } from 'node:child_process';
import { access, appendFile, copyFile, cp, mkdir, mkdtemp, realpath, rename, rm, symlink } from 'node:fs/promises';
import { basename, delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { LabContext } from '../part.ts';

const run = promisify(execFile);
const LIMIT = { timeout: 600_000, maxBuffer: 64 * 1024 * 1024 };

/** An image that the Dockerfiles of projects build upon. */
export interface BaseImage {
  /** The name that Dockerfiles ask for. */
  readonly name: string;
  /** What Docker runs where nothing else is said. */
  readonly program: string;
  /** What else of Debian it has. */
  readonly packages: readonly string[];
  /** The made image in the lab's cache, by the version of what is in it. */
  readonly archive: string;
  /** Puts into Debian's tree what the official image has. */
  readonly furnish: (root: string) => Promise<void>;
}

export const NODE: BaseImage = {
  name: 'node:24-slim',
  program: 'node',
  packages: [],
  archive: `node-${process.versions.node}-bookworm.tar`,
  furnish: async (root) => {
    await copyFile(await realpath(process.execPath), join(root, 'usr/local/bin/node'));
    await addNpm(root);
    // The official image's ordinary user.
    await appendFile(join(root, 'etc/passwd'), 'node:x:1000:1000::/home/node:/bin/bash\n');
    await appendFile(join(root, 'etc/group'), 'node:x:1000:\n');
    await mkdir(join(root, 'home/node'));
  },
};

/** Debian's own Python in the places of the official image's; 3.11 is what bookworm has. */
export const PYTHON: BaseImage = {
  name: 'python:3.11-slim',
  program: 'python3',
  packages: ['python3', 'python3-pip'],
  archive: 'python-3.11-bookworm.tar',
  furnish: async (root) => {
    for (const name of ['python', 'python3', 'python3.11']) {
      await symlink('/usr/bin/python3.11', join(root, 'usr/local/bin', name));
    }
    for (const name of ['pip', 'pip3']) await symlink('/usr/bin/pip3', join(root, 'usr/local/bin', name));
    // Debian's mark that pip must not install beside apt, which the official image lacks.
    await rm(join(root, 'usr/lib/python3.11/EXTERNALLY-MANAGED'));
  },
};

const HUB = 'https://registry-1.docker.io/v2/';

/**
 * Brings a base image into the Docker engine: the official one where Docker Hub can be reached, else one made of
 * Debian's packages, kept as an archive by version.
 */
export async function bringBaseImage(
  image: BaseImage,
  env: NodeJS.ProcessEnv,
  context: Pick<LabContext, 'cache' | 'progress'>,
): Promise<void> {
  const { name } = image;
  if (await succeeds('docker', ['image', 'inspect', name], env)) return;
  if (await reachable(HUB)) {
    context.progress(`pulls ${name}`);
    if (await succeeds('docker', ['pull', '--quiet', name], env)) return;
  }
  const archive = archiveIn(context.cache, image);
  if (!(await exists(archive))) {
    context.progress(`makes ${name} of Debian's packages, a minute or two`);
    await makeArchive(archive, image);
  }
  const path = 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  const changes = [path, `CMD ["${image.program}"]`].flatMap((one) => ['--change', one]);
  await run('docker', ['import', ...changes, archive, name], { ...LIMIT, env });
}

/** Whether {@link bringBaseImage} can do without making the image, which needs root. */
export async function canBringBaseImage(image: BaseImage, env: NodeJS.ProcessEnv, cache: string): Promise<boolean> {
  if (await succeeds('docker', ['image', 'inspect', image.name], env)) return true;
  return (await exists(archiveIn(cache, image))) || reachable(HUB);
}

function archiveIn(cache: string, { archive }: BaseImage): string {
  return join(cache, 'images', archive);
}

async function makeArchive(archive: string, { packages, furnish }: BaseImage): Promise<void> {
  const folder = join(archive, '..');
  await mkdir(folder, { recursive: true });
  const work = await mkdtemp(join(folder, 'make-'));
  const root = join(work, 'root');
  try {
    const include = packages.length === 0 ? [] : [`--include=${packages.join(',')}`];
    await run('debootstrap', ['--variant=minbase', ...include, 'bookworm', root], LIMIT);
    for (const unused of ['var/cache/apt', 'var/lib/apt/lists', 'usr/share/doc', 'usr/share/man', 'usr/share/locale']) {
      await rm(join(root, unused), { recursive: true, force: true });
      await mkdir(join(root, unused), { recursive: true });
    }
    await furnish(root);
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
