import type { Database } from '../postgres/database.ts';
import { historyRows, literal, quoted, textOf } from './history.ts';
import type { Migration } from './migration.ts';
import type { Found, ToolName } from './tool.ts';

/** What a run that died left behind, so that the next one is refused. */
export interface Leftover {
  /** By which it is chosen to be mended: `knex-lock`, `prisma-failed:20260101_x`. */
  readonly name: string;
  /** What is there, as a sentence. */
  readonly what: string;
  /** What mending does, as a sentence, and what has to be true before. */
  readonly mend: string;
  /** As SQL, each run by itself. */
  readonly sql: readonly string[];
}

type Ask = Pick<Database, 'query'>;

type Look = (database: Ask, table: string, migrations: readonly Migration[]) => Promise<readonly Leftover[]>;

/** Of the tools that leave something; the others' locks go with their sessions. */
const LOOKS: Partial<Readonly<Record<ToolName, Look>>> = {
  knex: async (database, table) => knexLock(database, table),
  prisma: async (database) => prismaFailed(database),
  'golang-migrate': async (database, _, migrations) => golangDirty(database, migrations),
  flyway: async (database, table) => flywayFailed(database, table),
  liquibase: async (database) => liquibaseLock(database),
  sql: async (database, table) => sqlBegun(database, table),
};

/** What stands in the way of a tool. It only reads. */
export async function leftoversOf(
  database: Ask,
  { tool, settings }: Found,
  migrations: readonly Migration[],
): Promise<readonly Leftover[]> {
  return (await LOOKS[tool]?.(database, settings['table'] ?? '', migrations)) ?? [];
}

async function knexLock(database: Ask, table: string): Promise<readonly Leftover[]> {
  const name = quoted(`${table}_lock`);
  const rows = await historyRows(database, name, 'is_locked', 'WHERE is_locked = 1 LIMIT 1');
  return rows.map(() => ({
    name: 'knex-lock',
    what: 'Knex’s lock row is set, though no migrator of this product runs: a run was killed',
    mend: 'Frees the lock. Nobody may be migrating this database by Knex right now.',
    sql: [`UPDATE ${name} SET is_locked = 0`],
  }));
}

async function prismaFailed(database: Ask): Promise<readonly Leftover[]> {
  const failed = 'WHERE finished_at IS NULL AND rolled_back_at IS NULL ORDER BY started_at';
  const rows = await historyRows(database, '_prisma_migrations', 'id, migration_name, logs', failed);
  return rows.map((row) => ({
    name: `prisma-failed:${textOf(row, 'migration_name')}`,
    what: `Prisma began ${textOf(row, 'migration_name')} and did not end it, so it applies nothing more (P3009)`,
    mend: 'Marks it as rolled back, so that it is applied anew. What it left, if it had statements outside of a transaction, has to be taken back by hand first.',
    sql: [`UPDATE _prisma_migrations SET rolled_back_at = now() WHERE id = ${literal(textOf(row, 'id'))}`],
  }));
}

async function golangDirty(database: Ask, migrations: readonly Migration[]): Promise<readonly Leftover[]> {
  const rows = await historyRows(database, 'schema_migrations', 'version', 'WHERE dirty LIMIT 1');
  return rows.map((row) => {
    const version = textOf(row, 'version');
    const at = migrations.findIndex(({ id }) => id === version);
    const before = migrations[at - 1]?.id;
    const back =
      before === undefined
        ? 'DELETE FROM schema_migrations'
        : `UPDATE schema_migrations SET version = ${BigInt(before)}, dirty = false`;
    return {
      name: `golang-migrate-dirty:${version}`,
      what: `golang-migrate failed in version ${version} and refuses everything since (dirty)`,
      mend: `Sets it back to ${before ?? 'nothing'}, so that ${version} is applied anew. What ${version} left, if it had statements outside of a transaction, has to be taken back by hand first.`,
      sql: [back],
    };
  });
}

async function flywayFailed(database: Ask, table: string): Promise<readonly Leftover[]> {
  const name = quoted(table || 'flyway_schema_history');
  const rows = await historyRows(database, name, 'installed_rank, script', 'WHERE NOT success ORDER BY installed_rank');
  return rows.map((row) => ({
    name: `flyway-failed:${textOf(row, 'script')}`,
    what: `Flyway failed in ${textOf(row, 'script')} and refuses everything since`,
    mend: 'Takes the failed row out, as flyway repair does. What the script left outside of a transaction has to be taken back by hand first.',
    sql: [`DELETE FROM ${name} WHERE NOT success AND installed_rank = ${Number(row['installed_rank'])}`],
  }));
}

async function liquibaseLock(database: Ask): Promise<readonly Leftover[]> {
  const rows = await historyRows(database, 'databasechangeloglock', 'lockedby, lockgranted', 'WHERE locked LIMIT 1');
  return rows.map((row) => ({
    name: 'liquibase-lock',
    what: `Liquibase's lock is held by ${textOf(row, 'lockedby') || 'nobody known'} since ${textOf(row, 'lockgranted')}`,
    mend: 'Frees the lock, as liquibase release-locks does. Nobody may be migrating this database by Liquibase right now.',
    sql: ['UPDATE databasechangeloglock SET locked = false, lockedby = NULL, lockgranted = NULL'],
  }));
}

/** A statement outside of a transaction, in which a run broke off; what has one goes on by itself. */
async function sqlBegun(database: Ask, table: string): Promise<readonly Leftover[]> {
  const rows = await historyRows(database, table, 'id, statements', 'WHERE outside AND applied_at IS NULL ORDER BY id');
  return rows.map((row) => {
    const [id, statement] = [textOf(row, 'id'), Number(row['statements']) + 1];
    return {
      name: `sql-begun:${id}`,
      what: `A run broke off in statement ${statement} of ${id}, which runs outside of a transaction: whether it ended is not known`,
      mend: 'Lets the statement run again. Look before whether it did end: what it did would be done twice.',
      sql: [`UPDATE ${table} SET outside = false WHERE id = ${literal(id)}`],
    };
  });
}
