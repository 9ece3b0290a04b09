// The committed bundle on real tools: uv, an index of packages, BuildKit and a registry.
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { docker, firstAnswer, running, textsInImage } from '../build-node/container.ts';
import { cache } from '../lab/cache.ts';
import { describeWith } from '../lab/needs.ts';
import { type PythonEngine, openPythonEngine, tool, withProject } from '../python-image/engine.ts';
import type { Files } from '../python-image/projects.ts';
import { type BundleRun, startBundle } from '../run-bundle.ts';
import { startPypiserver } from '../publish/pypiserver.ts';
import { GuardedIndex } from './guarded-index.ts';

const fresh = randomBytes(4).toString('hex');
const token = `index-token-${fresh}-of-ana`;
const describe = await describeWith('images');
let engine: PythonEngine;
let home = '';
beforeAll(async () => {
  engine = await openPythonEngine();
}, 20 * 60_000);
beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), 'build-python-home-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const SHOP: Files = {
  'pyproject.toml': `[project]
name = "shop"
version = "1.2.3"
readme = "README.md"
requires-python = ">=3.11"
dependencies = ["starlette", "uvicorn"]

[dependency-groups]
dev = ["pytest"]

[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
`,
  'README.md': '# shop\n',
  '.python-version': '3.11\n',
  'shop/__init__.py': '',
  'shop/cart.py': 'def total(prices):\n    return sum(prices)\n',
  'shop/main.py': `import os

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from shop.cart import total


def hello(request):
    return PlainTextResponse(f"{total([1, 2])} for {os.getuid()}")


app = Starlette(routes=[Route("/", hello)])
`,
  'tests/test_cart.py': 'from shop.cart import total\n\n\ndef test_total():\n    assert total([1, 2]) == 3\n',
};

