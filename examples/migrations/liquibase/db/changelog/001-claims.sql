--liquibase formatted sql

--changeset claims:create-claims
CREATE TABLE claims (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, shipment text NOT NULL);
--rollback DROP TABLE claims;

--changeset claims:index-claims-by-shipment runInTransaction:false
CREATE INDEX CONCURRENTLY claims_by_shipment ON claims (shipment);
--rollback DROP INDEX CONCURRENTLY claims_by_shipment;
