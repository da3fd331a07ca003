"""Settings of the property tests."""

from hypothesis import settings

# No time limit: a busy machine is no failure. No example store: a test leaves no file behind.
settings.register_profile("millpond", deadline=None, database=None)
settings.load_profile("millpond")
