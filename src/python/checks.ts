import path from 'node:path';
import { UserError } from '../action/errors.ts';
import type { ReadFile } from '../project/project.ts';
import type { Task } from '../task/task.ts';
import {
  type CheckFacts,
  checkFacts,
  formatsByRuff,
  hatchScripts,
  measuresByAddopts,
  namesFilesOfMypy,
} from './check-tools.ts';
import type { ToolName } from './pins.ts';
import type { PythonProject, PythonTool } from './project.ts';

/** What a check is for. */
export type CheckKind = 'lint' | 'format' | 'types' | 'test';
/** All kinds, in the order in which they are reported. */
export const CHECK_KINDS: readonly CheckKind[] = ['lint', 'format', 'types', 'test'];

/** A check and why it runs. */
export interface Check {
  readonly kind: CheckKind;
  /** As a user names it in the input `checks`. */
  readonly tool: string;
  /** The program of the environment, or a tool that uv brings, with its arguments. */
  readonly command: readonly [string, ...string[]];
  /** Why, as a phrase for the log. */
  readonly reason: string;
  /** Brought by uv: it makes environments of its own. */
  readonly brought?: ToolName;
  /** Whether coverage.py measures it, so that its data has to be turned into a report after it. */
  readonly measured?: true;
  readonly env?: Readonly<Record<string, string>>;
}

/** What runs, and what does not though one might expect it. */
export interface CheckPlan {
  readonly checks: readonly Check[];
  /** A sentence each. */
  readonly decisions: readonly string[];
  /** Tools that have to be brought before the checks run. */
  readonly brings: readonly ToolName[];
}

/** Names of the reports, in the folder of reports. */
export const JUNIT = 'junit-pytest.xml';
export const COVERAGE = 'coverage.xml';

/**
 * Plans the checks that a project's settings and dependencies name, or the `named` ones of those: kinds (`lint`) or tools
 * (`ruff`).
 * @param reports folder for test reports and coverage, absolute
 * @throws UserError when a named check is not there
 */
export function planChecks(
  project: PythonProject,
  read: ReadFile,
  reports: string,
  named: readonly string[] = [],
): CheckPlan {
  const facts = checkFacts(project, read);
  const notes: string[] = [];
  const found = [
    ...linters(facts, notes),
    ...typeCheckers(facts, notes),
    ...ofHatch(facts),
    ...testers(facts, reports, notes),
  ];
  const usual = found.filter(({ kind, tool }) => !isShadowed(kind, tool, found));
  const checks = named.length === 0 ? usual : pick(named, found);
  for (const { kind, tool } of named.length === 0 ? found : []) {
    if (!usual.some((one) => one.tool === tool && one.kind === kind)) {
      notes.push(`${kind}: not ${tool}, as another does it; \`checks: ${tool}\` runs it`);
    }
  }
  const said = checks.map(({ kind, command, reason }) => `${kind}: \`${command.map(shown).join(' ')}\`, by ${reason}`);
  return {
    checks,
    decisions: [...(said.length === 0 ? ['checks: none, as the project configures none'] : said), ...notes],
    brings: [...new Set(checks.flatMap(({ brought }) => (brought === undefined ? [] : [brought])))],
  };
}

/**
 * The checks as tasks: all only read the sources, so they run at the same time; the report of coverage follows.
 * @param venv the project's virtual environment, absolute
 * @param env what programs run with, see `activated`
 */
export function checkTasks(
  { checks }: Pick<CheckPlan, 'checks'>,
  given: { readonly venv: string; readonly reports: string; readonly env: Readonly<Record<string, string>> },
): readonly Task[] {
  const bin = (program: string): string => path.join(given.venv, 'bin', program);
  const tasks = checks.map(({ tool, kind, command: [program, ...args], brought, env, measured }): Task => {
    const name = tool === 'ruff' ? `ruff ${kind === 'format' ? 'format' : 'check'}` : tool;
    const programs = [brought === undefined ? bin(program) : program, ...args] as const;
    return { name, command: programs, env: { ...given.env, ...env }, leavesNothing: !measured };
  });
  const report: Task = {
    name: 'coverage xml',
    command: [bin('coverage'), 'xml', '-o', path.join(given.reports, COVERAGE)],
    env: given.env,
    after: tasks.map(({ name }) => name),
    leavesNothing: true,
  };
  return [...tasks, ...(checks.some(({ measured }) => measured) ? [report] : [])];
}

