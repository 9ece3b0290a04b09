import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import semver from 'semver';
import { UserError, messageOf } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import { isNetworkFault, refusalIn } from './install-fault.ts';
import type { Hash } from './manager-choice.ts';
import { pinnedIntegrity } from './manager-packages.ts';
import { isObject } from '../project/json.ts';

/** A package of the registry in a file. */
export interface Fetched {
  readonly file: string;
  readonly version: string;
  /** What it was checked by, as a phrase for the log. */
  readonly by: string;
}

interface Wanted {
  readonly module: string;
  /** A version or a range. */
  readonly range: string;
  readonly hash?: Hash | undefined;
  /** A folder for the file, with a package.json and the .npmrc that counts. */
  readonly temp: string;
  /** Why this version, as a phrase. */
  readonly reason: string;
}

type FetchHost = Pick<Host, 'exec' | 'log' | 'clock' | 'signal'>;

const TIMEOUT_MS = 180_000;
const WAITS_MS = [1000, 5000];

/**
 * Downloads a package with npm, so from the registry and with the tokens, proxies and certificates that npm is set to,
 * and checks it: by the project's hash, else by the integrity that this action knows, else by the registry's own,
 * which npm checks. A network that fails is asked again.
 * @throws UserError when there is no such package, the registry refuses or the file is not what the hash says
 */
export async function fetchPackage(wanted: Wanted, host: FetchHost): Promise<Fetched> {
  const spec = `${wanted.module}@${new semver.Range(wanted.range).range || '*'}`;
  host.log.info(`downloading ${spec}`);
  for (const [tries, wait] of [...WAITS_MS, undefined].entries()) {
    const packed = await pack(spec, wanted, host);
    if ('version' in packed) return verified(packed, wanted);
    if (wait === undefined || !isNetworkFault(packed.said)) throw refused(spec, wanted, packed.said);
    host.log.info(`the registry did not give ${spec} (attempt ${tries + 1}); trying again in ${wait / 1000} s`);
    await host.clock.sleep(wait, host.signal);
  }
  throw new TypeError('a last attempt ends the loop');
}

async function pack(
  spec: string,
  { temp }: Wanted,
  { exec }: FetchHost,
): Promise<{ readonly file: string; readonly version: string } | { readonly said: string }> {
  const options = ['--json', '--ignore-scripts', '--loglevel=error', `--pack-destination=${temp}`];
  const { exitCode, stdout, stderr } = await exec
    .run('npm', ['pack', spec, ...options], {
      cwd: temp,
      timeout: TIMEOUT_MS,
      env: { npm_config_update_notifier: 'false' },
    })
    .catch((error: unknown) => {
      throw new UserError(`npm, which brings other package managers, cannot be run: ${messageOf(error)}`, {
        remedy: 'Add a step with actions/setup-node before this one, or use a runner that has npm.',
        cause: error,
      });
    });
  if (exitCode !== 0) return { said: `${stdout}\n${stderr}` };
  const told = packedIn(stdout);
  if (told === undefined) throw new UserError(`npm does not say what it packed for ${spec}`);
  return { file: path.join(temp, path.basename(told.filename)), version: told.version };
}

/** What `npm pack --json` tells; it keeps the end of what is longer than an action keeps of an output. */
function packedIn(stdout: string): { readonly filename: string; readonly version: string } | undefined {
  try {
    const told: unknown = JSON.parse(stdout);
    const one: unknown = Array.isArray(told) ? told[0] : Object.values(isObject(told) ? told : {})[0];
    if (!isObject(one)) return undefined;
    const { filename, version } = one;
    return typeof filename === 'string' && typeof version === 'string' && semver.valid(version) !== null
      ? { filename, version }
      : undefined;
  } catch {
    return undefined;
  }
}

async function verified({ file, version }: Omit<Fetched, 'by'>, { module, hash }: Wanted): Promise<Fetched> {
  if (hash !== undefined) {
    await checkHash(file, hash);
    return { file, version, by: `the ${hash.algorithm} in package.json` };
  }
  const known = pinnedIntegrity(module, version);
  if (known === undefined) return { file, version, by: "the registry's own integrity, as the project has no hash" };
  await checkHash(file, integrityOf(known));
  return { file, version, by: 'the SHA-512 that this action knows' };
}

/**
 * Checks a file by its hash.
 * @throws UserError when it is another
 */
export async function checkHash(file: string, { algorithm, hex }: Hash): Promise<void> {
  const is = createHash(algorithm)
    .update(await readFile(file))
    .digest('hex');
  if (is === hex) return;
  throw new UserError(
    `${path.basename(file)} is not the file that was meant: its ${algorithm} is ${is}, not ${hex}. Nothing of it was run.`,
    {
      remedy:
        'Where `packageManager` in package.json gives a hash, see that it is the one of this version; else the registry gave another file than everyone gets: ask who runs it.',
    },
  );
}

/** The hash out of `sha512-` and base64, as registries write it. */
function integrityOf(integrity: string): Hash {
  return { algorithm: 'sha512', hex: Buffer.from(integrity.slice('sha512-'.length), 'base64').toString('hex') };
}

function refused(spec: string, { reason }: Wanted, said: string): UserError {
  const missing = /\bETARGET\b|\bE404\b|\bENOVERSIONS\b/.test(said);
  const lines = said.split('\n').filter((line) => line.trim() !== '');
  const why = missing ? 'the registry has no such version' : (refusalIn(said)?.what ?? 'the registry did not give it');
  return new UserError(`${spec} (by ${reason}) cannot be had: ${why}\n${lines.slice(-8).join('\n')}`, {
    remedy: missing
      ? 'Name a version that exists; a private registry has to pass on the packages of package managers too.'
      : (refusalIn(said)?.remedy ??
        'Run the job again; the registry is the one that .npmrc or npm_config_registry names.'),
  });
}
