import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { checkTasks, planChecks } from '../../src/python/checks.ts';
import { activated } from '../../src/python/install.ts';
import { provideTool } from '../../src/python/uv.ts';
import { runTasks } from '../../src/task/task.ts';
import { parseJunit } from '../../src/test-report/junit.ts';
import { packagesOf, withFixture } from './real.ts';

const LIMIT = 300_000;

interface Expected {
  readonly tool: string;
  /** Names of the tasks that run and pass. */
  readonly tasks: readonly string[];
  /** Tests in the JUnit report; absent where the runner writes none. */
  readonly tests?: number;
  /** Packages that have to be in `.venv`. */
  readonly packages: readonly string[];
}

describe('a project of each tool, installed by the real one and checked', () => {
  test.each<[string, Expected]>([
    ['uv', { tool: 'uv', tasks: ['ruff check', 'pytest'], tests: 2, packages: ['depots', 'idna', 'pytest'] }],
    ['uv-workspace', { tool: 'uv', tasks: ['pytest'], tests: 3, packages: ['api', 'depots', 'idna', 'pytest'] }],
    ['poetry', { tool: 'poetry', tasks: ['mypy', 'pytest'], tests: 2, packages: ['depots', 'idna', 'mypy', 'pytest'] }],
    ['pdm', { tool: 'pdm', tasks: ['pytest'], tests: 2, packages: ['depots', 'idna', 'pytest'] }],
    ['pipenv', { tool: 'pipenv', tasks: ['pytest'], tests: 2, packages: ['idna', 'pytest'] }],
    ['hatch', { tool: 'hatch', tasks: ['hatch run test'], packages: ['depots', 'idna', 'pytest'] }],
    [
      'pip-tools',
      { tool: 'pip-tools', tasks: ['ruff check', 'pytest'], tests: 2, packages: ['idna', 'pytest', 'ruff'] },
    ],
    ['pip', { tool: 'pip', tasks: ['pytest'], tests: 2, packages: ['idna', 'pytest'] }],
    ['pep517', { tool: 'pep517', tasks: ['pytest'], tests: 2, packages: ['depots', 'idna', 'pytest'] }],
    ['tox', { tool: 'pep517', tasks: ['tox'], tests: 2, packages: ['depots', 'idna'] }],
    ['nox', { tool: 'pep517', tasks: ['nox'], tests: 2, packages: ['depots', 'idna'] }],
    ['django', { tool: 'pip', tasks: ['manage.py test'], packages: ['django'] }],
    ['unittest', { tool: 'pip', tasks: ['unittest'], packages: ['idna'] }],
  ])(
    '%s',
    async (name, expected) => {
      await withFixture(name, async (real) => {
        const { project, directory, read, host, uv, python, lines } = real;
        expect(project.tool).toBe(expected.tool);
        const untouched = await packagesOf(python.path, real);
        const { venv } = await real.install();
        expect(await packagesOf(venv, real)).toEqual(expect.arrayContaining([...expected.packages]));
        expect(await packagesOf(python.path, real)).toEqual(untouched);

        const reports = path.join(directory, 'reports');
        await mkdir(reports);
        const plan = planChecks(project, read, reports);
        for (const tool of plan.brings) await provideTool(tool, uv, host);
        const tasks = checkTasks(plan, { venv, reports, env: activated(venv, plan.brings, host) });
        const results = await runTasks(tasks, { cwd: directory }, host);
        const said = results.map((one) => `${one.name}: ${one.status}${one.tail}`);
        expect(said).toEqual(expected.tasks.map((task) => `${task}: passed`));
        expect(lines.join('\n')).not.toContain('warning: `VIRTUAL_ENV=');
        if (expected.tests === undefined) return;
        const junit = parseJunit(await readFile(path.join(reports, 'junit-pytest.xml'), 'utf8'));
        // eslint-disable-next-line jest/no-conditional-expect -- some runners write no report
        expect(junit).toHaveLength(expected.tests);
      });
    },
    LIMIT,
  );
});
