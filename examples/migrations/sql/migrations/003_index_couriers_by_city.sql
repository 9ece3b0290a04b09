-- migrate-db: no-transaction
CREATE INDEX CONCURRENTLY couriers_by_city ON couriers (city);
