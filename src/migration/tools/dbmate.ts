import { checkOrder, strangers } from '../checks.ts';
import { environmentOf } from '../address.ts';
import { type Files, baseOf, folderOf } from '../files.ts';
import { historyRows, quoted, textOf } from '../history.ts';
import type { Address, Command, Found, Tool } from '../tool.ts';
import { isEmpty, partOf, sourcesIn } from './scripts.ts';
import { jsCommand, projectsWith } from './javascript.ts';

const TITLE = 'dbmate';
const UP = /^\s*--\s*migrate:up\b/;
const DOWN = /^\s*--\s*migrate:down\b/;
const NAME = /^(\d+).*\.sql$/;

export function findDbmate(files: Files): readonly Found[] {
  const marked = files.list.filter(
    (file) => NAME.test(baseOf(file)) && /^\s*--\s*migrate:up\b/m.test(files.read(file) ?? ''),
  );
  return [...new Set(marked.map((file) => folderOf(file)))].map((directory) => {
    const own = projectsWith(files, 'dbmate').find(({ folder }) => folder === '' || directory.startsWith(`${folder}/`));
    return {
      tool: 'dbmate',
      project: own?.folder ?? '',
      directory,
      reason: `the files of ${directory}/ are marked with -- migrate:up`,
      settings: { table: 'schema_migrations', ...(own && { manager: own.manager }) },
    };
  });
}

export const dbmate: Tool = {
  name: 'dbmate',
  title: TITLE,
  async read({ directory }, workspace) {
    const sources = await sourcesIn(workspace, directory, NAME);
    return sources.flatMap((source) => {
      const line = source.text.split('\n').find((one) => UP.test(one));
      if (line === undefined) return [];
      const transaction = (of: string | undefined): boolean => !/\btransaction:false\b/.test(of ?? '');
      const up = partOf(source, UP, DOWN, transaction(line));
      const down = partOf(source, DOWN, UP, transaction(source.text.split('\n').find((one) => DOWN.test(one))));
      const name = baseOf(source.file).replace(/\.sql$/, '');
      const reversible = down !== undefined && !isEmpty(down);
      return [
        {
          id: NAME.exec(`${name}.sql`)?.[1] ?? name,
          name,
          file: source.file,
          checksum: source.checksum,
          ...(up && { up }),
          ...(down && reversible && { down }),
          reversible,
        },
      ];
    });
  },
  async applied(database, { settings: { table = 'schema_migrations' } }) {
    const rows = await historyRows(database, quoted(table), 'version', 'ORDER BY version');
    return rows.map((row) => ({ id: textOf(row, 'version'), state: 'applied' }));
  },
  up: (found, address) => run(found, address, 'migrate'),
  down: (found, address) => run(found, address, 'rollback'),
  passedOver: ({ directory }, { list }, migrations) =>
    strangers(list, migrations, {
      directory,
      title: TITLE,
      why: (name) => (NAME.test(name) ? undefined : 'a name begins with its number'),
    }),
  check: (migrations, applied) =>
    checkOrder(migrations, applied, { title: TITLE, outOfOrder: 'runs', number: ({ id }) => id }),
};

/** By the npm package where the project has it, else by the program on PATH; both read DATABASE_URL. */
function run(found: Found, address: Address, what: string): Command {
  const { project, directory, settings } = found;
  const folder = project === '' ? directory : directory.slice(project.length + 1);
  const args = ['--no-dump-schema', '--migrations-dir', folder, what];
  if (settings['manager'] !== undefined) return jsCommand(found, address, 'dbmate', args);
  return { program: 'dbmate', args, cwd: project, env: environmentOf(address, found) };
}
