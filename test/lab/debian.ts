import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Whether packages may be installed unasked: as root on Debian, in CI or when LAB_INSTALL says so (`--install`). */
export function mayInstall(env: NodeJS.ProcessEnv = process.env): boolean {
  const asked = Boolean(env['CI']) || env['LAB_INSTALL'] === '1';
  return asked && process.getuid?.() === 0 && existsSync('/etc/debian_version');
}

/** Installs Debian packages. @throws Error with apt-get's last lines when that fails */
export function install(packages: readonly string[]): void {
  process.stderr.write(`installing ${packages.join(' ')}\n`);
  aptGet(['update', '-q']);
  aptGet(['install', '-q', '-y', '--no-install-recommends', ...packages]);
}

function aptGet(args: readonly string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const { status, stderr, error } = spawnSync('apt-get', args, { env, encoding: 'utf8', timeout: 600_000 });
  if (status === 0) return;
  throw new Error(`apt-get ${args.join(' ')} failed: ${error?.message ?? stderr.split('\n').slice(-5).join(' ')}`);
}
