import { afterEach, expect, test } from '@jest/globals';
import type { Database } from '../../src/postgres/database.ts';
import { connect } from '../../src/postgres/connect.ts';
import { readSchema } from '../../src/postgres/read-schema.ts';
import { type Schema, compareSchemas } from '../../src/postgres/schema.ts';
import { postgres } from '../postgres.ts';

const server = postgres();
const sessions: Database[] = [];
afterEach(async () => {
  for (const session of sessions.splice(0)) await session.close();
});

async function session(): Promise<Database> {
  const { signal } = new AbortController();
  const clock = { now: () => Date.now(), sleep: async () => undefined };
  const made = await connect(await server.createDatabase(), { signal, clock });
  sessions.push(made);
  return made;
}

async function after(...statements: readonly string[]): Promise<Schema> {
  const database = await session();
  for (const sql of statements) await database.query(sql);
  return readSchema(database, { without: ['history'] });
}

const BASE = [
  'CREATE SCHEMA billing',
  "CREATE TYPE state AS ENUM ('new', 'sent')",
  "CREATE DOMAIN code AS text CHECK (VALUE <> '')",
  'CREATE TYPE billing.money2 AS (amount numeric, currency char(3))',
  'CREATE TABLE carriers (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL)',
  `CREATE TABLE shipments (id bigserial PRIMARY KEY, carrier int REFERENCES carriers, state state DEFAULT 'new',
    code code, weight numeric(8,2), total numeric GENERATED ALWAYS AS (weight * 2) STORED, note varchar(20))`,
  'CREATE TABLE events (at timestamptz NOT NULL, what text) PARTITION BY RANGE (at)',
  "CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
  'CREATE INDEX shipments_open ON shipments (carrier) WHERE code IS NULL',
  'CREATE TABLE billing.invoices (id uuid PRIMARY KEY, shipment bigint)',
  'CREATE VIEW heavy AS SELECT id FROM shipments WHERE weight > 100',
  'CREATE MATERIALIZED VIEW per_carrier AS SELECT carrier, count(*) FROM shipments GROUP BY carrier',
  'CREATE UNIQUE INDEX per_carrier_key ON per_carrier (carrier)',
  'CREATE SEQUENCE numbers START 100 INCREMENT 5',
  "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
  'CREATE TRIGGER touched BEFORE UPDATE ON shipments FOR EACH ROW EXECUTE FUNCTION touch()',
  'ALTER TABLE shipments ENABLE ROW LEVEL SECURITY',
  'CREATE POLICY own ON shipments FOR SELECT USING (carrier = 1)',
  'CREATE STATISTICS shipments_pairs ON carrier, code FROM shipments',
  'CREATE AGGREGATE longest (text) (SFUNC = textcat, STYPE = text)',
  'CREATE RULE quiet AS ON DELETE TO carriers DO INSTEAD NOTHING',
];

test('two databases with the same history are the same, whatever else they hold', async () => {
  const [one, other] = [
    await after(...BASE),
    await after(
      'CREATE TABLE history (id serial PRIMARY KEY, name text)',
      'CREATE INDEX history_name ON history (name)',
      'CREATE TABLE gone (id int)',
      'DROP TABLE gone',
      ...BASE,
      'ALTER TABLE carriers ADD COLUMN gone int',
      'ALTER TABLE carriers DROP COLUMN gone',
      'SET search_path = billing',
    ),
  ];
  expect(compareSchemas(one, other)).toEqual([]);
  expect(one.objects.size).toBeGreaterThan(40);
  expect(Object.fromEntries(one.objects)).toMatchObject({
    'column shipments.state': "public.state default 'new'::public.state",
    'column shipments.total': 'numeric generated always as ((weight * (2)::numeric)) stored',
    'column billing.invoices.id': 'uuid not null',
    'constraint shipments_pkey on shipments': 'PRIMARY KEY (id)',
    'sequence carriers_id_seq': 'integer start 1 increment 1 from 1 to 2147483647 cache 1 of carriers.id',
    'table events_2026':
      "table partition of public.events FOR VALUES FROM ('2026-01-01 00:00:00+00') TO ('2027-01-01 00:00:00+00')",
    'policy own on shipments': 'permissive select to public using ((carrier = 1))',
  });
});

