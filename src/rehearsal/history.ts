import type { Migration } from '../migration/migration.ts';
import type { Found, Tool } from '../migration/tool.ts';
import type { Database } from '../postgres/database.ts';
import { type LockRow, OWN_LOCKS, type RelationRow, relationsOf } from './relations.ts';

/**
 * The tables in which a tool keeps what it applied: those that it reads to tell it. None while they are not there.
 */
export async function historyTables(
  database: Database,
  tool: Tool,
  found: Found,
  migrations: readonly Migration[] = [],
): Promise<readonly string[]> {
  await database.query('BEGIN');
  try {
    await tool.applied(database, found, migrations);
    const read = await database.query<LockRow>(OWN_LOCKS);
    if (read.length === 0) return [];
    const rows = await database.query<RelationRow>(relationsOf(read.map(({ oid }) => oid)));
    return [...new Set(rows.filter(({ kind }) => 'rp'.includes(kind)).map(({ name }) => name))];
  } finally {
    await database.query('ROLLBACK');
  }
}
