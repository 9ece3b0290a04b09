import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import type { Host } from '../../src/action/host.ts';
import { openProject } from '../../src/project/project.ts';
import { publishNpm } from '../../src/publish/npm.ts';

test.each([
  ['workspace:^', 'dependencies'],
  ['catalog:', 'peerDependencies'],
  ['link:../lib', 'optionalDependencies'],
])('a range %s in %s, which npm hands on as it is, is never published', async (range, kind) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'publish-'));
  try {
    const project = { name: 'shop', version: '1.0.0', [kind]: { lib: range, ms: '^2.0.0' } };
    writeFileSync(path.join(folder, 'package.json'), JSON.stringify(project));
    const called: unknown[] = [];
    const run = async (...args: unknown[]) => {
      called.push(args);
      return { exitCode: 1, stdout: '', stderr: '', took: 0 };
    };
    const host = { env: {}, info: { eventName: 'push' }, exec: { run } } as unknown as Host;
    await expect(publishNpm(openProject('.', folder), host)).rejects.toMatchObject({
      message: expect.stringContaining(`lib ${range}`),
      place: { file: 'package.json' },
    });
    expect(called).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
