"""A receipt on the wire: hashes in lower-case hexadecimal, as in an answer's `log_promise`."""

from pydantic import BaseModel

from gateway.disclosure.receipts import Receipt


class ReceiptOut(BaseModel):
    """That a disclosure is in the log.

    Verify `inclusion_proof` (RFC 9162 §2.1.3.2) from SHA-256(0x00 ‖ `leaf_hash`) to the root in
    `checkpoint`, a C2SP signed note.
    """

    disclosure_id: str
    log: str
    leaf_hash: str
    leaf_index: int
    tree_size: int
    inclusion_proof: list[str]
    checkpoint: str

    @classmethod
    def of(cls, receipt: Receipt, *, disclosure_id: str, log: str) -> "ReceiptOut":
        """The wire form of `receipt`."""
        return cls(
            disclosure_id=disclosure_id,
            log=log,
            leaf_hash=receipt.entry.leaf_hash.hex(),
            leaf_index=receipt.entry.index,
            tree_size=receipt.checkpoint.size,
            inclusion_proof=[each.hex() for each in receipt.inclusion_proof],
            checkpoint=receipt.checkpoint.note,
        )


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
