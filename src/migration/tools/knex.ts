import { checkOrder } from '../checks.ts';
import { type Files, baseOf, folderOf, within } from '../files.ts';
import { historyRows, quoted, textOf } from '../history.ts';
import type { Found, Tool } from '../tool.ts';
import { configured, configuredPath, fileOf, jsCommand, programsIn, projectsWith, readPrograms } from './javascript.ts';

const CONFIGS = ['knexfile.js', 'knexfile.ts', 'knexfile.cjs', 'knexfile.mjs', 'src/knexfile.js', 'src/knexfile.ts'];
const TITLE = 'Knex';

export function findKnex(files: Files): readonly Found[] {
  return projectsWith(files, 'knex').flatMap(({ folder, manager }) => {
    const config = fileOf(files, folder, CONFIGS);
    const text = config === undefined ? undefined : files.read(config);
    // Seeds have a directory too.
    const block = /\bmigrations\s*:\s*(\{[\s\S]{0,2000})/.exec(text ?? '')?.[1];
    const named = configuredPath(block, 'directory');
    // Knex works in the folder of its knexfile.
    const directory = within(config === undefined ? folder : folderOf(config), named ?? 'migrations');
    if (programsIn(files, directory).length === 0) return [];
    return [
      {
        tool: 'knex',
        project: folder,
        directory,
        reason: `${config ?? 'knex'}${named === undefined ? ' leaves its migrations in' : ' names'} ${directory}/`,
        settings: {
          manager,
          table: configured(block, 'tableName') ?? 'knex_migrations',
          ...(config !== undefined && { config }),
        },
      },
    ];
  });
}

export const knex: Tool = {
  name: 'knex',
  title: TITLE,
  async read({ directory }, workspace) {
    return readPrograms(directory, workspace, (file) => baseOf(file));
  },
  async applied(database, { settings: { table = 'knex_migrations' } }) {
    const rows = await historyRows(database, quoted(table), 'name, migration_time', 'ORDER BY id');
    return rows.map((row) => ({ id: textOf(row, 'name'), state: 'applied', at: textOf(row, 'migration_time') }));
  },
  up: (found, address) => jsCommand(found, address, 'knex', ['migrate:latest', ...configFlag(found)]),
  down: (found, address) => jsCommand(found, address, 'knex', ['migrate:down', ...configFlag(found)]),
  check: (migrations, applied) => checkOrder(migrations, applied, { title: TITLE, outOfOrder: 'runs' }),
};

function configFlag({ project, settings: { config } }: Found): readonly string[] {
  if (config === undefined) return [];
  return ['--knexfile', project === '' ? config : config.slice(project.length + 1)];
}
