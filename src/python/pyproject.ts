import type { ReadFile } from '../project/project.ts';
import { isForChecks, requirementNames } from './names.ts';
import { type Table, has, isTable, parseToml, tableAt, textAt, textsAt, valueAt } from './toml.ts';

/** What of pyproject.toml counts for a build. */
export interface Pyproject {
  /** All of it, for the tools' own tables; empty where the project has none. */
  readonly table: Table;
  readonly text: string;
  readonly name?: string;
  readonly version?: string;
  /** The module that builds it (`build-system.build-backend`); setuptools where only requirements are given. */
  readonly backend?: string;
  /** Normal names of the packages it needs to run, of PEP 621 and of poetry's own table. */
  readonly dependencies: readonly string[];
  /** Normal names in groups and extras, of PEP 735 and of the tools' own tables. */
  readonly otherDependencies: readonly string[];
  /** Dependency groups of PEP 735, poetry or pdm that checks need. */
  readonly groups: readonly string[];
  /** Extras that checks need. */
  readonly extras: readonly string[];
}

/**
 * Reads pyproject.toml; one that is not there counts as empty.
 * @throws UserError with the line when it is not TOML
 */
export function readPyproject(read: ReadFile, file = 'pyproject.toml'): Pyproject {
  const text = read(file) ?? '';
  const table = parseToml(text, file);
  const poetry = tableAt(table, 'tool', 'poetry');
  const name = textAt(table, 'project', 'name') ?? textAt(poetry, 'name');
  const version = textAt(table, 'project', 'version') ?? textAt(poetry, 'version');
  const backend = backendOf(table);
  const groups = groupsOf(table);
  const extras = tableAt(table, 'project', 'optional-dependencies');
  return {
    table,
    text,
    ...(name !== undefined && { name }),
    ...(version !== undefined && { version }),
    ...(backend !== undefined && { backend }),
    dependencies: distinct([
      ...requirementNames(textsAt(table, 'project', 'dependencies')),
      ...poetryNames(tableAt(poetry, 'dependencies')),
    ]),
    otherDependencies: distinct([
      ...[...groups.values()].flat(),
      ...Object.keys(extras).flatMap((extra) => requirementNames(textsAt(extras, extra))),
      ...hatchNames(tableAt(table, 'tool', 'hatch')),
      ...hatchNames(parseToml(read('hatch.toml') ?? '', 'hatch.toml')),
    ]),
    groups: [...groups.keys()].filter(isForChecks),
    extras: Object.keys(extras).filter(isForChecks),
  };
}

/** The groups of PEP 735 (`dependency-groups`), of poetry, of pdm and uv's older `dev-dependencies`, with normal names. */
function groupsOf(table: Table): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, readonly string[]>();
  const add = (group: string, names: readonly string[]): void => {
    groups.set(group, [...(groups.get(group) ?? []), ...names]);
  };
  for (const group of Object.keys(tableAt(table, 'dependency-groups'))) {
    add(group, requirementNames(textsAt(table, 'dependency-groups', group)));
  }
  const poetry = tableAt(table, 'tool', 'poetry');
  for (const [group, value] of Object.entries(tableAt(poetry, 'group'))) {
    add(group, isTable(value) ? poetryNames(tableAt(value, 'dependencies')) : []);
  }
  if (has(poetry, 'dev-dependencies')) add('dev', poetryNames(tableAt(poetry, 'dev-dependencies')));
  const pdm = tableAt(table, 'tool', 'pdm', 'dev-dependencies');
  for (const group of Object.keys(pdm)) add(group, requirementNames(textsAt(pdm, group)));
  if (has(table, 'tool', 'uv', 'dev-dependencies')) {
    add('dev', requirementNames(textsAt(table, 'tool', 'uv', 'dev-dependencies')));
  }
  return groups;
}

/** The default environment is the one that is made; those for other purposes are made when their scripts run. */
function hatchNames(hatch: Table): readonly string[] {
  const env = tableAt(hatch, 'envs', 'default');
  return requirementNames([...textsAt(env, 'dependencies'), ...textsAt(env, 'extra-dependencies')]);
}

/** Poetry names the interpreter itself among the dependencies. */
function poetryNames(dependencies: Table): readonly string[] {
  return requirementNames(Object.keys(dependencies)).filter((name) => name !== 'python');
}

/** By PEP 517 a `build-system` without a backend is built by setuptools. */
function backendOf(table: Table): string | undefined {
  if (valueAt(table, 'build-system') === undefined) return undefined;
  return textAt(table, 'build-system', 'build-backend') ?? 'setuptools.build_meta:__legacy__';
}

function distinct(names: readonly string[]): readonly string[] {
  return [...new Set(names)];
}
