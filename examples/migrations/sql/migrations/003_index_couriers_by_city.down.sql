-- migrate-db: no-transaction
DROP INDEX CONCURRENTLY couriers_by_city;
