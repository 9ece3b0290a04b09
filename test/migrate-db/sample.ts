import type { Finding } from '../../src/migration/finding.ts';
import type { Migration } from '../../src/migration/migration.ts';
import type { ObservedStatement, Rehearsal, RehearsedMigration } from '../../src/rehearsal/rehearsal.ts';

const FILE = 'migrations/002_add_carrier.sql';

/** A migration of plain SQL. */
export function migration(sql: string, file = FILE): Migration {
  const name = file.replace(/^.*\/|\.\w+$/g, '');
  const up = { file, sql, firstLine: 1, transaction: true };
  return { id: name, name, file, checksum: '0'.repeat(64), up, reversible: false };
}

/** A finding of the linter: an index that is built while writes wait. */
export function finding(more: Partial<Finding> = {}): Finding {
  return {
    code: 'index-not-concurrent',
    severity: 'error',
    place: { file: FILE, line: 4, column: 1, endLine: 4 },
    message: 'the index shipments_carrier is built while writes to shipments wait',
    why: 'All writes to shipments wait until all its rows are read.',
    remedy: 'Build it CONCURRENTLY, in a migration without a transaction.',
    rewrite: 'CREATE INDEX CONCURRENTLY shipments_carrier ON shipments (carrier_id);',
    statement: 'CREATE INDEX shipments_carrier ON shipments (carrier_id)',
    lock: { relation: 'shipments', mode: 'ShareLock' },
    source: 'lint',
    ...more,
  };
}

/** A statement as a server ran it. */
export function observed(more: Partial<ObservedStatement> = {}): ObservedStatement {
  return {
    sql: 'CREATE INDEX shipments_carrier ON shipments (carrier_id)',
    place: { file: FILE, line: 4 },
    seconds: 0.003,
    locks: [{ relation: 'shipments', mode: 'ShareLock' }],
    rewritten: [],
    scanned: ['shipments'],
    inTransaction: true,
    ...more,
  };
}

/** A rehearsal of one migration on PostgreSQL 15. */
export function rehearsal(
  statements: readonly ObservedStatement[],
  more: Partial<RehearsedMigration> & Pick<Partial<Rehearsal>, 'failed'> = {},
): Rehearsal {
  const { failed, ...ofMigration } = more;
  return {
    server: { kind: 'binaries', version: 150_018 },
    ranBy: 'sql',
    migrations: [{ migration: migration(''), statements, seconds: 0.01, invalidIndexes: [], ...ofMigration }],
    schema: { objects: new Map() },
    seconds: 1.2,
    notes: [],
    ...(failed && { failed }),
  };
}
