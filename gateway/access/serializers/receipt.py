"""Receipt of a leaf of the transparency log, as answers and consent records give it."""

from pydantic import BaseModel

from gateway.transparency.receipts import Receipt, receipt_document


class ReceiptOut(BaseModel):
    """Proof that a disclosure, or an event of a consent, is in the log; `disclosure_id` names it.

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
        return cls(**receipt_document(receipt, leaf_id=disclosure_id, log=log))
