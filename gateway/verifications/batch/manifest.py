"""Signed manifest of a batch: one root over its answered lines, so that each can be shown alone. Pure."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from gateway.access.serializers.timestamps import format_time
from gateway.db.engine import to_json
from gateway.signing.keys import Signer
from gateway.transparency import merkle


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Signed manifest of a batch's answers."""

    batch_id: str
    lines: int
    root: bytes
    request_digest: bytes
    created: datetime

    def canonical(self) -> bytes:
        """RFC 8785: of texts and small integers under ASCII names, sorted keys without spaces."""
        return orjson.dumps(
            {
                "batch_id": self.batch_id,
                "lines": self.lines,
                "root": self.root.hex(),
                "request_digest": self.request_digest.hex(),
                "created": format_time(self.created),
            },
            option=orjson.OPT_SORT_KEYS,
        )

    def signed(self, signer: Signer) -> str:
        """The batch's last line."""
        signature = base64.b64encode(signer.sign(self.canonical())).decode()
        return to_json(
            {
                "manifest": orjson.loads(self.canonical()),
                "keyid": signer.kid,
                "signature": signature,
            }
        )


def line_leaf(text: str) -> bytes:
    """The leaf of an answered line, as it is sent, without its end."""
    return merkle.leaf_hash(text.encode())


def line_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The proof that leaf `index` is under the root of these leaves."""

    def node(height: int, place: int) -> bytes:
        return merkle.root(leaves[place << height : (place + 1) << height])

    return merkle.inclusion_proof(index, len(leaves), node)
