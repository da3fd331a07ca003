"""What the REST interface answers of the running of the installation."""

from datetime import datetime

from pydantic import Field

from api.routes.models import Model


class DatabaseState(Model):
    """The database."""

    size_bytes: int = Field(examples=[48_234_496])
    server: str = Field(examples=["17.6"])
    timescaledb: str | None = Field(examples=["2.22.0"])
    started_at: datetime
    migration: str = Field(description="The newest that was applied", examples=["0023_x.sql"])
    migrations: int = Field(description="How many were applied")
    migrated_at: datetime


class Disk(Model):
    """The disk of the machine that serves."""

    size_bytes: int = Field(examples=[107_374_182_400])
    free_bytes: int = Field(examples=[64_424_509_440])


class QueueState(Model):
    """A queue."""

    name: str = Field(examples=["documents"])
    waiting: int = Field(examples=[2])
    oldest: datetime | None = Field(description="Since when the longest waits")
    failed: int = Field(description="Given up in the last seven days")


class JobState(Model):
    """A job with its newest run."""

    name: str = Field(examples=["facts"])
    started_at: datetime
    ended_at: datetime | None
    outcome: str = Field(description="done, failed, running or cut short", examples=["done"])
    error: str | None = Field(description="Why it failed")
    done_at: datetime | None = Field(description="When it last succeeded")
    failed_in_day: int = Field(description="Runs of the last 24 hours that failed")


class FailedPiece(Model):
    """A piece of a job's work that failed at its last try."""

    name: str = Field(examples=["facts"])
    piece: str = Field(examples=["DEMO-M/CNC-1"])
    failures: int = Field(description="How often in a row")
    error: str = Field(description="Why it failed last")
    failed_since: datetime
    next_try_at: datetime


class GatewayState(Model):
    """A gateway and its newest batch, without what is in it."""

    code: str = Field(examples=["gw-demo"])
    factory: str = Field(examples=["DEMO-M"])
    revoked_at: datetime | None
    seq: int | None = Field(description="The number of its newest batch")
    received_at: datetime | None
    clock_skew_s: float | None = Field(description="How far its clock was off then")


class System(Model):
    """How the installation runs."""

    at: datetime
    version: str = Field(examples=["0.1.0"])
    migrations: int = Field(description="How many this version brings")
    database: DatabaseState
    disk: Disk
    queues: list[QueueState]
    jobs: list[JobState]
    failed_pieces: list[FailedPiece] = Field(description="50 at most, longest first")
    gateways: list[GatewayState] = Field(description="200 at most, longest silent first")
    night_at: str = Field(description="When the night's run begins in the city")
    turn_s: int = Field(description="Between two turns of to-dos and letters")


class Letter(Model):
    """An e-mail or SMS that waits or failed, without what it says."""

    delivery_id: int = Field(examples=[12])
    channel: str = Field(examples=["email"])
    kind: str = Field(examples=["recall"])
    state: str = Field(examples=["failed"])
    attempts: int = Field(description="How often it was tried")
    sent_at: datetime = Field(description="When the message was made")
    next_try_at: datetime
    error: str | None = Field(description="Addresses in it are masked")
    address: str | None = Field(description="Masked", examples=["l***@example.com"])


class Outbox(Model):
    """Letters, newest first."""

    items: list[Letter]
    next_before: int | None = Field(description="Give this as `before` to get older ones")
