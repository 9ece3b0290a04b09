import { describe, expect, test } from '@jest/globals';
import { generatePythonDockerfile } from '../../src/python-image/dockerfile.ts';
import { type PythonImageGiven, planPythonImage } from '../../src/python-image/plan.ts';
import { type Installer, UV_WHEELS } from '../../src/python-image/tool.ts';
import { TOOLS, UV } from '../../src/python/pins.ts';
import { FASTAPI, type Files, commands, tree } from './projects.ts';

const REQUIREMENTS = 'fastapi==0.165.0 --hash=sha256:aa\nuvicorn==0.54.0 --hash=sha256:bb\n';

function dockerfile(files: Files, installer: Installer, more: Partial<PythonImageGiven> = {}): string {
  const given = { base: 'python:3.13-slim', python: '3.13', installer, ...more };
  return generatePythonDockerfile(planPythonImage(tree(files), given));
}

const pip: Installer = { name: 'pip', lockfile: 'requirements.txt' };

describe('generatePythonDockerfile', () => {
  test('installs the packages by uv in one stage, compiles the sources in another, and keeps neither tool nor cache', () => {
    const text = commands(dockerfile({ 'main.py': FASTAPI, 'requirements.txt': REQUIREMENTS }, pip));
    const stages = text.split(/(?=^FROM)/m);
    expect(stages.map((stage) => stage.split('\n')[0])).toEqual([
      'FROM python:3.13-slim AS base',
      'FROM base AS tools',
      'FROM tools AS dependencies',
      'FROM tools AS build',
      'FROM base',
    ]);
    const [, tools, dependencies, build, last] = stages;
    expect(tools).toMatch(/uv==\d+\.\d+\.\d+ \\\n +--hash=sha256:[0-9a-f]{64} .*--require-hashes -r \/tmp\/uv\.txt/s);
    expect(dependencies).toContain(
      'COPY requirements.txt ./\nRUN --mount=type=cache,target=/root/.cache/uv \\\n    uv venv --quiet /venv \\\n    && uv pip install --require-hashes -r requirements.txt \\\n',
    );
    expect(dependencies).toContain('--invalidation-mode unchecked-hash /venv');
    expect(build).toContain('COPY . .\nRUN python -m compileall');
    expect(last).toBe(`FROM base
ENV PORT=8000
COPY --from=dependencies /layer /
COPY --from=build /app ./
USER 1000:1000
CMD ["sh", "-c", "exec uvicorn main:app --host 0.0.0.0 --port $PORT"]`);
    expect(text).not.toMatch(/HEALTHCHECK|^ARG|secret/m);
  });

  test('requirements without hashes are installed as they are, and with the files that they include', () => {
    const files = { 'main.py': FASTAPI, 'requirements.txt': '-r base.txt\nuvicorn\n', 'base.txt': 'fastapi\n' };
    const text = dockerfile(files, pip);
    expect(text).toContain('COPY requirements.txt base.txt ./\n');
    expect(text).toContain('uv pip install -r requirements.txt');
  });

  test('needs nothing but the base where there are no packages', () => {
    const files = {
      'pyproject.toml': '[project]\nname = "tick"\nversion = "1"\n',
      'tick.py': 'if __name__ == "__main__":\n    pass\n',
    };
    const text = commands(dockerfile(files, { name: 'pep517', lockfile: 'pyproject.toml' }));
    expect(text).not.toMatch(/uv|venv/);
    expect(text).toContain('STOPSIGNAL SIGINT\nCMD ["python", "-m", "tick"]');
  });

  const pyproject = '[project]\nname = "shop"\nversion = "1"\n[build-system]\nrequires = ["hatchling"]\n';
  const lock = '[[package]]\nname = "fastapi"\nversion = "1"\n[[package]]\nname = "uvicorn"\nversion = "1"\n';
  const pipfile = '{"default": {"fastapi": {}, "uvicorn": {}}, "develop": {"pytest": {}}}';

  test.each<[Installer['name'], Files, string, string]>([
    ['poetry', { 'poetry.lock': lock }, 'COPY pyproject.toml poetry.lock ./', 'poetry install --only=main --no-root'],
    [
      'pdm',
      { 'pdm.lock': lock },
      'COPY pyproject.toml pdm.lock ./',
      `PDM_CHECK_UPDATE=0 uvx --from pdm==${TOOLS.pdm.version} --with 'hishel<2' pdm install --prod --frozen-lockfile`,
    ],
    ['pipenv', { 'Pipfile.lock': pipfile, Pipfile: '' }, 'COPY Pipfile Pipfile.lock ./', 'pipenv sync'],
    [
      'pylock',
      { 'pylock.toml': lock.replaceAll('package]]', 'packages]]') },
      'COPY pylock.toml ./',
      'uv pip sync pylock.toml',
    ],
  ])('installs for production by %s', (name, files, copies, command) => {
    const [lockfile = ''] = Object.keys(files);
    const all = { 'src/shop/main.py': FASTAPI, 'pyproject.toml': pyproject, ...files };
    const text = dockerfile(all, { name, lockfile });
    expect(text).toContain(copies);
    expect(text).toContain(command);
  });

  test('a project that is a package is installed beside its dependencies, without its sources changing their layer', () => {
    const text = dockerfile(
      { 'pyproject.toml': pyproject, 'poetry.lock': lock, 'src/shop/main.py': FASTAPI },
      { name: 'poetry', lockfile: 'poetry.lock' },
    );
    expect(text).toContain('ENV PYTHONUNBUFFERED=1 PATH=/project/bin:/venv/bin:$PATH');
    expect(text).toContain('RUN --mount=type=bind,target=/source,rw \\\n');
    expect(text).toContain('uv pip install --no-deps --target /project /source\nCOPY . .\n');
    expect(text).toContain('ENV PORT=8000 PYTHONPATH=/project\n');
    expect(text).toContain('COPY --from=dependencies /layer /\nCOPY --from=build /project /project\n');
  });

  test('a version that git would tell is said to the build, as an image has no history', () => {
    const dynamic = pyproject.replace('version = "1"', 'dynamic = ["version"]').replace('hatchling', 'hatch-vcs');
    const files = { 'pyproject.toml': dynamic, 'poetry.lock': lock, 'shop/main.py': FASTAPI };
    expect(dockerfile(files, { name: 'poetry', lockfile: 'poetry.lock' })).toContain(
      'SETUPTOOLS_SCM_PRETEND_VERSION=0.0.0 uv pip install',
    );
  });

  test.each([
    ['requirements.txt', './vendored\nfastapi\nuvicorn', 'a package lies among them'],
    ['requirements.txt', '-e .\nfastapi\nuvicorn', 'a package lies among them'],
    ['requirements.txt', '-c pins.txt\nfastapi\nuvicorn', 'a file of constraints lies among them'],
  ])('copies all sources first where the install needs them: %s with %j', (lockfile, text, why) => {
    const made = dockerfile({ 'main.py': FASTAPI, [lockfile]: text }, pip);
    expect(made).toContain(`# All sources before the install: ${why}.\nCOPY . .\n`);
  });

  test('reads private indexes from secrets in each step that installs, and nowhere else', () => {
    const text = dockerfile({ 'main.py': FASTAPI, 'requirements.txt': REQUIREMENTS }, pip, {
      secrets: { index: true, netrc: true },
    });
    expect(text.match(/--mount=type=secret,id=python-index,required=true \\\n/g)).toHaveLength(2);
    expect(
      text.match(
        /--mount=type=secret,id=netrc,required=true,target=\/root\/\.netrc \\\n {4}\. \/run\/secrets\/python-index \\\n {4}&& /g,
      ),
    ).toHaveLength(2);
    expect(text).toContain('# docker buildx build --secret id=python-index,src=… --secret id=netrc,src=… .');
  });

  test('brings what a package without a wheel is compiled with, and to the image only what it loads', () => {
    const requirements = 'fastapi\nuvicorn\npsycopg2==2.9.10\n';
    const [, base, tools, ...rest] = dockerfile({ 'main.py': FASTAPI, 'requirements.txt': requirements }, pip).split(
      /(?=^FROM)/m,
    );
    expect(base).toContain('apt-get install --yes --no-install-recommends libpq5 ');
    expect(tools).toContain('apt-get install --yes --no-install-recommends gcc libc6-dev libpq-dev ');
    expect(rest.join('')).not.toContain('apt-get');
  });
});

