import { checkOrder } from '../checks.ts';
import { type Files, baseOf, folderOf } from '../files.ts';
import { historyRows, quoted, textOf } from '../history.ts';
import type { Address, Command, Found, Tool } from '../tool.ts';
import { configured, isProgram, jsCommand, projectsWith, readPrograms } from './javascript.ts';

const TITLE = 'TypeORM';

export function findTypeorm(files: Files): readonly Found[] {
  return projectsWith(files, 'typeorm').flatMap(({ folder, manager, manifest }) => {
    const own = files.list.filter((file) => (folder === '' || file.startsWith(`${folder}/`)) && isProgram(file));
    const folders = new Set(
      own.filter((file) => isMigration(baseOf(file), files.read(file))).map((file) => folderOf(file)),
    );
    const [directory] = folders;
    if (directory === undefined) return [];
    const named = /typeorm[^"]*\s(?:-d|--dataSource)[ =]([\w./-]+)/.exec(JSON.stringify(manifest.scripts ?? {}))?.[1];
    const source = own.find((file) => /new\s+(?:\w+\.)?DataSource\s*\(/.test(files.read(file) ?? ''));
    const dataSource = named ?? (source === undefined ? undefined : relativeTo(folder, source));
    return [
      {
        tool: 'typeorm',
        project: folder,
        directory,
        reason: `${directory}/ holds migrations of TypeORM${dataSource === undefined ? '' : `, run by ${dataSource}`}`,
        settings: {
          manager,
          table:
            configured(source === undefined ? undefined : files.read(source), 'migrationsTableName') ?? 'migrations',
          ...(dataSource !== undefined && { dataSource }),
          cli: dataSource?.endsWith('.ts') === true ? 'typeorm-ts-node-commonjs' : 'typeorm',
        },
      },
    ];
  });
}

function isMigration(name: string, text: string | undefined): boolean {
  return /^\d{10,}[-_]/.test(name) && /MigrationInterface|async\s+up\s*\(\s*queryRunner/.test(text ?? '');
}

export const typeorm: Tool = {
  name: 'typeorm',
  title: TITLE,
  async read({ directory }, workspace) {
    const all = await readPrograms(directory, workspace, (_, text) => nameOf(text));
    // It orders by the time at the end of the class's name (MigrationExecutor of TypeORM).
    const time = (id: string): string => /(\d{13})$/.exec(id)?.[1] ?? '';
    return all.toSorted((a, b) => Number(time(a.id)) - Number(time(b.id)));
  },
  async applied(database, { settings: { table = 'migrations' } }) {
    const rows = await historyRows(database, quoted(table), 'name', 'ORDER BY id');
    return rows.map((row) => ({ id: textOf(row, 'name'), state: 'applied' }));
  },
  up: (found, address) => cli(found, address, 'migration:run'),
  down: (found, address) => cli(found, address, 'migration:revert'),
  check: (migrations, applied) => checkOrder(migrations, applied, { title: TITLE, outOfOrder: 'runs' }),
};

/** What its table calls it: the field `name`, or the class. */
function nameOf(text: string): string | undefined {
  return /\bname\s*=\s*['"](\w*\d{13})['"]/.exec(text)?.[1] ?? /\bclass\s+(\w*\d{13})\b/.exec(text)?.[1];
}

function cli(found: Found, address: Address, what: string): Command {
  const { dataSource, cli: program = 'typeorm' } = found.settings;
  return jsCommand(found, address, program, [what, ...(dataSource === undefined ? [] : ['-d', dataSource])]);
}

function relativeTo(folder: string, file: string): string {
  return folder === '' ? file : file.slice(folder.length + 1);
}
