"""Change feed as the gateway has it: a page of notices, and their acknowledgement."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from xinqiao._core.evidence.answer import Evidence
from xinqiao._core.session import Session
from xinqiao._core.transport.api_call import call
from xinqiao._core.wire import parsing
from xinqiao._core.wire.results import Changes

if TYPE_CHECKING:
    from xinqiao._core.flow import Flow


def changes(session: Session, *, after: str | None = None, wait: int = 0) -> Flow[Changes]:
    """Read the notices of this client's feed after a cursor, from the first if it is left out."""
    values = {"after": after} if after else {}
    query = urlencode(values | ({"wait": str(wait)} if wait else {}))
    path = "/v1/changes" + (f"?{query}" if query else "")
    return parsing.changes((yield from call(session, "GET", path, scope="changes", wait=wait)))


def acknowledge_changes(session: Session, cursor: str) -> Flow[Evidence]:
    """Acknowledge every notice up to a cursor, once you have acted on it. Returns the evidence."""
    return (
        yield from call(
            session,
            "POST",
            "/v1/changes/ack",
            scope="changes",
            body={"cursor": cursor},
            idempotent=True,
        )
    )
