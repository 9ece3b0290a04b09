import path from 'node:path';
import { UserError } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import { identityEnv } from './identity.ts';

/** What is published where. */
export interface Distributions {
  /** sdist and wheels, absolute. */
  readonly files: readonly string[];
  /** Upload address of the index; PyPI's own without one. */
  readonly publishUrl?: string;
  /** Simple index where what is there already is looked up, so that a job may run again. */
  readonly checkUrl?: string;
  /** How to run uv, such as `['uv']` or `['python', '-m', 'uv']`. */
  readonly uv: readonly [string, ...string[]];
}

const LIMIT_MS = 10 * 60_000;
const NEVER = new Set(['pull_request', 'pull_request_target']);

/**
 * Uploads distributions by `uv publish`: by trusted publishing where the job has an identity, else by UV_PUBLISH_TOKEN
 * or UV_PUBLISH_USERNAME and UV_PUBLISH_PASSWORD of the environment (CodeArtifact gives such a password). Files that
 * are there with the same content are left alone. A pull request publishes nothing.
 * @throws UserError when the index refuses
 */
export async function publishPython(
  { files, publishUrl, checkUrl, uv }: Distributions,
  host: Host,
): Promise<'published' | 'checked'> {
  const [program, ...before] = uv;
  const isDry = NEVER.has(host.info.eventName);
  const hasKey = Boolean(host.env['UV_PUBLISH_TOKEN'] ?? host.env['UV_PUBLISH_PASSWORD']);
  const args = [
    ...before,
    'publish',
    ...(publishUrl === undefined ? [] : ['--publish-url', publishUrl]),
    ...(checkUrl === undefined ? [] : ['--check-url', checkUrl]),
    '--trusted-publishing',
    hasKey || isDry ? 'never' : 'automatic',
    ...(isDry ? ['--dry-run'] : []),
    ...files,
  ];
  const { exitCode, stderr } = await host.exec.run(program, args, {
    env: isDry ? {} : identityEnv(host.env),
    timeout: LIMIT_MS,
  });
  if (exitCode === 0) return isDry ? 'checked' : 'published';
  const names = files.map((file) => path.basename(file)).join(', ');
  throw new UserError(`${names} cannot be published: ${stderr.trim().split('\n').slice(-3).join(' ').slice(0, 500)}`, {
    remedy: remedyFor(stderr),
  });
}

function remedyFor(said: string): string {
  if (/already exists|different content|local file and index file do not match/i.test(said)) {
    return 'This version is published already, with other content: raise it in pyproject.toml.';
  }
  if (/\b403\b/.test(said))
    return 'The name may belong to somebody else, or the account may not publish it: choose another name, or let its owner add the account.';
  if (/\b401\b|credentials|authenticat/i.test(said)) {
    return 'Make this repository and workflow a trusted publisher of the project and give the job `id-token: write`; or set UV_PUBLISH_TOKEN in the environment of the step.';
  }
  return 'Run the job again where the index was at fault.';
}
