"""A host for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.collectors.sparkplug.hosting import Feed


@pytest.fixture
def feed(tmp_path: Path) -> Iterator[Feed]:
    """A host that knows nothing yet."""
    opened = Feed(tmp_path)
    yield opened
    opened.close()
