import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { localExec } from '../../src/action/exec.ts';
import type { RunInfo } from '../../src/action/host.ts';
import { signedIn, storedLogin } from '../../src/container/login.ts';
import { withSecretFiles } from '../../src/container/secret-files.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'login-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function machine(config?: object) {
  const home = path.join(folder, '.docker');
  mkdirSync(path.join(home, 'cli-plugins'), { recursive: true });
  if (config !== undefined) writeFileSync(path.join(home, 'config.json'), JSON.stringify(config));
  const env = { HOME: folder, PATH: `${folder}${path.delimiter}${process.env['PATH'] ?? ''}` };
  const hidden: string[] = [];
  const info = { temp: path.join(folder, 'temp') } as RunInfo;
  const exec = localExec(env, new AbortController().signal);
  return { host: { env, info, exec, mask: (secret: string) => void hidden.push(secret) }, hidden, home };
}

/** A credential helper as docker's protocol has it: the registry on stdin, JSON on stdout. */
function helper(name: string, answer: string): void {
  const program = path.join(folder, `docker-credential-${name}`);
  writeFileSync(program, `#!/bin/sh\n[ "$1" = get ] && registry=$(cat) && ${answer}\n`);
  chmodSync(program, 0o755);
}

describe('signing docker in', () => {
  test('adds the password beside what is there, for this user alone and no longer than needed', async () => {
    const others = { 'other.example': { auth: 'x' } };
    const { host, home } = machine({ auths: others, credsStore: 'desktop', credHelpers: { 'r.example': 'a', o: 'b' } });
    const before = readFileSync(path.join(home, 'config.json'), 'utf8');
    const used = await signedIn('r.example', { username: 'ana', password: 'a:b' }, host, async (config) => {
      const file = path.join(config, 'config.json');
      expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
        auths: { ...others, 'r.example': { auth: base64('ana:a:b') } },
        // Other registries, such as a base image's, are asked for as before.
        credsStore: 'desktop',
        credHelpers: { o: 'b', 'r.example': '' },
      });
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect(existsSync(path.join(config, 'cli-plugins'))).toBe(true);
      return config;
    });
    expect(existsSync(used)).toBe(false);
    expect(readFileSync(path.join(home, 'config.json'), 'utf8')).toBe(before);
    expect(existsSync(path.join(home, 'cli-plugins'))).toBe(true);
  });

  test('Docker Hub has a name of its own, and nothing is left when the work fails', async () => {
    const { host } = machine();
    const seen: string[] = [];
    const work = signedIn('docker.io', { username: 'ana', password: 'p' }, host, async (config) => {
      seen.push(config);
      expect(readFileSync(path.join(config, 'config.json'), 'utf8')).toContain('"https://index.docker.io/v1/":{"auth"');
      throw new Error('stop');
    });
    await expect(work).rejects.toThrow('stop');
    expect(existsSync(seen[0] ?? '')).toBe(false);
  });
});

describe('a sign-in of before', () => {
  test.each([
    ['r.example', { auths: { 'r.example': { auth: base64('ana:p:w') } } }, { username: 'ana', password: 'p:w' }],
    [
      'docker.io',
      { auths: { 'https://index.docker.io/v1/': { auth: base64('ana:pw') } } },
      { username: 'ana', password: 'pw' },
    ],
    ['r.example', { auths: { 'r.example': { auth: 'no password' } } }, undefined],
    ['r.example', { auths: { 'other.example': { auth: base64('ana:pw') } } }, undefined],
    ['r.example', { auths: 3, credHelpers: null }, undefined],
    [
      'docker.io',
      {
        credsStore: 'not-there',
        credHelpers: { 'https://index.docker.io/v1/': '' },
        auths: { 'https://index.docker.io/v1/': { auth: base64('ana:pw') } },
      },
      { username: 'ana', password: 'pw' },
    ],
    ['r.example', { credHelpers: { 'r.example': '../evil' } }, undefined],
    ['r.example', { credHelpers: { 'r.example': 'not-there' } }, undefined],
  ])('at %s by %j', async (registry, config, login) => {
    const { host, hidden } = machine(config);
    expect(await storedLogin(registry, host)).toEqual(login);
    expect(hidden).toEqual(login === undefined ? [] : [login.password]);
  });

  test('is asked of the helper that docker would ask', async () => {
    helper('own', `printf '{"Username":"ana","Secret":"of %s"}' "$registry"`);
    helper('all', `printf '{"Username":"<token>","Secret":"identity"}'`);
    const { host } = machine({ credsStore: 'all', credHelpers: { 'r.example': 'own' } });
    expect(await storedLogin('r.example', host)).toEqual({ username: 'ana', password: 'of r.example' });
    expect(await storedLogin('other.example', host)).toBeUndefined();
  });

  test('without settings there is none', async () => {
    const { host } = machine();
    expect(await storedLogin('r.example', host)).toBeUndefined();
  });
});

test('the secrets of a build lie in files of this user alone, and no longer than needed', async () => {
  const { host } = machine();
  const texts = new Map([['npmrc', '//r.example/:_authToken=t\n']]);
  const file = await withSecretFiles(texts, host, async (secrets) => {
    const name = secrets.get('npmrc') ?? '';
    expect(readFileSync(name, 'utf8')).toBe('//r.example/:_authToken=t\n');
    expect(statSync(name).mode & 0o777).toBe(0o600);
    return name;
  });
  expect(existsSync(file)).toBe(false);
  expect(await withSecretFiles(new Map(), host, async (secrets) => secrets.size)).toBe(0);
});
