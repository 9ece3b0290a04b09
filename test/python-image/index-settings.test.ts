import { execFileSync } from 'node:child_process';
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { indexSecrets, indexVariables, readIndexSettings, secretsIn } from '../../src/python-image/index-settings.ts';

const none = { env: {}, pipConf: [], project: [] };
let home: string;
beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), 'index-'));
});
afterEach(() => rmSync(home, { recursive: true }));

test('nothing is set where the job says nothing of indexes', () => {
  const env = { PATH: '/bin', PIP_CERT: '/x', UV_CACHE_DIR: '/y', PIP_FIND_LINKS: '/z', INPUT_TOKEN: 't' };
  expect([...indexVariables({ ...none, env })]).toEqual([]);
});

test('what pip was told, uv is told too, and the other way round', () => {
  const conf =
    '[global]\nindex-url = https://me:s3cret@pypi.example/simple\nextra-index-url =\n  https://a.example\n  https://b.example\n';
  const byPip = indexVariables({ ...none, env: { PIP_TRUSTED_HOST: 'pypi.example' }, pipConf: [conf] });
  expect(Object.fromEntries(byPip)).toEqual({
    PIP_INDEX_URL: 'https://me:s3cret@pypi.example/simple',
    PIP_EXTRA_INDEX_URL: 'https://a.example https://b.example',
    PIP_TRUSTED_HOST: 'pypi.example',
    UV_DEFAULT_INDEX: 'https://me:s3cret@pypi.example/simple',
    UV_INDEX: 'https://a.example https://b.example',
    UV_INSECURE_HOST: 'pypi.example',
  });
  const byUv = indexVariables({
    ...none,
    env: { UV_DEFAULT_INDEX: 'own=https://u.example/simple', UV_INDEX_OWN_PASSWORD: 'pw' },
  });
  expect(Object.fromEntries(byUv)).toMatchObject({
    PIP_INDEX_URL: 'https://u.example/simple',
    UV_INDEX_OWN_PASSWORD: 'pw',
  });
});

test('variables that the project names in addresses are handed over, and no others', () => {
  const project = ['--index-url https://${USER_NAME}:${TOKEN}@pypi.example/simple\n# ${OTHER}\n'];
  const env = { USER_NAME: 'me', TOKEN: 't0ken', OTHER: 'x' };
  expect(Object.fromEntries(indexVariables({ ...none, env, project }))).toEqual({ USER_NAME: 'me', TOKEN: 't0ken' });
});

test('passwords are masked as they are and as addresses write them', () => {
  const settings = new Map([
    ['UV_DEFAULT_INDEX', 'https://me:p%40ss@pypi.example/simple'],
    ['UV_INDEX', 'https://token@other.example/simple'],
    ['POETRY_HTTP_BASIC_OWN_PASSWORD', 'pw'],
  ]);
  expect(secretsIn(settings, 'machine x login me password net-pw\n').toSorted()).toEqual(
    ['net-pw', 'p%40ss', 'p@ss', 'pw', 'token'].toSorted(),
  );
});

test("the secret is what a shell reads as the same values, whatever they hold; the job's own rights stay out", async () => {
  mkdirSync(path.join(home, '.config/pip'), { recursive: true });
  writeFileSync(path.join(home, '.netrc'), 'machine pypi.example login me password net-pw\n');
  const value = "https://x:it's-$(id)`id`@pypi.example/simple";
  const masked: string[] = [];
  const env = { HOME: home, UV_DEFAULT_INDEX: value, ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'job-token' };
  const asking = (file: string) =>
    file === 'Pipfile' ? 'url = "https://${ACTIONS_ID_TOKEN_REQUEST_TOKEN}@x"' : undefined;
  const secrets = indexSecrets(await readIndexSettings(asking, { env, mask: (one) => void masked.push(one) }));
  expect([...secrets.keys()]).toEqual(['python-index', 'netrc']);
  const file = path.join(home, 'secret');
  writeFileSync(file, secrets.get('python-index') ?? '');
  const seen = execFileSync('sh', ['-c', '. "$0" && printf %s "$UV_DEFAULT_INDEX"', file], { encoding: 'utf8' });
  expect(seen).toBe(value);
  expect(secrets.get('python-index')).not.toContain('job-token');
  expect(masked).toEqual(expect.arrayContaining(["it's-$(id)`id`", 'net-pw']));
});
