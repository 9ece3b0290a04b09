import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { NpmRegistry, quietEnv } from '../build-node/npm-registry.ts';
import { LOCKED, VERSIONS, agreeing, disagreeing } from './lockfile-cases.ts';

// The same cases as in lockfile.test.ts, judged by the npm of this machine: this action's check must not be stricter.
let registry: NpmRegistry;
beforeAll(async () => {
  registry = await NpmRegistry.start('127.0.0.1');
  for (const [name, version] of Object.entries(VERSIONS)) {
    if (name !== 'other') registry.publish({ name, version: '1.0.0' }, {});
    registry.publish({ name, version }, {});
  }
});
afterAll(async () => registry.stop());

async function npmCi(manifest: object): Promise<string> {
  const folder = mkdtempSync(path.join(tmpdir(), 'npm-ci-'));
  try {
    writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ name: 'shop', version: '1.0.0', ...manifest }));
    writeFileSync(path.join(folder, 'package-lock.json'), JSON.stringify(LOCKED));
    const env = quietEnv(folder, { npm_config_registry: `http://${registry.host}/` });
    const done = promisify(execFile)('npm', ['ci', '--no-audit', '--no-fund'], { cwd: folder, env, timeout: 60_000 });
    return await done.then(
      () => 'installed',
      (error: { stderr: string }) => error.stderr,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('npm ci', () => {
  test.each(Object.entries(agreeing))('takes %s', async (_, manifest) => {
    expect(await npmCi(manifest)).toBe('installed');
  });

  test.each(Object.entries(disagreeing))('refuses %s', async (_, { manifest }) => {
    expect(await npmCi(manifest)).toContain('can only install packages when your package.json and');
  });
});
