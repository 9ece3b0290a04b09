--- plain index
CREATE INDEX shipments_price ON shipments (price);
--- unique index
CREATE UNIQUE INDEX shipments_id2 ON shipments (id);
--- index without a name
CREATE INDEX ON shipments (price);
--- IF NOT EXISTS
CREATE INDEX IF NOT EXISTS shipments_price ON shipments (price);
--- index of an expression
CREATE INDEX shipments_lower ON shipments (lower(note));
--- partial index
CREATE INDEX shipments_open ON shipments (price) WHERE status = 'new';
--- hash
CREATE INDEX shipments_hash ON shipments USING hash (reference);
--- in another schema
CREATE INDEX invoices_total ON billing.invoices (total);
--- with its schema
CREATE INDEX shipments_price ON public.shipments (price);
--- partitioned table
CREATE INDEX events_kind ON events (kind);
--- only on the partitioned table
CREATE INDEX events_kind ON ONLY events (kind);
--- one partition
CREATE INDEX events_2025_kind ON events_2025 (kind);
--- materialized view
CREATE INDEX carrier_totals_carrier ON carrier_totals (carrier_id);
--- with INCLUDE
CREATE INDEX shipments_price ON shipments (price) INCLUDE (weight);
--- concurrently
CREATE INDEX CONCURRENTLY shipments_price ON shipments (price);
--- unique, concurrently
CREATE UNIQUE INDEX CONCURRENTLY carriers_name ON carriers (name);
--- concurrently in the tool's transaction
--- transaction
CREATE INDEX CONCURRENTLY shipments_price ON shipments (price);
--- concurrently in a transaction of its own
BEGIN;
CREATE INDEX CONCURRENTLY shipments_price ON shipments (price);
COMMIT;
--- concurrently on a partitioned table
CREATE INDEX CONCURRENTLY events_kind ON events (kind);
--- new table
CREATE TABLE depots (id integer PRIMARY KEY, city text);
CREATE INDEX depots_city ON depots (city);
--- new table in the tool's transaction
--- transaction
CREATE TABLE depots (id integer PRIMARY KEY, city text);
CREATE UNIQUE INDEX depots_city ON depots (city);
--- IF NOT EXISTS table that is there
CREATE TABLE IF NOT EXISTS shipments (id integer);
CREATE INDEX shipments_price ON shipments (price);
--- temporary table
CREATE TEMP TABLE ids AS SELECT 1 AS id;
CREATE INDEX ON ids (id);
--- table made by a query
CREATE TABLE heavy AS SELECT id, weight FROM shipments WHERE id < 100;
CREATE INDEX ON heavy (weight);
--- small table
CREATE INDEX settings_value ON settings (value);
--- drop
--- weaker: DROP INDEX CONCURRENTLY shipments_reference
DROP INDEX shipments_reference;
--- drop, if it exists
--- weaker: DROP INDEX CONCURRENTLY IF EXISTS shipments_reference
DROP INDEX IF EXISTS shipments_reference;
--- drop in another schema
--- weaker: DROP INDEX CONCURRENTLY billing.invoices_shipment
DROP INDEX billing.invoices_shipment;
--- drop concurrently
DROP INDEX CONCURRENTLY shipments_reference;
--- drop concurrently in a transaction
--- transaction
DROP INDEX CONCURRENTLY shipments_reference;
--- drop of an index that ON CONFLICT needs
DROP INDEX CONCURRENTLY shipments_tracking;
--- drop of a new table's index
CREATE TABLE depots (id integer PRIMARY KEY, city text);
CREATE INDEX depots_city ON depots (city);
DROP INDEX depots_city;
--- reindex a table
REINDEX TABLE shipments;
--- reindex an index
REINDEX INDEX shipments_reference;
--- reindex a schema
REINDEX SCHEMA billing;
--- reindex concurrently
REINDEX TABLE CONCURRENTLY shipments;
--- reindex concurrently, as an option
REINDEX (CONCURRENTLY) INDEX shipments_reference;
--- reindex an index concurrently in a transaction
--- transaction
REINDEX INDEX CONCURRENTLY shipments_reference;
--- rename of an index
ALTER INDEX shipments_reference RENAME TO shipments_by_reference;
--- fill factor of an index
ALTER INDEX shipments_reference SET (fillfactor = 70);
--- two indexes, one of them plain
CREATE INDEX CONCURRENTLY shipments_price ON shipments (price);
CREATE INDEX shipments_weight ON shipments (weight);
