"""Response models of public events."""

from pydantic import BaseModel


class EventOut(BaseModel):
    """A public event: its leaf hash is SHA-256(`salt` ‖ the bytes of `event`)."""

    event_id: str
    event: str
    salt: str
    leaf_hash: str
    leaf_index: int | None


class EventsOut(BaseModel):
    """`GET /log/events`, in the order of the log."""

    log: str
    events: list[EventOut]
