"""Whether batches are still what their gateways signed: content, hash chain and signature."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import store
from kpi.provenance.basis import Problem
from store import provenance, retention, signing
from store.batch_content import span
from store.canonical import FIRST_PREVIOUS, Record, Rows, canonical_bytes, chain_hash
from store.provenance import BatchRecord, Keys, LedgerRow

# About 60 MB of rows at a time, whatever a factory has sent.
MOST_ROWS = 500_000
_PAGE = 10_000
# Of how many altered batches the content is kept for a closer look.
_MOST_ALTERED = 20
_MOST_PROBLEMS = 500

Tell = Callable[[int, int], Any]


@dataclass(slots=True)
class Content:
    """What is stored of one batch: its rows and its records as canonical bytes."""

    batch: LedgerRow
    rows: Rows
    records: bytes

    def hash_with(self, rows: Rows) -> bytes:
        """Return the hash that the batch would have with these rows."""
        return chain_hash(self.batch.prev_sha256, canonical_bytes(rows) + self.records)


@dataclass(slots=True)
class Checked:
    """What the check of some batches found; altered ones keep their content for a closer look."""

    batches: int = 0
    rows: int = 0
    # Problems beyond those that are named.
    more: int = 0
    problems: list[Problem] = field(default_factory=list)
    incomplete: list[str] = field(default_factory=list)
    altered: list[Content] = field(default_factory=list)
    # Rows before it were dropped, and how many batches lack some of theirs therefore.
    rows_from: datetime | None = None
    retired: int = 0


def check(
    conn: store.Connection,
    factory_id: int,
    numbers: Sequence[int] | None,
    tell: Tell | None = None,
) -> Checked:
    """Work out the hash of each batch again, of all or those numbered; verify chain and signature.

    The ledger is read page by page, and of rows a bounded number at a time.
    """
    found = Checked()
    known = retention.horizon(conn, factory_id)
    found.rows_from = None if known is None else known.rows_from
    keys = provenance.keys(conn, factory_id)
    total = provenance.count_batches(conn, factory_id) if numbers is None else len(numbers)
    page = provenance.ledger(conn, factory_id, numbers, most=_PAGE)
    while page:
        for part in parts(page):
            _check_part(conn, factory_id, part, keys, found)
            found.more += len(found.problems[_MOST_PROBLEMS:])
            del found.problems[_MOST_PROBLEMS:]
            if tell is not None:
                tell(found.batches, total)
        page = provenance.ledger(conn, factory_id, numbers, after=page[-1].batch_id, most=_PAGE)
    if found.retired:
        found.incomplete.append(
            f"{found.retired} batches have rows from before {found.rows_from:%Y-%m-%d}, which are "
            "no longer kept: chain and signatures hold by the ledger, their content cannot be "
            "worked out again"
        )
    if found.more:
        said = f"and {found.more} more problems of batches"
        found.problems.append(Problem("more", "batches", said))
    return found


def parts(batches: Sequence[LedgerRow]) -> Iterator[list[LedgerRow]]:
    """Cut batches, in the order in which they came, so that each part has few rows."""
    part: list[LedgerRow] = []
    rows = 0
    for batch in batches:
        if part and rows + batch.row_count > MOST_ROWS:
            yield part
            part, rows = [], 0
        part.append(batch)
        rows += batch.row_count
    if part:
        yield part


def foreign_keys(conn: store.Connection, factory_id: int) -> Iterator[Problem]:
    """Yield the gateways of a factory whose key is not the one that was enrolled last."""
    for code, keys in provenance.keys(conn, factory_id).items():
        if keys.enrolments and keys.enrolments[-1].public_key != keys.current:
            yield Problem(
                "key",
                code,
                f"the key of {code} is not the one that was enrolled last: "
                f"{fingerprint(keys.current)} instead of "
                f"{fingerprint(keys.enrolments[-1].public_key)}",
            )


def signed_by(batch: LedgerRow, keys: Keys) -> tuple[bytes, bool]:
    """Return the key that a batch had to be signed with, and whether it was."""
    before = [each for each in keys.enrolments if each.at <= batch.received_at]
    key = before[-1].public_key if before else keys.current
    return key, signing.verify(key, batch.sha256, batch.signature)


def fingerprint(key: bytes) -> str:
    """Return the SHA-256 fingerprint of a public key, as a person compares it."""
    return hashlib.sha256(key).hexdigest()[:32]


def _check_part(
    conn: store.Connection,
    factory_id: int,
    part: list[LedgerRow],
    keys: Mapping[str, Keys],
    found: Checked,
) -> None:
    rows = provenance.batch_rows(conn, factory_id, part)
    ids = [batch.batch_id for batch in part if batch.record_count]
    signed = provenance.signed_records(conn, ids)
    versions = provenance.records_of(conn, ids)
    for batch in part:
        found.batches += 1
        own = rows.get(batch.batch_id, Rows.empty())
        found.rows += len(own)
        found.problems += _chain(batch, keys[batch.gateway])
        records = signed.get(batch.batch_id)
        own_versions = versions.get(batch.batch_id, [])
        if records is None:
            records = _from_versions(own_versions)
        else:
            found.problems += _records(conn, factory_id, batch, records, own_versions)
        _content(Content(batch, own, records), len(own_versions), batch.batch_id in signed, found)


def _chain(batch: LedgerRow, keys: Keys) -> Iterator[Problem]:
    key, signature_holds = signed_by(batch, keys)
    if not signature_holds:
        yield Problem(
            "signature",
            batch.name,
            f"{batch.name}: the signature does not belong to its hash and the key "
            f"{fingerprint(key)} that was enrolled when it came",
        )
    before = FIRST_PREVIOUS if batch.seq == 1 else batch.before
    if before is None:
        said = f"batch {batch.seq - 1} of {batch.gateway} is missing: {batch.name} follows it"
        yield Problem("chain", batch.name, said)
    elif before != batch.prev_sha256:
        yield Problem(
            "chain", batch.name, f"{batch.name} does not follow the hash of the batch before it"
        )


def _content(content: Content, versions: int, records_known: bool, found: Checked) -> None:
    """Compare the hash; where the ledger never listed all content, say so instead."""
    batch = content.batch
    if content.hash_with(content.rows) == batch.sha256:
        found.problems += _ledger(content)
        return
    missing = batch.row_count - len(content.rows)
    if found.rows_from and batch.first_ts and batch.first_ts < found.rows_from and missing > 0:
        found.retired += 1
        return
    if batch.absorbed and missing == batch.absorbed:
        found.incomplete.append(
            f"{batch.name}: {missing} repeated rows were counted but not listed when it came; "
            "its hash cannot be worked out again"
        )
    elif not records_known and versions != batch.record_count:
        found.incomplete.append(
            f"{batch.name}: {batch.record_count - versions} repeated records were not listed "
            "when it came; its hash cannot be worked out again"
        )
    elif missing == batch.row_count and batch.row_count > 0:
        found.problems.append(_altered(batch, "none of its rows is stored any more"))
    elif missing:
        words = f"{abs(missing)} rows too {'few' if missing > 0 else 'many'}"
        _keep(found, content, f"{len(content.rows)} rows are stored, {words}")
    else:
        _keep(found, content, "what is stored is not what was signed")


def _keep(found: Checked, content: Content, what: str) -> None:
    found.problems.append(_altered(content.batch, what))
    if len(found.altered) < _MOST_ALTERED:
        found.altered.append(content)


def _ledger(content: Content) -> Iterator[Problem]:
    """Compare what the ledger says of a batch with its rows, whose hash is right."""
    batch, rows = content.batch, content.rows
    first, last = span(rows)
    said = {"row_count": batch.row_count, "first_ts": batch.first_ts, "last_ts": batch.last_ts}
    for name, right in (("row_count", len(rows)), ("first_ts", first), ("last_ts", last)):
        if said[name] != right:
            what = f"{name} is {said[name]} in the ledger, its rows give {right}"
            yield Problem("ledger", batch.name, f"{batch.name}: {what}")


def _altered(batch: LedgerRow, what: str) -> Problem:
    return Problem("content", batch.name, f"{batch.name}: {what}; its hash does not follow")


def _from_versions(versions: Sequence[BatchRecord]) -> bytes:
    records = [Record(each.kind, each.key, each.at, each.body) for each in versions]
    return canonical_bytes(Rows.empty(), records)


def signed_entries(content: bytes) -> list[tuple[str, str, str, Any]]:
    """Return kind, key, time and body of records from their canonical bytes."""
    found, at = [], 0
    while at + 4 <= len(content):
        length = int.from_bytes(content[at : at + 4], "big")
        kind, key, time, body = json.loads(content[at + 4 : at + 4 + length])
        found.append((kind, key, time, body))
        at += 4 + length
    return found


def _records(
    conn: store.Connection,
    factory_id: int,
    batch: LedgerRow,
    content: bytes,
    versions: Sequence[BatchRecord],
) -> Iterator[Problem]:
    """Yield the record versions that differ from what was signed or are gone, by their names."""
    try:
        entries = signed_entries(content)
    except (ValueError, TypeError) as error:
        where = f"records of {batch.name}"
        yield Problem("record", where, f"{where} cannot be read as they were signed: {error}")
        return
    signed = {_form(*entry) for entry in entries}
    own = {(each.kind, each.key): each for each in versions}
    stored = {_form(each.kind, each.key, each.at.isoformat(), each.body) for each in versions}
    for each in versions:
        if _form(each.kind, each.key, each.at.isoformat(), each.body) not in signed:
            where = f"record {each.kind} {each.key} version {each.version}"
            yield Problem(
                "record", where, f"{where} of {batch.name} is not what the gateway signed"
            )
    # What was signed and made no version here must be what an earlier version says.
    repeated = [
        (kind, key, body)
        for kind, key, at, body in entries
        if _form(kind, key, at, body) not in stored and (kind, key) not in own
    ]
    for kind, key in provenance.records_gone(conn, factory_id, repeated) if repeated else ():
        where = f"record {kind} {key}"
        yield Problem("record", where, f"{where} came in {batch.name} and is not stored any more")


def _form(kind: str, key: str, at: str, body: Any) -> str:
    return json.dumps([kind, key, at, _plain(body)], sort_keys=True)


def _plain(value: Any) -> Any:
    """Make equal numbers equal texts: jsonb keeps the number, not how it was written."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
