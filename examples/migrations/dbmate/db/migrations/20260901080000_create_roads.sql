-- migrate:up
CREATE TABLE roads (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE);

-- migrate:down
DROP TABLE roads;
