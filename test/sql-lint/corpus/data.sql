--- one row
UPDATE shipments SET note = 'x' WHERE id = 5;
--- rows by a list
UPDATE shipments SET note = 'x' WHERE id IN (1, 2, 3);
--- rows by a range of the key
UPDATE shipments SET note = 'x' WHERE id BETWEEN 1 AND 500;
--- all rows
UPDATE shipments SET note = 'x';
--- all rows, with a condition that says nothing
UPDATE shipments SET note = 'x' WHERE true;
--- rows that are like it
UPDATE shipments SET price = 1 WHERE status = 'new';
--- backfill
UPDATE shipments SET email = 'x@y.example' WHERE email IS NOT NULL;
--- backfill from another table
UPDATE shipments s SET note = c.name FROM carriers c WHERE c.id = s.carrier_id;
--- one step of a backfill
UPDATE shipments SET note = 'x' WHERE id IN (SELECT id FROM shipments WHERE note <> 'x' LIMIT 500);
--- one step of a backfill by ctid
UPDATE shipments SET note = 'x' WHERE ctid = ANY (ARRAY(SELECT ctid FROM shipments WHERE note <> 'x' LIMIT 500));
--- unique column
UPDATE carriers SET name = 'x' WHERE code = 'C5';
--- key and more
UPDATE shipments SET note = 'x' WHERE id = 5 AND status = 'new';
--- update inside WITH
WITH moved AS (UPDATE shipments SET note = 'x' RETURNING id) SELECT count(*) FROM moved;
--- small table
UPDATE settings SET value = 'x';
--- setting by its key
UPDATE settings SET value = 'light' WHERE key = 'theme';
--- new table
--- transaction
CREATE TABLE depots (id integer PRIMARY KEY, city text);
INSERT INTO depots SELECT i, 'x' FROM generate_series(1, 2000) i;
UPDATE depots SET city = 'y';
--- delete one row
DELETE FROM carriers WHERE id = 5;
--- delete all rows
DELETE FROM billing.invoices;
--- delete what is old
DELETE FROM events WHERE at < '2026-01-01';
--- delete in steps
DELETE FROM billing.invoices WHERE id IN (SELECT id FROM billing.invoices WHERE total < 5000 LIMIT 500);
--- delete by another table
DELETE FROM billing.invoices i USING shipments s WHERE s.id = i.shipment_id AND s.weight > 1;
--- insert
INSERT INTO settings VALUES ('color', 'blue');
--- upsert
INSERT INTO settings VALUES ('theme', 'blue') ON CONFLICT (key) DO UPDATE SET value = excluded.value;
--- insert from another table
INSERT INTO events_2024 SELECT id, id, '2024-01-01' FROM shipments;
--- read
SELECT count(*) FROM shipments;
--- sequence set
SELECT setval('invoice_numbers', 100000);
--- truncate
TRUNCATE billing.invoices;
--- truncate of several
TRUNCATE TABLE billing.invoices, shipments;
--- truncate with what refers to it
TRUNCATE shipments CASCADE;
--- truncate of a new table
CREATE TABLE depots (id integer);
TRUNCATE depots;
--- lock by hand
--- transaction
--- weaker: SELECT count(*) FROM shipments
LOCK TABLE shipments IN ACCESS EXCLUSIVE MODE;
SELECT count(*) FROM shipments;
--- lock that lets others work
--- transaction
LOCK TABLE shipments IN ROW EXCLUSIVE MODE;
--- vacuum
VACUUM shipments;
--- vacuum and analyze
VACUUM (ANALYZE) shipments;
--- vacuum full
VACUUM FULL shipments;
--- vacuum full as an option
VACUUM (FULL, ANALYZE) carriers;
--- vacuum full of a small table
VACUUM FULL settings;
--- vacuum in a transaction
--- transaction
VACUUM shipments;
--- analyze
ANALYZE shipments;
--- analyze in a transaction
--- transaction
ANALYZE shipments;
--- cluster
CLUSTER shipments USING shipments_reference;
--- cluster mark
ALTER TABLE shipments CLUSTER ON shipments_reference;
--- refresh
REFRESH MATERIALIZED VIEW carrier_totals;
--- refresh concurrently
REFRESH MATERIALIZED VIEW CONCURRENTLY carrier_totals;
--- refresh without data
REFRESH MATERIALIZED VIEW carrier_totals WITH NO DATA;
--- new materialized view
CREATE MATERIALIZED VIEW totals AS SELECT carrier_id, sum(weight) FROM shipments GROUP BY carrier_id;
--- attach a partition with rows
ALTER TABLE events ATTACH PARTITION events_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
--- attach a partition whose check says the same
--- setup: ALTER TABLE events_2024 ADD CONSTRAINT bounds CHECK (at IS NOT NULL AND at >= '2024-01-01' AND at < '2025-01-01')
ALTER TABLE events ATTACH PARTITION events_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
--- attach a new table
CREATE TABLE events_2027 (LIKE events INCLUDING DEFAULTS);
ALTER TABLE events ATTACH PARTITION events_2027 FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');
--- partition created in place
--- weaker: CREATE TABLE events_2027 (LIKE events INCLUDING DEFAULTS); ALTER TABLE events ATTACH PARTITION events_2027 FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')
CREATE TABLE events_2027 PARTITION OF events FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');
--- detach
--- weaker: ALTER TABLE events DETACH PARTITION events_2026 CONCURRENTLY
ALTER TABLE events DETACH PARTITION events_2026;
--- detach of what the running version reads
--- weaker: ALTER TABLE events DETACH PARTITION events_2025 CONCURRENTLY
ALTER TABLE events DETACH PARTITION events_2025;
--- detach concurrently
--- setup: CREATE TABLE events_2030 PARTITION OF events FOR VALUES FROM ('2030-01-01') TO ('2031-01-01')
ALTER TABLE events DETACH PARTITION events_2030 CONCURRENTLY;
--- detach concurrently in a transaction
--- transaction
ALTER TABLE events DETACH PARTITION events_2026 CONCURRENTLY;
--- new partitioned table
CREATE TABLE readings (id integer, at date) PARTITION BY RANGE (at);
CREATE TABLE readings_2026 PARTITION OF readings FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE INDEX readings_at ON readings (at);
