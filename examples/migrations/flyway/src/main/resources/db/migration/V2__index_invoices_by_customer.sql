CREATE INDEX CONCURRENTLY invoices_by_customer ON invoices (customer);
