--- drop of a table
DROP TABLE settings;
--- drop of a table with what refers to it
DROP TABLE shipments CASCADE;
--- drop of a table that refers to another
DROP TABLE billing.invoices;
--- drop of a new table
CREATE TABLE depots (id integer);
DROP TABLE depots;
--- drop of a schema
DROP SCHEMA billing CASCADE;
--- drop of a view
DROP VIEW shipment_list;
--- drop of a materialized view
DROP MATERIALIZED VIEW carrier_totals;
--- drop of a function
DROP FUNCTION shipment_label(integer);
--- drop of a sequence
DROP SEQUENCE invoice_numbers CASCADE;
--- drop of a type
DROP TYPE positive;
--- drop of a type that columns use
DROP TYPE shipment_status CASCADE;
--- drop of a new type
CREATE TYPE size AS ENUM ('s', 'm');
DROP TYPE size;
--- drop of a trigger
DROP TRIGGER shipments_touch ON shipments;
--- rename of a table
ALTER TABLE carriers RENAME TO freight_carriers;
--- rename of a table with a view in its place
BEGIN;
ALTER TABLE carriers RENAME TO freight_carriers;
CREATE VIEW carriers AS SELECT * FROM freight_carriers;
COMMIT;
--- rename of a new table
--- transaction
CREATE TABLE depots (id integer);
ALTER TABLE depots RENAME TO stores;
ALTER TABLE stores RENAME COLUMN id TO number;
CREATE INDEX stores_number ON stores (number);
--- move to another schema
ALTER TABLE carriers SET SCHEMA archive;
--- rename of a schema
ALTER SCHEMA billing RENAME TO accounting;
--- rename of a view
ALTER VIEW shipment_list RENAME TO list;
--- rename of a view's column
ALTER VIEW shipment_list RENAME COLUMN status TO state;
--- rename of a function
ALTER FUNCTION shipment_label(integer) RENAME TO label;
--- rename of a sequence
ALTER SEQUENCE invoice_numbers RENAME TO numbers;
--- rename of a type
ALTER TYPE shipment_status RENAME TO status;
--- rename of an enum's value
ALTER TYPE shipment_status RENAME VALUE 'sent' TO 'shipped';
--- new value of an enum
ALTER TYPE shipment_status ADD VALUE 'lost';
--- new value of an enum in the tool's transaction
--- transaction
ALTER TYPE shipment_status ADD VALUE 'lost';
--- new value of an enum, used in the same transaction
--- transaction
ALTER TYPE shipment_status ADD VALUE 'lost';
UPDATE shipments SET status = 'lost' WHERE id = 5;
--- new value of an enum as a default in the same transaction
BEGIN;
ALTER TYPE shipment_status ADD VALUE IF NOT EXISTS 'lost' AFTER 'sent';
ALTER TABLE shipments ALTER COLUMN status SET DEFAULT 'lost';
COMMIT;
--- new value of an enum, used after its commit
ALTER TYPE shipment_status ADD VALUE 'lost';
UPDATE shipments SET status = 'lost' WHERE id = 5;
--- value of a new enum, used at once
--- transaction
CREATE TYPE size AS ENUM ('s', 'm');
CREATE TABLE boxes (id integer PRIMARY KEY, size size NOT NULL DEFAULT 's');
INSERT INTO boxes VALUES (1, 'm');
--- trigger
CREATE TRIGGER carriers_touch BEFORE UPDATE ON carriers FOR EACH ROW EXECUTE FUNCTION touch();
--- trigger that is switched off
ALTER TABLE shipments DISABLE TRIGGER ALL;
--- view
CREATE VIEW light AS SELECT id FROM shipments WHERE weight < 5;
--- replaced view
CREATE OR REPLACE VIEW shipment_list AS SELECT id, status, note FROM shipments;
--- function
CREATE FUNCTION twice(n integer) RETURNS integer LANGUAGE sql AS 'SELECT n * 2';
--- function with a body of statements
CREATE FUNCTION twice(n integer) RETURNS integer LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT n * 2; END;
--- function that would drop a table when it is called
CREATE FUNCTION cleanup() RETURNS void LANGUAGE plpgsql AS $$ BEGIN DROP TABLE shipments; END; $$;
--- table with everything
CREATE TABLE depots (id bigserial PRIMARY KEY, city text NOT NULL UNIQUE CHECK (city <> ''), extra json, at timestamptz DEFAULT clock_timestamp());
--- table by the likes of another
CREATE TABLE shipments_copy (LIKE shipments INCLUDING ALL);
--- extension
CREATE EXTENSION IF NOT EXISTS pg_trgm;
--- grant
GRANT SELECT ON shipments TO PUBLIC;
--- policy
CREATE POLICY mine ON shipments USING (true);
--- statistics
CREATE STATISTICS shipments_stats ON carrier_id, status FROM shipments;
--- sequence
CREATE SEQUENCE label_numbers;
--- schema
CREATE SCHEMA reporting;
--- comment
COMMENT ON TABLE shipments IS 'all of them; even the lost';
--- setting of a table
ALTER TABLE shipments SET (autovacuum_vacuum_scale_factor = 0.01);
--- unlogged
ALTER TABLE shipments SET UNLOGGED;
--- owner
ALTER TABLE shipments OWNER TO CURRENT_USER;
--- replica identity
ALTER TABLE shipments REPLICA IDENTITY FULL;
--- row security
ALTER TABLE shipments ENABLE ROW LEVEL SECURITY;
