CREATE OR REPLACE VIEW open_invoices AS SELECT id, customer, cents FROM invoices WHERE due_on > current_date;
