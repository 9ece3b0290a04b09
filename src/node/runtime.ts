import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import semver from 'semver';
import { UserError, messageOf } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import { readAll } from '../http/ask.ts';
import { isObject } from '../project/json.ts';
import { findTool, keepTool } from './tool-folder.ts';
import { type NodeVersion, withoutAlias } from './version.ts';

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

type RuntimeHost = Pick<Host, 'env' | 'exec' | 'log' | 'signal' | 'addPath' | 'info' | 'clock'>;

const TIMEOUT_MS = 15_000;
const MAX_INDEX = 5_000_000;
const WAITS_MS = [500, 2000];

/**
 * Says which versions an alias stands for, such as `22` for `lts/jod`; a version without one stays as it is. The Node
 * that is there is asked first, since it knows the name of its own line; the list of releases knows the others.
 * @throws UserError when there is no such line, the project excludes it or the list cannot be had
 */
export async function resolveAlias(wanted: NodeVersion, host: RuntimeHost): Promise<NodeVersion> {
  const { alias } = wanted;
  if (alias === undefined) return wanted;
  const present = await presentLine(host);
  if (present !== undefined && alias === `lts/${present.name}`) return withoutAlias(wanted, present.major);
  return withoutAlias(wanted, rangeOfAlias(await releases(mirrorOf(host), host), alias, wanted.reason));
}

/**
 * Makes a Node of the wanted range the first on PATH: the one that is there when it fits, else one of the runner's
 * tool cache, else the newest long-term support release in the range, downloaded and checked by its SHA-256. The
 * download comes from nodejs.org, or the mirror that the environment names as NODEJS_ORG_MIRROR.
 * @throws UserError when no release is in the range or it cannot be had
 */
export async function provideNode(wanted: NodeVersion, host: RuntimeHost): Promise<Runtime> {
  const present = await presentNode(wanted, host);
  if (present !== undefined) return { version: present, from: 'the runner' };
  const cached = findTool('node', wanted.range, host);
  if (cached !== undefined) return use(cached.folder, "the runner's tool cache", host);
  const mirror = mirrorOf(host);
  const { version } = chooseRelease(await releases(mirror, host), wanted);
  host.log.info(`downloading Node ${version}`);
  try {
    const folder = await keepTool('node', version.slice(1), host, async (into) =>
      download(mirror, version, into, host),
    );
    return await use(folder, `${mirror}, checked by its SHA-256`, host);
  } catch (error) {
    host.signal.throwIfAborted();
    throw unreachable(`Node ${version}`, mirror, error);
  }
}

async function download(mirror: string, version: string, into: string, host: RuntimeHost): Promise<void> {
  const name = `node-${version}-${process.platform}-${process.arch}.tar.gz`;
  const sums = await get(`${mirror}/${version}/SHASUMS256.txt`, host);
  // Its HTTP client, which knows proxies, is loaded only by the runs that need it.
  const { downloadTool } = await import('@actions/tool-cache');
  const archive = await downloadTool(`${mirror}/${version}/${name}`, path.join(into, name));
  await checkSum(archive, sums, name);
  const args = ['-xzf', archive, '-C', into, '--strip-components=1', '--no-same-owner'];
  const { exitCode, stderr } = await host.exec.run('tar', args);
  if (exitCode !== 0) throw new Error(`${name} cannot be unpacked: ${stderr.trim().slice(-500)}`);
  await rm(archive);
}

/**
 * The line or version that an alias stands for in the list of releases.
 * @throws UserError when there is no such line
 */
export function rangeOfAlias(known: readonly NodeRelease[], alias: string, reason: string): string {
  const newestFirst = known.toSorted((a, b) => semver.rcompare(a.version, b.version));
  const [newest] = newestFirst;
  if (alias === 'latest' && newest !== undefined) return newest.version.slice(1);
  const lines = new Map(
    newestFirst.flatMap(({ version, lts }) => (lts === false ? [] : [[lts.toLowerCase(), semver.major(version)]])),
  );
  const [, word = ''] = alias.split('/');
  const back = word === '*' ? 0 : -Number(word);
  const major = Number.isNaN(back) ? lines.get(word) : [...lines.values()][back];
  if (major !== undefined) return String(major);
  throw new UserError(`No line of Node with long-term support is ${alias} (from ${reason})`, {
    remedy: `Name one of lts/*, lts/-1${[...lines.keys()]
      .slice(0, 3)
      .map((line) => `, lts/${line}`)
      .join('')}, or a version such as 24.`,
  });
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

/** The line of long-term support that the Node on PATH is of; in small letters. */
async function presentLine({ exec }: RuntimeHost): Promise<{ name: string; major: string } | undefined> {
  const script = 'process.stdout.write(`${process.versions.node} ${process.release.lts ?? ""}`)';
  const { stdout } = await exec.ask('node', ['--eval', script]).catch(() => ({ stdout: '' }));
  const [, major, name] = /^(\d+)\.\S+ (\w+)$/.exec(stdout.trim()) ?? [];
  return major === undefined || name === undefined ? undefined : { name: name.toLowerCase(), major };
}

function mirrorOf({ env }: RuntimeHost): string {
  return (env['NODEJS_ORG_MIRROR'] || 'https://nodejs.org/dist').replace(/\/+$/, '');
}

/** The version of the Node on PATH, where it is in the wanted range. */
export async function presentNode(wanted: NodeVersion, host: Pick<Host, 'exec'>): Promise<string | undefined> {
  const present = await presentVersion(host);
  return present !== undefined && semver.satisfies(present, wanted.range) ? present : undefined;
}

async function presentVersion({ exec }: Pick<Host, 'exec'>): Promise<string | undefined> {
  const { stdout } = await exec.ask('node', ['--version']).catch(() => ({ stdout: '' }));
  return semver.clean(stdout) ?? undefined;
}

async function use(folder: string, from: string, host: RuntimeHost): Promise<Runtime> {
  host.addPath(path.join(folder, 'bin'));
  const version = await presentVersion(host);
  if (version === undefined) throw new UserError(`The Node in ${folder} does not run`);
  return { version, from };
}

async function releases(mirror: string, host: RuntimeHost): Promise<readonly NodeRelease[]> {
  try {
    const list: unknown = JSON.parse(await get(`${mirror}/index.json`, host));
    if (!Array.isArray(list)) throw new Error('index.json is not a list');
    return list.filter(isObject).flatMap(({ version, lts }) => {
      return typeof version === 'string' ? [{ version, lts: typeof lts === 'string' ? lts : false }] : [];
    });
  } catch (error) {
    host.signal.throwIfAborted();
    throw unreachable('the list of Node releases', mirror, error);
  }
}

/** The text at an address; what a network or server loses is asked for again. */
async function get(url: string, { signal, clock }: RuntimeHost): Promise<string> {
  for (const wait of [...WAITS_MS, undefined]) {
    const answer = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]) })
      .then(async (response) => ({
        status: response.status,
        body: (await readAll(response, MAX_INDEX, url)).toString(),
      }))
      .catch((cause: unknown) => {
        if (cause instanceof UserError) throw cause;
        return { status: 0, body: '', cause };
      });
    if (answer.status === 200) return answer.body;
    signal.throwIfAborted();
    const passing = answer.status === 0 || answer.status === 429 || answer.status >= 500;
    if (!passing || wait === undefined) {
      const said = answer.status === 0 ? 'does not answer' : `answers ${answer.status}`;
      throw new Error(`${url} ${said}`, 'cause' in answer ? { cause: answer.cause } : {});
    }
    await clock.sleep(wait, signal);
  }
  throw new TypeError('a last attempt ends the loop');
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
