--- begin in the tool's transaction
--- transaction
BEGIN;
ALTER TABLE shipments ADD COLUMN color text;
COMMIT;
--- commit in the tool's transaction
--- transaction
ALTER TABLE shipments ADD COLUMN color text;
COMMIT;
--- begin twice
BEGIN;
BEGIN;
ALTER TABLE shipments ADD COLUMN color text;
COMMIT;
--- begin without commit
BEGIN;
ALTER TABLE shipments ADD COLUMN color text;
--- commit without begin
ALTER TABLE shipments ADD COLUMN color text;
COMMIT;
--- begin and commit
BEGIN;
ALTER TABLE shipments ADD COLUMN color text;
COMMIT;
--- start transaction
START TRANSACTION;
ALTER TABLE shipments ADD COLUMN color text;
END;
--- savepoint
BEGIN;
SAVEPOINT one;
ALTER TABLE shipments ADD COLUMN color text;
RELEASE SAVEPOINT one;
COMMIT;
--- backfill under the lock
--- transaction
ALTER TABLE shipments ADD COLUMN color text;
UPDATE shipments SET color = 'grey' WHERE id BETWEEN 1 AND 5;
--- all rows under the lock
--- transaction
ALTER TABLE shipments ADD COLUMN color text;
UPDATE shipments SET color = 'grey';
--- another table read under the lock
--- transaction
ALTER TABLE carriers ADD COLUMN rating integer;
CREATE TABLE heavy AS SELECT id, weight FROM shipments WHERE weight > 20;
--- another table filled under the lock
BEGIN;
ALTER TABLE carriers ADD COLUMN rating integer;
INSERT INTO events_2024 SELECT id, id, '2024-01-01' FROM shipments;
COMMIT;
--- index on one table under the lock of another
--- transaction
ALTER TABLE carriers ADD COLUMN rating integer;
CREATE INDEX shipments_price ON shipments (price);
--- count under the lock of a foreign key
--- transaction
CREATE TABLE labels (id integer PRIMARY KEY, shipment_id integer NOT NULL REFERENCES shipments (id));
INSERT INTO labels SELECT id, id FROM shipments;
--- a row under the lock
--- transaction
ALTER TABLE carriers ADD COLUMN rating integer;
INSERT INTO carriers (id, code, name) VALUES (900005, 'X', 'X');
SELECT name FROM carriers WHERE id = 5;
--- two quick changes of one table
--- transaction
ALTER TABLE shipments ADD COLUMN color text;
ALTER TABLE shipments ADD COLUMN size text;
--- refresh under a lock
--- transaction
ALTER TABLE carriers ADD COLUMN rating integer;
REFRESH MATERIALIZED VIEW CONCURRENTLY carrier_totals;
--- work after the commit
BEGIN;
ALTER TABLE carriers ADD COLUMN rating integer;
COMMIT;
CREATE TABLE heavy AS SELECT id, weight FROM shipments WHERE weight > 20;
--- no timeout
--- no timeouts
ALTER TABLE shipments ADD COLUMN color text;
--- timeout of 0
--- no timeouts
SET lock_timeout = 0;
ALTER TABLE shipments ADD COLUMN color text;
--- timeout of an hour
--- no timeouts
SET lock_timeout = '1h';
ALTER TABLE shipments ADD COLUMN color text;
--- timeout switched off again
SET lock_timeout = 0;
ALTER TABLE shipments ADD COLUMN color text;
--- reset of the timeout
RESET lock_timeout;
ALTER TABLE shipments ADD COLUMN color text;
--- timeouts set by the script
--- no timeouts
SET lock_timeout = '3s';
SET statement_timeout = '60s';
ALTER TABLE shipments ADD COLUMN color text;
--- timeouts in milliseconds
--- no timeouts
SET lock_timeout TO 2000;
SET statement_timeout TO 60000;
ALTER TABLE shipments ADD COLUMN color text;
--- timeouts by set_config
--- no timeouts
SELECT set_config('lock_timeout', '2s', false);
SET statement_timeout = '60s';
ALTER TABLE shipments ADD COLUMN color text;
--- local timeout
--- no timeouts
BEGIN;
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';
ALTER TABLE shipments ADD COLUMN color text;
COMMIT;
--- local timeout, gone with its transaction
--- no timeouts
BEGIN;
SET LOCAL lock_timeout = '2s';
COMMIT;
ALTER TABLE shipments ADD COLUMN color text;
--- local timeout outside a transaction
--- no timeouts
SET LOCAL lock_timeout = '2s';
ALTER TABLE shipments ADD COLUMN color text;
--- new table, for which nobody waits
--- no timeouts
CREATE TABLE depots (id integer PRIMARY KEY);
ALTER TABLE depots ADD COLUMN city text;
--- no timeout for what blocks nobody
--- no timeouts
CREATE INDEX CONCURRENTLY shipments_price ON shipments (price);
--- block with a plain change
DO $$ BEGIN
  ALTER TABLE shipments ADD COLUMN color text;
END $$;
--- block that catches what is there already
DO $$ BEGIN
  ALTER TABLE shipments ADD CONSTRAINT shipments_carrier_fk FOREIGN KEY (carrier_id) REFERENCES carriers (id);
EXCEPTION WHEN duplicate_object THEN NULL;
END $$;
--- block that makes a type
DO $$ BEGIN
  CREATE TYPE size AS ENUM ('s', 'm');
EXCEPTION WHEN duplicate_object THEN NULL;
END $$;
--- block with an index
DO $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_class WHERE relname = 'shipments_price') THEN
    CREATE INDEX shipments_price ON shipments (price);
  END IF;
END $$;
--- block with an index as a text
DO $$ BEGIN EXECUTE 'CREATE INDEX shipments_price ON shipments (price)'; END $$;
--- block that makes SQL
DO $$
DECLARE one record;
BEGIN
  FOR one IN SELECT relname FROM pg_class WHERE relname IN ('shipments', 'carriers') LOOP
    EXECUTE format('CREATE INDEX ON %I (padding)', one.relname);
  END LOOP;
END $$;
--- block that drops
DO $$ BEGIN DROP TABLE IF EXISTS settings; END $$;
--- block that updates everything
DO $$ BEGIN UPDATE shipments SET note = 'x'; END $$;
--- block with an index in CONCURRENTLY
DO $$ BEGIN CREATE INDEX CONCURRENTLY shipments_price ON shipments (price); END $$;
--- procedure that locks
CALL add_index();
--- block with a fault
DO $$ BEGIN ALTER TABLE shipments ADD COLUMN; END $$;
--- syntax error
ALTER TABEL shipments ADD COLUMN color text;
--- two syntax errors
ALTER TABLE shipments ADD COLUM color text;
CREATE INDEX ON;
--- unicode before the mistake
SELECT 'äöü€😀', 'x' FRM shipments;
--- names that need quotes
--- setup: ALTER TABLE carriers ADD COLUMN "Order" integer
CREATE INDEX "Carriers by Order" ON carriers ("Order");
