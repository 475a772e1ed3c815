"""Issue, reissue and revocation of enterprise codes within limits, one enterprise at a time."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.codes import store
from gateway.codes.model import Code, CodeState
from gateway.db.locks import LockNamespace, lock_named
from gateway.notices.kinds import NoticeKind
from gateway.notices.outbox import note

MOST_VALID: Final = 100
"""Valid codes of one enterprise."""
MOST_A_DAY: Final = 200
"""Codes issued for one enterprise within 24 hours: twice `MOST_VALID`, so that all can be reissued."""
LONGEST_TERM: Final = timedelta(days=3_660)
OPERATING: Final = frozenset({"active", "suspended"})
"""Registration statuses in which an enterprise may have a code issued."""


class IssueRefusal(StrEnum):
    """Reason why no code was issued; nothing was written."""

    NOT_OPERATING = "not_operating"
    TOO_MANY = "too_many"
    TOO_MANY_TODAY = "too_many_today"
    NOT_REISSUABLE = "not_reissuable"
    TERM = "term"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """Texts of a sticker: the sign's name, the sticker's place, the end of its term."""

    sign_name: str
    label: str = ""
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Author of an act: a person (with the digest of the sign-in's ID token), a client or an operator."""

    actor: str
    token_digest: bytes | None = None

    @property
    def is_outside(self) -> bool:
        """True for the authority and the operator, of whose acts the enterprise is told."""
        return self.token_digest is None


async def issue_code(
    connection: AsyncConnection,
    uscc: str,
    sign: Sign,
    author: Author,
    *,
    randomness: bytes | None = None,
    now: datetime,
) -> Code | IssueRefusal:
    """Issue a code; `randomness` of 18 bytes determines its id and phrase, and so issues once."""
    await lock_named(connection, LockNamespace.CODES, uscc)
    before = await _issued_before(connection, randomness)
    if before is not None:
        return before
    refused = await _refusal(connection, uscc, sign, replaced=0, now=now)
    if refused is not None:
        return refused
    return await _insert(connection, uscc, sign, author, randomness, now)


async def reissue_code(
    connection: AsyncConnection,
    code: Code,
    change: Callable[[Code], Sign],
    author: Author,
    *,
    randomness: bytes | None = None,
    now: datetime,
) -> Code | IssueRefusal:
    """Issue a code in the place of one that is valid or has expired, and revoke that one."""
    await lock_named(connection, LockNamespace.CODES, code.uscc)
    before = await _issued_before(connection, randomness)
    if before is not None:
        return before
    present = await store.find_code(connection, code.code_id)
    if present is None:
        return IssueRefusal.NOT_REISSUABLE
    state = present.state_at(now)
    if state not in {CodeState.VALID, CodeState.EXPIRED}:
        return IssueRefusal.NOT_REISSUABLE
    sign, replaced = change(present), int(state is CodeState.VALID)
    refused = await _refusal(connection, code.uscc, sign, replaced=replaced, now=now)
    if refused is not None:
        return refused
    randomness = randomness or store.new_randomness()
    revoked = await store.revoke(
        connection,
        code.uscc,
        code.code_id,
        actor=author.actor,
        token_digest=author.token_digest,
        replaced_by=store.code_id_of(randomness),
        now=now,
    )
    if not revoked:  # revoked a moment ago
        return IssueRefusal.NOT_REISSUABLE
    return await _insert(connection, code.uscc, sign, author, randomness, now)


async def revoke_code(
    connection: AsyncConnection, code: Code, author: Author, *, now: datetime
) -> bool:
    """Revoke a code; `False` if it was revoked before."""
    revoked = await store.revoke(
        connection,
        code.uscc,
        code.code_id,
        actor=author.actor,
        token_digest=author.token_digest,
        now=now,
    )
    if revoked and author.is_outside:
        await note(connection, NoticeKind.CODE_REVOKED, code.uscc, now=now)
    return revoked


async def _issued_before(connection: AsyncConnection, randomness: bytes | None) -> Code | None:
    if randomness is None:
        return None
    return await store.find_code(connection, store.code_id_of(randomness))


async def _refusal(
    connection: AsyncConnection, uscc: str, sign: Sign, *, replaced: int, now: datetime
) -> IssueRefusal | None:
    if sign.expires_at is not None and not now < sign.expires_at <= now + LONGEST_TERM:
        return IssueRefusal.TERM
    registration = await store.find_registration(connection, uscc)
    if registration is None or registration.status not in OPERATING:
        return IssueRefusal.NOT_OPERATING
    counts = await store.count_codes(connection, uscc, now=now)
    if counts.valid - replaced >= MOST_VALID:
        return IssueRefusal.TOO_MANY
    return IssueRefusal.TOO_MANY_TODAY if counts.issued_today >= MOST_A_DAY else None


async def _insert(
    connection: AsyncConnection,
    uscc: str,
    sign: Sign,
    author: Author,
    randomness: bytes | None,
    now: datetime,
) -> Code:
    if author.is_outside:
        await note(connection, NoticeKind.CODE_ISSUED, uscc, now=now)
    return await store.issue(
        connection,
        uscc,
        sign.sign_name,
        label=sign.label,
        expires_at=sign.expires_at,
        actor=author.actor,
        token_digest=author.token_digest,
        randomness=randomness,
        now=now,
    )
