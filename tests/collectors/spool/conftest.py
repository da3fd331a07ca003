"""A spool and its two ends."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.spool.outbox import Outbox
from collectors.spool.spool import Spool
from tests.collectors.spool.held import IDS, WIDE, make_outbox


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "spool.db"


@pytest.fixture
def spool(path: Path) -> Iterator[Spool]:
    opened = Spool(path, WIDE)
    yield opened
    opened.close()


@pytest.fixture
def outbox(path: Path, spool: Spool) -> Iterator[Outbox]:
    opened = make_outbox(path)
    opened.learn_tags(IDS)
    yield opened
    opened.close()
