"""Issue and reissue by an authority: validated texts, idempotent by key, refusals as API errors."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.access.errors import (
    ConflictError,
    IdempotencyConflictError,
    InvalidRequestError,
    NotAvailableError,
    NotFoundError,
    Refusal,
    raise_if_refused,
)
from gateway.codes import store
from gateway.codes.api.authority import Authority
from gateway.codes.api.schemas import CodeIn, ReissueIn
from gateway.codes.ids import PHRASE_BYTES, RANDOM_BYTES, parse_code_id
from gateway.codes.model import Code, Registration
from gateway.codes.service import (
    LONGEST_TERM,
    MOST_A_DAY,
    MOST_VALID,
    Author,
    IssueRefusal,
    Sign,
    issue_code,
    reissue_code,
    revoke_code,
)
from gateway.codes.sign_text import (
    MAX_LABEL,
    MAX_SIGN_NAME,
    TextProblem,
    parse_label,
    parse_sign_name,
)
from gateway.creditfile.local_dates import day_of
from gateway.disclosure.idempotency import KEY_LIFE_SECONDS, IdempotencyKey
from gateway.runtime import Runtime

Issued = tuple[Code, Registration]
NOT_REGISTERED: Final = "You have registered no such enterprise."
KEY_LIFE: Final = timedelta(seconds=KEY_LIFE_SECONDS)
TEXT_SENTENCES: Final = {
    TextProblem.EMPTY: "is a name: it has a letter, a digit or a Chinese character",
    TextProblem.TOO_LONG: "is too long",
    TextProblem.CHARACTERS: "has hidden characters, symbols or emoji: leave them out",
    TextProblem.PERSONAL_NUMBER: "holds what looks like a person's ID or phone number",
    TextProblem.CLAIM: "has an address, a claim of an official verdict or a call to pay or chat: "
    "write the shop's name alone",
}
REFUSALS: Final = {
    IssueRefusal.NOT_OPERATING: Refusal(
        ConflictError, "The enterprise is no longer in business, or is registered no more."
    ),
    IssueRefusal.TOO_MANY: Refusal(
        ConflictError, f"The enterprise has {MOST_VALID} valid codes; revoke one that is not used."
    ),
    IssueRefusal.TOO_MANY_TODAY: Refusal(
        ConflictError, f"{MOST_A_DAY} codes were issued for this enterprise within 24 hours; wait."
    ),
    IssueRefusal.NOT_REISSUABLE: Refusal(
        ConflictError, "The code was revoked or replaced before; issue a new one."
    ),
    IssueRefusal.TERM: Refusal(
        InvalidRequestError,
        f"expires_at lies in the future, at most {LONGEST_TERM.days} days from now.",
    ),
}


async def issue(
    runtime: Runtime, authority: Authority, body: CodeIn, uscc: str, key: IdempotencyKey | None
) -> Issued:
    """Issue a code for a sign of one of the authority's enterprises."""
    now = runtime.now()
    sign = Sign(
        sign_name=_sign_name(body.sign_name, now),
        label=_label(body.label, now),
        expires_at=body.expires_at,
    )
    author, randomness = Author(actor=authority.actor), _randomness(runtime, authority, key)

    async with runtime.engine.begin() as connection:
        registration = await authority.find_enterprise(connection, uscc)
        if registration is None:
            raise NotAvailableError(NOT_REGISTERED)
        issued = await issue_code(connection, uscc, sign, author, randomness=randomness, now=now)
    return _valid_answer(issued, now), registration


async def reissue(
    runtime: Runtime,
    authority: Authority,
    code_id: str,
    body: ReissueIn,
    key: IdempotencyKey | None,
) -> Issued:
    """Issue a code in the place of another, with what `body` changes."""
    now = runtime.now()
    sign_name = None if body.sign_name is None else _sign_name(body.sign_name, now)
    label = None if body.label is None else _label(body.label, now)
    author, randomness = Author(actor=authority.actor), _randomness(runtime, authority, key)

    def changed(code: Code) -> Sign:
        kept = code.expires_at if code.expires_at and code.expires_at > now else None
        return Sign(
            sign_name=code.sign_name if sign_name is None else sign_name,
            label=code.label if label is None else label,
            expires_at=body.expires_at or kept,
        )

    async with runtime.engine.begin() as connection:
        code, registration = await find_own(connection, authority, code_id)
        issued = await reissue_code(
            connection, code, changed, author, randomness=randomness, now=now
        )
    return _valid_answer(issued, now), registration


async def revoke(runtime: Runtime, authority: Authority, code_id: str) -> Issued:
    """Revoke a code; the code as it is then."""
    async with runtime.engine.begin() as connection:
        code, registration = await find_own(connection, authority, code_id)
        author = Author(actor=authority.actor)
        await revoke_code(connection, code, author, now=runtime.now())
        return await store.find_code(connection, code.code_id) or code, registration


async def find_own(connection: AsyncConnection, authority: Authority, code_id: str) -> Issued:
    """A code of one of the authority's enterprises; any other, or none, is not found."""
    parsed = parse_code_id(code_id)
    code = await store.find_code(connection, parsed) if parsed else None
    registration = await authority.find_enterprise(connection, code.uscc) if code else None
    if code is None or registration is None:
        raise NotFoundError
    return code, registration


def _valid_answer(issued: Code | IssueRefusal, now: datetime) -> Code:
    """The issued code; raises for a refusal, and for a key of more than a day ago."""
    if isinstance(issued, IssueRefusal):
        return raise_if_refused(REFUSALS[issued])
    if now - issued.issued_at >= KEY_LIFE:
        raise IdempotencyConflictError
    return issued


def _randomness(runtime: Runtime, authority: Authority, key: IdempotencyKey | None) -> bytes | None:
    """The bytes that an idempotency key determines, known to this installation alone."""
    if key is None:
        return None
    named = f"{authority.client_id}\n{key.key}\n".encode() + key.request_digest
    return runtime.digests.of("enterprise_code", named)[: RANDOM_BYTES + PHRASE_BYTES]


def _sign_name(typed: str, now: datetime) -> str:
    parsed = parse_sign_name(typed, today=day_of(now))
    return _valid(parsed, f"sign_name, of 1 to {MAX_SIGN_NAME} characters,")


def _label(typed: str, now: datetime) -> str:
    parsed = parse_label(typed, today=day_of(now))
    return _valid(parsed, f"label, of up to {MAX_LABEL} characters,")


def _valid(parsed: str | TextProblem, member: str) -> str:
    if isinstance(parsed, TextProblem):
        raise InvalidRequestError(f"Mend this: {member} {TEXT_SENTENCES[parsed]}.")
    return parsed