test('the wheels of uv that a Dockerfile takes are of the release that runs outside of it', () => {
  expect(UV.sha256).toEqual(expect.arrayContaining([...UV_WHEELS]));
});

describe('a workspace of uv', () => {
  const member = (name: string, needs: readonly string[]): string =>
    `[[package]]\nname = "${name}"\nversion = "1"\nsource = { editable = "packages/${name}" }\ndependencies = [${needs.map((one) => `{ name = "${one}" }`).join(', ')}]\n`;
  const registry = (name: string): string =>
    `[[package]]\nname = "${name}"\nversion = "1"\nsource = { registry = "x" }\n`;
  const files: Files = {
    'pyproject.toml': '[tool.uv.workspace]\nmembers = ["packages/*"]\n',
    'uv.lock': [
      member('api', ['fastapi', 'uvicorn', 'geo']),
      member('geo', ['numpy']),
      member('billing', ['stripe']),
      ...['fastapi', 'uvicorn', 'numpy', 'stripe'].map(registry),
    ].join('\n'),
    ...Object.fromEntries(
      ['api', 'geo', 'billing'].map((name) => [
        `packages/${name}/pyproject.toml`,
        `[project]\nname = "${name}"\n[build-system]\nrequires = []\n`,
      ]),
    ),
    'packages/api/api/main.py': FASTAPI,
    'packages/billing/billing/main.py': FASTAPI,
  };
  const given = {
    base: 'python:3.13-slim',
    python: '3.13',
    installer: { name: 'uv', lockfile: 'uv.lock' },
    member: 'api',
  } as const;

  test('only the service and the members that it needs get in', () => {
    const plan = planPythonImage(tree(files), given);
    expect(plan.workspace).toMatchObject({
      folder: 'packages/api',
      closure: ['packages/api', 'packages/geo'],
      others: ['packages/billing'],
    });
    const text = generatePythonDockerfile(plan);
    expect(text).toContain('uv sync --frozen --no-default-groups --no-install-local --package api');
    expect(text).toContain('COPY packages/geo/pyproject.toml packages/geo/pyproject.toml\n');
    expect(text).toContain(
      'uv pip install --no-deps --target /project /source/packages/api /source/packages/geo\nCOPY packages/api packages/api\nCOPY packages/geo packages/geo\n',
    );
    expect(text).toContain('WORKDIR /app/packages/api\n');
    expect(text).toContain('exec uvicorn api.main:app ');
    expect(text).not.toContain('billing');
  });

  test('a name that is no member is refused with those that are', () => {
    expect(() => planPythonImage(tree(files), { ...given, member: 'shop' })).toThrow('only api, geo, billing');
  });
});
