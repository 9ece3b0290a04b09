import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Exec } from '../../src/action/exec.ts';
import { findDumper } from '../../src/keep/pg-dump.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'pg-dump-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Far above any version that this machine may have itself. */
function install(...versions: readonly string[]): { env: Record<string, string>; exec: Exec } {
  const folders = versions.map((version) => {
    const bin = path.join(folder, version);
    mkdirSync(bin);
    writeFileSync(path.join(bin, 'pg_dump'), `#!/bin/sh\necho 'pg_dump (PostgreSQL) ${version}'\n`);
    chmodSync(path.join(bin, 'pg_dump'), 0o755);
    return bin;
  });
  return { env: { PATH: folders.join(':') }, exec: {} as Exec };
}

const address = { host: '127.0.0.1', port: 1, user: 'u', password: 'p', database: 'd' };

test.each([
  [91, ['92.1', '91.4', '91.10', '90.2'], 91],
  [91, ['93.0', '92.3', '90.2'], 92],
])('for a server of %d, of %j the client of %d is taken', async (major, versions, expected) => {
  expect(await findDumper(major, address, install(...versions))).toMatchObject({ major: expected });
});

test('older ones alone are refused, with what to install', async () => {
  await expect(findDumper(95, address, install('90.2', '94.9'))).rejects.toMatchObject({
    message: expect.stringMatching(/pg_dump of this runner is of version .*9[04], .*older than the server \(95\)/),
    remedy: expect.stringContaining('postgresql-client-95'),
  });
});
