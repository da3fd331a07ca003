-- A difficulty that a report names asks for help: one ticket for each item of a report.
ALTER TABLE pool.ticket
    ADD COLUMN report_id bigint REFERENCES pool.report,
    ADD COLUMN item      text,
    ADD CHECK ((report_id IS NULL) = (item IS NULL));
CREATE UNIQUE INDEX ticket_of_item ON pool.ticket (report_id, item);
