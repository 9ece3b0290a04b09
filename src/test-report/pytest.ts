import path from 'node:path';
import type { ReadFile } from '../project/project.ts';

/** Where a project configures pytest. */
const CONFIGS = ['pytest.ini', '.pytest.ini', 'pytest.toml', 'pyproject.toml', 'tox.ini', 'setup.cfg'];

/** Seconds after which pytest's fault handler writes where a test stands, while the test goes on. */
const STUCK_SECONDS = 120;

/**
 * Makes pytest write a JUnit report with the file and line of each test into `folder`, and say where a test stands that
 * takes long; neither changes how it ends. A report that the project itself configures stays the only one: pytest writes
 * a single one, and what the command line names is given the precedence by pytest itself.
 */
export function recordPytest(folder: string, read: ReadFile): { readonly env: Readonly<Record<string, string>> } {
  const configured = CONFIGS.map((file) => read(file) ?? '').join('\n');
  const options = [
    ...(/junit-?xml/.test(configured)
      ? []
      : [`--junitxml=${JSON.stringify(path.join(folder, 'junit.xml'))}`, '-o junit_family=xunit1']),
    ...(configured.includes('faulthandler_timeout') ? [] : [`-o faulthandler_timeout=${STUCK_SECONDS}`]),
  ];
  return { env: { PYTEST_ADDOPTS: options.join(' ') } };
}
