import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { RunInfo } from '../../src/action/host.ts';
import { uploadArtifact } from '../../src/artifact/upload.ts';
import { type ArtifactService, artifactService } from './service.ts';

let service: ArtifactService;
let folder: string;
beforeEach(async () => {
  service = await artifactService();
  folder = mkdtempSync(path.join(tmpdir(), 'artifact-'));
});
afterEach(async () => {
  rmSync(folder, { recursive: true });
  await service.close();
});

const upload = async (name = 'web', at = folder, env: Readonly<Record<string, string>> = service.env) =>
  uploadArtifact(
    { path: at, shown: 'dist', name },
    {
      env,
      info: { runUrl: 'https://github.com/acme/shop/actions/runs/1' } as RunInfo,
      clock: { now: () => 0, sleep: async () => undefined },
      signal: new AbortController().signal,
      mask: () => undefined,
    },
  );

describe('a folder uploaded to the run', () => {
  test('comes out of the archive as it was, of several blocks, and links stay out', async () => {
    mkdirSync(path.join(folder, 'a b/ü'), { recursive: true });
    const large = randomBytes(20 * 1024 ** 2);
    writeFileSync(path.join(folder, 'large.bin'), large);
    writeFileSync(path.join(folder, 'a b/ü/run.sh'), 'echo');
    chmodSync(path.join(folder, 'a b/ü/run.sh'), 0o755);
    symlinkSync('/etc', path.join(folder, 'etc'));
    const made = await upload();
    expect(made).toMatchObject({ files: 2, url: 'https://github.com/acme/shop/actions/runs/1/artifacts/77' });
    const zip = path.join(folder, 'out.zip');
    writeFileSync(zip, service.kept.get('web') ?? '');
    // Python's own reader, which checks every sum.
    const script =
      'import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); print(z.testzip(), sorted(z.namelist())); z.extractall(sys.argv[2])';
    const told = execFileSync('python3', ['-c', script, zip, path.join(folder, 'out')], { encoding: 'utf8' });
    expect(told.trim()).toBe("None ['a b/ü/run.sh', 'large.bin']");
    expect(readFileSync(path.join(folder, 'out/large.bin')).equals(large)).toBe(true);
    expect(statSync(zip).size).toBe(made.bytes);
  });

  test('never holds what git and npm keep tokens in, unless a file is named itself', async () => {
    mkdirSync(path.join(folder, 'sub/.git'), { recursive: true });
    writeFileSync(path.join(folder, 'sub/.git/config'), 'AUTHORIZATION: basic secret');
    writeFileSync(path.join(folder, '.git'), 'gitdir: elsewhere');
    writeFileSync(path.join(folder, '.npmrc'), '//npm.example/:_authToken=secret');
    writeFileSync(path.join(folder, '.htaccess'), 'x');
    expect(await upload('web')).toMatchObject({ files: 1 });
    expect(await upload('rc', path.join(folder, '.npmrc'))).toMatchObject({ files: 1 });
  });

  test('of the same files is the same archive', async () => {
    writeFileSync(path.join(folder, 'a.txt'), 'a');
    const first = await upload('one');
    writeFileSync(path.join(folder, 'a.txt'), 'a');
    expect((await upload('two')).digest).toBe(first.digest);
  });

  test('waits out storage that is busy', async () => {
    await service.close();
    service = await artifactService({ refuses: 2 });
    writeFileSync(path.join(folder, 'a.txt'), 'a');
    expect((await upload()).files).toBe(1);
  });

  test('is refused with what to do: a name that is taken, nothing there, no service', async () => {
    await expect(upload()).rejects.toThrow('holds no files');
    await expect(upload('web', path.join(folder, 'none'))).rejects.toThrow('there is no folder or file');
    writeFileSync(path.join(folder, 'a.txt'), 'a');
    await upload();
    await expect(upload()).rejects.toMatchObject({ remedy: expect.stringContaining('artifact-name') });
    await expect(upload('x', folder, {})).rejects.toThrow('no artifact service');
    await expect(upload('x', folder, { ...service.env, ACTIONS_RUNTIME_TOKEN: 'a.e30.b' })).rejects.toThrow(
      'names no run',
    );
  });
});
