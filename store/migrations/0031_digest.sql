-- E-mail as one letter each morning, for those who want it so.

ALTER TABLE auth.contact ADD COLUMN wants_digest boolean NOT NULL DEFAULT false;
GRANT UPDATE (wants_digest) ON auth.contact TO millpond_app;