/** How a developer runs a program of the environment, such as `uv run`. */
export function runnerOf(tool: PythonTool): string {
  const runners: Partial<Record<PythonTool, string>> = {
    uv: 'uv run',
    poetry: 'poetry run',
    pdm: 'pdm run',
    pipenv: 'pipenv run',
    hatch: 'hatch run',
  };
  return runners[tool] ?? 'python -m';
}

function linters(facts: CheckFacts, notes: string[]): readonly Check[] {
  const { read } = facts;
  const checks: Check[] = [];
  const add = (tool: string, kind: CheckKind, command: readonly [string, ...string[]]): void => {
    const reason = reasonFor(tool, facts, notes);
    if (reason !== undefined) checks.push({ kind, tool, command, reason });
  };
  add('ruff', 'lint', ['ruff', 'check', '.']);
  if (formatsByRuff(read)) add('ruff', 'format', ['ruff', 'format', '--check', '.']);
  add('flake8', 'lint', ['flake8']);
  // Beside ruff, black without settings is there for something else, such as a generator of code.
  if (facts.configured('black') !== undefined || !facts.installs('ruff'))
    add('black', 'format', ['black', '--check', '.']);
  return checks;
}

/** A linter runs where it is installed; what is configured and not installed is said. */
function reasonFor(
  tool: string,
  { configured, declares, installs, project }: CheckFacts,
  notes: string[],
): string | undefined {
  const where = configured(tool);
  if (where !== undefined && installs(tool)) return where;
  if (declares(tool)) return 'the dependencies';
  // Hatch's environments install what only they name.
  if (where === undefined || project.tool === 'hatch') return undefined;
  const note = `not ${tool}: ${where} configures it, but no dependency installs it; add it to the development dependencies`;
  if (!notes.includes(note)) notes.push(note);
  return undefined;
}

/** Types are checked where they are configured: without settings, mypy and pyright fail most code that never met them. */
function typeCheckers(facts: CheckFacts, notes: string[]): readonly Check[] {
  return (['mypy', 'pyright'] as const).flatMap((tool): Check[] => {
    if (facts.configured(tool) === undefined) return [];
    const reason = reasonFor(tool, facts, notes);
    const all = tool === 'mypy' && !namesFilesOfMypy(facts.read) ? ['.'] : [];
    return reason === undefined ? [] : [{ kind: 'types', tool, command: [tool, ...all], reason }];
  });
}

const SCRIPTS: Readonly<Record<CheckKind, RegExp>> = {
  lint: /(?:^|:)(?:lint|style|check)$/,
  format: /(?:^|:)(?:format-check|fmt-check)$/,
  types: /(?:^|:)(?:types?|typing|type-?check|mypy)$|^types:check$/,
  test: /(?:^|:)tests?$/,
};

/** The scripts of hatch are the project's own way to be checked. */
function ofHatch({ project, read }: CheckFacts): readonly Check[] {
  if (project.tool !== 'hatch') return [];
  const scripts = hatchScripts(read);
  const kinds = [...CHECK_KINDS].toReversed();
  return scripts.flatMap((script): Check[] => {
    const kind = kinds.find((one) => SCRIPTS[one].test(script));
    if (kind === undefined) return [];
    return [
      {
        kind,
        tool: `hatch run ${script}`,
        command: ['hatch', 'run', script],
        reason: 'the scripts of hatch',
        brought: 'hatch',
      },
    ];
  });
}

