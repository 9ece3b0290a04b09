import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { localExec } from '../../src/action/exec.ts';
import type { Host, RunInfo } from '../../src/action/host.ts';
import { systemClock } from '../../src/action/main.ts';
import { chooseRelease, provideNode, rangeOfAlias, resolveAlias } from '../../src/node/runtime.ts';
import { serving } from '../aws/server.ts';

const RELEASES = [
  { version: 'v25.1.0', lts: false },
  { version: 'v24.11.1', lts: 'Krypton' },
  { version: 'v24.9.0', lts: false },
  { version: 'v22.21.0', lts: 'Jod' },
  { version: 'v19.9.0', lts: false },
] as const;

type RuntimeHost = Parameters<typeof provideNode>[1];

let folder = '';
const kept = { ...process.env };
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'runtime-'));
  process.env['RUNNER_TOOL_CACHE'] = path.join(folder, 'tools');
  process.env['RUNNER_TEMP'] = path.join(folder, 'temp');
});
afterEach(() => {
  process.env = { ...kept };
  rmSync(folder, { recursive: true, force: true });
});

describe('the release for a range', () => {
  test.each([
    ['>=22', 'v24.11.1'],
    ['22', 'v22.21.0'],
    ['24.9.0', 'v24.9.0'],
    ['19', 'v19.9.0'],
    ['>=25', 'v25.1.0'],
  ])('%s is %s: long-term support before newer', (range, version) => {
    expect(chooseRelease(RELEASES, { range, reason: 'x' }).version).toBe(version);
  });

  test('a range without any release is an error that names where it stands', () => {
    expect(() => chooseRelease(RELEASES, { range: '99', reason: '.nvmrc' })).toThrow('range 99 (from .nvmrc)');
  });
});

