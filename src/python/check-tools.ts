import { parseIni } from './older-files.ts';
import type { PythonProject } from './project.ts';
import { readPyproject } from './pyproject.ts';
import { has, isTable, parseToml, tableAt, textAt, valueAt } from './toml.ts';
import type { ReadFile } from '../project/project.ts';

/** What the decisions about checks stand on: a project's files and what its environment will have. */
export interface CheckFacts {
  readonly project: PythonProject;
  readonly read: ReadFile;
  /** Whether the environment gets a package: it is declared, or the lockfile has it. */
  readonly installs: (name: string) => boolean;
  /** Whether the project names a package itself. */
  readonly declares: (name: string) => boolean;
  /** Where a tool is configured, as a phrase; undefined where it is not. */
  readonly configured: (tool: string) => string | undefined;
}

/** Files of their own that tools read, besides their table in pyproject.toml and their section in setup.cfg and tox.ini. */
const FILES: Readonly<Record<string, readonly string[]>> = {
  ruff: ['ruff.toml', '.ruff.toml'],
  flake8: ['.flake8'],
  mypy: ['mypy.ini', '.mypy.ini'],
  pyright: ['pyrightconfig.json'],
  pytest: ['pytest.ini', '.pytest.ini', 'pytest.toml'],
  tox: ['tox.toml'],
  nox: ['noxfile.py'],
  coverage: ['.coveragerc'],
};
/** Sections of setup.cfg and tox.ini by tool; where a tool is not named, its section has its own name. */
const SECTIONS: Readonly<Record<string, RegExp>> = {
  pytest: /^(?:tool:)?pytest$/,
  tox: /^(?:tox:)?tox$|^testenv/,
  coverage: /^coverage:/,
};

/** Reads all that the choice of checks needs. */
export function checkFacts(project: PythonProject, read: ReadFile): CheckFacts {
  const { table } = readPyproject(read);
  const lock = project.lockfile === undefined ? '' : (read(project.lockfile) ?? '');
  const declared = new Set([...project.dependencies, ...project.devDependencies]);
  const ini = ['setup.cfg', 'tox.ini'].map((file) => [file, [...parseIni(read(file) ?? '').keys()]] as const);
  return {
    project,
    read,
    declares: (name) => declared.has(name),
    installs: (name) => declared.has(name) || isLocked(lock, name),
    configured: (tool) => {
      const file = FILES[tool]?.find((one) => read(one) !== undefined);
      if (file !== undefined) return file;
      if (has(table, 'tool', tool)) return `[tool.${tool}] in pyproject.toml`;
      const section = SECTIONS[tool];
      const found = ini.find(([, names]) =>
        names.some((one) => (section === undefined ? one === tool : section.test(one))),
      );
      return found?.[0];
    },
  };
}

/** In uv.lock, poetry.lock, pdm.lock and pylock.toml a package has its name in a line of its own, in Pipfile.lock a key. */
function isLocked(lock: string, name: string): boolean {
  const pattern = name.replaceAll('-', '[-_.]');
  return new RegExp(String.raw`^(?:name = "${pattern}"$|\s*"${pattern}": \{|${pattern}(?:\[[^\]]*\])?==)`, 'im').test(
    lock,
  );
}

/** Whether ruff's formatter is used, and not its linter alone. */
export function formatsByRuff(read: ReadFile): boolean {
  const own = ['ruff.toml', '.ruff.toml'].find((file) => read(file) !== undefined);
  const table =
    own === undefined ? tableAt(readPyproject(read).table, 'tool', 'ruff') : parseToml(read(own) ?? '', own);
  return has(table, 'format') || /\bid:\s*ruff-format\b/.test(read('.pre-commit-config.yaml') ?? '');
}

/** Whether mypy's settings say what it looks at. */
export function namesFilesOfMypy(read: ReadFile): boolean {
  const table = tableAt(readPyproject(read).table, 'tool', 'mypy');
  if (['files', 'packages', 'modules'].some((key) => has(table, key))) return true;
  return ['mypy.ini', '.mypy.ini', 'setup.cfg'].some((file) => {
    const section = parseIni(read(file) ?? '').get('mypy');
    return section?.has('files') === true || section?.has('packages') === true || section?.has('modules') === true;
  });
}

/** Whether pytest's own settings measure coverage (`--cov` in addopts). */
export function measuresByAddopts(read: ReadFile): boolean {
  const table = tableAt(readPyproject(read).table, 'tool', 'pytest', 'ini_options');
  const options = valueAt(table, 'addopts');
  const toml = Array.isArray(options) ? options.join(' ') : (textAt(table, 'addopts') ?? '');
  const ini = ['pytest.ini', '.pytest.ini', 'tox.ini', 'setup.cfg'].flatMap((file) => {
    const sections = parseIni(read(file) ?? '');
    return [sections.get('pytest')?.get('addopts') ?? '', sections.get('tool:pytest')?.get('addopts') ?? ''];
  });
  return /(?:^|\s)--cov(?:[=\s]|$)/.test([toml, ...ini].join(' '));
}

/** The scripts of hatch's environments by `script` or `environment:script`, as `hatch run` takes them. */
export function hatchScripts(read: ReadFile): readonly string[] {
  const own = read('hatch.toml');
  const table = own === undefined ? tableAt(readPyproject(read).table, 'tool', 'hatch') : parseToml(own, 'hatch.toml');
  return Object.entries(tableAt(table, 'envs')).flatMap(([name, env]) =>
    Object.keys(isTable(env) ? tableAt(env, 'scripts') : {}).map((script) =>
      name === 'default' ? script : `${name}:${script}`,
    ),
  );
}
