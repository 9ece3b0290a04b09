/** Migrations as teams write them, harmless and not, with other names each time. */
const STATEMENTS: readonly ((n: number) => string)[] = [
  (n) => `CREATE TABLE depots_${n} (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  city text NOT NULL,
  capacity integer NOT NULL DEFAULT 0 CHECK (capacity >= 0),
  carrier_id integer REFERENCES carriers (id),
  created_at timestamptz NOT NULL DEFAULT now()
)`,
  (n) => `ALTER TABLE shipments ADD COLUMN weight_${n} numeric(10, 2) NOT NULL DEFAULT 0`,
  (n) => `CREATE INDEX shipments_carrier_${n} ON shipments (carrier_id, lower(reference_${n}))`,
  (n) => `ALTER TABLE shipments ADD CONSTRAINT light_${n} CHECK (weight_${n} < 500) NOT VALID`,
  (n) =>
    `UPDATE shipments SET note = 'none', price = ${n} WHERE note IS NULL AND id IN (SELECT id FROM returns WHERE reason = ${n})`,
  (n) => `ALTER TABLE shipments DROP COLUMN old_${n}`,
  (n) =>
    `INSERT INTO settings (key, value) VALUES ('limit_${n}', '${n}') ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
  (n) => `COMMENT ON COLUMN shipments.weight_${n} IS 'in kg'`,
  (n) => `CREATE OR REPLACE FUNCTION touch_${n}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.updated_at := now();
  RETURN NEW;
END $$`,
  (n) => `ALTER TABLE carriers ALTER COLUMN code TYPE varchar(${40 + n}), ALTER COLUMN phone SET NOT NULL`,
];

/** Files of some statements each. */
export function manyFiles(count: number): readonly string[] {
  return Array.from({ length: count }, (_, at) => script(at * 3, 3));
}

/** A file of so many statements. */
export function manyStatements(count: number): string {
  return script(0, count);
}

function script(from: number, count: number): string {
  const statements = Array.from(
    { length: count },
    (_, at) => STATEMENTS[(from + at) % STATEMENTS.length]?.(from + at) ?? '',
  );
  return `-- Made for a benchmark\n${statements.join(';\n\n')};\n`;
}
