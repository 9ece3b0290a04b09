import { describe, expect, test } from '@jest/globals';
import { detectProject } from '../../src/python/project.ts';
import { errorOf } from '../node/folder.ts';

type Files = Readonly<Record<string, string>>;

const PROJECT =
  '[project]\nname = "Fleet_Map"\nversion = "1.2.0"\ndependencies = ["httpx>=0.27", "Uvicorn[standard]"]\n';
const POETRY = '[tool.poetry]\nname = "fleet"\n[tool.poetry.dependencies]\npython = "^3.11"\nhttpx = "*"\n';

const detect = (files: Files, parents = 0) => detectProject((file) => files[file], parents);

describe('the tool of a project', () => {
  test.each<[string, Files, string, string | undefined, string]>([
    ['uv.lock', { 'pyproject.toml': PROJECT, 'uv.lock': '' }, 'uv', 'uv.lock', 'the lockfile uv.lock'],
    [
      'poetry.lock',
      { 'pyproject.toml': POETRY, 'poetry.lock': '' },
      'poetry',
      'poetry.lock',
      'the lockfile poetry.lock',
    ],
    ['pdm.lock', { 'pyproject.toml': PROJECT, 'pdm.lock': '' }, 'pdm', 'pdm.lock', 'the lockfile pdm.lock'],
    ['Pipfile.lock', { Pipfile: '', 'Pipfile.lock': '{}' }, 'pipenv', 'Pipfile.lock', 'the lockfile Pipfile.lock'],
    [
      'pylock.toml',
      { 'pyproject.toml': PROJECT, 'pylock.toml': '' },
      'pylock',
      'pylock.toml',
      'the lockfile pylock.toml',
    ],
    [
      'a lockfile beside its export',
      { 'pyproject.toml': PROJECT, 'uv.lock': '', 'requirements.txt': 'httpx==1', 'pylock.toml': '' },
      'uv',
      'uv.lock',
      'the lockfile uv.lock',
    ],
    [
      'the lockfile that [tool.poetry] names',
      { 'pyproject.toml': POETRY, 'poetry.lock': '', 'uv.lock': '' },
      'poetry',
      'poetry.lock',
      '[tool.poetry] in pyproject.toml, so that poetry.lock counts and uv.lock does not',
    ],
    [
      'the lockfile that the build backend names',
      { 'pyproject.toml': `${PROJECT}[build-system]\nbuild-backend = "uv_build"`, 'pdm.lock': '', 'uv.lock': '' },
      'uv',
      'uv.lock',
      'the build backend uv_build in pyproject.toml, so that uv.lock counts and pdm.lock does not',
    ],
    [
      'hatch environments',
      { 'pyproject.toml': `${PROJECT}[tool.hatch.envs.default]\ndependencies = ["pytest"]` },
      'hatch',
      undefined,
      'the environments of [tool.hatch.envs] in pyproject.toml',
    ],
    [
      'requirements with a source',
      { 'requirements.in': 'flask', 'requirements.txt': 'flask==3.0.0' },
      'pip-tools',
      'requirements.txt',
      'requirements.txt, which is compiled',
    ],
    [
      'requirements whose head says that they are compiled',
      { 'requirements.txt': '#    pip-compile --output-file=requirements.txt\nflask==3.0.0' },
      'pip-tools',
      'requirements.txt',
      'requirements.txt, which is compiled',
    ],
    [
      'requirements',
      { 'requirements.txt': 'flask' },
      'pip',
      'requirements.txt',
      'requirements.txt, as there is no lockfile',
    ],
    [
      'a package without a lockfile',
      { 'pyproject.toml': `${PROJECT}[build-system]\nbuild-backend = "flit_core.buildapi"` },
      'pep517',
      undefined,
      'pyproject.toml without a lockfile, built by flit_core.buildapi',
    ],
    ['setup.py', { 'setup.py': 'setup()' }, 'pep517', undefined, 'setup.py alone'],
    ['setup.cfg', { 'setup.cfg': '[metadata]\nname = fleet' }, 'pep517', undefined, 'setup.cfg alone'],
    [
      'requirements beside a pyproject.toml that only configures tools',
      { 'pyproject.toml': '[tool.ruff]\nline-length = 100', 'requirements.txt': 'flask' },
      'pip',
      'requirements.txt',
      'requirements.txt, as there is no lockfile',
    ],
  ])('of %s', (_, files, tool, lockfile, reason) => {
    const found = detect(files);
    expect([found.tool, found.lockfile, found.reason]).toEqual([tool, lockfile, reason]);
  });

  test.each<[string, Files, string, string, object]>([
    ['nothing', {}, 'no Python project', '`directory`', {}],
    ['tool settings alone', { 'pyproject.toml': '[tool.ruff]\n' }, 'no Python project', '`directory`', {}],
    [
      'lockfiles of tools that nothing names',
      { 'pyproject.toml': PROJECT, 'uv.lock': '', 'pdm.lock': '' },
      'uv.lock, pdm.lock, and nothing names one',
      'git rm',
      { file: 'uv.lock' },
    ],
    [
      'lockfiles of tools that are both named',
      { 'pyproject.toml': POETRY, 'poetry.lock': '', Pipfile: '', 'Pipfile.lock': '' },
      'several are named: [tool.poetry] in pyproject.toml, the Pipfile',
      'git rm',
      { file: 'poetry.lock' },
    ],
    [
      'poetry without a lockfile',
      { 'pyproject.toml': POETRY },
      'no poetry.lock',
      '`poetry lock`',
      { file: 'pyproject.toml' },
    ],
    ['a Pipfile alone', { Pipfile: '' }, 'no Pipfile.lock', '`pipenv lock`', { file: 'Pipfile' }],
    [
      'a workspace without a lockfile',
      { 'pyproject.toml': `${PROJECT}[tool.uv.workspace]\nmembers = ["packages/*"]` },
      'no uv.lock',
      '`uv lock`',
      { file: 'pyproject.toml' },
    ],
    [
      'a source that is not compiled',
      { 'requirements.in': 'flask' },
      'not compiled',
      'pip-compile',
      { file: 'requirements.in' },
    ],
    [
      'compiled requirements that are out of date',
      { 'requirements.in': 'flask\ngunicorn', 'requirements.txt': 'flask==3.0.0' },
      'requirements.txt does not have gunicorn, which requirements.in names',
      'pip-compile requirements.in',
      { file: 'requirements.txt' },
    ],
    [
      'an include that is missing',
      { 'requirements.txt': '# all\nflask\n-r more.txt' },
      'requirements.txt includes more.txt',
      'Commit more.txt',
      { file: 'requirements.txt', line: 3 },
    ],
    [
      'a broken file',
      { 'pyproject.toml': '[project]\nname = fleet\n' },
      'is not TOML',
      'Mend',
      { file: 'pyproject.toml', line: 2, column: 8 },
    ],
  ])('of %s is refused with what mends it', (_, files, message, remedy, place) => {
    const error = errorOf(() => detect(files)) as Error;
    expect(error).toMatchObject({ name: 'UserError', remedy: expect.stringContaining(remedy) });
    expect(error.message).toContain(message);
    expect({ ...(error as { place?: object }).place }).toEqual(place);
  });
});

