"""Store of uploads: one query per function; a source sees only its own.

Writing or ingesting a file requires a hold that expires, so that another worker can take over.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.engine import to_json
from gateway.db.locks import LockNamespace, lock_named
from gateway.db.statements import Statement
from gateway.disclosure.ids import new_id
from gateway.ingest.readers.column_map import ColumnMap
from gateway.records.tables import UploadRow
from gateway.records.tus import UploadMetadata

UNFINISHED_LIFETIME: Final = timedelta(hours=24)
FINISHED_LIFETIME: Final = timedelta(days=7)
MAX_UNFINISHED: Final = 20
MAX_FINISHED: Final = 500
"""Finished uploads kept per source, with their lists; the oldest are deleted first."""
PAGE: Final = 100

_HELD_BYTES: Final = Statement("""
    SELECT count(*) AS files, coalesce(sum(length), 0) AS bytes FROM intake_upload
    WHERE source_id = :source AND state IN ('receiving', 'queued', 'running')""")
_FIND: Final = Statement("""
    SELECT * FROM intake_upload WHERE upload_id = :upload_id AND source_id = :source""")
_LIST: Final = Statement("""
    SELECT * FROM intake_upload WHERE source_id = :source
    ORDER BY created_at DESC, upload_id LIMIT :limit""")
_HOLD: Final = Statement("""
    UPDATE intake_upload SET holder = :holder, held_until = :until
    WHERE upload_id = :upload_id AND source_id = :source AND state = 'receiving'
      AND received = :offset AND expires_at > :now
      AND (held_until IS NULL OR held_until <= :now)
    RETURNING upload_id""")
_ADVANCE: Final = Statement("""
    UPDATE intake_upload
    SET received = received + :more, holder = NULL, held_until = NULL,
        expires_at = CASE WHEN CAST(:more AS bigint) > 0 THEN :expires_at ELSE expires_at END,
        state = CASE WHEN received + :more = length THEN 'queued' ELSE state END,
        completed_at = CASE WHEN received + :more = length THEN CAST(:now AS timestamptz) END
    WHERE upload_id = :upload_id AND holder = :holder
    RETURNING *""")
_DROP: Final = Statement("""
    DELETE FROM intake_upload
    WHERE upload_id = :upload_id AND source_id = :source AND state <> 'running'
      AND (held_until IS NULL OR held_until <= :now)
    RETURNING upload_id""")
_CLAIM: Final = Statement("""
    UPDATE intake_upload
    SET state = 'running', holder = :holder, held_until = :until, attempts = attempts + 1
    WHERE upload_id = (
        SELECT upload_id FROM intake_upload
        WHERE (state = 'queued' AND (held_until IS NULL OR held_until <= :now))
           OR (state = 'running' AND held_until <= :now)
        ORDER BY completed_at LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING *""")
_KEEP: Final = Statement("""
    UPDATE intake_upload
    SET held_until = :until, counts = coalesce(CAST(:counts AS jsonb), counts)
    WHERE upload_id = :upload_id AND holder = :holder RETURNING upload_id""")
_LATER: Final = Statement("""
    UPDATE intake_upload
    SET state = 'queued', holder = NULL, held_until = :until,
        attempts = CASE WHEN CAST(:counts AS boolean) THEN attempts ELSE attempts - 1 END
    WHERE upload_id = :upload_id AND holder = :holder""")
_FINISH: Final = Statement("""
    UPDATE intake_upload
    SET state = :state, sentence = :sentence, sentence_zh = :sentence_zh,
        counts = CAST(:counts AS jsonb), holder = NULL, held_until = NULL, expires_at = :expires_at
    WHERE upload_id = :upload_id AND holder = :holder RETURNING upload_id""")
_EXPIRED: Final = Statement("""
    DELETE FROM intake_upload
    WHERE expires_at <= :now AND state IN ('receiving', 'done', 'stopped')
      AND (held_until IS NULL OR held_until <= :now)
    RETURNING upload_id""")
_TOO_MANY: Final = Statement("""
    DELETE FROM intake_upload WHERE upload_id IN (
        SELECT f.upload_id FROM (
            SELECT upload_id, row_number() OVER (
                       PARTITION BY source_id ORDER BY created_at DESC, upload_id) AS place
            FROM intake_upload WHERE state IN ('done', 'stopped')) AS f
        WHERE f.place > :most)
    RETURNING upload_id""")
_KNOWN: Final = Statement("""
    SELECT upload_id FROM intake_upload WHERE upload_id = ANY(CAST(:ids AS text[]))""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One uploaded file; `counts` are those of its job when last recorded."""

    upload_id: str
    source_id: str
    dataset: str
    format: str
    encoding: str
    file_name: str | None
    length: int
    received: int
    sha256: bytes
    state: str
    sentence: str | None
    sentence_zh: str | None
    columns: ColumnMap | None
    """The department's own names of columns."""
    ignore_unknown: bool
    sheet: str | None
    """The sheet of a workbook."""
    counts: Mapping[str, Any] | None
    attempts: int
    holder: str | None
    held_until: datetime | None
    created_at: datetime
    completed_at: datetime | None
    expires_at: datetime


async def create(
    connection: AsyncConnection,
    source: str,
    metadata: UploadMetadata,
    *,
    most_bytes: int,
    now: datetime,
) -> Upload | None:
    """Create an upload; `None` if the source's unfinished files leave no room."""
    await lock_named(connection, LockNamespace.UPLOADS, source)
    held = (await connection.execute(_HELD_BYTES, {"source": source})).one()
    if held.files >= MAX_UNFINISHED or held.bytes + metadata.length > most_bytes:
        return None
    upload_id = new_id("upl")
    await connection.execute(
        insert(UploadRow).values(
            **asdict(metadata),
            upload_id=upload_id,
            source_id=source,
            received=0,
            state="receiving",
            attempts=0,
            created_at=now,
            expires_at=now + UNFINISHED_LIFETIME,
        )
    )
    return await find(connection, source, upload_id)


async def find(connection: AsyncConnection, source: str, upload_id: str) -> Upload | None:
    """The source's own upload of this id."""
    found = await connection.execute(_FIND, {"upload_id": upload_id, "source": source})
    row = found.one_or_none()
    return None if row is None else Upload(**row._asdict())


async def newest(connection: AsyncConnection, source: str) -> list[Upload]:
    """The source's newest uploads."""
    found = await connection.execute(_LIST, {"source": source, "limit": PAGE})
    return [Upload(**row._asdict()) for row in found]


async def hold_for_writing(
    connection: AsyncConnection,
    upload: Upload,
    *,
    offset: int,
    holder: str,
    seconds: float,
    now: datetime,
) -> bool:
    """Acquire the exclusive right to write at `offset`."""
    values = {
        "upload_id": upload.upload_id,
        "source": upload.source_id,
        "offset": offset,
        "holder": holder,
        "until": now + timedelta(seconds=seconds),
        "now": now,
    }
    return (await connection.execute(_HOLD, values)).scalar_one_or_none() is not None


async def advance(
    connection: AsyncConnection, upload_id: str, *, holder: str, more: int, now: datetime
) -> Upload | None:
    """Record bytes received and release the hold; the last bytes queue the file. `None`: hold lost."""
    values = {
        "upload_id": upload_id,
        "holder": holder,
        "more": more,
        "now": now,
        "expires_at": now + UNFINISHED_LIFETIME,
    }
    row = (await connection.execute(_ADVANCE, values)).one_or_none()
    return None if row is None else Upload(**row._asdict())


async def delete(connection: AsyncConnection, upload: Upload, *, now: datetime) -> bool:
    """Delete an upload that is not held."""
    values = {"upload_id": upload.upload_id, "source": upload.source_id, "now": now}
    return (await connection.execute(_DROP, values)).scalar_one_or_none() is not None


async def claim_next(
    connection: AsyncConnection, *, holder: str, seconds: float, now: datetime
) -> Upload | None:
    """Claim the oldest queued file, or one whose claim has expired."""
    values = {"holder": holder, "until": now + timedelta(seconds=seconds), "now": now}
    row = (await connection.execute(_CLAIM, values)).one_or_none()
    return None if row is None else Upload(**row._asdict())


async def renew_claim(
    connection: AsyncConnection,
    upload_id: str,
    *,
    holder: str,
    counts: Mapping[str, Any] | None,
    expires_at: datetime,
) -> bool:
    """Renew a claim and record progress; false if another worker has the claim."""
    values = {
        "upload_id": upload_id,
        "holder": holder,
        "counts": None if counts is None else to_json(dict(counts)),
        "until": expires_at,
    }
    return (await connection.execute(_KEEP, values)).scalar_one_or_none() is not None


async def release(
    connection: AsyncConnection, upload_id: str, *, holder: str, retry_at: datetime, counts: bool
) -> None:
    """Return a file to the queue; `counts` says whether a failed attempt is counted."""
    values = {"upload_id": upload_id, "holder": holder, "until": retry_at, "counts": counts}
    await connection.execute(_LATER, values)


async def finish(
    connection: AsyncConnection,
    upload_id: str,
    *,
    holder: str,
    state: str,
    sentences: tuple[str | None, str | None],
    counts: Mapping[str, Any] | None,
    now: datetime,
) -> bool:
    """Record the final state; `sentences` are English and Chinese."""
    values = {
        "upload_id": upload_id,
        "holder": holder,
        "state": state,
        "sentence": sentences[0],
        "sentence_zh": sentences[1],
        "counts": None if counts is None else to_json(dict(counts)),
        "expires_at": now + FINISHED_LIFETIME,
    }
    return (await connection.execute(_FINISH, values)).scalar_one_or_none() is not None


async def delete_expired(connection: AsyncConnection, *, now: datetime) -> list[str]:
    """Delete expired uploads, and those beyond a source's maximum; returns their ids."""
    gone = list((await connection.execute(_EXPIRED, {"now": now})).scalars())
    return gone + list((await connection.execute(_TOO_MANY, {"most": MAX_FINISHED})).scalars())


async def unknown_ids(connection: AsyncConnection, ids: list[str]) -> list[str]:
    """Those of these ids that have no upload."""
    known = set((await connection.execute(_KNOWN, {"ids": ids})).scalars())
    return [each for each in ids if each not in known]
