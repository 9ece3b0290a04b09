-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY tolls_by_road ON tolls (road_id);

-- migrate:down transaction:false
DROP INDEX CONCURRENTLY tolls_by_road;
