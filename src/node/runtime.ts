import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import semver from 'semver';
import { UserError, messageOf } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import { isObject } from '../project/json.ts';
import type { NodeVersion } from './version.ts';

/** The Node that the project's programs get. */
export interface Runtime {
  /** Exact version, without `v`. */
  readonly version: string;
  /** Where it came from, as a phrase for the log. */
  readonly from: string;
}

/** One release as https://nodejs.org/dist/index.json lists it. */
export interface NodeRelease {
  /** With `v`. */
  readonly version: string;
  /** Code name of the long-term support line, or false. */
  readonly lts: string | false;
}

type RuntimeHost = Pick<Host, 'env' | 'exec' | 'log' | 'signal' | 'addPath'>;

const TIMEOUT_MS = 15_000;
const MAX_INDEX = 5_000_000;

/**
 * Makes a Node of the wanted range the first on PATH: the one that is there when it fits, else one of the runner's
 * tool cache, else the newest long-term support release in the range, downloaded and checked by its SHA-256. The
 * download comes from nodejs.org, or the mirror that the environment names as NODEJS_ORG_MIRROR.
 * @throws UserError when no release is in the range or it cannot be had
 */
export async function provideNode(wanted: NodeVersion, host: RuntimeHost): Promise<Runtime> {
  const present = await presentVersion(host);
  if (present !== undefined && semver.satisfies(present, wanted.range)) return { version: present, from: 'the runner' };
  // The tool cache and its HTTP client are loaded only by the runs that need them.
  const tools = await import('@actions/tool-cache');
  const cached = tools.find('node', wanted.range);
  if (cached !== '') return use(cached, "the runner's tool cache", host);
  const mirror = (host.env['NODEJS_ORG_MIRROR'] || 'https://nodejs.org/dist').replace(/\/+$/, '');
  const { version } = chooseRelease(await releases(mirror, host.signal), wanted);
  const name = `node-${version}-${process.platform}-${process.arch}`;
  host.log.info(`downloading Node ${version}`);
  try {
    const sums = await get(`${mirror}/${version}/SHASUMS256.txt`, host.signal);
    const archive = await tools.downloadTool(`${mirror}/${version}/${name}.tar.gz`);
    await checkSum(archive, sums, `${name}.tar.gz`);
    const folder = await tools.extractTar(archive);
    const kept = await tools.cacheDir(path.join(folder, name), 'node', version.slice(1));
    return await use(kept, `${mirror}, checked by its SHA-256`, host);
  } catch (error) {
    host.signal.throwIfAborted();
    throw unreachable(`Node ${version}`, mirror, error);
  }
}

/**
 * The newest release of a long-term support line in the range, else the newest in it.
 * @throws UserError when there is none
 */
export function chooseRelease(known: readonly NodeRelease[], wanted: NodeVersion): NodeRelease {
  const fitting = known
    .filter(({ version }) => semver.satisfies(version, wanted.range))
    .toSorted((a, b) => semver.rcompare(a.version, b.version));
  const chosen = fitting.find(({ lts }) => lts !== false) ?? fitting[0];
  if (chosen !== undefined) return chosen;
  throw new UserError(`No release of Node is in the range ${wanted.range} (from ${wanted.reason})`, {
    remedy: 'Name a version that exists, such as 24 or 24.11.0.',
  });
}

async function presentVersion({ exec }: RuntimeHost): Promise<string | undefined> {
  const { stdout } = await exec.ask('node', ['--version']).catch(() => ({ stdout: '' }));
  return semver.clean(stdout) ?? undefined;
}

async function use(folder: string, from: string, host: RuntimeHost): Promise<Runtime> {
  host.addPath(path.join(folder, 'bin'));
  const version = await presentVersion(host);
  if (version === undefined) throw new UserError(`The Node in ${folder} does not run`);
  return { version, from };
}

async function releases(mirror: string, signal: AbortSignal): Promise<readonly NodeRelease[]> {
  try {
    const list: unknown = JSON.parse(await get(`${mirror}/index.json`, signal));
    if (!Array.isArray(list)) throw new Error('index.json is not a list');
    return list.filter(isObject).flatMap(({ version, lts }) => {
      return typeof version === 'string' ? [{ version, lts: typeof lts === 'string' ? lts : false }] : [];
    });
  } catch (error) {
    signal.throwIfAborted();
    throw unreachable('the list of Node releases', mirror, error);
  }
}

async function get(url: string, signal: AbortSignal): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]) });
  if (!response.ok) throw new Error(`${url} answers ${response.status}`);
  const body = await response.text();
  if (body.length > MAX_INDEX) throw new Error(`${url} answers more than ${MAX_INDEX} characters`);
  return body;
}

async function checkSum(file: string, sums: string, name: string): Promise<void> {
  const line = sums.split('\n').find((one) => one.trim().endsWith(`  ${name}`));
  const wanted = line?.trim().split(/\s+/)[0];
  if (wanted === undefined) throw new Error(`there is no SHA-256 of ${name}`);
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  if (hash.digest('hex') !== wanted) throw new Error(`the SHA-256 of ${name} is wrong: what came is not the release`);
}

function unreachable(what: string, mirror: string, cause: unknown): UserError {
  return new UserError(`${what} cannot be had from ${mirror}: ${messageOf(cause)}`, {
    remedy: 'Use a runner image that has this Node, or name a mirror in the environment variable NODEJS_ORG_MIRROR.',
    cause,
  });
}
