import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { bundle } from '../../scripts/bundle.ts';

const execute = promisify(execFile);
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bundle-'));
  await bundle({ 'lint/index': 'bench/migrate/lint-entry.ts' }, path.join(folder, 'dist'));
  await writeFile(path.join(folder, 'dist/package.json'), '{"type":"module"}\n');
}, 60_000);
afterAll(async () => rm(folder, { recursive: true, force: true }));

async function run(...files: readonly string[]): Promise<string> {
  // Elsewhere than the sources, so that nothing is found in node_modules.
  const { stdout } = await execute(process.execPath, [path.join(folder, 'dist/lint/index.js'), ...files], {
    cwd: folder,
  });
  return stdout;
}

test('the parser works in a bundle, with its WebAssembly beside its chunk', async () => {
  expect(existsSync(path.join(folder, 'dist/chunks/libpg-query.wasm'))).toBe(true);
  await writeFile(path.join(folder, 'a.sql'), 'CREATE INDEX a ON t (b);\nSELEC 1;\n');
  expect(await run('a.sql')).toContain('a.sql:1: index-not-concurrent\n');
});

test('and is not read where nothing is to be linted', async () => {
  await rm(path.join(folder, 'dist/chunks/libpg-query.wasm'));
  expect(await run()).toBe('');
  await expect(run('a.sql')).rejects.toThrow('libpg-query.wasm');
});
