-- migrate:up
CREATE TABLE tolls (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  road_id bigint NOT NULL REFERENCES roads (id),
  axles integer NOT NULL,
  cents integer NOT NULL
);

-- migrate:down
DROP TABLE tolls;