async function build(
  workspace: string,
  inputs: Readonly<Record<string, string>> = {},
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<BundleRun> {
  const variables = {
    ...engine.env,
    ...engine.index,
    UV_CACHE_DIR: path.join(cache, 'python', 'uv'),
    RUNNER_TOOL_CACHE: path.join(cache, 'python', 'runner-tools'),
    PIP_FIND_LINKS: undefined,
    ...env,
  };
  const step = { action: 'build-python', inputs, workspace, outside: home, env: variables, timeout: 9 * 60_000 };
  return startBundle(step).ended;
}

const image = (name = `shop-${fresh}`) => ({ image: name, registry: engine.registry });
const masked = (run: BundleRun): string => run.log.replaceAll(/^::add-mask::.*$/gm, '');

describe('build-python', () => {
  test('publishes what it built, leaves alone what is there, and only checks for a pull request', async () => {
    const index = await startPypiserver(home);
    const env = {
      UV_PUBLISH_URL: index.publishUrl,
      UV_PUBLISH_CHECK_URL: index.checkUrl,
      UV_PUBLISH_USERNAME: 'ana',
      UV_PUBLISH_PASSWORD: token,
    };
    const published = async (): Promise<string> => (await fetch(`${index.checkUrl}shop/`)).text();
    try {
      await withProject(SHOP, async (folder) => {
        await tool(engine, folder, 'lock', '--quiet');
        const asked = await build(folder, { publish: 'true' }, { ...env, GITHUB_EVENT_NAME: 'pull_request' });
        expect(asked.summary).toContain('shop 1.2.3 checked');
        expect(await published()).not.toContain('1.2.3');

        const run = await build(folder, { publish: 'true' }, env);
        expect(run.exitCode).toBe(0);
        expect(run.summary).toContain('shop 1.2.3 published');
        expect(await published()).toContain('shop-1.2.3-py3-none-any.whl');
        expect(masked(run)).not.toContain(token);
        // The same sources give the same files, whatever the checks wrote beside them.
        expect((await build(folder, { publish: 'true' }, env)).exitCode).toBe(0);
      });
    } finally {
      index.stop();
    }
  }, 300_000);

  test('checks, packages and builds a project of a private index; its token is in no layer and no log', async () => {
    const index = await GuardedIndex.start(engine.address, engine.indexUrl, 'ci', token);
    try {
      await withProject(SHOP, async (folder) => {
        const url = `http://ci:${token}@${index.host}/index/`;
        await tool({ ...engine, index: {}, indexUrl: url }, folder, 'lock', '--quiet');
        index.asked.length = 0;
        const env = { PIP_INDEX_URL: undefined, UV_DEFAULT_INDEX: url, UV_CACHE_DIR: path.join(home, 'uv') };
        const run = await build(folder, { ...image(), package: 'true' }, env);
        expect(masked(run)).toContain('--mount=type=secret,id=python-index,required=true');
        expect(run.exitCode).toBe(0);
        for (const text of [masked(run), run.summary, JSON.stringify(run.outputs)]) expect(text).not.toContain(token);
        expect(run.outputs).toMatchObject({
          reused: 'false',
          dist: 'dist',
          tests: '{"passed":1,"failed":0,"skipped":0}',
        });
        expect(run.outputs['python-version']).toMatch(/^3\.11\.\d+$/);
        expect(readdirSync(path.join(folder, 'dist')).toSorted()).toEqual(
          expect.arrayContaining(['shop-1.2.3-py3-none-any.whl', 'shop-1.2.3.tar.gz']),
        );
        expect(run.summary).toContain('shop-1.2.3-py3-none-any.whl');
        expect(index.asked.some(({ from, authorized }) => authorized && from !== engine.address)).toBe(true);
        expect(readdirSync(path.join(home, 'temp'))).toEqual(['sbom']);

        const reference = run.outputs['image'] ?? '';
        await docker(engine.env, 'pull', '--quiet', reference);
        const there = [token, Buffer.from(`ci:${token}`).toString('base64'), 'PlainTextResponse'];
        expect(await textsInImage(engine.env, reference, there)).toEqual(['PlainTextResponse']);
        await running(engine.env, reference, async ({ id, address }) => {
          expect(await (await firstAnswer(`http://${address}:8000/`)).text()).toBe('3 for 1000');
          await docker(engine.env, 'stop', '--time=30', id);
          expect(await docker(engine.env, 'inspect', '--format={{.State.ExitCode}}', id)).toBe('0');
        });

        // What the first build left behind, such as .venv, dist and test reports, is no content.
        const again = await build(folder, image(), env);
        expect(again.outputs).toMatchObject({ reused: 'true', digest: run.outputs['digest'] });
      });
    } finally {
      await index.stop();
    }
  }, 600_000);

  test('a member of a workspace is built by its folder, and a change of another member builds nothing', async () => {
    const member = (name: string, needs: string): string =>
      (SHOP['pyproject.toml'] ?? '')
        .replace('name = "shop"', `name = "${name}"`)
        .replace('readme = "README.md"\n', '')
        .replace('["starlette", "uvicorn"]', needs);
    const files = {
      'pyproject.toml': '[tool.uv.workspace]\nmembers = ["libs/*", "services/*"]\n',
      'services/api/pyproject.toml': `${member('api', '["starlette", "uvicorn", "shop"]')}[tool.uv.sources]\nshop = { workspace = true }\n`,
      'services/api/.python-version': '3.11\n',
      'services/api/api/__init__.py': '',
      'services/api/api/main.py': SHOP['shop/main.py'] ?? '',
      'services/api/tests/test_cart.py': SHOP['tests/test_cart.py'] ?? '',
      'libs/shop/pyproject.toml': member('shop', '["idna"]'),
      'libs/shop/shop/__init__.py': '',
      'libs/shop/shop/cart.py': SHOP['shop/cart.py'] ?? '',
      'services/billing/pyproject.toml': member('billing', '["itsdangerous"]'),
      'services/billing/billing/__init__.py': '',
    };
    await withProject(files, async (folder) => {
      await tool(engine, folder, 'lock', '--quiet');
      const given = { ...image(`api-${fresh}`), directory: 'services/api' };
      const run = await build(folder, given);
      expect(run.exitCode).toBe(0);
      const reference = run.outputs['image'] ?? '';
      await docker(engine.env, 'pull', '--quiet', reference);
      await running(engine.env, reference, async ({ address }) => {
        expect(await (await firstAnswer(`http://${address}:8000/`)).text()).toBe('3 for 1000');
      });
      await writeFile(path.join(folder, 'services/billing/pyproject.toml'), member('billing', '["iniconfig"]'));
      await tool(engine, folder, 'lock', '--quiet');
      const again = await build(folder, given);
      expect(again.outputs).toMatchObject({ reused: 'true', digest: run.outputs['digest'] });
    });
  }, 600_000);

  test('a failing test fails the job on its line, and no image is built', async () => {
    const files = {
      ...SHOP,
      'tests/test_cart.py': `${SHOP['tests/test_cart.py']}\n\ndef test_tax():\n    assert total([1]) == 2\n`,
    };
    await withProject(files, async (folder) => {
      await tool(engine, folder, 'lock', '--quiet');
      const { exitCode, log, summary, outputs } = await build(folder, image());
      expect(exitCode).toBe(1);
      expect(log).toMatch(/::error file=tests\/test_cart\.py,line=\d+(?:,col=\d+)?::.*test_tax: /);
      expect(summary).toContain('1 of 2 tests failed: ');
      expect(log).not.toContain('docker buildx build');
      expect(outputs['image']).toBeUndefined();
      expect(existsSync(path.join(folder, 'dist'))).toBe(false);
    });
  }, 300_000);

  test('a private index that does not know who is asking is named, with what to give', async () => {
    const index = await GuardedIndex.start(engine.address, engine.indexUrl, 'ci', token);
    try {
      await withProject(SHOP, async (folder) => {
        const url = (password: string): string => `http://ci:${password}@${index.host}/index/`;
        await tool({ ...engine, index: {}, indexUrl: url(token) }, folder, 'lock', '--quiet');
        const env = { PIP_INDEX_URL: undefined, UV_DEFAULT_INDEX: url('wrong'), UV_CACHE_DIR: path.join(home, 'uv') };
        const { exitCode, summary } = await build(folder, {}, env);
        expect(exitCode).toBe(1);
        expect(summary).toContain('401');
      });
    } finally {
      await index.stop();
    }
  }, 300_000);
});
