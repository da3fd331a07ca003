"""The gateway file: its tables, its keys, and what is wrong with them."""