/** With everything that could run the tests; `isShadowed` leaves one. */
function testers(facts: CheckFacts, reports: string, notes: string[]): readonly Check[] {
  const { configured, installs, project, read } = facts;
  const checks: Check[] = [];
  const coverage = configured('coverage');
  const junit = ['-o', 'junit_family=xunit1', `--junitxml=${path.join(reports, JUNIT)}`];
  const measured = coverage !== undefined && installs('coverage') && !installs('pytest-cov');
  const run = (...args: readonly string[]): Pick<Check, 'command' | 'measured'> =>
    measured ? { command: ['coverage', 'run', ...args], measured: true } : { command: ['python', ...args] };
  const test = { kind: 'test', reason: 'the dependencies' } as const;
  const isDjango = read('manage.py') !== undefined && installs('django') && !installs('pytest-django');
  if (installs('pytest') && !isDjango) {
    const byPlugin = measuresByAddopts(read) ? [] : coverage === undefined ? undefined : ['--cov'];
    const cov =
      installs('pytest-cov') && byPlugin ? [...byPlugin, `--cov-report=xml:${path.join(reports, COVERAGE)}`] : [];
    const args = [...junit, ...cov];
    const own: Pick<Check, 'command' | 'measured'> = measured
      ? run('-m', 'pytest', ...args)
      : { command: ['pytest', ...args] };
    checks.push({ ...test, tool: 'pytest', ...own, reason: configured('pytest') ?? test.reason });
  } else if (
    configured('pytest') !== undefined &&
    !installs('pytest') &&
    configured('tox') === undefined &&
    configured('nox') === undefined
  ) {
    reasonFor('pytest', facts, notes);
  }
  if (isDjango)
    checks.push({ ...test, tool: 'manage.py test', ...run('manage.py', 'test'), reason: "Django's manage.py" });
  // pytest splits them as a shell would.
  const env = { PYTEST_ADDOPTS: junit.map((one) => `'${one.replaceAll("'", `'"'"'`)}'`).join(' ') };
  const [tox, nox] = [configured('tox'), configured('nox')];
  if (tox !== undefined) {
    const command = ['tox', 'run', '--skip-missing-interpreters', 'true', ...TOX_PASSES] as const;
    checks.push({ ...test, tool: 'tox', command, reason: tox, brought: 'tox', env });
  }
  if (nox !== undefined) {
    const command = ['nox', '--non-interactive', '--no-error-on-missing-interpreters'] as const;
    checks.push({ ...test, tool: 'nox', command, reason: nox, brought: 'nox', env });
  }
  if (checks.length === 0 && project.tool === 'hatch') {
    // Its own environment for tests, which has pytest.
    checks.push({ ...test, tool: 'hatch test', command: ['hatch', 'test'], reason: 'hatch', brought: 'hatch', env });
  }
  const folder = ['tests', 'test'].find((one) => read(`${one}/__init__.py`) !== undefined);
  if (checks.length === 0 && folder !== undefined) {
    const reason = `the folder ${folder}, as no other runner of tests is named`;
    checks.push({ ...test, tool: 'unittest', ...run('-m', 'unittest', 'discover', '-t', '.', '-s', folder), reason });
  }
  return checks;
}

/** tox keeps the environment out of what it runs, in settings of each of its formats. */
const TOX_PASSES = [
  '--override',
  'testenv.pass_env+=PYTEST_ADDOPTS',
  '--override',
  'env_run_base.pass_env+=PYTEST_ADDOPTS',
  '--override',
  'tool.tox.env_run_base.pass_env+=PYTEST_ADDOPTS',
] as const;

/** The tests run once: by the project's own script, else by the first runner there is; the environment's come first. */
function isShadowed(kind: CheckKind, tool: string, found: readonly Check[]): boolean {
  const same = found.filter((one) => one.kind === kind);
  const scripts = same.filter((one) => one.tool.startsWith('hatch run'));
  if (scripts.length > 0) return !scripts.some((one) => one.tool === tool);
  return kind === 'test' && same[0]?.tool !== tool;
}

function pick(named: readonly string[], found: readonly Check[]): readonly Check[] {
  const absent = named.filter((name) => !found.some(({ kind, tool }) => kind === name || tool === name));
  if (absent.length > 0) {
    const there = found.map(({ kind, tool }) => `${kind} (${tool})`).join(', ') || 'none';
    throw UserError.all(
      absent.map((name) => ({
        message: `The project has no check ${JSON.stringify(name)}.`,
        remedy: `Configure it, or take it out of the input \`checks\`; there are: ${there}.`,
      })),
      'Checks are missing',
    );
  }
  return found.filter(
    ({ kind, tool }) => named.includes(tool) || (named.includes(kind) && !isShadowed(kind, tool, found)),
  );
}

/** Paths of this machine are no part of a decision. */
function shown(argument: string): string {
  return argument.replace(/(=|xml:)\/\S*\//, '$1…/');
}
