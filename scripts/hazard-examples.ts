import type { KnownTable } from '../src/sql-lint/context.ts';
import type { HAZARDS } from '../src/sql-lint/hazards.ts';

/** A script that has a hazard, as short as can be. */
export interface Example {
  readonly sql: string;
  /** Whether its tool opens a transaction around it. */
  readonly transaction?: true;
  /** Server it is meant for; the linter's own assumption where absent. */
  readonly version?: number;
}

/** A schema that some examples need to be known. */
export const known: ReadonlyMap<string, KnownTable> = new Map([
  [
    'shipments',
    {
      kind: 'table',
      columns: {
        id: { type: 'integer', notNull: true, hasDefault: true },
        reference: { type: 'character varying(20)', notNull: false, hasDefault: false },
        price: { type: 'integer', notNull: false, hasDefault: false },
        weight: { type: 'numeric(8,2)', notNull: true, hasDefault: true },
      },
      constraints: [{ name: 'shipments_reference_key', kind: 'unique', columns: ['reference'], valid: true }],
      indexes: [
        { name: 'shipments_pkey', unique: true, columns: ['id'] },
        { name: 'shipments_reference_key', unique: true, columns: ['reference'] },
        { name: 'shipments_price', unique: false, columns: ['price'] },
      ],
    },
  ],
  ['events', { kind: 'partitioned table', columns: {}, constraints: [], indexes: [], partitionKey: 'RANGE (at)' }],
]);

