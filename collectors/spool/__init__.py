"""What was read and is not yet known to be in the database."""
