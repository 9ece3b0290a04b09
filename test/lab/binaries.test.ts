import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { findBinary } from './binaries.ts';

test('a binary is built once, then found in the cache; one that is installed comes first', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lab-'));
  try {
    const fakeGo = '#!/bin/sh\n: > "$GOBIN/act"\nchmod +x "$GOBIN/act"\n';
    await writeFile(join(folder, 'go'), fakeGo, { mode: 0o755 });
    const cache = join(folder, 'cache');
    const env = { PATH: `${folder}:/bin` };
    const built = join(cache, 'bin', 'act-v0.2.89', 'act');
    expect(await findBinary('act', cache, env)).toBe(built);
    await rm(join(folder, 'go'));
    expect(await findBinary('act', cache, env)).toBe(built);
    await writeFile(join(folder, 'act'), '', { mode: 0o755 });
    expect(await findBinary('act', cache, env)).toBe(join(folder, 'act'));
  } finally {
    await rm(folder, { recursive: true });
  }
});
