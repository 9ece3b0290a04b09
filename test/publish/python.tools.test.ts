import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { localExec } from '../../src/action/exec.ts';
import type { Host } from '../../src/action/host.ts';
import { publishPython } from '../../src/publish/python.ts';
import { cache } from '../lab/cache.ts';
import { findPythonProgram } from '../lab/python.ts';
import { type PythonIndex, startPypiserver } from './pypiserver.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'pypi-'));
let uv = '';
let index: PythonIndex;
beforeAll(async () => {
  uv = await findPythonProgram('uv', cache);
  index = await startPypiserver(folder);
}, 300_000);
afterAll(() => {
  index.stop();
  rmSync(folder, { recursive: true });
});

/** A wheel of one module, made by Python's own zip writer. */
function wheel(version: string, code: string): string {
  const file = path.join(folder, `routes-${version}-py3-none-any.whl`);
  const script = `
import sys, zipfile
file, version, code = sys.argv[1:]
info = f"routes-{version}.dist-info"
with zipfile.ZipFile(file, "w") as z:
    z.writestr("routes.py", code)
    z.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\\nName: routes\\nVersion: {version}\\n")
    z.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    z.writestr(f"{info}/RECORD", "")
`;
  execFileSync('python3', ['-c', script, file, version, code]);
  return file;
}

async function publish(file: string, eventName = 'push') {
  const env = { PATH: process.env['PATH'], HOME: folder, UV_PUBLISH_USERNAME: 'ana', UV_PUBLISH_PASSWORD: 'secret' };
  const host = { env, info: { eventName }, exec: localExec(env, new AbortController().signal) };
  const { publishUrl, checkUrl } = index;
  const where = { publishUrl, checkUrl, uv: [uv] as const };
  return publishPython({ files: [file], ...where }, host as unknown as Host);
}

const versions = async (): Promise<readonly string[]> => {
  const page = await (await fetch(`${index.checkUrl}routes/`)).text();
  return [...page.matchAll(/>routes-([\d.]+)-py3/g)].map(([, version = '']) => version);
};

describe('Python distributions, in a real index', () => {
  test('are published once, again left alone, and with other content refused; a pull request only checks', async () => {
    expect(await publish(wheel('1.0.0', 'a = 1'))).toBe('published');
    expect(await versions()).toEqual(['1.0.0']);
    expect(await publish(path.join(folder, 'routes-1.0.0-py3-none-any.whl'))).toBe('published');
    await expect(publish(wheel('1.0.0', 'a = 2'))).rejects.toMatchObject({
      remedy: expect.stringContaining('raise it in pyproject.toml'),
    });
    expect(await publish(wheel('1.1.0', 'a = 2'), 'pull_request')).toBe('checked');
    expect(await versions()).toEqual(['1.0.0']);
  }, 60_000);
});
