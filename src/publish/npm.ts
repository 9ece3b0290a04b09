import { type Problem, UserError } from '../action/errors.ts';
import type { RunResult } from '../action/exec.ts';
import type { Host } from '../action/host.ts';
import { textOf } from '../packages/values.ts';
import { isObject } from '../project/json.ts';
import type { Project } from '../project/project.ts';
import { checkPublishable } from './publishable.ts';
import { identityEnv } from './identity.ts';
import type { Published } from './published.ts';

interface Archive {
  readonly name: string;
  readonly version: string;
  readonly integrity: string;
}

/** npm answers within this, retries of its own included. */
const LIMIT_MS = 5 * 60_000;
/** From this version npm exchanges the job's identity for the right to publish (trusted publishing). */
const TRUSTED = [11, 5, 1];
const NEVER = new Set(['pull_request', 'pull_request_target']);

/**
 * Publishes the package of a folder. A version that is there with the same content is left alone, so that a job may run
 * again. The scripts of the package do not run: what they make belongs into `build`, and none of them may see the
 * identity that publishes.
 * @throws UserError when npm or the registry refuses
 */
export async function publishNpm({ directory, read }: Project, host: Host): Promise<Published> {
  const project = checkPublishable(read);
  const npm = async (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<RunResult> =>
    host.exec.run('npm', args, { cwd: directory, env: { ...tokenEnv(host.env, registry), ...env }, timeout: LIMIT_MS });
  let registry = '';
  registry = await registryOf(textOf(project['name']) ?? '', async (args) => npm(args));
  const archive = await packed(await npm(['pack', '--dry-run', '--json', '--ignore-scripts']));
  const { name, version } = archive;
  const known = await integrityOf(archive, npm);
  if (known === archive.integrity) return { name, version, verdict: 'unchanged', provenance: false };
  if (known !== undefined) {
    throw new UserError(`${name} ${version} is published already, with other content`, {
      remedy: 'Raise `version` in package.json; what is published never changes.',
      place: { file: 'package.json' },
    });
  }
  const isDry = NEVER.has(host.info.eventName);
  // A provenance names a public repository in a public log, and only the public registry takes it.
  const provenance = !isDry && canSign(host) && registry === (await publicRegistry(host));
  if (provenance) await checkVersion(npm, host);
  const args = [
    'publish',
    '--json',
    '--ignore-scripts',
    ...(isDry ? ['--dry-run'] : []),
    ...(provenance ? ['--provenance'] : []),
  ];
  const result = await npm(args, isDry ? {} : identityEnv(host.env));
  if (result.exitCode !== 0) throw refusal(result, archive, registry);
  return { name, version, verdict: isDry ? 'checked' : 'published', provenance };
}

/** The registry that npm knows by itself, whatever the machine and the project set. */
async function publicRegistry({ exec, info }: Host): Promise<string> {
  const args = ['config', 'get', 'registry', '--userconfig=/dev/null', '--globalconfig=/dev/null'];
  const env = { npm_config_registry: undefined, NPM_CONFIG_REGISTRY: undefined };
  return (await exec.run('npm', args, { cwd: info.temp, env, timeout: LIMIT_MS })).stdout.trim();
}

async function registryOf(name: string, npm: (args: readonly string[]) => Promise<RunResult>): Promise<string> {
  const [, scope] = /^(@[^/]+)\//.exec(name) ?? [];
  const ask = async (key: string): Promise<string> => (await npm(['config', 'get', key])).stdout.trim();
  const own = scope === undefined ? '' : await ask(`${scope}:registry`);
  return own !== '' && own !== 'undefined' ? own : ask('registry');
}

async function packed(result: RunResult): Promise<Archive> {
  const list: unknown = safeJson(result.stdout);
  const values = Array.isArray(list) ? list : isObject(list) ? Object.values(list) : [];
  const first: unknown = values[0];
  const [name, version, integrity] = isObject(first)
    ? [first['name'], first['version'], first['integrity']].map(textOf)
    : [];
  if (result.exitCode === 0 && name !== undefined && version !== undefined && integrity !== undefined) {
    return { name, version, integrity };
  }
  throw new UserError(`npm cannot pack the package: ${lastWords(result)}`, {
    remedy: 'Run `npm pack --dry-run` on your machine: it says the same.',
    place: { file: 'package.json' },
  });
}

/** The hash of the version in the registry; undefined when there is none. */
async function integrityOf(
  { name, version }: Archive,
  npm: (args: readonly string[]) => Promise<RunResult>,
): Promise<string | undefined> {
  const result = await npm(['view', `${name}@${version}`, 'dist.integrity', '--json']);
  const value = safeJson(result.stdout);
  if (result.exitCode === 0) return textOf(value);
  const error = isObject(value) && isObject(value['error']) ? textOf(value['error']['code']) : undefined;
  // A registry that shows nothing to strangers may still let them publish.
  if (error === 'E404' || /E404|E401|E403/.test(`${error} ${result.stderr}`)) return undefined;
  throw new UserError(`the registry cannot be asked about ${name}: ${lastWords(result)}`, {
    remedy: 'Run the job again.',
  });
}

/** The token of actions/setup-node's convention, for a registry that .npmrc names without one. */
function tokenEnv(env: Host['env'], registry: string): Readonly<Record<string, string>> {
  const token = env['NODE_AUTH_TOKEN'];
  const url = URL.parse(registry);
  if (!token || url === null) return {};
  return { [`npm_config_//${url.host}${url.pathname.replace(/\/*$/, '/')}:_authToken`]: token };
}

function canSign({ env }: Host): boolean {
  return Boolean(env['ACTIONS_ID_TOKEN_REQUEST_URL']);
}

async function checkVersion(npm: (args: readonly string[]) => Promise<RunResult>, host: Host): Promise<void> {
  const version = (await npm(['--version'])).stdout.trim();
  const parts = version.split('.').map(Number);
  const at = TRUSTED.findIndex((part, index) => parts[index] !== part);
  const isOld = at !== -1 && (parts[at] ?? 0) < (TRUSTED[at] ?? 0);
  if (isOld && !host.env['NODE_AUTH_TOKEN']) {
    host.log.warning(
      `npm ${version} knows no trusted publishing, which came with ${TRUSTED.join('.')}: without a token the registry will refuse`,
    );
  }
}

const REMEDIES: Readonly<Record<string, (archive: Archive, registry: string) => string>> = {
  ENEEDAUTH: ({ name }) =>
    `Make this repository and workflow a trusted publisher of ${name} on the public registry and give the job \`id-token: write\`; or set NODE_AUTH_TOKEN in the environment of the step.`,
  E401: () => 'The token may have expired: make a new one, or make the repository a trusted publisher.',
  E402: ({ name }) =>
    `${name} would be private, which the account does not pay for: set \`publishConfig: {"access": "public"}\` in package.json.`,
  E403: ({ name }, registry) =>
    `The name ${name} may belong to somebody else at ${registry}, or the account may not publish it: choose another name, such as one in your scope (@owner/${name.replace(/^@[^/]+\//, '')}), or let its owner add the account.`,
  E404: ({ name }) =>
    `The registry has no ${name} that this account may see: create it once by hand, or give the token the right to publish.`,
  EPUBLISHCONFLICT: () => 'Another job published this version meanwhile: raise `version` in package.json.',
  E409: () => 'Another job published this version meanwhile: raise `version` in package.json.',
};

function refusal(result: RunResult, archive: Archive, registry: string): UserError {
  const { name, version } = archive;
  const told = safeJson(result.stdout);
  const error = isObject(told) && isObject(told['error']) ? told['error'] : {};
  const code = textOf(error['code']) ?? /npm (?:error|ERR!) code (\w+)/.exec(result.stderr)?.[1] ?? '';
  const conflict =
    code === 'E403' && /previously published|cannot publish over/i.test(`${textOf(error['summary'])}${result.stderr}`);
  const remedy = REMEDIES[conflict ? 'EPUBLISHCONFLICT' : code]?.(archive, registry);
  const problem: Problem = {
    message: `${name} ${version} cannot be published: ${(textOf(error['summary']) ?? lastWords(result)).slice(0, 500)}${code === '' ? '' : ` (${code})`}`,
    remedy: remedy ?? 'The log of npm above says more; run the job again where the registry was at fault.',
    place: { file: 'package.json' },
  };
  return new UserError(problem.message, problem);
}

function lastWords({ stderr, stdout }: RunResult): string {
  const lines = (stderr.trim() || stdout.trim()).split('\n').filter((line) => !/A complete log of this run/.test(line));
  return lines.slice(-3).join(' ').slice(0, 500);
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text.slice(Math.max(text.search(/[[{"]/), 0)));
  } catch {
    return undefined;
  }
}