describe('what a project is', () => {
  test('names are normal, extras and versions of requirements left out', () => {
    const found = detect({
      'pyproject.toml': `${PROJECT}[dependency-groups]\ntest = ["PyTest>=8", {include-group = "docs"}]\ndocs = ["mkdocs"]`,
      'uv.lock': '',
    });
    expect(found.dependencies).toEqual(['httpx', 'uvicorn']);
    expect(found.devDependencies).toEqual(['pytest', 'mkdocs']);
    expect(found.dev).toEqual({ groups: ['test'], extras: [] });
    expect([found.name, found.version, found.kind]).toEqual(['Fleet_Map', '1.2.0', 'app']);
  });

  test.each<[string, Files, string]>([
    ['uv without a build system', { 'pyproject.toml': PROJECT, 'uv.lock': '' }, 'app'],
    [
      'uv with one',
      { 'pyproject.toml': `${PROJECT}[build-system]\nrequires = ["hatchling"]`, 'uv.lock': '' },
      'package',
    ],
    [
      'poetry that does not package',
      {
        'pyproject.toml': `${POETRY}[tool.poetry.group.dev]\n`.replace('name', 'package-mode = false\nname'),
        'poetry.lock': '',
      },
      'app',
    ],
    ['uv that is told so', { 'pyproject.toml': `${PROJECT}[tool.uv]\npackage = true`, 'uv.lock': '' }, 'package'],
    ['setup.py beside requirements', { 'setup.py': '', 'requirements.txt': 'flask' }, 'package'],
    ['requirements', { 'requirements.txt': 'flask' }, 'app'],
  ])('%s is a package or an app', (_, files, kind) => {
    expect(detect(files).kind).toBe(kind);
  });

  test('a member of a workspace takes the lockfile of its root, but never one above the repository', () => {
    const files = {
      'pyproject.toml': PROJECT,
      '../../pyproject.toml': '[tool.uv.workspace]\nmembers = ["services/*"]\nexclude = ["services/old"]',
      '../../uv.lock': '',
    };
    expect(detect(files, 2)).toMatchObject({
      tool: 'uv',
      lockfile: '../../uv.lock',
      root: '../..',
      workspace: { root: '../..', members: ['services/*'], exclude: ['services/old'] },
    });
    expect(detect(files, 1)).toMatchObject({ tool: 'pep517', root: '.' });
  });

  test('requirements are read with those they include, comments and joined lines', () => {
    const hash = `--hash=sha256:${'a'.repeat(64)}`;
    const { requirements, dependencies, devDependencies } = detect({
      'requirements.txt': `Flask==3.0.0 \\\n    ${hash}\n-r requirements/web.txt # more`,
      'requirements/web.txt': `--index-url https://example.test/simple\n-c limits.txt\ngunicorn==22.0.0 ${hash}`,
      'requirements/limits.txt': 'jinja2<4',
      'requirements-dev.txt': '-r requirements.txt\npytest\n-e .',
    });
    expect(dependencies).toEqual(['flask', 'gunicorn']);
    expect(devDependencies).toEqual(['pytest']);
    expect(requirements?.run).toMatchObject({ hashed: true, ownFolder: false, files: ['requirements.txt'] });
    expect(requirements?.dev).toMatchObject({ hashed: false, ownFolder: true });
  });

  test('setup.cfg and Pipfile tell their packages', () => {
    const cfg =
      '[metadata]\nname = fleet\nversion = attr: fleet.v\n[options]\ninstall_requires =\n  httpx\n  pydantic>=2\n[options.extras_require]\ntest =\n  pytest\n';
    expect(detect({ 'setup.cfg': cfg })).not.toHaveProperty('version');
    expect(detect({ 'setup.cfg': cfg })).toMatchObject({
      name: 'fleet',
      dependencies: ['httpx', 'pydantic'],
      dev: { extras: ['test'] },
    });
    const pipfile = '[packages]\nFlask = "*"\n[dev-packages]\npytest = "*"\n';
    expect(detect({ Pipfile: pipfile, 'Pipfile.lock': '{}' })).toMatchObject({
      dependencies: ['flask'],
      devDependencies: ['pytest'],
      kind: 'app',
    });
  });
});