test.each([
  ['ALTER TABLE carriers ALTER name DROP NOT NULL', ['column carriers.name']],
  ['ALTER TABLE shipments ALTER note TYPE varchar(30)', ['column shipments.note']],
  ['ALTER TABLE shipments ALTER state DROP DEFAULT', ['column shipments.state']],
  ["ALTER TYPE state ADD VALUE 'lost'", ['enum state']],
  ['ALTER DOMAIN code SET NOT NULL', ['domain code']],
  ['ALTER TYPE billing.money2 ADD ATTRIBUTE rate int', ['type billing.money2']],
  ['ALTER TABLE shipments ADD CHECK (weight > 0) NOT VALID', ['constraint shipments_weight_check on shipments']],
  ['ALTER TABLE shipments DISABLE ROW LEVEL SECURITY', ['table shipments']],
  ['ALTER TABLE shipments DISABLE TRIGGER touched', ['trigger touched on shipments']],
  ['ALTER TABLE billing.invoices SET (fillfactor = 70)', ['table billing.invoices']],
  ['DROP INDEX shipments_open', ['index shipments_open']],
  ['ALTER SEQUENCE numbers CYCLE', ['sequence numbers']],
  ['CREATE OR REPLACE VIEW heavy AS SELECT id FROM shipments WHERE weight > 99', ['view heavy']],
  ['REFRESH MATERIALIZED VIEW per_carrier WITH NO DATA', ['materialized view per_carrier']],
  ['ALTER POLICY own ON shipments USING (carrier = 2)', ['policy own on shipments']],
  ['ALTER TABLE events DETACH PARTITION events_2026', ['table events_2026']],
  ['ALTER TABLE carriers ALTER id SET GENERATED BY DEFAULT', ['column carriers.id']],
  ['DROP AGGREGATE longest (text)', ['aggregate longest(text)']],
  [
    "CREATE OR REPLACE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'",
    ['function touch()'],
  ],
  ['CREATE PUBLICATION feed FOR TABLE carriers', ['publication feed']],
])('%s is a difference', async (change, objects) => {
  const [before, now] = [await after(...BASE), await after(...BASE, change)];
  expect(compareSchemas(before, now).map(({ object }) => object)).toEqual(objects);
});

test('an index that was left invalid is not the same as a valid one', async () => {
  const database = await session();
  await database.query('CREATE TABLE doubled (id int)');
  await database.query('INSERT INTO doubled VALUES (1), (1)');
  await expect(database.query('CREATE UNIQUE INDEX CONCURRENTLY doubled_id ON doubled (id)')).rejects.toThrow(
    'could not',
  );
  const { objects } = await readSchema(database);
  expect(objects.get('index doubled_id')).toMatch(/\(invalid\)$/);
});

test('what an extension brings is told as the extension alone, and the search path stays', async () => {
  const database = await session();
  await database.query('SET search_path = pg_catalog, public');
  const { objects } = await readSchema(database);
  expect([...objects.keys()]).toEqual(['extension plpgsql']);
  expect(await database.query('SHOW search_path')).toEqual([{ search_path: 'pg_catalog, public' }]);
});

test('a schema of a thousand tables is read in seconds', async () => {
  const database = await session();
  await database.query(`DO $$ BEGIN FOR i IN 1..1000 LOOP
    EXECUTE format('CREATE TABLE t%s (id serial PRIMARY KEY, a text NOT NULL, b int REFERENCES t%s)', i, greatest(i - 1, 1));
  END LOOP; END $$`);
  const began = performance.now();
  const { objects } = await readSchema(database);
  expect(objects.size).toBe(1000 * 7 + 1);
  expect(performance.now() - began).toBeLessThan(5000);
});
