import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { localExec } from '../../src/action/exec.ts';
import { providePython } from '../../src/python/interpreter.ts';
import { type PythonHost, provideTool, provideUv } from '../../src/python/uv.ts';
import { pythonRange } from '../../src/python/version.ts';

/** Scripts of two lines stand where the real programs cannot be had in each version. */
let folder = '';
const kept = process.env['PATH'];
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'interpreter-'));
  // Programs are looked for on the PATH of this process, as in an action.
  process.env['PATH'] = `${path.join(folder, 'path')}:/bin`;
});
afterEach(() => {
  process.env['PATH'] = kept;
  rmSync(folder, { recursive: true, force: true });
});

const UV = { path: '', version: '0.13.9', from: 'PATH' };
const range = (requires: string) => pythonRange(() => undefined, requires);
const available = (installed: readonly object[], downloads: readonly object[], installing = 'exit 1'): string =>
  `case "$*" in *only-installed*) echo '${JSON.stringify(installed)}';; *only-downloads*) echo '${JSON.stringify(downloads)}';; "python install"*) ${installing};; *) echo "uv 0.13.9";; esac`;
const listed = (version: string, more: object = {}) => ({
  version,
  path: `/uv/${version}`,
  implementation: 'cpython',
  variant: 'default',
  ...more,
});

describe('the interpreter', () => {
  test('is the newest in the range, of PATH and of what is whole in the tool cache', async () => {
    onPath('python3', 'echo "3.11.2 cpython /usr/bin/python3.11"');
    for (const version of ['3.12.1', '3.12.8', '3.13.0', '3.14.0']) inToolCache(version);
    rmSync(path.join(folder, 'tools', 'Python', '3.14.0', `${process.arch}.complete`));
    expect(await providePython(range('3.12'), UV, host())).toMatchObject({
      version: '3.12.8',
      from: "the runner's tool cache",
    });
    expect(await providePython(range('>=3.11'), UV, host())).toMatchObject({ version: '3.13.0' });
    expect(await providePython(range('3.11'), UV, host())).toEqual({
      version: '3.11.2',
      path: '/usr/bin/python3.11',
      from: 'PATH',
    });
  });

  test('is the one that setup-python chose, where it is in the range', async () => {
    onPath('python3', 'echo "3.11.2 cpython /opt/python3"');
    inToolCache('3.13.0');
    const chosen = host({ pythonLocation: '/opt' });
    expect(await providePython(range('>=3.10'), UV, chosen)).toMatchObject({
      version: '3.11.2',
      from: 'actions/setup-python',
    });
    expect(await providePython(range('>=3.12'), UV, chosen)).toMatchObject({ version: '3.13.0' });
  });

  test('is never another than CPython', async () => {
    onPath('python3', 'echo "3.11.2 pypy /opt/pypy3"');
    const uv = program('uv', available([listed('3.11.4', { implementation: 'pypy' }), listed('3.11.3')], []));
    expect(await providePython(range('3.11'), { ...UV, path: uv }, host())).toEqual({
      version: '3.11.3',
      path: '/uv/3.11.3',
      from: 'uv',
    });
  });

  test('is downloaded in the newest stable version, and what is there is said where that fails', async () => {
    onPath('python3', 'echo "3.11.2 cpython /usr/bin/python3"');
    const downloads = ['3.15.0a2', '3.14.2', '3.13.9'].map((version) => listed(version, { path: null }));
    const uv = { ...UV, path: program('uv', available([], downloads, 'echo no route >&2; exit 1')) };
    await expect(providePython(range('>=3.12'), uv, host())).rejects.toMatchObject({
      message: expect.stringMatching(/^Python 3\.14\.2, the newest for .*there is: 3\.11\.2\.\nno route$/),
      remedy: expect.stringContaining('UV_PYTHON_INSTALL_MIRROR'),
    });
    await expect(providePython(range('3.99'), uv, host())).rejects.toThrow('There is no Python for 3.99');
  });
});

describe('a tool', () => {
  test('on PATH is used when it is not too old', async () => {
    onPath('uv', 'echo "uv 0.9.1 (x86_64)"');
    expect(await provideUv(host())).toEqual({ path: 'uv', version: '0.9.1', from: 'PATH' });
    onPath('nox', 'echo 2025.1.1 >&2');
    expect(await provideTool('nox', UV, host())).toMatchObject({ version: '2025.1.1', from: 'PATH' });
  });

  test('too old is left for the pinned one', async () => {
    onPath('poetry', 'echo "Poetry (version 1.8.3)"');
    const uv = program(
      'uv',
      'mkdir -p "$UV_TOOL_BIN_DIR"; printf "#!/bin/sh\\necho Poetry 2.5.1" > "$UV_TOOL_BIN_DIR/poetry"; chmod +x "$UV_TOOL_BIN_DIR/poetry"',
    );
    expect(await provideTool('poetry', { ...UV, path: uv }, host())).toMatchObject({
      version: '2.5.1',
      from: 'the package index',
    });
    expect(await provideTool('poetry', UV, host())).toMatchObject({ from: "the runner's tool cache" });
  });

  test('that cannot be installed says why', async () => {
    const uv = program('uv', 'echo "No solution found" >&2; exit 1');
    await expect(provideTool('pdm', { ...UV, path: uv }, host())).rejects.toThrow('No solution found');
  });
});

function host(more: Readonly<Record<string, string>> = {}): PythonHost {
  const env = { PATH: process.env['PATH'], RUNNER_TOOL_CACHE: path.join(folder, 'tools'), ...more };
  const { signal } = new AbortController();
  const log = { info: () => {}, group: async <T>(_: string, body: () => Promise<T>): Promise<T> => body() };
  return { env, signal, log, info: { temp: folder }, exec: localExec(env, signal) } as unknown as PythonHost;
}

function program(name: string, script: string, at = 'bin'): string {
  const file = path.join(folder, at, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}

function onPath(name: string, script: string): void {
  program(name, script, 'path');
}

function inToolCache(version: string): void {
  const home = path.join('tools', 'Python', version, process.arch);
  program('python3', '', path.join(home, 'bin'));
  writeFileSync(path.join(folder, `${home}.complete`), '');
}
