CREATE TABLE stops (
  route_id bigint NOT NULL REFERENCES routes (id),
  position integer NOT NULL,
  city text NOT NULL,
  PRIMARY KEY (route_id, position)
);
COMMENT ON TABLE stops IS 'Where a route halts, in order';
