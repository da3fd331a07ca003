"""Backups of the database: one file each, checked when it is written and when it is restored."""