describe('a Node on PATH', () => {
  test('the one that is there is used when it fits', async () => {
    const { host, added } = machine('22.3.0');
    expect(await provideNode({ range: '22', reason: 'x' }, host)).toEqual({ version: '22.3.0', from: 'the runner' });
    expect(added).toEqual([]);
  });

  test('one of the tool cache comes next, and goes first on PATH', async () => {
    inToolCache('22.5.0');
    const { host, added } = machine('20.1.0');
    const { version, from } = await provideNode({ range: '22', reason: 'x' }, host);
    expect({ version, from }).toEqual({ version: '22.5.0', from: "the runner's tool cache" });
    expect(added).toHaveLength(1);
  });

  test('else it is downloaded, checked and kept in the tool cache', async () => {
    const archive = release('v22.21.0');
    const sum = createHash('sha256').update(archive).digest('hex');
    await mirror(archive, sum, async (url, asked) => {
      const { host } = machine('20.1.0', { NODEJS_ORG_MIRROR: url });
      expect((await provideNode({ range: '22', reason: 'x' }, host)).version).toBe('22.21.0');
      const before = asked.length;
      const again = machine('20.1.0', { NODEJS_ORG_MIRROR: url });
      expect((await provideNode({ range: '22', reason: 'x' }, again.host)).from).toBe("the runner's tool cache");
      expect(asked).toHaveLength(before);
    });
  });

  test('a download with another SHA-256 is refused and not kept', async () => {
    await mirror(release('v22.21.0'), 'f'.repeat(64), async (url) => {
      const { host } = machine('20.1.0', { NODEJS_ORG_MIRROR: url });
      await expect(provideNode({ range: '22', reason: 'x' }, host)).rejects.toThrow('is not the release');
      await expect(provideNode({ range: '22', reason: 'x' }, host)).rejects.toThrow('is not the release');
    });
  });

  test('a tool cache that nobody may write is left alone, and the job keeps its own', async () => {
    const archive = release('v22.21.0');
    const sum = createHash('sha256').update(archive).digest('hex');
    writeFileSync(path.join(folder, 'no-folder'), '');
    await mirror(archive, sum, async (url) => {
      const env = { NODEJS_ORG_MIRROR: url, RUNNER_TOOL_CACHE: path.join(folder, 'no-folder', 'tools') };
      const { host, added } = machine('20.1.0', env);
      expect((await provideNode({ range: '22', reason: 'x' }, host)).version).toBe('22.21.0');
      expect(added).toEqual([path.join(folder, 'temp/tools/node/22.21.0', process.arch, 'bin')]);
    });
  });

  test('a mirror that fails for a moment is asked again', async () => {
    await serving(
      ['reset', { status: 503, body: '' }, { status: 200, body: JSON.stringify(RELEASES) }],
      async (url) => {
        const { host } = machine('20.1.0', { NODEJS_ORG_MIRROR: url });
        expect(await resolveAlias({ range: '*', alias: 'lts/*', reason: 'x' }, host)).toMatchObject({ range: '24' });
      },
    );
  });

  test('a mirror that sends without end is not read on', async () => {
    const server = createServer((_, response) => {
      const more = (): void => void response.write(' '.repeat(1_000_000), more);
      more();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const { host } = machine('20.1.0', { NODEJS_ORG_MIRROR: url });
      const asked = resolveAlias({ range: '*', alias: 'lts/*', reason: 'x' }, host);
      await expect(asked).rejects.toThrow('more than');
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  test('a mirror that refuses is named, with what to do', async () => {
    await serving([{ status: 403, body: '' }], async (url) => {
      const { host } = machine('20.1.0', { NODEJS_ORG_MIRROR: url });
      await expect(provideNode({ range: '22', reason: 'x' }, host)).rejects.toMatchObject({
        message: expect.stringContaining(`${url}/index.json answers 403`),
        remedy: expect.stringContaining('NODEJS_ORG_MIRROR'),
      });
    });
  });
});

describe('an alias', () => {
  test.each([
    ['lts/*', '24'],
    ['lts/-1', '22'],
    ['lts/jod', '22'],
    ['latest', '25.1.0'],
  ])('%s is %s by the list of releases', (alias, range) => {
    expect(rangeOfAlias(RELEASES, alias, 'x')).toBe(range);
  });

  test.each(['lts/-9', 'lts/nowhere'])('%s is an error that names those there are', (alias) => {
    expect(() => rangeOfAlias(RELEASES, alias, '.nvmrc')).toThrow(`is ${alias} (from .nvmrc)`);
  });

  test('that names the line of the Node on PATH needs no network', async () => {
    const { host } = machine('22.3.0', { NODEJS_ORG_MIRROR: 'http://127.0.0.1:1' }, 'Jod');
    const wanted = { range: '*', alias: 'lts/jod', reason: '.nvmrc' };
    expect(await resolveAlias(wanted, host)).toEqual({ range: '22', reason: '.nvmrc (lts/jod)' });
  });

  test('that the project excludes is an error that names both places', async () => {
    const { host } = machine('22.3.0', {}, 'Jod');
    const limits = [{ value: '>=24', place: { file: 'package.json' }, field: 'engines.node' }];
    await expect(resolveAlias({ range: '*', alias: 'lts/jod', reason: '.nvmrc', limits }, host)).rejects.toThrow(
      '.nvmrc names Node 22, which `engines.node` in package.json (>=24) excludes',
    );
  });
});

/** A machine whose `node` tells a version: the program of the folder added last, else `present`. */
function machine(present: string, env: Record<string, string> = {}, line = '') {
  const added: string[] = [];
  const signal = new AbortController().signal;
  const local = localExec(process.env, signal);
  const host: RuntimeHost = {
    env: { RUNNER_TOOL_CACHE: path.join(folder, 'tools'), ...env },
    info: { temp: path.join(folder, 'temp') } as RunInfo,
    signal,
    clock: systemClock,
    log: { info: () => {} } as unknown as Host['log'],
    addPath: (one) => void added.push(one),
    exec: {
      ...local,
      ask: async (program, args) => {
        const last = added.at(-1);
        const stdout = args[0] === '--version' ? `v${present}\n` : `${present} ${line}`;
        if (last === undefined) return { exitCode: 0, stdout, stderr: '', took: 1 };
        return local.ask(path.join(last, program), args);
      },
    },
  };
  return { host, added };
}

function program(at: string, version: string): void {
  mkdirSync(path.join(at, 'bin'), { recursive: true });
  writeFileSync(path.join(at, 'bin', 'node'), `#!/bin/sh\necho v${version}\n`);
  chmodSync(path.join(at, 'bin', 'node'), 0o755);
}

function inToolCache(version: string): void {
  const at = path.join(folder, 'tools', 'node', version, process.arch);
  program(at, version);
  writeFileSync(`${at}.complete`, '');
}

/** A release archive whose `node` is a two-line script in the real one's place. */
function release(version: string): Buffer {
  const name = `node-${version}-${process.platform}-${process.arch}`;
  program(path.join(folder, name), version.slice(1));
  const { status } = spawnSync('tar', ['czf', 'release.tar.gz', name], { cwd: folder });
  expect(status).toBe(0);
  return readFileSync(path.join(folder, 'release.tar.gz'));
}

async function mirror(
  archive: Buffer,
  sum: string,
  use: (url: string, asked: readonly { url: string }[]) => Promise<void>,
): Promise<void> {
  const file = `node-v22.21.0-${process.platform}-${process.arch}.tar.gz`;
  const routes = [
    { path: '/index.json', body: JSON.stringify(RELEASES) },
    { path: '/v22.21.0/SHASUMS256.txt', body: `${sum}  ${file}\n` },
    { path: `/v22.21.0/${file}`, body: archive },
  ];
  await serving((asked) => {
    const route = routes.find((one) => one.path === asked);
    return route && { status: 200, body: route.body };
  }, use);
}
