"""Energy beyond the formulas: which factor counts, what registers contradict, what was saved."""
