CREATE INDEX CONCURRENTLY stops_by_city ON stops (city);
