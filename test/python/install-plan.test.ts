import { describe, expect, test } from '@jest/globals';
import { planInstall } from '../../src/python/install-plan.ts';
import { detectProject } from '../../src/python/project.ts';

type Files = Readonly<Record<string, string>>;
const HASH = `--hash=sha256:${'a'.repeat(64)}`;
const PACKAGE = '[project]\nname = "a"\n[build-system]\nrequires = ["hatchling"]\n';

const plan = (files: Files, parents = 0) => {
  const project = detectProject((file) => files[file], parents);
  const { steps, env, pinned } = planInstall(project, '/w/p', '/python');
  const shown = steps.map(({ program, args }) => [program, ...args].join(' '));
  return { steps: shown.filter((step) => !step.startsWith('uv venv')), made: shown.length, env, pinned };
};

describe('the installation', () => {
  test.each<[string, Files, readonly string[]]>([
    [
      'uv with groups and extras that checks need, and no others',
      {
        'pyproject.toml': `[project]\nname = "a"\n[project.optional-dependencies]\ntest = []\ngpu = []\n[dependency-groups]\nlint = []\ndocs = []\n`,
        'uv.lock': '',
      },
      ['uv sync --locked --group lint --extra test'],
    ],
    [
      'a workspace of uv',
      { 'pyproject.toml': '[tool.uv.workspace]\nmembers = ["*"]', 'uv.lock': '' },
      ['uv sync --locked --all-packages'],
    ],
    [
      'hashed requirements: these and nothing else, the package on top without what it needs',
      { 'pyproject.toml': PACKAGE, 'requirements.txt': `flask==3.0.0 ${HASH}` },
      ['uv pip sync --require-hashes requirements.txt', 'uv pip install --no-deps --editable .'],
    ],
    [
      'compiled requirements, others for development within them',
      { 'requirements.in': 'flask', 'requirements.txt': 'flask==3.0.0', 'requirements-dev.txt': 'pytest' },
      [
        'uv pip sync requirements.txt',
        'uv pip install --constraint requirements.txt --requirement requirements-dev.txt',
      ],
    ],
    [
      'requirements',
      { 'requirements.txt': 'flask', 'requirements-dev.txt': '-r requirements.txt\npytest' },
      ['uv pip install --requirement requirements.txt --requirement requirements-dev.txt'],
    ],
    [
      'a package without a lockfile',
      { 'pyproject.toml': `${PACKAGE}[dependency-groups]\ndev = ["pytest"]` },
      ['uv pip install --editable . --group dev'],
    ],
    [
      'setup.py with requirements for development',
      { 'setup.py': '', 'requirements-dev.txt': 'pytest' },
      ['uv pip install --requirement requirements-dev.txt --editable .'],
    ],
    [
      'an app that pyproject.toml alone describes',
      { 'pyproject.toml': '[project]\nname = "a"\n[project.optional-dependencies]\ntest = ["pytest"]' },
      ['uv pip install --requirement pyproject.toml --extra test'],
    ],
    [
      'pylock.toml',
      { 'pyproject.toml': PACKAGE, 'pylock.toml': '' },
      ['uv pip sync pylock.toml', 'uv pip install --no-deps --editable .'],
    ],
  ])('of %s', (_, files, steps) => {
    expect(plan(files).steps).toEqual(steps);
  });

  test('never goes into the interpreter itself', () => {
    expect(plan({ 'requirements.txt': 'flask' }).env).toMatchObject({
      UV_PYTHON: '/w/p/.venv',
      VIRTUAL_ENV: '/w/p/.venv',
    });
  });

  test("of a workspace's member goes into the environment of the workspace", () => {
    const files = {
      'pyproject.toml': PACKAGE,
      '../uv.lock': '',
      '../pyproject.toml': '[tool.uv.workspace]\nmembers = ["p"]',
    };
    const { steps, env, made } = plan(files, 1);
    expect([steps, made]).toEqual([['uv sync --locked'], 1]);
    expect(env).toMatchObject({ UV_PROJECT_ENVIRONMENT: '/w/.venv' });
  });

  test('says how strictly versions are held', () => {
    expect(plan({ 'requirements.txt': `flask==3.0.0 ${HASH}` }).pinned).toBe(
      'exactly the versions and hashes of requirements.txt',
    );
    expect(plan({ 'requirements.txt': 'flask' }).pinned).toContain('as there is no lockfile');
  });
});
