"""Content-Digest of a request (RFC 9530): sha-256 and sha-512 only; every digest must match the body.

Any other member or form is refused: the response's signature must cover compared digests only.
"""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from gateway.access.errors import DigestMismatchError

# Names of RFC 9530 §5, and what `hashlib` calls them.
ALGORITHMS: Final[Mapping[str, str]] = {"sha-256": "sha256", "sha-512": "sha512"}
_MEMBER: Final = re.compile(r"(sha-256|sha-512)=:([A-Za-z0-9+/]+=*):")


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentDigest:
    """The digests that a request gives of its body; its lines combined as in RFC 9421 §2.1."""

    value: str
    members: tuple[tuple[str, str], ...]
    """Pairs: `hashlib`'s name of an algorithm, a digest in canonical Base64."""

    @classmethod
    def read(cls, lines: Sequence[str]) -> Self | None:
        """The digest in all `Content-Digest` lines of a request, if there are any.

        Raises `DigestMismatchError` unless they are a dictionary (RFC 9651 §3.2) of these members.
        """
        if not lines:
            return None
        value = ", ".join(line.strip(" \t") for line in lines)
        found = [_MEMBER.fullmatch(member.strip(" \t")) for member in value.split(",")]
        members = tuple((ALGORITHMS[each[1]], each[2]) for each in found if each is not None)
        if len(members) != len(found):
            raise DigestMismatchError
        return cls(value=value, members=members)

    @property
    def algorithms(self) -> frozenset[str]:
        """The algorithms of the members, as `hashlib` names them."""
        return frozenset(name for name, _ in self.members)

    @property
    def sha256(self) -> bytes | None:
        """The body's SHA-256, if that is among the members."""
        found = (text for name, text in self.members if name == "sha256")
        return next(map(base64.b64decode, found), None)

    def fits(self, hashes: Mapping[str, "hashlib._Hash"]) -> bool:
        """True where every member equals the computed digest."""
        return all(
            text == base64.b64encode(hashes[name].digest()).decode() for name, text in self.members
        )

    def fits_body(self, body: bytes) -> bool:
        """True where every member is the digest of `body`."""
        return self.fits({name: hashlib.new(name, body) for name in self.algorithms})
