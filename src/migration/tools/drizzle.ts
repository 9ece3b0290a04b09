import { checkOrder, strangers } from '../checks.ts';
import { type Files, folderOf, nearest, readSource } from '../files.ts';
import type { Finding } from '../finding.ts';
import { historyRows, quoted, textOf } from '../history.ts';
import { UserError, messageOf } from '../../action/errors.ts';
import type { Applied, Migration } from '../migration.ts';
import type { Found, Tool } from '../tool.ts';
import { configured, fileOf, jsCommand, projectsWith } from './javascript.ts';
import { wholeOf } from './scripts.ts';

const TITLE = 'Drizzle';
const CONFIGS = ['ts', 'js', 'mjs', 'cjs', 'mts', 'json'].map((kind) => `drizzle.config.${kind}`);

export function findDrizzle(files: Files): readonly Found[] {
  return files.list
    .filter((file) => file.endsWith('meta/_journal.json') && /"dialect"/.test(files.read(file) ?? ''))
    .map((file) => {
      const directory = folderOf(folderOf(file));
      const own = projectsWith(files, 'drizzle-kit').findLast(
        ({ folder }) => folder === '' || directory.startsWith(`${folder}/`),
      );
      const project = own?.folder ?? nearest(files, directory, ['package.json']) ?? '';
      const config = fileOf(files, project, CONFIGS);
      const block = /\bmigrations\s*:\s*(\{[^}]*\})/.exec((config && files.read(config)) ?? '')?.[1];
      const [schema, table] = [configured(block, 'schema'), configured(block, 'table')];
      return {
        tool: 'drizzle',
        project,
        directory,
        reason: `${file} is Drizzle's journal`,
        settings: { manager: own?.manager ?? 'npm', ...(schema && { schema }), ...(table && { table }) },
      };
    });
}

interface Entry {
  readonly tag: string;
  readonly when: number;
}

export const drizzle: Tool = {
  name: 'drizzle',
  title: TITLE,
  async read({ directory }, workspace) {
    const entries = await journal(workspace, directory);
    return Promise.all(
      entries.map(async ({ tag, when }) => {
        const source = await readSource(workspace, `${directory}/${tag}.sql`);
        const { file, checksum } = source;
        // The migrator runs all pending ones in one transaction, and knows them by the time in the journal
        // (PgDialect.migrate).
        return { id: String(when), name: tag, file, checksum, up: wholeOf(source, true), reversible: false };
      }),
    );
  },
  async applied(database, { settings: { schema = 'drizzle', table = '__drizzle_migrations' } }) {
    const rows = await historyRows(database, quoted(schema, table), 'hash, created_at', 'ORDER BY created_at, id');
    return rows.map((row) => ({ id: textOf(row, 'created_at'), checksum: textOf(row, 'hash'), state: 'applied' }));
  },
  up: (found, address) => jsCommand(found, address, 'drizzle-kit', ['migrate']),
  passedOver: ({ directory }, { list }, migrations) =>
    strangers(list, migrations, { directory, title: TITLE, why: () => 'meta/_journal.json does not name it' }),
  check: (migrations, applied) => [
    ...checkOrder(migrations, applied, {
      title: TITLE,
      outOfOrder: 'skips',
      checksum: ({ checksum }) => checksum,
      number: ({ name }) => /^\d+/.exec(name)?.[0],
    }),
    ...neverRun(migrations, applied),
  ],
};

/** It goes on from the newest time in its table: what stands after that one in the journal with an older time never runs. */
function neverRun(migrations: readonly Migration[], applied: readonly Applied[]): readonly Finding[] {
  const done = new Set(applied.map(({ id }) => id));
  const newest = migrations.filter(({ id }) => done.has(id)).toSorted((a, b) => Number(b.id) - Number(a.id))[0];
  const last = migrations.findLastIndex(({ id }) => done.has(id));
  if (newest === undefined) return [];
  return migrations
    .slice(last + 1)
    .filter(({ id }) => Number(id) <= Number(newest.id))
    .map(({ name, file }) => ({
      code: 'migration-out-of-order',
      severity: 'error',
      place: { file, line: 1 },
      message: `${name} has an older time in the journal than ${newest.name}, which is applied already`,
      why: 'Drizzle goes on from the newest time that it applied: this one would never run, and nothing would say so.',
      remedy: 'Delete it and generate it anew on top of the other branch.',
      source: 'tool',
    }));
}

async function journal(workspace: string, directory: string): Promise<readonly Entry[]> {
  const file = `${directory}/meta/_journal.json`;
  const { text } = await readSource(workspace, file);
  try {
    const { entries } = JSON.parse(text) as { readonly entries?: readonly Partial<Entry>[] };
    if (!Array.isArray(entries)) throw new Error('it has no entries');
    return (entries as readonly Partial<Entry>[]).map(({ tag, when }) => {
      if (typeof tag !== 'string' || !/^[\w-]+$/.test(tag) || typeof when !== 'number')
        throw new Error('an entry lacks its tag or time');
      return { tag, when };
    });
  } catch (error) {
    throw new UserError(`${file} is no journal of Drizzle: ${messageOf(error)}`, {
      place: { file },
      remedy: 'Bring back what drizzle-kit wrote.',
    });
  }
}
