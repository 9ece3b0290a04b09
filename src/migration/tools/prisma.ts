import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { checkOrder } from '../checks.ts';
import { type Files, baseOf, folderOf, nearest, readSource } from '../files.ts';
import { historyRows, textOf } from '../history.ts';
import type { Found, Tool } from '../tool.ts';
import { jsCommand, projectsWith } from './javascript.ts';
import { isOneTransaction, wholeOf } from './scripts.ts';

const TITLE = 'Prisma';

export function findPrisma(files: Files): readonly Found[] {
  const folders = new Set(
    files.list
      .filter((file) => /(^|\/)migrations\/\d{8,14}_[^/]*\/migration\.sql$/.test(file))
      .map((file) => folderOf(folderOf(file)))
      .filter(
        (folder) =>
          files.list.includes(`${folder}/migration_lock.toml`) ||
          files.list.includes(`${folderOf(folder)}/schema.prisma`),
      ),
  );
  return [...folders].map((directory) => {
    const own = projectsWith(files, 'prisma').findLast(
      ({ folder }) => folder === '' || directory.startsWith(`${folder}/`),
    );
    return {
      tool: 'prisma',
      project: own?.folder ?? nearest(files, directory, ['package.json']) ?? '',
      directory,
      reason: `${directory}/ holds migrations of Prisma`,
      settings: { manager: own?.manager ?? 'npm' },
    };
  });
}

export const prisma: Tool = {
  name: 'prisma',
  title: TITLE,
  async read({ directory }, workspace) {
    const folders = (await readdir(path.join(workspace, directory), { withFileTypes: true }))
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .toSorted((a, b) => (a < b ? -1 : 1));
    return Promise.all(
      folders.map(async (name) => {
        const source = await readSource(workspace, `${directory}/${name}/migration.sql`);
        return {
          id: name,
          name,
          file: source.file,
          checksum: source.checksum,
          // It sends the file as one query (schema engine of Prisma).
          up: wholeOf(source, isOneTransaction(source.text)),
          reversible: false,
        };
      }),
    );
  },
  async applied(database) {
    const columns = 'migration_name, checksum, finished_at, rolled_back_at';
    const rows = await historyRows(database, '_prisma_migrations', columns, 'ORDER BY started_at');
    return rows
      .filter((row) => row['rolled_back_at'] === null)
      .map((row) => ({
        id: textOf(row, 'migration_name'),
        checksum: textOf(row, 'checksum'),
        state: row['finished_at'] === null ? 'failed' : 'applied',
        at: textOf(row, 'finished_at'),
      }));
  },
  up: (found, address) => jsCommand(found, address, 'prisma', ['migrate', 'deploy']),
  check: (migrations, applied) =>
    checkOrder(migrations, applied, {
      title: TITLE,
      outOfOrder: 'runs',
      checksum: ({ checksum }) => checksum,
      number: ({ file }) => /^\d+/.exec(baseOf(folderOf(file)))?.[0],
    }),
};
