"""Checks of an HTTP/1.1 message head that the parser leaves to the server (RFC 9112). Pure.

The parser has checked syntax and framing; each check here gives a `HeadRefusal` or `None`, in the order
of `CHECKS`.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

Field = tuple[bytes, bytes]

MAX_TARGET_BYTES: Final = 16 * 1024  # bytes
MAX_HEAD_BYTES: Final = 64 * 1024  # bytes of target and fields, all together
MAX_FIELDS: Final = 128

# RFC 3986 §3.2.2, reg-name limited to host names.
HOST: Final = re.compile(rb"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")
ABSOLUTE: Final = re.compile(rb"https?://([^/?]*)(.*)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadRefusal:
    """The answer to a message that cannot be served: status and public sentence."""

    status: int
    detail: str


class RequestHead(NamedTuple):
    """Request line and fields of a message; field names in lower case."""

    method: bytes
    target: bytes
    version: str
    fields: Sequence[Field]

    def values(self, wanted: bytes) -> list[bytes]:
        """The values of every field of this name."""
        return [value for name, value in self.fields if name == wanted]

    @property
    def expects_continue(self) -> bool:
        """True where the client waits for `100 Continue` before it sends the body (RFC 9110 §10.1.1)."""
        expected = [value.lower() for value in self.values(b"expect")]
        return b"100-continue" in expected and self.version != "1.0"


MALFORMED: Final = HeadRefusal(
    status=400, detail="This is no well-formed HTTP/1.1 message; see RFC 9112."
)
HEAD_TOO_LARGE: Final = HeadRefusal(
    status=431,
    detail=(
        f"Headers are taken up to {MAX_FIELDS} fields and {MAX_HEAD_BYTES} bytes, all together; "
        "trailers and chunk extensions too."
    ),
)
TARGET_TOO_LONG: Final = HeadRefusal(
    status=414, detail=f"A request target is taken up to {MAX_TARGET_BYTES} bytes."
)
HEAD_TOO_SLOW: Final = HeadRefusal(
    status=408, detail="The headers did not arrive in time; send the request again."
)


def supported_version(head: RequestHead) -> HeadRefusal | None:
    """Require HTTP/1.1, or HTTP/1.0 for old proxies and health checks."""
    if head.version in {"1.1", "1.0"}:
        return None
    return HeadRefusal(status=505, detail="Only HTTP/1.1 and HTTP/1.0 are spoken here.")


def bounded_size(head: RequestHead) -> HeadRefusal | None:
    """Limit the number of fields and the size of target and fields together."""
    size = len(head.target) + sum([len(name) + len(value) + 4 for name, value in head.fields])
    if size <= MAX_HEAD_BYTES and len(head.fields) <= MAX_FIELDS:
        return None
    return HEAD_TOO_LARGE


def no_tunnel(head: RequestHead) -> HeadRefusal | None:
    """Refuse CONNECT (RFC 9110 §9.3.6)."""
    if head.method != b"CONNECT":
        return None
    return HeadRefusal(status=501, detail="CONNECT is not served here.")


def one_host(head: RequestHead) -> HeadRefusal | None:
    """Require one well-formed Host; only HTTP/1.0 may omit it (RFC 9112 §3.2)."""
    hosts = head.values(b"host")
    if len(hosts) == 1 and HOST.fullmatch(hosts[0]):
        return None
    if not hosts and head.version == "1.0":
        return None
    return HeadRefusal(status=400, detail="Send exactly one well-formed Host field.")


def known_coding(head: RequestHead) -> HeadRefusal | None:
    """Allow no transfer coding but `chunked`, once, in HTTP/1.1 (RFC 9112 §6.1)."""
    codings = head.values(b"transfer-encoding")
    if not codings or (head.version == "1.1" and [c.lower() for c in codings] == [b"chunked"]):
        return None
    if head.version == "1.0":
        return HeadRefusal(status=400, detail="HTTP/1.0 has no Transfer-Encoding.")
    return HeadRefusal(status=501, detail="The only transfer coding that is taken is `chunked`.")


def path_target(head: RequestHead) -> HeadRefusal | None:
    """Require a target in origin form, or an http URL, without a fragment."""
    if b"#" not in head.target and (head.target.startswith(b"/") or _absolute(head)):
        return None
    return HeadRefusal(status=400, detail="The request target must be a path, without a fragment.")


CHECKS: Final[tuple[Callable[[RequestHead], HeadRefusal | None], ...]] = (
    bounded_size,
    supported_version,
    no_tunnel,
    one_host,
    known_coding,
    path_target,
)


def check_head(head: RequestHead) -> HeadRefusal | None:
    """The first refusal among `CHECKS`, if there is one."""
    for each in CHECKS:
        refusal = each(head)
        if refusal is not None:
            return refusal
    return None


def origin_form(head: RequestHead) -> tuple[bytes, bytes | None]:
    """Path and query of a checked head, and the host of an absolute target.

    That host overrides the Host field (RFC 9112 §3.2.2).
    """
    found = _absolute(head)
    if found is None:
        return head.target, None
    authority, rest = found.groups()
    return (rest if rest.startswith(b"/") else b"/" + rest), authority


def _absolute(head: RequestHead) -> "re.Match[bytes] | None":
    if head.target.startswith(b"/"):
        return None
    found = ABSOLUTE.fullmatch(head.target)
    return found if found and HOST.fullmatch(found[1]) else None
