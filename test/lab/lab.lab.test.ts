import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

test('registry and GitHub go without a trace: no process that names the run folder, and no file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lab-'));
  const lab = (...args: string[]) => {
    const env = { ...process.env, XDG_CACHE_HOME: folder };
    return spawnSync(process.execPath, [join(import.meta.dirname, 'cli.ts'), ...args], { env, encoding: 'utf8' });
  };
  try {
    expect(lab('up', 'registry', 'github').status).toBe(0);
    expect(await processesOf(folder)).toHaveLength(2);
    expect(lab('down').status).toBe(0);
    expect(await processesOf(folder)).toEqual([]);
    expect(await readdir(join(folder, 'delivery-actions'))).toEqual([]);
  } finally {
    lab('down');
    await rm(folder, { recursive: true });
  }
}, 60_000);

/** Living processes whose environment was set for a lab in this folder. */
async function processesOf(folder: string): Promise<string[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const owned = await Promise.all(
    ids.map(async (id) => {
      const environment = await readFile(`/proc/${id}/environ`, 'utf8').catch(() => '');
      return environment.split('\0').includes(`XDG_CACHE_HOME=${folder}`);
    }),
  );
  return ids.filter((_, index) => owned[index]);
}
