import { describe, expect, test } from '@jest/globals';
import { checkTasks, planChecks, runnerOf } from '../../src/python/checks.ts';
import { detectProject } from '../../src/python/project.ts';
import { errorOf } from '../node/folder.ts';

type Files = Readonly<Record<string, string>>;

const plan = (files: Files, named?: readonly string[]) => {
  const read = (file: string): string | undefined => files[file];
  return planChecks(detectProject(read), read, '/reports', named);
};
const commands = (files: Files, named?: readonly string[]): readonly string[] =>
  plan(files, named).checks.map(({ kind, command }) => `${kind}: ${command.join(' ').replaceAll('/reports/', '')}`);

/** A project of uv whose development needs these packages, with more of pyproject.toml. */
const needing = (packages: string, more = ''): Files => ({
  'pyproject.toml': `[project]\nname = "a"\n[dependency-groups]\ndev = [${packages}]\n${more}`,
  'uv.lock': '',
});
const JUNIT = '-o junit_family=xunit1 --junitxml=junit-pytest.xml';

describe('the checks of a project', () => {
  test.each<[string, Files, readonly string[]]>([
    ['linters that are installed', needing('"ruff", "flake8"'), ['lint: ruff check .', 'lint: flake8']],
    [
      "ruff's formatter where it has settings",
      needing('"ruff"', '[tool.ruff.format]\nquote-style = "single"'),
      ['lint: ruff check .', 'format: ruff format --check .'],
    ],
    [
      "ruff's formatter where pre-commit has it",
      { ...needing('"ruff"'), '.pre-commit-config.yaml': '  - id: ruff-format\n' },
      ['lint: ruff check .', 'format: ruff format --check .'],
    ],
    ['black', needing('"black"'), ['format: black --check .']],
    ['mypy of all, as its settings name nothing', needing('"mypy"', '[tool.mypy]\nstrict = true'), ['types: mypy .']],
    ['mypy of what its settings name', needing('"mypy"', '[tool.mypy]\nfiles = ["src"]'), ['types: mypy']],
    ['mypy without settings is left out', needing('"mypy"'), []],
    ['pyright', { ...needing('"pyright"'), 'pyrightconfig.json': '{}' }, ['types: pyright']],
    ['pytest', needing('"pytest"'), [`test: pytest ${JUNIT}`]],
    [
      'pytest with its plugin for coverage and settings of coverage',
      needing('"pytest", "pytest-cov"', '[tool.coverage.run]\nbranch = true'),
      [`test: pytest ${JUNIT} --cov --cov-report=xml:coverage.xml`],
    ],
    [
      'pytest that measures by its own settings',
      needing('"pytest", "pytest-cov"', '[tool.pytest.ini_options]\naddopts = "-q --cov=a"'),
      [`test: pytest ${JUNIT} --cov-report=xml:coverage.xml`],
    ],
    ['pytest whose plugin nothing configures', needing('"pytest", "pytest-cov"'), [`test: pytest ${JUNIT}`]],
    [
      'coverage.py around pytest',
      { ...needing('"pytest", "coverage"'), '.coveragerc': '[run]\nsource = a\n' },
      [`test: coverage run -m pytest ${JUNIT}`],
    ],
    [
      'tox, where the tests need what only it installs',
      { ...needing('"ruff"'), 'tox.ini': '[tox]\nenvlist = py312\n' },
      [
        'lint: ruff check .',
        'test: tox run --skip-missing-interpreters true --override testenv.pass_env+=PYTEST_ADDOPTS --override env_run_base.pass_env+=PYTEST_ADDOPTS --override tool.tox.env_run_base.pass_env+=PYTEST_ADDOPTS',
      ],
    ],
    ['pytest before tox', { ...needing('"pytest"'), 'tox.ini': '[tox]\n' }, [`test: pytest ${JUNIT}`]],
    [
      'nox',
      { ...needing('"ruff"'), 'noxfile.py': '' },
      ['lint: ruff check .', 'test: nox --non-interactive --no-error-on-missing-interpreters'],
    ],
    ["Django's own", { 'requirements.txt': 'Django', 'manage.py': '' }, ['test: python manage.py test']],
    [
      'Django with pytest-django',
      { 'requirements.txt': 'django\npytest\npytest-django', 'manage.py': '' },
      [`test: pytest ${JUNIT}`],
    ],
    [
      'unittest, where there is a folder and no other runner',
      { 'requirements.txt': 'idna', 'tests/__init__.py': '' },
      ['test: python -m unittest discover -t . -s tests'],
    ],
    [
      'what the lockfile alone has',
      { ...needing('"nothing"'), 'uv.lock': 'name = "pytest"\n' },
      [`test: pytest ${JUNIT}`],
    ],
    [
      'the scripts of hatch, before its tools',
      {
        'pyproject.toml':
          '[project]\nname = "a"\n[tool.hatch.envs.default]\ndependencies = ["pytest"]\n[tool.hatch.envs.default.scripts]\ntest = "pytest"\n[tool.hatch.envs.types.scripts]\ncheck = "mypy"\n',
      },
      ['test: hatch run test', 'types: hatch run types:check'],
    ],
    ['black beside ruff without settings is left out', needing('"ruff", "black"'), ['lint: ruff check .']],
    ['a linter that only another package needs is left out', { ...needing('"x"'), 'uv.lock': 'name = "flake8"\n' }, []],
    [
      'the tests of hatch, where no script runs them',
      { 'pyproject.toml': '[project]\nname = "a"\n[tool.hatch.envs.lint]\ndependencies = ["ruff"]\n' },
      ['test: hatch test'],
    ],
    [
      'pytest in an extra of setup.cfg',
      { 'setup.cfg': '[metadata]\nname = a\n[options]\n[options.extras_require]\ntest =\n  pytest>=8\n' },
      [`test: pytest ${JUNIT}`],
    ],
    ['none', { 'requirements.txt': 'flask' }, []],
  ])('%s', (_, files, expected) => {
    expect(commands(files)).toEqual(expected);
  });

  test('what is configured and not installed is said, and how to run what is left out', () => {
    const files = { ...needing('"pytest"', '[tool.ruff]\nline-length = 100'), 'noxfile.py': '' };
    expect(plan(files).decisions).toEqual([
      `test: \`pytest -o junit_family=xunit1 --junitxml=…/junit-pytest.xml\`, by the dependencies`,
      'not ruff: [tool.ruff] in pyproject.toml configures it, but no dependency installs it; add it to the development dependencies',
      'test: not nox, as another does it; `checks: nox` runs it',
    ]);
    expect(plan({ 'requirements.txt': 'flask' }).decisions).toEqual(['checks: none, as the project configures none']);
  });

  test('named ones run alone, by kind or by tool', () => {
    const files = { ...needing('"pytest", "ruff", "flake8"'), 'noxfile.py': '' };
    expect(commands(files, ['lint'])).toEqual(['lint: ruff check .', 'lint: flake8']);
    expect(commands(files, ['flake8', 'test'])).toEqual(['lint: flake8', `test: pytest ${JUNIT}`]);
    expect(plan(files, ['nox']).brings).toEqual(['nox']);
  });

  test('one that is not there is refused with those that are', () => {
    const error = errorOf(() => plan(needing('"ruff"'), ['types']));
    expect(error).toMatchObject({
      message: expect.stringContaining('"types"'),
      remedy: expect.stringContaining('lint (ruff)'),
    });
  });

  test('become tasks that run in the environment, the report of coverage after them', () => {
    const files = { ...needing('"pytest", "coverage", "ruff"'), '.coveragerc': '' };
    const given = { venv: '/p/.venv', reports: '/r', env: { PATH: '/p/.venv/bin' } };
    const [lint, tests, coverage] = checkTasks(plan(files), given);
    expect(lint).toEqual({
      name: 'ruff check',
      command: ['/p/.venv/bin/ruff', 'check', '.'],
      env: given.env,
      leavesNothing: true,
    });
    // What it measured is read by the report.
    expect(tests).toMatchObject({ name: 'pytest', leavesNothing: false });
    expect(coverage).toMatchObject({ name: 'coverage xml', after: ['ruff check', 'pytest'] });
    expect(coverage?.command).toEqual(['/p/.venv/bin/coverage', 'xml', '-o', '/r/coverage.xml']);
  });

  test('paths with spaces and quotes reach the pytest that tox runs', () => {
    const read = (file: string): string | undefined => ({ 'requirements.txt': 'flask', 'tox.ini': '[tox]' })[file];
    const [tox] = planChecks(detectProject(read), read, "/it's here").checks;
    expect(tox?.env).toEqual({
      PYTEST_ADDOPTS: `'-o' 'junit_family=xunit1' '--junitxml=/it'"'"'s here/junit-pytest.xml'`,
    });
  });

  test('are run by a developer as the tool does', () => {
    expect([runnerOf('uv'), runnerOf('pip')]).toEqual(['uv run', 'python -m']);
  });
});
