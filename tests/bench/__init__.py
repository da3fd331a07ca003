"""The numbers that the design promises, measured as ratios within one run."""
