"""The feed sent to the bureau's other systems, signed, in order, and again until it arrives."""
