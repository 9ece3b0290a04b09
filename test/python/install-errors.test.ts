import { describe, expect, test } from '@jest/globals';
import { NETWORK, explainFailure } from '../../src/python/install-errors.ts';
import { detectProject } from '../../src/python/project.ts';
import type { ToolName } from '../../src/python/pins.ts';

const PROJECTS = {
  uv: { 'pyproject.toml': '[project]\nname = "a"', 'uv.lock': '' },
  poetry: { 'pyproject.toml': '[tool.poetry]', 'poetry.lock': '' },
  pdm: { 'pyproject.toml': '[project]\nname = "a"', 'pdm.lock': '' },
  pipenv: { Pipfile: '', 'Pipfile.lock': '' },
  pip: { 'requirements.txt': 'flask' },
} as const;

const failure = (tool: keyof typeof PROJECTS, written: string) => {
  const files: Readonly<Record<string, string>> = PROJECTS[tool];
  const program: 'uv' | ToolName = tool === 'pip' ? 'uv' : tool;
  const step = { program, args: ['sync'] };
  return explainFailure({ project: detectProject((file) => files[file]), step, written, exitCode: 1 });
};

/** What the tools wrote when each of this happened to them, shortened to what tells it. */
describe('an installation that fails because', () => {
  test.each<[string, keyof typeof PROJECTS, string, string, string]>([
    [
      "uv's lockfile is old",
      'uv',
      'error: The lockfile at `uv.lock` needs to be updated, but `--locked` was provided.',
      'uv.lock does not fit pyproject.toml',
      'Run `uv lock`',
    ],
    [
      "poetry's lockfile is old",
      'poetry',
      'Error: pyproject.toml changed significantly since poetry.lock was last generated. Run `poetry lock` to fix the lock file.',
      'poetry.lock does not fit pyproject.toml',
      'Run `poetry lock`',
    ],
    [
      "pdm's lockfile is old",
      'pdm',
      "WARNING: Lockfile doesn't satisfy the project requirements, packages may be outdated",
      'pdm.lock does not fit',
      'Run `pdm lock`',
    ],
    [
      "pipenv's lockfile is old",
      'pipenv',
      'Pipfile.lock is out-of-date. Run $ pipenv lock to update.',
      'Pipfile.lock does not fit Pipfile',
      'Run `pipenv lock`',
    ],
    [
      'an index wants a token',
      'pip',
      'hint: An index URL (http://127.0.0.1/simple) could not be queried due to a lack of valid authentication credentials (401 Unauthorized)',
      'does not know who is asking (401)',
      'UV_INDEX_<NAME>_PASSWORD',
    ],
    [
      'an index forbids it',
      'pip',
      'hint: An index (http://127.0.0.1/simple) returned a 403 Forbidden error. Check that the index URL is correct.',
      'does not allow it (403)',
      'the right to read',
    ],
    [
      'the disk is full',
      'pip',
      'cause: failed to copy file from /a to /b: No space left on device (os error 28)',
      'disk of the runner is full',
      'larger runner',
    ],
    [
      'the network broke',
      'pip',
      'cause: client error (Connect)\n  cause: tcp connect error\n  cause: Connection refused (os error 111)',
      'did not answer',
      'Run the job again',
    ],
    [
      'a library is missing',
      'pip',
      'error: Failed to build `mysqlclient==2.2.7`\n  Exception: Can not find valid pkg-config name.',
      'mysqlclient has no wheel for this Python and platform, and it cannot be built here: the client library of MySQL is missing',
      'apt-get install --yes default-libmysqlclient-dev pkg-config',
    ],
    [
      'a compiler is missing',
      'pip',
      "error: Failed to build `psycopg2==2.9.10`\n  error: command 'gcc' failed: No such file or directory",
      'a C compiler is missing',
      'apt-get install --yes build-essential libpq-dev',
    ],
    [
      'there is no wheel',
      'pip',
      'cause: Because tensorflow==2.4.0 has no wheels with a matching Python ABI tag (e.g., `cp313`) and you require tensorflow==2.4.0, we can conclude that your requirements are unsatisfiable.',
      'tensorflow has no wheel for this Python',
      '.python-version',
    ],
    [
      'versions exclude each other',
      'pip',
      '  cause: Because you require urllib3<2 and urllib3>=2, we can conclude that your requirements are unsatisfiable.',
      'exclude each other',
      'Widen one',
    ],
    [
      'a package is not there',
      'pip',
      '  cause: Because logi was not found in the package registry and you require logi, we can conclude that your requirements are unsatisfiable.',
      'does not have logi',
      'Check the name',
    ],
    [
      'a hash differs',
      'pip',
      'error: Failed to download `idna==3.10`\n  cause: Hash mismatch for `idna==3.10`',
      'its hash differs',
      'before you know why',
    ],
    [
      'another uv is wanted',
      'uv',
      'error: Required uv version `==0.5.0` does not match the running version `0.13.9`',
      'wants uv ==0.5.0',
      'setup-uv',
    ],
    ['of something else', 'pip', 'one\n\ntwo', 'failed with exit code 1\none\ntwo', 'Mend what the last lines name'],
  ])('%s says so', (_, tool, written, message, remedy) => {
    const error = failure(tool, written);
    expect(error.message).toContain(message);
    expect(error.message).toContain(written.split('\n').at(-1));
    expect(error.remedy).toContain(remedy);
  });

  test.each([
    'HTTP status server error (503 Service Unavailable) for url',
    'request or response body error',
    'tcp connect error',
    'ConnectionResetError(104, Connection reset by peer)',
    'Temporary failure in name resolution',
  ])('%s is tried again', (written) => {
    expect(NETWORK.test(written)).toBe(true);
  });

  test('a refusal or a conflict is not tried again', () => {
    expect(NETWORK.test('401 Unauthorized')).toBe(false);
    expect(NETWORK.test('we can conclude that your requirements are unsatisfiable')).toBe(false);
  });
});
