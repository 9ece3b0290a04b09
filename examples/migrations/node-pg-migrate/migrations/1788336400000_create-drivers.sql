-- Up Migration
CREATE TABLE drivers (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL,
  vehicle_id integer REFERENCES vehicles (id)
);

-- Down Migration
DROP TABLE drivers;