/** An example of each hazard, in the order of the registry. */
export const EXAMPLES: Readonly<Record<keyof typeof HAZARDS, Example>> = {
  'index-not-concurrent': { sql: 'CREATE INDEX shipments_carrier ON shipments (carrier_id);' },
  'index-drop-not-concurrent': { sql: 'DROP INDEX shipments_price;' },
  'reindex-not-concurrent': { sql: 'REINDEX TABLE shipments;' },
  'concurrently-in-transaction': {
    sql: 'CREATE INDEX CONCURRENTLY shipments_carrier ON shipments (carrier_id);',
    transaction: true,
  },
  'concurrently-on-partitioned': { sql: 'CREATE INDEX CONCURRENTLY events_kind ON events (kind);' },
  'index-if-not-exists': {
    sql: 'CREATE INDEX CONCURRENTLY IF NOT EXISTS shipments_carrier ON shipments (carrier_id);',
  },
  'unique-index-data': { sql: 'CREATE UNIQUE INDEX CONCURRENTLY shipments_price_key ON shipments (price);' },
  'check-scans': { sql: 'ALTER TABLE shipments ADD CONSTRAINT light CHECK (weight < 500);' },
  'foreign-key-scans': { sql: 'ALTER TABLE shipments ADD FOREIGN KEY (carrier_id) REFERENCES carriers (id);' },
  'validated-under-lock': {
    sql: `ALTER TABLE shipments ADD CONSTRAINT light CHECK (weight < 500) NOT VALID;
ALTER TABLE shipments VALIDATE CONSTRAINT light;`,
    transaction: true,
  },
  'foreign-key-without-index': {
    sql: 'ALTER TABLE shipments ADD FOREIGN KEY (carrier_id) REFERENCES carriers (id) NOT VALID;',
  },
  'unique-builds-index': { sql: 'ALTER TABLE shipments ADD UNIQUE (price);' },
  'primary-key-builds-index': { sql: 'ALTER TABLE labels ADD PRIMARY KEY (id);' },
  'exclusion-builds-index': { sql: 'ALTER TABLE bookings ADD EXCLUDE USING gist (during WITH &&);' },
  'set-not-null-scans': { sql: 'ALTER TABLE shipments ALTER COLUMN price SET NOT NULL;' },
  'not-null-breaks-writers': {
    sql: 'ALTER TABLE shipments ADD CONSTRAINT priced CHECK (price IS NOT NULL) NOT VALID;',
  },
  'domain-constraint-scans': { sql: "ALTER DOMAIN email ADD CONSTRAINT has_at CHECK (VALUE LIKE '%@%');" },
  'column-not-null-without-default': { sql: 'ALTER TABLE shipments ADD COLUMN color text NOT NULL;' },
  'column-volatile-default': { sql: 'ALTER TABLE shipments ADD COLUMN token uuid DEFAULT gen_random_uuid();' },
  'column-default-rewrites': { sql: 'ALTER TABLE shipments ADD COLUMN color integer DEFAULT 5;', version: 100_000 },
  'column-generated': {
    sql: 'ALTER TABLE shipments ADD COLUMN total numeric GENERATED ALWAYS AS (weight * price) STORED;',
  },
  'column-serial': { sql: 'ALTER TABLE shipments ADD COLUMN number bigserial;' },
  'column-json': { sql: 'ALTER TABLE shipments ADD COLUMN extra json;' },
  'column-constrained-domain': {
    sql: `CREATE DOMAIN zip AS text CHECK (VALUE ~ '^[0-9]{5}$');
ALTER TABLE shipments ADD COLUMN zip zip;`,
  },
  'column-type-rewrites': { sql: 'ALTER TABLE shipments ALTER COLUMN price TYPE bigint;' },
  'column-type-breaks': { sql: 'ALTER TABLE shipments ALTER COLUMN price TYPE text;' },
  'table-rewrites': { sql: 'ALTER TABLE shipments SET UNLOGGED;' },
  'table-dropped': { sql: 'DROP TABLE returns;' },
  'column-dropped': { sql: 'ALTER TABLE shipments DROP COLUMN price;' },
  'schema-dropped': { sql: 'DROP SCHEMA billing CASCADE;' },
  'object-dropped': { sql: 'DROP VIEW shipment_list;' },
  'constraint-dropped': { sql: 'ALTER TABLE shipments DROP CONSTRAINT shipments_reference_key;' },
  'default-dropped': { sql: 'ALTER TABLE shipments ALTER COLUMN weight DROP DEFAULT;' },
  'not-null-dropped': { sql: 'ALTER TABLE shipments ALTER COLUMN weight DROP NOT NULL;' },
  'table-renamed': { sql: 'ALTER TABLE carriers RENAME TO freight_carriers;' },
  'column-renamed': { sql: 'ALTER TABLE shipments RENAME COLUMN price TO cents;' },
  'object-renamed': { sql: "ALTER TYPE shipment_status RENAME VALUE 'sent' TO 'shipped';" },
  truncate: { sql: 'TRUNCATE shipments;' },
  'truncate-cascade': { sql: 'TRUNCATE shipments CASCADE;' },
  'update-all-rows': { sql: "UPDATE shipments SET reference = 'none';" },
  'delete-all-rows': { sql: 'DELETE FROM shipments;' },
  'update-unbatched': { sql: 'UPDATE shipments SET price = 0 WHERE price IS NULL;' },
  'delete-unbatched': { sql: 'DELETE FROM shipments WHERE price < 5;' },
  'partition-attach-scans': {
    sql: "ALTER TABLE events ATTACH PARTITION events_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');",
  },
  'partition-detach-blocks': { sql: 'ALTER TABLE events DETACH PARTITION events_2024;' },
  'partition-created-in-place': {
    sql: "CREATE TABLE events_2027 PARTITION OF events FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');",
  },
  'vacuum-full': { sql: 'VACUUM FULL shipments;' },
  cluster: { sql: 'CLUSTER shipments USING shipments_price;' },
  'refresh-not-concurrent': { sql: 'REFRESH MATERIALIZED VIEW carrier_totals;' },
  'lock-table': { sql: 'LOCK TABLE shipments IN ACCESS EXCLUSIVE MODE;', transaction: true },
  'trigger-created': {
    sql: 'CREATE TRIGGER shipments_touch BEFORE UPDATE ON shipments FOR EACH ROW EXECUTE FUNCTION touch();',
  },
  'trigger-disabled': { sql: 'ALTER TABLE shipments DISABLE TRIGGER ALL;' },
  'transaction-nested': {
    sql: 'BEGIN;\nALTER TABLE shipments ADD COLUMN color text;\nCOMMIT;',
    transaction: true,
  },
  'transaction-left-open': { sql: 'BEGIN;\nALTER TABLE shipments ADD COLUMN color text;' },
  'commit-without-begin': { sql: 'ALTER TABLE shipments ADD COLUMN color text;\nCOMMIT;' },
  'rolled-back': { sql: 'BEGIN;\nALTER TABLE shipments ADD COLUMN color text;\nROLLBACK;' },
  'cannot-run-in-transaction': { sql: 'VACUUM shipments;', transaction: true },
  'work-under-lock': {
    sql: `ALTER TABLE shipments ADD COLUMN color text;
INSERT INTO archive SELECT * FROM events;`,
    transaction: true,
  },
  'several-alters': {
    sql: `ALTER TABLE shipments ADD COLUMN color text;
ALTER TABLE shipments ADD COLUMN size text;`,
  },
  'enum-value-used': {
    sql: `ALTER TYPE shipment_status ADD VALUE 'lost';
UPDATE shipments SET status = 'lost' WHERE id = 5;`,
    transaction: true,
  },
  'lock-timeout-missing': { sql: 'ALTER TABLE shipments ADD COLUMN color text;' },
  'lock-timeout-too-long': { sql: "SET lock_timeout = '1h';\nALTER TABLE shipments ADD COLUMN color text;" },
  'statement-timeout-missing': { sql: 'ALTER TABLE shipments ADD COLUMN color text;' },
  'set-local-without-transaction': {
    sql: "SET LOCAL lock_timeout = '2s';\nALTER TABLE shipments ADD COLUMN color text;",
  },
  'opaque-sql': { sql: "DO $$ BEGIN EXECUTE format('DROP TABLE %I', 'shipments_' || 5); END $$;" },
  'syntax-error': { sql: 'ALTER TABEL shipments ADD COLUMN color text;' },
  'copy-from-stdin': { sql: 'COPY settings FROM stdin;\ntheme\tdark\n\\.\n' },
  'psql-command': { sql: '\\set carrier 5' },
  'not-text': { sql: 'SELECT 1\0;' },
  'script-too-large': { sql: '-- more than 10 MB' },
  'statement-too-long': { sql: '-- a statement of more than 256 kB that is no INSERT' },
  'allow-without-reason': {
    sql: '-- migrate-db: allow index-not-concurrent\nCREATE INDEX shipments_carrier ON shipments (carrier_id);',
  },
  'allow-unknown-code': {
    sql: '-- migrate-db: allow indexes because they are few\nCREATE INDEX CONCURRENTLY shipments_carrier ON shipments (carrier_id);',
  },
  'allow-unused': {
    sql: '-- migrate-db: allow index-not-concurrent because the table is small\nCREATE INDEX CONCURRENTLY shipments_carrier ON shipments (carrier_id);',
  },
};
