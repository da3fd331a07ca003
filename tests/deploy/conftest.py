"""Fixtures for programs that Millpond runs itself."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import store
from deploy.embedded import EmbeddedPostgres
from tests.support.database import scratch_home, throwaway_cluster


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every account may enter."""
    made = scratch_home("deploy")
    made.mkdir()
    made.chmod(0o755)
    yield made
    _remove_with_targets(made)


@pytest.fixture(scope="session")
def made_cluster() -> Iterator[Path]:
    """The stopped home of a cluster that holds one row; copying it is faster than making one."""
    with throwaway_cluster() as cluster:
        with closing(store.connect(cluster.url())) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        cluster.stop()
        yield cluster.home


@pytest.fixture
def closed_folder(folder: Path) -> Path:
    """A folder that only we may enter."""
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    return closed


def copied(made_cluster: Path, home: Path) -> EmbeddedPostgres:
    """Return a stopped cluster in `home` that holds what the made one holds."""
    subprocess.run(["cp", "--archive", str(made_cluster), str(home)], check=True, timeout=60)
    return EmbeddedPostgres(home, durable=False)


def _remove_with_targets(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_symlink() and os.path.isdir(path):
            shutil.rmtree(path.resolve())
    shutil.rmtree(folder)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the whole demo last: it takes both cores, and others wait for conditions in time."""
    items.sort(key=lambda item: item.path.name == "test_demo_whole.py")
