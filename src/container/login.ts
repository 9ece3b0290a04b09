import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import type { Host } from '../action/host.ts';
import type { RegistryAuth } from './registry-http.ts';

/**
 * Lends `use` a folder for DOCKER_CONFIG in which docker is signed in to `registry`: the user's own settings and
 * plugins with the password added, in a file that only this user reads. The folder is removed afterwards; nothing
 * goes on a command line and the user's own file is never touched.
 */
export async function signedIn<T>(
  registry: string,
  login: RegistryAuth | undefined,
  host: Pick<Host, 'env' | 'info'>,
  use: (dockerConfig: string) => Promise<T>,
): Promise<T> {
  const own = host.env['DOCKER_CONFIG'] || path.join(host.env['HOME'] || homedir(), '.docker');
  await mkdir(host.info.temp, { recursive: true });
  const folder = await mkdtemp(path.join(host.info.temp, 'docker-'));
  try {
    const names = existsSync(own) ? await readdir(own) : [];
    for (const name of names) if (name !== 'config.json') await symlink(path.join(own, name), path.join(folder, name));
    const settings = await readSettings(path.join(own, 'config.json'));
    const file = path.join(folder, 'config.json');
    await writeFile(file, JSON.stringify(login === undefined ? settings : withLogin(settings, registry, login)), {
      mode: 0o600,
    });
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

type Settings = Readonly<Record<string, unknown>>;

async function readSettings(file: string): Promise<Settings> {
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'));
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

/** A credential helper or store would win over the entry, so neither is asked for this registry. */
function withLogin(settings: Settings, registry: string, { username, password }: RegistryAuth): Settings {
  const entry = { auth: Buffer.from(`${username}:${password}`).toString('base64') };
  const helpers = { ...(settings['credHelpers'] as object | undefined) };
  delete (helpers as Record<string, unknown>)[registry];
  const { credsStore: _, ...others } = settings;
  return {
    ...others,
    credHelpers: helpers,
    auths: { ...(settings['auths'] as object | undefined), [registry]: entry },
  };
}
