"""Checkpoints: signature verification, and comparison with the log in the database."""

import base64
from collections.abc import Mapping

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from gateway.transparency.checkpoints import (
    LARGEST_NOTE,
    NoteError,
    TreeHead,
    key_hash,
    open_checkpoint,
    sign_checkpoint,
)
from gateway.transparency.merkle import EMPTY_ROOT
from gateway.transparency.rollback import Comparison, DatabaseLog, compare

ORIGIN = "credit.test/log"
ROOT = bytes(range(32))
OTHER = bytes(32)


class Key:
    """A key of the log."""

    def __init__(self) -> None:
        self._private = Ed25519PrivateKey.generate()

    @property
    def public(self) -> Mapping[str, str]:
        """Public JWK."""
        raw = self._private.public_key().public_bytes_raw()
        return {"kty": "OKP", "crv": "Ed25519", "x": _b64url(raw)}

    def sign(self, message: bytes) -> bytes:
        """Signature of `message`."""
        return self._private.sign(message)


def _b64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


KEY, RETIRED = Key(), Key()
KEYS = (KEY.public, RETIRED.public)
NOTE = sign_checkpoint(ORIGIN, 23, ROOT, KEY).encode()


def test_a_note_is_opened_by_any_key_that_the_log_has_or_had() -> None:
    """Rotated keys included."""
    for key in (KEY, RETIRED):
        note = sign_checkpoint(ORIGIN, 23, ROOT, key).encode()
        assert open_checkpoint(note, ORIGIN, KEYS) == TreeHead(23, ROOT)


def test_cosignatures_of_witnesses_are_passed_over() -> None:
    """As c2sp.org/signed-note requires for unknown signatures."""
    witness = base64.b64encode(b"\x01\x02\x03\x04" + bytes(72)).decode()
    cosigned = NOTE + f"— witness.test {witness}\n".encode()
    assert open_checkpoint(cosigned, ORIGIN, KEYS) == TreeHead(23, ROOT)


def _with(before: bytes, after: bytes) -> bytes:
    assert before in NOTE
    return NOTE.replace(before, after)


@pytest.mark.parametrize(
    ("note", "why"),
    [
        (b"", "no signed note"),
        (b"\xff\xfe", "no signed note"),
        (b"<html>Sign in to the proxy</html>", "no signed note"),
        (NOTE.rstrip(b"\n"), "no signed note"),
        (NOTE + b"more\n", "no signed note"),
        (NOTE + b"\n", "no signed note"),
        (NOTE.partition(b"\n\n")[0] + b"\n\n", "no signed note"),
        (NOTE + b"x" * LARGEST_NOTE, "larger than"),
        (_with(b"\n23\n", b"\n24\n"), "no key of this log"),
        (_with(b"\n23\n", b"\n023\n"), "no checkpoint"),
        (_with(b"\n23\n", b"\n-1\n"), "no checkpoint"),
        (_with(b"\n23\n", "\n２３\n".encode()), "no checkpoint"),
        (_with(b"\n23\n", b"\n" + b"9" * 19 + b"\n"), "no checkpoint"),
        (_with(b"\n\n", b"\nan extension\n\n"), "no checkpoint"),
        (_with(base64.b64encode(ROOT), base64.b64encode(OTHER)), "no key of this log"),
        (_with(base64.b64encode(ROOT), b"AAAA"), "no checkpoint"),
        (_with(base64.b64encode(ROOT), base64.b64encode(ROOT)[:-2] + b"9="), "no signed note"),
        (sign_checkpoint("other.test/log", 23, ROOT, KEY).encode(), "another log"),
        (sign_checkpoint(ORIGIN, 23, ROOT, Key()).encode(), "no key of this log"),
    ],
)
def test_a_note_not_signed_by_this_log_is_refused_with_the_reason(note: bytes, why: str) -> None:
    """Forged, another log's, not a note; with the reason."""
    with pytest.raises(NoteError, match=why):
        open_checkpoint(note, ORIGIN, KEYS)


def test_a_key_named_in_a_note_must_really_have_signed_it() -> None:
    """The key hash alone is no proof."""
    forged = base64.b64encode(key_hash(ORIGIN, KEY.public) + bytes(64)).decode()
    note = f"{ORIGIN}\n99\n{base64.b64encode(ROOT).decode()}\n\n— {ORIGIN} {forged}\n"
    with pytest.raises(NoteError, match="no key of this log"):
        open_checkpoint(note.encode(), ORIGIN, KEYS)


@given(st.integers(0, len(NOTE) - 1), st.integers(1, 255))
def test_no_changed_byte_gives_another_tree_head(place: int, change: int) -> None:
    """Any byte change is refused or signed content."""
    changed = bytearray(NOTE)
    changed[place] ^= change
    try:
        found = open_checkpoint(bytes(changed), ORIGIN, KEYS)
    except NoteError:
        return
    assert found == TreeHead(23, ROOT)


def make_log(size: int | None, *, published: int | None = None) -> DatabaseLog:
    """A log whose root is `ROOT` at every size."""
    newest = None if size is None else TreeHead(size, ROOT)
    return DatabaseLog(published=published, newest=newest, roots=dict.fromkeys(range(100), ROOT))


@pytest.mark.parametrize(
    ("kept", "log", "found"),
    [
        # nothing published: a new log, or one that was killed before its first checkpoint was kept
        (None, make_log(None), Comparison.CONSISTENT),
        (None, make_log(0), Comparison.CONSISTENT),
        (TreeHead(0, EMPTY_ROOT), make_log(None), Comparison.CONSISTENT),
        (TreeHead(0, EMPTY_ROOT), make_log(19), Comparison.CONSISTENT),
        # a kill between the commit and the write outside
        (TreeHead(19, ROOT), make_log(23, published=19), Comparison.CONSISTENT),
        # a kill between the write outside and the mark in the database
        (TreeHead(23, ROOT), make_log(23, published=19), Comparison.CONSISTENT),
        (TreeHead(23, ROOT), make_log(23, published=23), Comparison.CONSISTENT),
        # the database was restored, or is a new one
        (TreeHead(23, ROOT), make_log(19, published=19), Comparison.AHEAD),
        (TreeHead(23, ROOT), make_log(None), Comparison.AHEAD),
        # it was restored and went on
        (TreeHead(23, OTHER), make_log(23, published=23), Comparison.DIVERGED),
        (TreeHead(23, OTHER), make_log(40, published=40), Comparison.DIVERGED),
        (TreeHead(0, ROOT), make_log(23, published=23), Comparison.DIVERGED),
        # the folder was restored, or emptied
        (TreeHead(19, ROOT), make_log(23, published=23), Comparison.BEHIND),
        (TreeHead(0, EMPTY_ROOT), make_log(23, published=23), Comparison.BEHIND),
        (None, make_log(23, published=23), Comparison.MISSING),
        (None, make_log(0, published=0), Comparison.MISSING),
    ],
)
def test_a_kept_checkpoint_is_compared_with_the_log(
    kept: TreeHead | None, log: DatabaseLog, found: Comparison
) -> None:
    """A kill at any moment is no fork; a loss or a second history is."""
    assert compare(kept, log) is found
