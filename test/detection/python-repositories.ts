/** What of a public repository decides how it is built: names of files and fields of them, read at a commit. */
export interface PythonRepository {
  readonly repository: string;
  readonly commit: string;
  readonly files: readonly string[];
  /** Of pyproject.toml, where there is one. */
  readonly fields?: {
    readonly backend?: string;
    readonly requires?: string;
    /** Whether there is a table `project`. */
    readonly project: boolean;
    /** Tables of tools that may decide, such as `tool.uv`. */
    readonly tools?: readonly string[];
    readonly groups?: readonly string[];
  };
  readonly versions?: Readonly<Record<string, string>>;
  readonly expected: { readonly tool: string; readonly kind: 'package' | 'app'; readonly lockfile?: string };
}

export const pythonRepositories: readonly PythonRepository[] = [
  {
    repository: 'celery/celery',
    commit: '5dc781f0bd5f',
    files: ['setup.cfg', 'setup.py', 'tox.ini', 'requirements/dev.txt', 'requirements/test.txt'],
    fields: { project: false, tools: ['mypy', 'pytest', 'coverage'] },
    expected: { tool: 'pep517', kind: 'package' },
  },
  {
    repository: 'cookiecutter/cookiecutter',
    commit: 'c88fbe921c97',
    files: ['uv.lock'],
    fields: { project: true, requires: '>=3.10', tools: ['uv', 'setuptools', 'pytest'], groups: ['dev', 'test'] },
    expected: { tool: 'uv', kind: 'app', lockfile: 'uv.lock' },
  },
  {
    repository: 'encode/httpx',
    commit: 'ae1b9f66238f',
    files: ['requirements.txt'],
    fields: { project: true, backend: 'hatchling.build', requires: '>=3.9', tools: ['hatch.version', 'hatch.build'] },
    expected: { tool: 'pip', kind: 'package', lockfile: 'requirements.txt' },
  },
  {
    repository: 'fastapi/full-stack-fastapi-template',
    commit: '68adb40d3742',
    files: ['uv.lock'],
    fields: { project: false, tools: ['uv.workspace'], groups: ['dev'] },
    versions: { '.python-version': '3.14' },
    expected: { tool: 'uv', kind: 'app', lockfile: 'uv.lock' },
  },
  {
    repository: 'httpie/cli',
    commit: '5b604c37c6c6',
    files: ['pytest.ini', 'setup.cfg', 'setup.py'],
    expected: { tool: 'pep517', kind: 'package' },
  },
  {
    repository: 'netbox-community/netbox',
    commit: '43fe81f9e833',
    files: ['requirements.txt'],
    fields: { project: true, backend: 'hatchling.build', requires: '>=3.12', tools: ['hatch.metadata', 'ruff'] },
    expected: { tool: 'pip', kind: 'package', lockfile: 'requirements.txt' },
  },
  {
    repository: 'pallets/flask',
    commit: '2ac89889f4cc',
    files: ['uv.lock'],
    fields: {
      project: true,
      backend: 'flit_core.buildapi',
      requires: '>=3.10',
      tools: ['uv', 'flit', 'tox'],
      groups: ['dev', 'docs', 'tests', 'typing'],
    },
    expected: { tool: 'uv', kind: 'package', lockfile: 'uv.lock' },
  },
  {
    repository: 'paperless-ngx/paperless-ngx',
    commit: 'b0e0e8a35373',
    files: ['uv.lock'],
    fields: { project: true, requires: '>=3.11', tools: ['uv', 'pytest'], groups: ['dev', 'lint', 'testing'] },
    expected: { tool: 'uv', kind: 'app', lockfile: 'uv.lock' },
  },
  {
    repository: 'pdm-project/pdm',
    commit: 'a7e9d0015b4d',
    files: ['pdm.lock', 'tox.ini'],
    fields: { project: true, backend: 'pdm.backend', requires: '>=3.10', tools: ['pdm'], groups: ['test', 'tox'] },
    expected: { tool: 'pdm', kind: 'package', lockfile: 'pdm.lock' },
  },
  {
    repository: 'psf/black',
    commit: '8947c48ef207',
    files: ['tox.ini', '.flake8'],
    fields: {
      project: true,
      backend: 'hatchling.build',
      requires: '>=3.10',
      tools: ['hatch.version', 'hatch.build'],
      groups: ['dev', 'tests'],
    },
    expected: { tool: 'pep517', kind: 'package' },
  },
  {
    repository: 'psf/requests',
    commit: '1f6589ec3a1e',
    files: ['requirements-dev.txt', 'setup.py', 'tox.ini'],
    fields: {
      project: true,
      backend: 'setuptools.build_meta',
      requires: '>=3.10',
      tools: ['setuptools'],
      groups: ['test'],
    },
    expected: { tool: 'pep517', kind: 'package' },
  },
  {
    repository: 'pydantic/pydantic',
    commit: '2151025aa512',
    files: ['uv.lock'],
    fields: { project: true, backend: 'hatchling.build', requires: '>=3.10', tools: ['uv', 'hatch.version'] },
    expected: { tool: 'uv', kind: 'package', lockfile: 'uv.lock' },
  },
  {
    repository: 'pypa/hatch',
    commit: 'ed8e30bebf98',
    files: ['hatch.toml', 'ruff.toml'],
    fields: { project: true, backend: 'hatchling.build', requires: '>=3.10', tools: ['hatch.version'] },
    expected: { tool: 'hatch', kind: 'package' },
  },
  {
    repository: 'pypa/pipenv',
    commit: '3f1b272abd51',
    files: ['Pipfile', 'Pipfile.lock', 'pylock.toml'],
    fields: { project: true, backend: 'setuptools.build_meta', requires: '>=3.10', tools: ['setuptools'] },
    expected: { tool: 'pipenv', kind: 'package', lockfile: 'Pipfile.lock' },
  },
  {
    repository: 'python-poetry/poetry',
    commit: 'f46702336862',
    files: ['poetry.lock'],
    fields: { project: true, backend: 'poetry.core.masonry.api', requires: '>=3.10,<4.0', tools: ['poetry'] },
    expected: { tool: 'poetry', kind: 'package', lockfile: 'poetry.lock' },
  },
];
