import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/**
 * Whether packages may be installed unasked: as root on Debian, in CI or when LAB_INSTALL says so (`--install`).
 * @param mark a file that only Debian and what is made of it has
 */
export function mayInstall(env: NodeJS.ProcessEnv = process.env, mark = '/etc/debian_version'): boolean {
  const asked = Boolean(env['CI']) || env['LAB_INSTALL'] === '1';
  return asked && process.getuid?.() === 0 && existsSync(mark);
}

/** Installs Debian packages. @throws Error with apt-get's last lines when that fails */
export function install(packages: readonly string[], env: NodeJS.ProcessEnv = process.env): void {
  process.stderr.write(`installs ${packages.join(' ')}\n`);
  aptGet(['update', '-q'], env);
  aptGet(['install', '-q', '-y', '--no-install-recommends', ...packages], env);
}

function aptGet(args: readonly string[], env: NodeJS.ProcessEnv): void {
  const { status, stderr, error } = spawnSync('apt-get', args, {
    env: { ...env, DEBIAN_FRONTEND: 'noninteractive' },
    encoding: 'utf8',
    timeout: 600_000,
  });
  if (status === 0) return;
  const words = error?.message ?? stderr.trim().split('\n').slice(-5).join(' ');
  throw new Error(`apt-get ${args.join(' ')} failed: ${words}`);
}
