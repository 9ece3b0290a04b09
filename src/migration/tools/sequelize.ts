import { urlOf } from '../address.ts';
import { checkOrder } from '../checks.ts';
import { type Files, baseOf, within } from '../files.ts';
import { historyRows, quoted, textOf } from '../history.ts';
import type { Address, Command, Found, Tool } from '../tool.ts';
import { configuredPath, fileOf, jsCommand, programsIn, projectsWith, readPrograms } from './javascript.ts';

const TITLE = 'Sequelize';

/** Of sequelize-cli; umzug alone is a program of the team's own, which the input `command` names. */
export function findSequelize(files: Files): readonly Found[] {
  return projectsWith(files, 'sequelize-cli').flatMap(({ folder, manager }) => {
    const config = fileOf(files, folder, ['.sequelizerc']);
    const named = configuredPath(config === undefined ? undefined : files.read(config), 'migrations-path');
    const directory = within(folder, named ?? 'migrations');
    if (programsIn(files, directory).length === 0) return [];
    const reason =
      named === undefined ? `sequelize-cli keeps its migrations in ${directory}/` : `${config} names ${directory}/`;
    return [{ tool: 'sequelize', project: folder, directory, reason, settings: { manager, table: 'SequelizeMeta' } }];
  });
}

export const sequelize: Tool = {
  name: 'sequelize',
  title: TITLE,
  read: async ({ directory }, workspace) => readPrograms(directory, workspace, (file) => baseOf(file)),
  async applied(database, { settings: { table = 'SequelizeMeta' } }) {
    const rows = await historyRows(database, quoted(table), 'name', 'ORDER BY name');
    return rows.map((row) => ({ id: textOf(row, 'name'), state: 'applied' }));
  },
  up: (found, address) => cli(found, address, 'db:migrate'),
  upTo: (found, address, pending) => cli(found, address, 'db:migrate', ['--to', pending.at(-1)?.id ?? '']),
  down: (found, address) => cli(found, address, 'db:migrate:undo'),
  check: (migrations, applied) => checkOrder(migrations, applied, { title: TITLE, outOfOrder: 'runs' }),
};

/** Its configuration is one of many forms; the URL of the relay, which is good for nothing else, overrules them all. */
function cli(found: Found, address: Address, what: string, more: readonly string[] = []): Command {
  return jsCommand(found, address, 'sequelize-cli', [what, '--url', urlOf(address), ...more]);
}
