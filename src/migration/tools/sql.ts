import { checkOrder } from '../checks.ts';
import { type Files, baseOf, folderOf } from '../files.ts';
import { historyRows, quoted, textOf } from '../history.ts';
import type { Found, Tool } from '../tool.ts';
import { byVersion, isEmpty, sourcesIn, wholeOf } from './scripts.ts';

const TITLE = 'plain SQL';
const NAME = /^(\d+)[-_].*(?<!\.down)\.sql$/;
/** What a file says at its top to run without a transaction around it. */
const ALONE = /^\s*--\s*migrate-db:\s*no-transaction\b/m;
/** Its own table of what is applied. */
export const HISTORY_TABLE = 'delivery_migrations';

/** Folders of numbered SQL files that belong to no other tool; they have to be called so, as any folder may hold SQL. */
export function findSql(files: Files, taken: ReadonlySet<string>): readonly Found[] {
  const folders = files.list.filter((file) => NAME.test(baseOf(file))).map((file) => folderOf(file));
  return [...new Set(folders)]
    .filter((folder) => !taken.has(folder) && /(^|[/_-])migrations?$/.test(folder))
    .map((directory) => foundSql(directory, `${directory}/ holds numbered SQL files`));
}

export function foundSql(directory: string, reason: string): Found {
  return { tool: 'sql', project: '', directory, reason, settings: { table: HISTORY_TABLE } };
}

/** By which it orders, `10` after `2`; names decide between equal ones. */
function numberOf(name: string): string {
  return /^\d+/.exec(name)?.[0] ?? '0';
}

export const sql: Tool = {
  name: 'sql',
  title: TITLE,
  async read({ directory }, workspace) {
    const sources = await sourcesIn(workspace, directory, /\.sql$/);
    const downs = new Map(
      sources.filter(({ file }) => file.endsWith('.down.sql')).map((source) => [source.file, source]),
    );
    return sources
      .filter(({ file }) => !file.endsWith('.down.sql'))
      .toSorted((a, b) => byVersion(numberOf(baseOf(a.file)), numberOf(baseOf(b.file))))
      .map((source) => {
        const stem = source.file.replace(/(\.up)?\.sql$/, '');
        const back = downs.get(`${stem}.down.sql`);
        const down = back && wholeOf(back, !ALONE.test(back.text));
        const reversible = down !== undefined && !isEmpty(down);
        const up = wholeOf(source, !ALONE.test(source.text));
        const name = baseOf(stem);
        return {
          id: name,
          name,
          file: source.file,
          checksum: source.checksum,
          up,
          ...(down && reversible && { down }),
          reversible,
        };
      });
  },
  async applied(database, { settings: { table = HISTORY_TABLE } }) {
    const rows = await historyRows(database, quoted(table), 'id, checksum, applied_at', 'ORDER BY started_at, id');
    return rows.map((row) => ({
      id: textOf(row, 'id'),
      checksum: textOf(row, 'checksum'),
      state: row['applied_at'] === null ? 'failed' : 'applied',
      at: textOf(row, 'applied_at'),
    }));
  },
  check: (migrations, applied) =>
    checkOrder(migrations, applied, {
      title: TITLE,
      outOfOrder: 'runs',
      checksum: ({ checksum }) => checksum,
      number: ({ id }) => (/^\d/.test(id) ? String(BigInt(numberOf(id))) : undefined),
    }),
};
