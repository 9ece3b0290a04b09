import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import type { Host } from '../action/host.ts';
import { isObject } from '../project/json.ts';
import type { RegistryAuth } from './registry-http.ts';

type Settings = Readonly<Record<string, unknown>>;

/** A helper that waits for somebody to unlock a key chain must not hold the job. */
const HELPER_MS = 20_000;

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
  const own = configFolder(host.env);
  await mkdir(host.info.temp, { recursive: true });
  const folder = await mkdtemp(path.join(host.info.temp, 'docker-'));
  try {
    const names = existsSync(own) ? await readdir(own) : [];
    for (const name of names) if (name !== 'config.json') await symlink(path.join(own, name), path.join(folder, name));
    const settings = await readSettings(host.env);
    const file = path.join(folder, 'config.json');
    await writeFile(file, JSON.stringify(login === undefined ? settings : withLogin(settings, registry, login)), {
      mode: 0o600,
    });
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * How this machine is signed in to a registry already, by an earlier step or by whoever set the runner up: out of
 * docker's settings, or the credential helper that they name
 * (https://docs.docker.com/reference/cli/docker/login/#credential-stores). The password is masked.
 * @returns undefined where it is not signed in
 */
export async function storedLogin(
  registry: string,
  host: Pick<Host, 'env' | 'exec' | 'mask'>,
): Promise<RegistryAuth | undefined> {
  const settings = await readSettings(host.env);
  const helper = objectIn(settings, 'credHelpers')[keyOf(registry)] ?? settings['credsStore'];
  const entry = objectIn(objectIn(settings, 'auths'), keyOf(registry))['auth'];
  const login = typeof helper === 'string' && helper !== '' ? await askHelper(helper, registry, host) : decoded(entry);
  if (login !== undefined) host.mask(login.password);
  return login;
}

async function askHelper(
  helper: string,
  registry: string,
  { exec }: Pick<Host, 'exec'>,
): Promise<RegistryAuth | undefined> {
  if (!/^[\w-]+$/.test(helper)) return undefined;
  const options = { input: keyOf(registry), timeout: HELPER_MS };
  const asked = exec.run(`docker-credential-${helper}`, ['get'], options);
  const { exitCode, stdout } = await asked.catch(() => ({ exitCode: 1, stdout: '' }));
  const answer = exitCode === 0 ? parsed(stdout) : {};
  const [username, password] = [answer['Username'], answer['Secret']];
  // `<token>` stands for an identity token, which is no password.
  return typeof username === 'string' && typeof password === 'string' && username !== '<token>'
    ? { username, password }
    : undefined;
}

function decoded(entry: unknown): RegistryAuth | undefined {
  if (typeof entry !== 'string') return undefined;
  const [, username, password] = /^([^:]+):([^]+)$/.exec(Buffer.from(entry, 'base64').toString()) ?? [];
  return username === undefined || password === undefined ? undefined : { username, password };
}

/** Docker keeps Docker Hub under the address of its first interface. */
function keyOf(registry: string): string {
  return registry === 'docker.io' ? 'https://index.docker.io/v1/' : registry;
}

function configFolder(env: Host['env']): string {
  return env['DOCKER_CONFIG'] || path.join(env['HOME'] || homedir(), '.docker');
}

async function readSettings(env: Host['env']): Promise<Settings> {
  return parsed(await readFile(path.join(configFolder(env), 'config.json'), 'utf8').catch(() => ''));
}

function parsed(text: string): Settings {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

function objectIn(settings: Settings, name: string): Settings {
  const value = settings[name];
  return isObject(value) ? value : {};
}

/**
 * A credential helper or store would win over the entry. An empty helper keeps docker from asking either for this
 * registry alone (getConfiguredCredentialStore of docker's CLI): a base image may lie in another one that they know.
 */
function withLogin(settings: Settings, registry: string, { username, password }: RegistryAuth): Settings {
  const auth = Buffer.from(`${username}:${password}`).toString('base64');
  const key = keyOf(registry);
  return {
    ...settings,
    credHelpers: { ...objectIn(settings, 'credHelpers'), [key]: '' },
    auths: { ...objectIn(settings, 'auths'), [key]: { auth } },
  };
}
