import { UserError, messageOf } from '../action/errors.ts';
import { normalName, requirementName } from '../python/names.ts';
import { type Table, has, isTable, tableAt, textAt, textsAt } from '../python/toml.ts';
import { type SourceTree, readToml, tablesIn } from './project.ts';
import type { Installer } from './tool.ts';

/** A package that goes into an image. */
export interface ProductionPackage {
  /** In the normal form of PEP 503. */
  readonly name: string;
  readonly version?: string;
  /** Names of its wheels; absent where the lockfile does not tell. */
  readonly wheels?: readonly string[];
}

/**
 * The packages that an image gets, in the order of the lockfile: without those of development groups wherever the
 * lockfile tells them apart (poetry's does since 2.0). Without a lockfile, those that the project itself names.
 * @param member the service's name in a uv workspace; without it the project at the root
 * @throws UserError when the file cannot be read as what it is
 */
export function productionPackages(
  tree: SourceTree,
  { name, lockfile }: Installer,
  member?: string,
): readonly ProductionPackage[] {
  switch (name) {
    case 'uv':
      return uvPackages(tablesIn(readToml(tree, lockfile)['package']), member);
    case 'poetry':
    case 'pdm':
      return tablesIn(readToml(tree, lockfile)['package'])
        .filter((one) => inGroups(one, name === 'poetry' ? 'main' : 'default'))
        .map((one) => locked(one, 'files', 'file'));
    case 'pylock':
      return tablesIn(readToml(tree, lockfile)['packages']).map((one) => locked(one, 'wheels', 'name'));
    case 'pipenv':
      return Object.keys(tableAt(parseJson(tree, lockfile), 'default')).map((one) => ({ name: normalName(one) }));
    case 'pip':
    case 'pip-tools':
      return requirementsIn(tree, lockfile, new Set());
    case 'hatch':
    case 'pep517':
      return textsAt(readToml(tree, 'pyproject.toml'), 'project', 'dependencies').flatMap(named);
  }
}

/**
 * The folders of a uv workspace that hold a member and what it needs of the others.
 * @throws UserError when the workspace has no such member
 */
export function workspaceClosure(
  tree: SourceTree,
  lockfile: string,
  member: string,
): { readonly folder: string; readonly closure: readonly string[] } {
  const packages = tablesIn(readToml(tree, lockfile)['package']);
  const own = packages.find((one) => nameOf(one) === normalName(member));
  const folder = own && folderOf(own);
  if (folder === undefined) {
    const members = packages.filter((one) => folderOf(one) !== undefined).map(nameOf);
    throw new UserError(
      `${lockfile} has no project ${JSON.stringify(member)} of its own, only ${members.join(', ')}.`,
      {
        remedy: 'Name one of them; where the project is new, run `uv lock` and commit the uv.lock that it writes.',
        place: { file: lockfile },
      },
    );
  }
  const wanted = reached(packages, member);
  return { folder, closure: packages.filter((one) => wanted.has(nameOf(one))).flatMap((one) => folderOf(one) ?? []) };
}

/** The folders of a uv workspace's members besides some. */
export function apartFrom(tree: SourceTree, lockfile: string, closure: readonly string[]): readonly string[] {
  const all = tablesIn(readToml(tree, lockfile)['package']).flatMap((one) => folderOf(one) ?? []);
  return all.filter(
    (folder) => folder !== '.' && !closure.some((kept) => kept === folder || kept.startsWith(`${folder}/`)),
  );
}

function uvPackages(packages: readonly Table[], member: string | undefined): readonly ProductionPackage[] {
  const root = member ?? nameOf(packages.find((one) => folderOf(one) === '.') ?? {});
  const wanted = reached(packages, root);
  return packages
    .filter((one) => folderOf(one) === undefined && wanted.has(nameOf(one)))
    .map((one) => locked(one, 'wheels', 'url'));
}

