"""Database reads of the log routes: receipts, public events, the published checkpoint."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from gateway.access.authentication import Caller
from gateway.access.client_status import CLIENT_STATUS_JSON, ClientStatus, client_status_from_json
from gateway.db.prepared import HotDatabase, certain
from gateway.db.statements import Statement
from gateway.disclosure.application_outcomes.leaf import disclosure_of_leaf
from gateway.disclosure.consent_leaf import consent_of_leaf
from gateway.transparency.receipts import PUBLISHED_CHECKPOINT, Checkpoint, Entry

# The caller's status and a leaf's entry, and whether the leaf is of the caller's consent.
READ_EVIDENCE = Statement(f"""
    SELECT {CLIENT_STATUS_JSON} AS client_status,
           (SELECT jsonb_build_object('index', e.index, 'leaf_hash', encode(e.leaf_hash, 'hex'))
              FROM log_entry e WHERE e.disclosure_id = CAST(:disclosure_id AS text)) AS entry,
           (SELECT e.uscc FROM log_entry e
             WHERE e.disclosure_id = CAST(:disclosure_id AS text)) AS uscc,
           EXISTS (SELECT 1 FROM log_entry e JOIN consent_locator l ON l.uscc = e.uscc
                    WHERE e.disclosure_id = CAST(:disclosure_id AS text)
                      AND l.consent_id = CAST(:consent_id AS text)
                      AND l.client_id = CAST(:client_id AS text)) AS is_of_consent,
           {PUBLISHED_CHECKPOINT} AS checkpoint
    """)  # noqa: S608  # constants only
IS_DISCLOSED_TO = Statement("""
    SELECT EXISTS (SELECT 1 FROM disclosure d
                    WHERE d.uscc = CAST(:uscc AS text)
                      AND d.disclosure_id = CAST(:disclosure_id AS text)
                      AND d.client_id = CAST(:client_id AS text)) AS found""")
EVENTS = Statement("""
    SELECT jsonb_agg(jsonb_build_object(
               'event_id', v.event_id, 'event', convert_from(v.event, 'UTF8'),
               'salt', encode(v.salt, 'hex'), 'leaf_hash', encode(v.leaf_hash, 'hex'),
               'leaf_index', e.index) ORDER BY e.index NULLS LAST, v.at, v.event_id) AS events
    FROM log_event v LEFT JOIN log_entry e
      ON e.disclosure_id = v.event_id AND e.uscc = ''
     AND e.index < (SELECT max(size) FROM checkpoint WHERE published_at IS NOT NULL)""")
EVENT = Statement(f"""
    SELECT (SELECT jsonb_build_object('index', e.index, 'leaf_hash', encode(e.leaf_hash, 'hex'))
            FROM log_entry e JOIN log_event v ON v.event_id = e.disclosure_id
            WHERE e.uscc = '' AND e.disclosure_id = CAST(:event_id AS text)) AS entry,
           {PUBLISHED_CHECKPOINT} AS checkpoint""")  # noqa: S608  # constants only
CHECKPOINT = Statement("""
    SELECT size, note FROM checkpoint WHERE published_at IS NOT NULL ORDER BY size DESC LIMIT 1""")

MergedEntry = tuple[Entry, Checkpoint]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEvidence:
    """The caller's status, and the entry if the published checkpoint covers it."""

    client_status: ClientStatus
    merged: MergedEntry | None


async def read_evidence(hot: HotDatabase, caller: Caller, disclosure_id: str) -> LogEvidence:
    """Read the caller's status, and the entry of its disclosure or outcome, or of an event of its consent."""
    values = {
        "client_id": caller.client_id,
        "jti": caller.token.jti,
        "disclosure_id": disclosure_id,
        "consent_id": consent_of_leaf(disclosure_id) or "",
    }
    row = certain(await hot.row(READ_EVIDENCE, values))
    # Asked even without an entry, so that the time does not tell that there is one of another client.
    told_id = disclosure_of_leaf(disclosure_id) or disclosure_id
    asked = {**values, "uscc": row["uscc"] or "", "disclosure_id": told_id}
    disclosed = certain(await hot.row(IS_DISCLOSED_TO, asked))
    is_own = row["is_of_consent"] or disclosed["found"]
    status = client_status_from_json(row["client_status"])
    return LogEvidence(client_status=status, merged=_merged(row) if is_own else None)


async def published_checkpoint(hot: HotDatabase) -> Checkpoint | None:
    """The newest published checkpoint."""
    row = await hot.row(CHECKPOINT, {})
    return Checkpoint(size=row["size"], note=row["note"]) if row else None


async def read_events(hot: HotDatabase) -> list[dict[str, Any]]:
    """All public events, in the order of the log; `leaf_index` is null until merged."""
    row = await hot.row(EVENTS, {})
    return orjson.loads(row["events"]) if row and row["events"] else []


async def read_event(hot: HotDatabase, event_id: str) -> MergedEntry | None:
    """A public event's entry, if the published checkpoint covers it."""
    return _merged(certain(await hot.row(EVENT, {"event_id": event_id})))


def _merged(row: Mapping[str, Any]) -> MergedEntry | None:
    """The entry and checkpoint of a row, if the checkpoint covers the entry."""
    if row["entry"] is None or row["checkpoint"] is None:
        return None
    entry, checkpoint = orjson.loads(row["entry"]), orjson.loads(row["checkpoint"])
    if entry["index"] >= checkpoint["size"]:
        return None
    leaf_hash = bytes.fromhex(entry["leaf_hash"])
    return Entry(index=entry["index"], leaf_hash=leaf_hash), Checkpoint(**checkpoint)
