ALTER TABLE couriers ADD COLUMN city text;
