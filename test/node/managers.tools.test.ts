import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type BundleRun, Workspace } from '../build-node/workspace.ts';
import { registrySettings } from './registry-settings.ts';

// Real managers, brought from the registry that this machine's npm is set to, on the committed bundle.
const FIXTURES = path.resolve(import.meta.dirname, '../fixtures/node');
const PATH = path.dirname(process.execPath) + path.delimiter + (process.env['PATH'] ?? '');

/** The one of this machine. */
const NPM = execFileSync('npm', ['--version'], { encoding: 'utf8', env: { PATH } }).trim();

let shop: Workspace;
beforeEach(() => {
  shop = new Workspace();
});
afterEach(() => shop.remove());

describe('a small project', () => {
  test.each([
    ['npm', `npm ${NPM}`, `npm ${NPM}, from PATH`, 'node_modules/ms'],
    ['pnpm', 'pnpm 10.34.9', 'checked by the sha512 in package.json', 'node_modules/.pnpm'],
    [
      'yarn-classic',
      'yarn-classic 1.22.22',
      'checked by the SHA-512 that this action knows',
      'node_modules/.yarn-integrity',
    ],
    ['yarn-berry', 'yarn-berry 4.18.1', 'and by the sha512 in package.json', 'node_modules/.yarn-state.yml'],
    ['yarn-berry-pnp', 'yarn-berry 4.18.1', 'checked by the SHA-512 that this action knows', '.pnp.cjs'],
    ['bun', 'bun 1.4.5', 'checked by the SHA-512 that this action knows', 'node_modules/ms'],
  ])(
    'of %s is installed, checked and built by it',
    (name, version, from, trace) => {
      cpSync(path.join(FIXTURES, name), shop.folder, { recursive: true });
      const { exitCode, log, summary } = shop.build({}, { PATH, ...registrySettings(shop.home) });
      expect(log).toContain(from);
      expect(exitCode).toBe(0);
      expect(existsSync(path.join(shop.folder, trace))).toBe(true);
      expect(existsSync(path.join(shop.folder, 'node_modules'))).toBe(name !== 'yarn-berry-pnp');
      expect(readFileSync(path.join(shop.folder, 'out/table.json'), 'utf8')).toBe('{"day":1440}');
      for (const script of ['lint', 'test', 'build']) {
        expect(summary).toMatch(new RegExp(`^\\| ${script} \\| passed\\b`, 'm'));
      }

      const again = shop.build({}, { PATH, ...registrySettings(shop.home) });
      expect(again.exitCode).toBe(0);
      expect(again.log).toContain(`${version}, from ${name === 'npm' ? 'PATH' : 'the tool cache'}`);
    },
    120_000,
  );
});

/** A project without dependencies, so that only the manager itself comes from the registry. */
function bare(packageManager: string, lockfile: string, content: string, more: object = {}): void {
  const scripts = { test: 'node --version' };
  shop.write({
    'package.json': { name: 'shop', version: '1.0.0', packageManager, scripts, ...more },
    [lockfile]: content,
  });
}

const build = (env: Readonly<Record<string, string>> = {}): BundleRun =>
  shop.build({}, { PATH, ...registrySettings(shop.home), ...env });
const LOCK_9 = "lockfileVersion: '9.0'\n\nimporters:\n\n  .: {}\n";
const NPM_LOCK = {
  name: 'shop',
  version: '1.0.0',
  lockfileVersion: 3,
  packages: { '': { name: 'shop', version: '1.0.0' } },
};

