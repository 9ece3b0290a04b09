// Generated Dockerfiles, built by a real engine for each tool with a lockfile that the tool itself wrote, and run.
import { readFile, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { randomBytes } from 'node:crypto';
import { beforeAll, expect, test } from '@jest/globals';
import { generatePythonDockerfile, INDEX_SECRET } from '../../src/python-image/dockerfile.ts';
import { indexVariables } from '../../src/python-image/index-settings.ts';
import { planPythonImage } from '../../src/python-image/plan.ts';
import type { Installer } from '../../src/python-image/tool.ts';
import { docker, firstAnswer, running } from '../build-node/container.ts';
import { describeWith } from '../lab/needs.ts';
import { type PythonEngine, buildx, openPythonEngine, tool, withProject } from './engine.ts';
import type { Files } from './projects.ts';

const fresh = randomBytes(4).toString('hex');
const describe = await describeWith('images');
let engine: PythonEngine;
beforeAll(async () => {
  engine = await openPythonEngine();
}, 20 * 60_000);

const PROJECT = `[project]
name = "shop"
version = "1.2.3"
requires-python = ">=3.11"
dependencies = ["starlette", "uvicorn"]

[dependency-groups]
dev = ["iniconfig"]

[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
`;
const APP = `from importlib.metadata import distributions, version
import os

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route


def about(request):
    names = sorted(one.name.lower() for one in distributions())
    return JSONResponse({"packages": names, "user": os.getuid(), "VERSION": 1})


app = Starlette(routes=[Route("/", about)])
`;
const SHOP = { 'pyproject.toml': PROJECT, 'src/shop/__init__.py': '', 'src/shop/main.py': APP };

interface About {
  readonly packages: readonly string[];
  readonly user: number;
}

/** Builds the image of a folder and gives its name. */
async function build(folder: string, installer: Installer, more: { member?: string; flags?: readonly string[] } = {}) {
  const files = (await readdir(folder, { recursive: true })).map(String);
  const read = (file: string) => texts.get(file);
  const texts = new Map<string, string>();
  for (const file of files) texts.set(file, await readFile(path.join(folder, file), 'utf8').catch(() => ''));
  for (const [file, text] of texts) if (text === '' && !file.endsWith('.py')) texts.delete(file);
  const given = { base: 'python:3.11-slim', python: '3.11', installer, secrets: { index: true, netrc: false } };
  const plan = planPythonImage(
    { files, read },
    { ...given, ...(more.member !== undefined && { member: more.member }) },
  );
  const image = `python-${fresh}:${randomBytes(4).toString('hex')}`;
  const settings = [...indexVariables({ env: engine.index, pipConf: [], project: [] })];
  await writeFile(path.join(folder, 'Dockerfile'), generatePythonDockerfile(plan));
  await writeFile(
    path.join(folder, '.secret'),
    settings.map(([name, value]) => `export ${name}='${value}'\n`).join(''),
  );
  const secret = `--secret=id=${INDEX_SECRET},src=${path.join(folder, '.secret')}`;
  await buildx(engine, `--tag=${image}`, secret, ...(more.flags ?? []), folder);
  return image;
}

/** What a started container says of itself. */
async function about(image: string): Promise<About> {
  return running(engine.env, image, async ({ id, address }) => {
    const answer = (await (await firstAnswer(`http://${address}:8000/`)).json()) as About;
    const told = Date.now();
    await docker(engine.env, 'stop', '--time=20', id);
    expect(Date.now() - told).toBeLessThan(10_000);
    expect(await docker(engine.env, 'inspect', '--format={{.State.ExitCode}}', id)).toMatch(/^(?:0|143)$/);
    return answer;
  });
}

const COMPILE = ['pip', 'compile', '--quiet', '--generate-hashes', '--no-emit-index-url', '-o', 'requirements.txt'];
const uvx = (name: string, ...args: readonly string[]) => ['tool', 'run', '--quiet', '--from', name, ...args];

describe('an image of a project without a Dockerfile', () => {
  test.each<[Installer, Files, readonly string[]]>([
    [{ name: 'uv', lockfile: 'uv.lock' }, SHOP, ['lock']],
    [{ name: 'poetry', lockfile: 'poetry.lock' }, SHOP, uvx('poetry==2.5.1', 'poetry', 'lock')],
    [{ name: 'pdm', lockfile: 'pdm.lock' }, SHOP, uvx('pdm==2.29.4', '--with', 'hishel<2', 'pdm', 'lock')],
    [
      { name: 'pipenv', lockfile: 'Pipfile.lock' },
      { ...SHOP, Pipfile: '[packages]\nstarlette = "*"\nuvicorn = "*"\n[dev-packages]\niniconfig = "*"\n' },
      uvx('pipenv==2026.10.3', 'pipenv', 'lock'),
    ],
    [{ name: 'pip-tools', lockfile: 'requirements.txt' }, SHOP, [...COMPILE, 'pyproject.toml']],
    [
      { name: 'pylock', lockfile: 'pylock.toml' },
      SHOP,
      ['pip', 'compile', '--quiet', '--python-version=3.11', '-o', 'pylock.toml', 'pyproject.toml'],
    ],
    [{ name: 'pep517', lockfile: 'pyproject.toml' }, SHOP, ['--version']],
  ])(
    'of %j holds what it needs to run and no more, as an ordinary user on a read-only file system',
    async (installer, files, lock) => {
      await withProject(withIndex(installer, files), async (folder) => {
        await tool(engine, folder, ...lock);
        const { packages, user } = await about(await build(folder, installer));
        expect(user).toBe(1000);
        expect(packages).toEqual(expect.arrayContaining(['shop', 'starlette', 'uvicorn']));
        for (const name of ['iniconfig', 'hatchling', 'uv', 'poetry', 'pdm', 'pipenv'])
          expect(packages).not.toContain(name);
      });
    },
    300_000,
  );
});

test('another release of the same packages is the same layer, even where nothing is left of the build before', async () => {
  await withProject(SHOP, async (folder) => {
    await tool(engine, folder, ...COMPILE, 'pyproject.toml');
    const installer = { name: 'pip-tools', lockfile: 'requirements.txt' } as const;
    const layers = async (): Promise<readonly string[]> => {
      const image = await build(folder, installer, { flags: ['--no-cache'] });
      return (await docker(engine.env, 'image', 'inspect', '--format={{join .RootFS.Layers " "}}', image)).split(' ');
    };
    const before = await layers();
    await writeFile(path.join(folder, 'src/shop/main.py'), APP.replace('"VERSION": 1', '"VERSION": 2'));
    const after = await layers();
    // Base, /app, the packages; then the project and its sources, which are new.
    expect(after.slice(0, -2)).toEqual(before.slice(0, -2));
    expect(after.at(-1)).not.toBe(before.at(-1));
    expect(before).toHaveLength(5);
  });
}, 300_000);

test('a service of a workspace gets the members that it needs, and no others', async () => {
  const member = (name: string, needs: string): string =>
    PROJECT.replace('name = "shop"', `name = "${name}"`).replace('["starlette", "uvicorn"]', needs);
  const files = {
    'pyproject.toml': `[tool.uv.workspace]\nmembers = ["libs/*", "services/*"]\n`,
    'services/api/pyproject.toml': `${member('api', '["starlette", "uvicorn", "geo"]')}\n[tool.uv.sources]\ngeo = { workspace = true }\n`,
    'services/api/api/__init__.py': '',
    'services/api/api/main.py': APP.replace('import os', 'import os\n\nimport geo'),
    'libs/geo/pyproject.toml': member('geo', '["idna"]'),
    'libs/geo/geo/__init__.py': '',
    'services/billing/pyproject.toml': member('billing', '["itsdangerous"]'),
    'services/billing/billing/__init__.py': '',
  };
  await withProject(files, async (folder) => {
    await tool(engine, folder, 'lock', '--quiet');
    const image = await build(folder, { name: 'uv', lockfile: 'uv.lock' }, { member: 'api' });
    const { packages } = await about(image);
    expect(packages).toEqual(expect.arrayContaining(['api', 'geo', 'idna', 'starlette']));
    for (const name of ['billing', 'itsdangerous', 'iniconfig']) expect(packages).not.toContain(name);
    expect(await docker(engine.env, 'run', '--rm', '--network=none', image, 'ls', '/app/services')).toBe('api');
  });
}, 300_000);

/** Each tool's own way to name an index, as its lockfile states it. */
function withIndex({ name }: Installer, files: Files): Files {
  const url = engine.indexUrl;
  const project = files['pyproject.toml'] ?? '';
  if (name === 'poetry') {
    return { ...files, 'pyproject.toml': `${project}\n[[tool.poetry.source]]\nname = "lab"\nurl = "${url}"\n` };
  }
  if (name === 'pdm')
    return {
      ...files,
      'pyproject.toml': `${project}\n[[tool.pdm.source]]\nname = "pypi"\nurl = "${url}"\nverify_ssl = false\n`,
    };
  if (name === 'pipenv')
    return { ...files, Pipfile: `[[source]]\nname = "lab"\nurl = "${url}"\nverify_ssl = false\n${files['Pipfile']}` };
  return files;
}
