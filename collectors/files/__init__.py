"""Files: records and values that systems export into a folder."""
