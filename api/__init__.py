"""REST interface and console of the cultivation pool."""
