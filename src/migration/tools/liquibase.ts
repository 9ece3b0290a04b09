import { jdbcOf } from '../address.ts';
import { checkOrder } from '../checks.ts';
import { type Files, baseOf, folderOf, nearest, within } from '../files.ts';
import { historyRows, textOf } from '../history.ts';
import type { Address, Command, Found, Tool } from '../tool.ts';
import { changesOf, idOf, readChangelog } from './liquibase-changelog.ts';

const TITLE = 'Liquibase';
const ROOT = /^(db\.)?changelog([-.]?(master|root))?\.(xml|ya?ml|json|sql)$/i;
const RESOURCES = 'src/main/resources';

export function findLiquibase(files: Files): readonly Found[] {
  const known = new Set(files.list);
  const found = new Map<string, Found>();
  const add = (changelog: string, project: string, name: string | undefined, reason: string): void => {
    if (found.has(changelog)) return;
    // Liquibase keeps a change set's path as it was given: without a name of its own it is that from the root of the
    // resources, as an application would give it.
    const root = changelog.includes(`${RESOURCES}/`) ? within(project, RESOURCES) : project;
    const below = root === '' ? changelog : changelog.slice(root.length + 1);
    const settings = {
      changelog,
      name: name ?? below,
      ...(name === undefined && root !== project && { search: RESOURCES }),
      ...mavenOf(files, project),
    };
    found.set(changelog, { tool: 'liquibase', project, directory: folderOf(changelog), reason, settings });
  };
  for (const file of files.list.filter((one) => /^(liquibase\.properties|pom\.xml)$/.test(baseOf(one)))) {
    const text = files.read(file) ?? '';
    const named =
      /^\s*(?:liquibase\.command\.)?change-?log-?file\s*[:=]\s*(\S+)/im.exec(text)?.[1] ??
      /<changeLogFile>\s*([^<\s]+)/.exec(text)?.[1];
    const project = projectOf(files, folderOf(file));
    const at = [project, within(project, RESOURCES)].map((folder) => within(folder, plain(named ?? '')));
    const changelog = at.find((one) => known.has(one));
    if (named !== undefined && changelog !== undefined) {
      add(changelog, project, named, `${file} names ${named}`);
    }
  }
  if (found.size > 0) return [...found.values()];
  for (const file of files.list.filter((one) => ROOT.test(baseOf(one)))) {
    if (!/databaseChangeLog|liquibase formatted sql/.test(files.read(file) ?? '')) continue;
    add(file, projectOf(files, folderOf(file)), undefined, `${file} is a changelog of Liquibase`);
  }
  return [...found.values()];
}

function projectOf(files: Files, folder: string): string {
  const above = folder.replace(new RegExp(`(^|/)${RESOURCES}(/.*)?$`), '');
  return nearest(files, above, ['liquibase.properties', 'pom.xml']) ?? above;
}

function plain(name: string): string {
  return name.replace(/^classpath:/, '');
}

/** The project's Maven plugin, unless its pom says which database: what stands there overrules what it is told. */
function mavenOf(files: Files, project: string): Readonly<Record<string, string>> {
  const plugin = /<artifactId>liquibase-maven-plugin<[\s\S]*?<\/plugin>/.exec(
    files.read(within(project, 'pom.xml')) ?? '',
  )?.[0];
  if (plugin === undefined || /<url>\s*(?!\$\{)/.test(plugin)) return {};
  return { maven: files.read(within(project, 'mvnw')) === undefined ? 'mvn' : './mvnw' };
}

export const liquibase: Tool = {
  name: 'liquibase',
  title: TITLE,
  read: async ({ settings: { changelog = '' } }, workspace) => readChangelog(changelog, workspace),
  async applied(database, _found, migrations) {
    const columns = 'id, author, filename, md5sum';
    const rows = await historyRows(database, 'databasechangelog', columns, 'ORDER BY orderexecuted');
    const byName = Map.groupBy(migrations, ({ id }) => id.slice(id.indexOf('::')));
    return rows.map((row) => {
      const [file, author, id] = ['filename', 'author', 'id'].map((name) => textOf(row, name)) as [
        string,
        string,
        string,
      ];
      // Its path is that from where Liquibase was told to look, and the migration's that from the repository.
      const same = byName.get(idOf('', author, id)) ?? [];
      const own = same.find((one) => `/${one.id}`.endsWith(`/${idOf(plain(file), author, id)}`));
      return { id: own?.id ?? idOf(file, author, id), checksum: textOf(row, 'md5sum'), state: 'applied' };
    });
  },
  up: (found, address) => run(found, address, 'update', {}),
  upTo: (found, address, pending) => run(found, address, 'update-count', { count: String(pending.length) }),
  down: (found, address) => run(found, address, 'rollback-count', { count: '1' }),
  idsIn: (file, text) => changesOf({ file, text, checksum: '' }).map(({ id }) => id),
  check: (migrations, applied) => checkOrder(migrations, applied, { title: TITLE, outOfOrder: 'runs' }),
};

/** Goals and properties of the Maven plugin that are called otherwise than the commands of the program. */
const GOALS: Readonly<Record<string, readonly [goal: string, count: string]>> = {
  'update-count': ['update', 'changesToApply'],
  'rollback-count': ['rollback', 'rollbackCount'],
};

function run(found: Found, address: Address, command: string, { count }: { readonly count?: string }): Command {
  const { project: cwd, settings } = found;
  const { name = '', search, maven } = settings;
  const [url, { user, password }] = [jdbcOf(address), address];
  if (maven === undefined) {
    const env = {
      LIQUIBASE_COMMAND_URL: url,
      LIQUIBASE_COMMAND_USERNAME: user,
      LIQUIBASE_COMMAND_PASSWORD: password,
      LIQUIBASE_COMMAND_CHANGELOG_FILE: name,
      ...(search !== undefined && { LIQUIBASE_SEARCH_PATH: search }),
    };
    return { program: 'liquibase', args: [command, ...(count === undefined ? [] : [`--count=${count}`])], cwd, env };
  }
  const [goal, counter] = GOALS[command] ?? [command, ''];
  // The plugin takes no environment. What stands here is good for the relay on loopback and nothing else.
  const values = { url, username: user, password, changeLogFile: name, searchPath: search, [counter]: count };
  const properties = Object.entries(values).flatMap(([key, value]) => (value ? [`-Dliquibase.${key}=${value}`] : []));
  return {
    program: maven,
    args: ['--batch-mode', '--non-recursive', `liquibase:${goal}`, ...properties],
    cwd,
    env: {},
  };
}