/** Names of all that a package of uv.lock needs to run, with the extras that are asked for, and its own. */
function reached(packages: readonly Table[], root: string): ReadonlySet<string> {
  const byName = new Map(packages.map((one) => [nameOf(one), one]));
  const seen = new Set<string>();
  const visit = (name: string, extras: readonly string[]): void => {
    const found = byName.get(name);
    const groups = ['', ...extras].filter((extra) => !seen.has(`${name}[${extra}]`));
    for (const extra of groups) {
      seen.add(`${name}[${extra}]`);
      const needed = extra === '' ? found?.['dependencies'] : tableAt(found ?? {}, 'optional-dependencies')[extra];
      for (const one of tablesIn(needed)) visit(nameOf(one), textsAt(one, 'extra'));
    }
  };
  visit(normalName(root), []);
  return new Set([...seen].map((one) => one.replace(/\[.*/, '')));
}

/** Where a package of uv.lock lies in the workspace; undefined when it comes from an index. */
function folderOf(one: Table): string | undefined {
  const kinds = ['editable', 'virtual', 'directory'];
  return kinds.map((kind) => textAt(one, 'source', kind)).find((folder) => folder !== undefined);
}

function nameOf(one: Table): string {
  return normalName(textAt(one, 'name') ?? '');
}

function inGroups(one: Table, production: string): boolean {
  const category = textAt(one, 'category');
  if (category !== undefined) return category === production;
  const groups = textsAt(one, 'groups');
  return groups.length === 0 || groups.includes(production);
}

function locked(one: Table, list: string, field: string): ProductionPackage {
  const version = textAt(one, 'version');
  const files = one[list] === undefined ? undefined : tablesIn(one[list]);
  const names = files?.flatMap((file) => {
    const name = textAt(file, field) ?? textAt(file, 'url');
    return name === undefined ? [] : [name.split('/').at(-1) ?? ''];
  });
  // uv leaves the list out where there is no wheel, but then names the source archive.
  const wheels = names ?? (has(one, 'sdist') ? [] : undefined);
  return {
    name: nameOf(one),
    ...(version !== undefined && { version }),
    ...(wheels && { wheels: wheels.filter((file) => file.endsWith('.whl')) }),
  };
}

function named(requirement: string): readonly ProductionPackage[] {
  const name = requirementName(requirement);
  if (name === undefined) return [];
  const extras = /^[^[;@]*\[([^\]]*)\]/.exec(requirement)?.[1]?.split(',') ?? [];
  // An extra that is a package of its own by custom: psycopg[binary] brings psycopg-binary.
  return [{ name }, ...extras.map((extra) => ({ name: `${name}-${normalName(extra)}` }))];
}

function requirementsIn(tree: SourceTree, file: string, seen: Set<string>): readonly ProductionPackage[] {
  if (seen.has(file)) return [];
  seen.add(file);
  const folder = file.includes('/') ? file.replace(/[^/]*$/, '') : '';
  const lines = (tree.read(file) ?? '').replaceAll(/\\\r?\n/g, ' ').split(/\r?\n/);
  return lines.flatMap((line) => {
    const [, included] = /^\s*(?:-r|--requirement)[\s=]+(\S+)/.exec(line) ?? [];
    if (included !== undefined) return requirementsIn(tree, `${folder}${included}`.replace(/^\.\//, ''), seen);
    const version = /==\s*([^\s;#,\\]+)/.exec(line)?.[1];
    const [first, ...extras] = named(line);
    return first === undefined ? [] : [{ ...first, ...(version !== undefined && { version }) }, ...extras];
  });
}

function parseJson({ read }: SourceTree, file: string): Table {
  try {
    const value: unknown = JSON.parse(read(file) ?? '{}');
    return isTable(value) ? value : {};
  } catch (error) {
    throw new UserError(`${file} is not JSON: ${messageOf(error)}`, {
      remedy: 'Run `pipenv lock` and commit the Pipfile.lock that it writes.',
      place: { file },
      cause: error,
    });
  }
}
