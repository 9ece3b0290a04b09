import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { inheritable } from '../action/exec.ts';
import type { Host } from '../action/host.ts';
import type { ReadFile } from '../project/project.ts';
import { parseIni } from '../python/older-files.ts';
import { INDEX_SECRET, NETRC_SECRET } from './dockerfile.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** Where settings of package indexes are read from: the job's environment, and texts of files. */
export interface IndexSources {
  readonly env: Env;
  /** The configuration of pip, of which there may be several. */
  readonly pipConf: readonly string[];
  /** Files of the project that may name variables in addresses, as requirements.txt and Pipfile do. */
  readonly project: readonly string[];
}

/** Variables that say where packages come from and who asks for them; all others mean nothing inside a build. */
const VARIABLES =
  /^(?:PIP_(?:INDEX_URL|EXTRA_INDEX_URL|TRUSTED_HOST)|UV_(?:DEFAULT_INDEX|INDEX|INDEX_URL|EXTRA_INDEX_URL|INDEX_STRATEGY|INSECURE_HOST|INDEX_[A-Z0-9_]+_(?:USERNAME|PASSWORD))|POETRY_HTTP_BASIC_[A-Z0-9_]+_(?:USERNAME|PASSWORD)|PDM_[A-Z0-9_]+_(?:USERNAME|PASSWORD)|PIPENV_PYPI_MIRROR)$/;
const PROJECT_FILES = ['pyproject.toml', 'uv.toml', 'Pipfile', 'requirements.txt', 'pdm.toml'];

/** What a job knows of package indexes. */
export interface IndexSettings {
  /** Addresses and credentials by the names of pip, uv and the other tools. */
  readonly variables: ReadonlyMap<string, string>;
  /** Text of .netrc, where there is one. */
  readonly netrc?: string;
}

/** What the job's environment, pip's configuration and .netrc say of package indexes, with passwords masked. */
export async function readIndexSettings(read: ReadFile, host: Pick<Host, 'env' | 'mask'>): Promise<IndexSettings> {
  const env = inheritable(host.env);
  const home = env['HOME'] || homedir();
  const named = env['PIP_CONFIG_FILE'];
  const files = named ? [named] : ['.config/pip/pip.conf', '.pip/pip.conf'].map((file) => path.join(home, file));
  const texts = await Promise.all(files.map(textOf));
  const netrc = await textOf(env['NETRC'] || path.join(home, '.netrc'));
  const pipConf = texts.filter((text) => text !== undefined);
  const project = PROJECT_FILES.map(read).filter((text) => text !== undefined);
  const variables = indexVariables({ env, pipConf, project });
  for (const secret of secretsIn(variables, netrc ?? '')) host.mask(secret);
  return { variables, ...(netrc !== undefined && { netrc }) };
}

/**
 * What the installs inside a build need to reach private indexes, as the build's secrets: lines that a shell reads, and
 * .netrc.
 * @returns texts by secret id; empty where nothing is set
 */
export function indexSecrets({ variables, netrc }: IndexSettings): ReadonlyMap<string, string> {
  return new Map([
    ...(variables.size === 0 ? [] : [[INDEX_SECRET, asShell(variables)] as const]),
    ...(netrc === undefined ? [] : [[NETRC_SECRET, netrc] as const]),
  ]);
}

/**
 * The variables that say in a build what the job's say outside of it. uv and pip call the same things by names of their
 * own: what only one of them was told, the other is told too, as both install in the build.
 */
export function indexVariables({ env, pipConf, project }: IndexSources): ReadonlyMap<string, string> {
  const settings = new Map<string, string>();
  const set = (name: string, value: string | undefined): void => {
    const plain = value?.replaceAll(/\s+/g, ' ').trim();
    if (plain && !settings.has(name)) settings.set(name, plain);
  };
  for (const [name, value] of Object.entries(env)) if (VARIABLES.test(name)) set(name, value);
  for (const sections of pipConf.map(parseIni)) {
    for (const section of ['install', 'global']) {
      for (const key of ['index-url', 'extra-index-url', 'trusted-host']) {
        set(`PIP_${key.replaceAll('-', '_').toUpperCase()}`, sections.get(section)?.get(key));
      }
    }
  }
  const uv = (names: readonly string[]): boolean => names.some((name) => settings.has(name));
  if (!uv(['UV_DEFAULT_INDEX', 'UV_INDEX_URL'])) set('UV_DEFAULT_INDEX', settings.get('PIP_INDEX_URL'));
  if (!uv(['UV_INDEX', 'UV_EXTRA_INDEX_URL'])) set('UV_INDEX', settings.get('PIP_EXTRA_INDEX_URL'));
  set('UV_INSECURE_HOST', settings.get('PIP_TRUSTED_HOST'));
  // An index of uv may have a name in front: `internal=https://…`.
  set('PIP_INDEX_URL', (settings.get('UV_DEFAULT_INDEX') ?? settings.get('UV_INDEX_URL'))?.replace(/^[\w-]+=/, ''));
  set('PIP_TRUSTED_HOST', settings.get('UV_INSECURE_HOST'));
  for (const text of project) for (const name of namedInAddresses(text)) set(name, env[name]);
  return settings;
}

/** Variables that stand in addresses, such as `https://${USER}:${TOKEN}@pypi.example/simple`. */
function namedInAddresses(text: string): readonly string[] {
  const lines = text.split('\n').filter((line) => line.includes('://'));
  return lines.flatMap((line) => [...line.matchAll(/\$\{([A-Za-z_]\w*)\}/g)].map(([, name = '']) => name));
}

/** Lines that a shell reads: whatever a value holds, it stays a value. */
function asShell(settings: ReadonlyMap<string, string>): string {
  return [...settings].map(([name, value]) => `export ${name}='${value.replaceAll("'", String.raw`'\''`)}'\n`).join('');
}

/** Passwords and tokens, by themselves and in addresses. */
export function secretsIn(settings: ReadonlyMap<string, string>, netrc: string): readonly string[] {
  const own = [...settings].filter(([name]) => /PASSWORD|TOKEN|SECRET|KEY$/.test(name)).map(([, value]) => value);
  const inAddresses = [...settings.values()].flatMap((value) =>
    [...value.matchAll(/:\/\/([^/@\s:]*)(?::([^/@\s]*))?@/g)].flatMap(([, user, password]) => password ?? user ?? []),
  );
  const inNetrc = [...netrc.matchAll(/\bpassword\s+(\S+)/g)].map(([, password = '']) => password);
  const decoded = inAddresses.map(decode);
  return [...new Set([...own, ...inAddresses, ...decoded, ...inNetrc])].filter((secret) => secret !== '');
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

async function textOf(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(() => undefined);
}
