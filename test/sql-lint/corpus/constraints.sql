--- check
ALTER TABLE shipments ADD CONSTRAINT light CHECK (weight < 500);
--- check without a name
ALTER TABLE shipments ADD CHECK (weight < 500);
--- check, not valid
ALTER TABLE shipments ADD CONSTRAINT light CHECK (weight < 500) NOT VALID;
--- validated by itself
ALTER TABLE shipments VALIDATE CONSTRAINT shipments_weight_limit;
--- added and validated in the tool's transaction
--- transaction
ALTER TABLE shipments ADD CONSTRAINT light CHECK (weight < 500) NOT VALID;
ALTER TABLE shipments VALIDATE CONSTRAINT light;
--- added and validated one after the other
ALTER TABLE shipments ADD CONSTRAINT light CHECK (weight < 500) NOT VALID;
ALTER TABLE shipments VALIDATE CONSTRAINT light;
--- added and validated in one statement
ALTER TABLE shipments ADD CONSTRAINT light CHECK (weight < 500) NOT VALID, VALIDATE CONSTRAINT shipments_weight_limit;
--- added and validated in transactions of their own
BEGIN;
ALTER TABLE shipments ADD CONSTRAINT light CHECK (weight < 500) NOT VALID;
COMMIT;
BEGIN;
ALTER TABLE shipments VALIDATE CONSTRAINT light;
COMMIT;
--- validated under the lock of another command
BEGIN;
ALTER TABLE shipments ADD COLUMN color text;
ALTER TABLE shipments VALIDATE CONSTRAINT shipments_weight_limit;
COMMIT;
--- check on a new table
CREATE TABLE depots (id integer PRIMARY KEY);
ALTER TABLE depots ADD CONSTRAINT positive_id CHECK (id > 0);
--- check on a small table
ALTER TABLE settings ADD CONSTRAINT filled CHECK (key <> '');
--- foreign key
ALTER TABLE shipments ADD CONSTRAINT shipments_carrier_fk FOREIGN KEY (carrier_id) REFERENCES carriers (id);
--- foreign key without a name
ALTER TABLE shipments ADD FOREIGN KEY (carrier_id) REFERENCES carriers;
--- foreign key, not valid
ALTER TABLE shipments ADD CONSTRAINT shipments_carrier_fk FOREIGN KEY (carrier_id) REFERENCES carriers (id) NOT VALID;
--- foreign key, validated apart
ALTER TABLE shipments ADD CONSTRAINT shipments_carrier_fk FOREIGN KEY (carrier_id) REFERENCES carriers (id) NOT VALID;
ALTER TABLE shipments VALIDATE CONSTRAINT shipments_carrier_fk;
--- foreign key, validated in the same transaction
--- transaction
ALTER TABLE shipments ADD CONSTRAINT shipments_carrier_fk FOREIGN KEY (carrier_id) REFERENCES carriers (id) NOT VALID;
ALTER TABLE shipments VALIDATE CONSTRAINT shipments_carrier_fk;
--- foreign key inside a new table
CREATE TABLE labels (id integer PRIMARY KEY, shipment_id integer NOT NULL REFERENCES shipments (id));
--- foreign key of a new table, added afterwards
--- transaction
CREATE TABLE labels (id integer PRIMARY KEY, shipment_id integer NOT NULL);
ALTER TABLE labels ADD CONSTRAINT labels_shipment FOREIGN KEY (shipment_id) REFERENCES shipments (id);
--- foreign key with a new column
ALTER TABLE billing.invoices ADD COLUMN carrier_id integer REFERENCES carriers (id);
--- foreign key with a new column and default
ALTER TABLE billing.invoices ADD COLUMN carrier_id integer DEFAULT 1 REFERENCES carriers (id);
--- foreign key of a partitioned table
ALTER TABLE events ADD CONSTRAINT events_shipment FOREIGN KEY (shipment_id) REFERENCES shipments (id);
--- foreign key of a partition, not valid
ALTER TABLE events_2025 ADD CONSTRAINT events_shipment FOREIGN KEY (shipment_id) REFERENCES shipments (id) NOT VALID;
--- unique
ALTER TABLE shipments ADD CONSTRAINT shipments_price_key UNIQUE (price);
--- unique without a name
ALTER TABLE carriers ADD UNIQUE (name, phone);
--- unique, using an index
--- setup: CREATE UNIQUE INDEX shipments_price_key ON shipments (price)
ALTER TABLE shipments ADD CONSTRAINT shipments_price_key UNIQUE USING INDEX shipments_price_key;
--- unique the safe way
CREATE UNIQUE INDEX CONCURRENTLY shipments_price_key ON shipments (price);
ALTER TABLE shipments ADD CONSTRAINT shipments_price_key UNIQUE USING INDEX shipments_price_key;
--- primary key
--- setup: ALTER TABLE events_2024 ADD COLUMN nr integer NOT NULL GENERATED ALWAYS AS IDENTITY
ALTER TABLE events_2024 ADD PRIMARY KEY (nr);
--- primary key, using an index of a column that is NOT NULL
--- setup: CREATE UNIQUE INDEX events_2024_key ON events_2024 (id)
ALTER TABLE events_2024 ADD CONSTRAINT events_2024_key PRIMARY KEY USING INDEX events_2024_key;
--- primary key, using an index of a column that may be NULL
--- setup: CREATE TABLE copy AS SELECT price, padding FROM shipments
--- setup: CREATE UNIQUE INDEX copy_key ON copy (price)
ALTER TABLE copy ADD CONSTRAINT copy_key PRIMARY KEY USING INDEX copy_key;
--- exclusion
ALTER TABLE carriers ADD CONSTRAINT one_name EXCLUDE USING btree (name WITH =);
--- exclusion by gist
ALTER TABLE carriers ADD EXCLUDE USING gist (id WITH =);
--- unique on a new table
--- transaction
CREATE TABLE depots (id integer, city text);
ALTER TABLE depots ADD PRIMARY KEY (id), ADD UNIQUE (city);
--- set not null
ALTER TABLE shipments ALTER COLUMN price SET NOT NULL;
--- set not null, proven
ALTER TABLE shipments ALTER COLUMN note SET NOT NULL;
--- set not null, proven in the script
--- setup: ALTER TABLE shipments ALTER COLUMN reference SET DEFAULT ''
ALTER TABLE shipments ADD CONSTRAINT reference_there CHECK (reference IS NOT NULL) NOT VALID;
ALTER TABLE shipments VALIDATE CONSTRAINT reference_there;
ALTER TABLE shipments ALTER COLUMN reference SET NOT NULL;
ALTER TABLE shipments DROP CONSTRAINT reference_there;
--- set not null, with a check that nobody validated
--- setup: ALTER TABLE shipments ADD CONSTRAINT price_there CHECK (price IS NOT NULL) NOT VALID
ALTER TABLE shipments ALTER COLUMN price SET NOT NULL;
--- not null as a check, which the running version does not keep
ALTER TABLE shipments ADD CONSTRAINT price_there CHECK (price IS NOT NULL) NOT VALID;
--- set not null on a column that is so already
ALTER TABLE shipments ALTER COLUMN weight SET NOT NULL;
--- set not null on a new table
CREATE TABLE depots (id integer, city text);
ALTER TABLE depots ALTER COLUMN city SET NOT NULL;
--- domain
ALTER DOMAIN email_address ADD CONSTRAINT has_at CHECK (VALUE LIKE '%@%');
--- domain, not valid
ALTER DOMAIN email_address ADD CONSTRAINT has_at CHECK (VALUE LIKE '%@%') NOT VALID;
--- domain, validated later
--- setup: ALTER DOMAIN email_address ADD CONSTRAINT has_at CHECK (VALUE LIKE '%@%') NOT VALID
ALTER DOMAIN email_address VALIDATE CONSTRAINT has_at;
--- new domain with a constraint
CREATE DOMAIN zip AS text CHECK (VALUE ~ '^[0-9]{5}$');
--- new domain, then a constraint
CREATE DOMAIN zip AS text;
ALTER DOMAIN zip ADD CONSTRAINT digits CHECK (VALUE ~ '^[0-9]{5}$');
--- drop of a check
ALTER TABLE shipments DROP CONSTRAINT shipments_price_positive;
--- drop of a foreign key
ALTER TABLE billing.invoices DROP CONSTRAINT invoices_shipment;
--- drop of a unique constraint
ALTER TABLE carriers DROP CONSTRAINT carriers_code_key;
--- drop of a primary key
ALTER TABLE settings DROP CONSTRAINT settings_pkey;
--- rename of a constraint
ALTER TABLE carriers RENAME CONSTRAINT carriers_code_key TO carriers_code_unique;
