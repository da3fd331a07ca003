"""The follow-up of the pool: its rules as data and small functions, and one service each."""