describe('a manager that the project pins', () => {
  test.each([
    ['npm@10.9.4', 'package-lock.json', JSON.stringify(NPM_LOCK), 'npm 10.9.4'],
    ['pnpm@9.15.9', 'pnpm-lock.yaml', LOCK_9, 'pnpm 9.15.9'],
  ])(
    '%s comes from the registry, by its own integrity',
    (pinned, lockfile, content, shown) => {
      bare(pinned, lockfile, content);
      const { exitCode, log } = build();
      expect(log).toContain(`${shown}, from the registry, checked by the registry's own integrity`);
      expect(exitCode).toBe(0);
    },
    120_000,
  );

  test.each([
    ['pnpm@10.34.9', 'pnpm-lock.yaml', LOCK_9, 'pnpm-10.34.9.tgz is not the file that was meant'],
    ['yarn@4.18.1', 'yarn.lock', '__metadata:\n  version: 10\n', 'yarn.js is not the file that was meant'],
  ])(
    '%s with a hash that is not its own is not run, nor kept',
    (pinned, lockfile, content, said) => {
      bare(`${pinned}+sha224.${'ab'.repeat(28)}`, lockfile, content);
      for (const { exitCode, log } of [build(), build()]) {
        expect(exitCode).toBe(1);
        expect(log).toContain(said);
        expect(log).not.toContain('::group::');
      }
    },
    120_000,
  );

  test('in a version that there is not is said so', () => {
    bare('pnpm@10.9999.0', 'pnpm-lock.yaml', LOCK_9);
    const { exitCode, log } = build();
    expect(exitCode).toBe(1);
    expect(log).toContain(
      'pnpm@10.9999.0 (by `packageManager` in package.json) cannot be had: the registry has no such',
    );
  });

  test('as a range comes in the newest version that fits', () => {
    bare('', 'pnpm-lock.yaml', LOCK_9);
    const devEngines = { packageManager: { name: 'pnpm', version: '>=9.15 <9.15.9' } };
    shop.write({ 'package.json': { name: 'shop', version: '1.0.0', devEngines } });
    const { exitCode, log } = build();
    expect(log).toContain('pnpm 9.15.8, from the registry');
    expect(exitCode).toBe(0);
  }, 60_000);

  test('that is a program of its platform, as pnpm is since version 12, comes whole', () => {
    bare('', 'pnpm-lock.yaml', LOCK_9);
    const manifest = { name: 'shop', version: '1.0.0', scripts: { test: 'pnpm --version' } };
    shop.write({ 'package.json': { ...manifest, engines: { pnpm: '~12.21.0' } } });
    const { exitCode, log } = build();
    expect(log).toMatch(/downloading @pnpm\/exe\.\S+@12\.21\./);
    expect(log).toMatch(/^12\.21\.\d+$/m);
    expect(exitCode).toBe(0);
  }, 60_000);

  test('is found by a package of the workspace, and installs at its root', () => {
    bare('pnpm@9.15.9', 'pnpm-lock.yaml', "lockfileVersion: '9.0'\n\nimporters:\n\n  .: {}\n\n  packages/api: {}\n");
    shop.write({
      'pnpm-workspace.yaml': 'packages: [packages/*]\n',
      'packages/api/package.json': { name: 'api', version: '1.0.0', scripts: { test: 'node --version' } },
    });
    const { exitCode, log, summary } = shop.build(
      { directory: 'packages/api' },
      { PATH, ...registrySettings(shop.home) },
    );
    expect(log).toContain('; installed in ../.., the root of its workspace');
    expect(exitCode).toBe(0);
    expect(log).toContain('Scope: all 2 workspace projects');
    expect(summary).toContain('✅ api is built');
  }, 60_000);

  test('is the copy of Yarn that lies in the project', () => {
    cpSync(path.join(FIXTURES, 'yarn-berry-pnp'), shop.folder, { recursive: true });
    expect(build().exitCode).toBe(0);
    const brought = path.join(shop.home, 'tools/yarn/4.18.1', process.arch, 'package/bin/yarn.js');
    shop.write({ '.yarnrc.yml': 'yarnPath: .yarn/releases/yarn-4.18.1.cjs\nenableTelemetry: false\n' });
    expect(build().log).toContain('`yarnPath` in .yarnrc.yml names .yarn/releases/yarn-4.18.1.cjs, which is not there');
    cpSync(brought, path.join(shop.folder, '.yarn/releases/yarn-4.18.1.cjs'));
    chmodSync(path.join(shop.folder, '.yarn/releases/yarn-4.18.1.cjs'), 0o644);
    const { exitCode, log } = build();
    expect(log).toContain('yarn-berry, from `yarnPath` (.yarn/releases/yarn-4.18.1.cjs)');
    expect(exitCode).toBe(0);
  }, 120_000);
});
