"""Portal sessions and their CSRF tokens: a `__Host-` cookie, stored as a digest.

Each sign-in makes a new session; it ends after 15 idle minutes, after 8 hours, or at sign-out.
"""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypedDict

from sqlalchemy import and_, delete, or_, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from gateway.db.statements import Statement
from gateway.identity import permissions
from gateway.identity.delegations import delegation_of
from gateway.identity.keyed_rows import insert_keyed
from gateway.identity.permissions import CurrentPermissions, Permission
from gateway.identity.tables import SessionRow
from gateway.settings import Settings
from gateway.signing.keyed_digests import KeyedDigests

IDLE: Final = timedelta(minutes=15)
ABSOLUTE: Final = timedelta(hours=8)
CONTINUED_WITHIN: Final = timedelta(hours=1)
"""Time after a session's end in which its person can continue a form (`identity.kept_forms`)."""

COOKIE: Final = "__Host-xinqiao"
LOOPBACK_COOKIE: Final = "xinqiao"


class Mandate(TypedDict):
    """An enterprise that a person may act for, and the role."""

    uscc: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A person as the identity provider identified them, and the digest of its token."""

    subject: str
    name: str
    mandates: Sequence[Mandate]
    token_digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A live session. `digest` is that of the cookie's value, which is not stored."""

    digest: bytes
    subject: str
    name: str
    identity_token_digest: bytes
    permissions: Mapping[str, frozenset[Permission]]
    """The person's permissions by enterprise, read with this request."""
    kept_page: str | None
    """The page with a form to be continued (`identity.kept_forms`)."""
    outdated: frozenset[str]
    """Enterprises whose legal representative has changed since the sign-in."""

    def may(self, uscc: str, permission: str) -> bool:
        """True where the person has a permission for the enterprise `uscc`."""
        return permission in self.permissions.get(uscc, frozenset())

    def enterprises(self, permission: Permission) -> list[str]:
        """The enterprises for which the person has a permission."""
        return [uscc for uscc, held in self.permissions.items() if permission in held]


def on_loopback_http(settings: Settings) -> bool:
    """True for the demo on http, where `__Host-` and Secure are not available."""
    return settings.demo and settings.issuer.startswith("http://")


def cookie_name(settings: Settings) -> str:
    """The session cookie's name."""
    return LOOPBACK_COOKIE if on_loopback_http(settings) else COOKIE


def cookie_attributes(settings: Settings) -> dict[str, Any]:
    """The attributes of every cookie of the portal (`Response.set_cookie`)."""
    return {
        "path": "/",
        "secure": not on_loopback_http(settings),
        "httponly": True,
        "samesite": "lax",
    }


def is_live(now: datetime) -> Any:  # a column expression
    """SQL condition for a live row of `session`."""
    return and_(col(SessionRow.expires_at) > now, col(SessionRow.last_seen_at) > now - IDLE)


async def begin(
    connection: AsyncConnection, digests: KeyedDigests, identity: Identity, *, now: datetime
) -> str:
    """Begin a session; returns the cookie's value."""
    return await insert_keyed(
        connection,
        digests,
        "session",
        SessionRow,
        subject=identity.subject,
        name=identity.name,
        mandates=list(identity.mandates),
        identity_token_digest=identity.token_digest,
        created_at=now,
        last_seen_at=now,
        expires_at=now + ABSOLUTE,
    )


async def current(
    connection: AsyncConnection,
    digests: KeyedDigests,
    settings: Settings,
    cookies: Mapping[str, str],
    *,
    now: datetime,
) -> Session | None:
    """The live session of a request's cookies, its idle time reset; `None` if there is none."""
    value = cookies.get(cookie_name(settings))
    if not value:
        return None
    found = await connection.execute(
        update(SessionRow)
        .where(col(SessionRow.digest) == digests.of("session", value), is_live(now))
        .values(last_seen_at=now)
        .returning(
            col(SessionRow.digest),
            col(SessionRow.subject),
            col(SessionRow.name),
            col(SessionRow.mandates),
            col(SessionRow.identity_token_digest),
            col(SessionRow.created_at),
            col(SessionRow.kept_page),
        )
    )
    row = found.mappings().one_or_none()
    if row is None:
        return None
    # Read after the session: a delegation that has just ended gives no permission.
    held = await _delegations(connection, row["subject"])
    outdated = await _outdated(connection, row["mandates"], since=row["created_at"])
    return _session(row, held, outdated, settings, now)


_LOCATED: Final = Statement(
    "SELECT uscc, delegation_id FROM delegation_locator WHERE subject = CAST(:subject AS text)"
)
_DELEGATIONS: Final = Statement("""
    SELECT to_jsonb(d) - 'name' - 'accepted_name' AS delegation, e.legal_representative
    FROM delegation d JOIN enterprise e ON e.uscc = d.uscc
    WHERE d.uscc = ANY(CAST(:usccs AS text[])) AND d.delegation_id = ANY(CAST(:ids AS text[]))
      AND d.ended_at IS NULL""")
_OUTDATED: Final = Statement("""
    SELECT uscc FROM representative_change
    WHERE uscc = ANY(CAST(:usccs AS text[])) AND changed_at >= CAST(:since AS timestamptz)""")


async def _delegations(connection: AsyncConnection, subject: str) -> list[CurrentPermissions]:
    """The person's delegations that have not ended."""
    located = (await connection.execute(_LOCATED, {"subject": subject})).all()
    if not located:
        return []
    values = {"usccs": [each.uscc for each in located], "ids": [each[1] for each in located]}
    return [
        CurrentPermissions(delegation=delegation_of(each), representative=representative)
        for each, representative in await connection.execute(_DELEGATIONS, values)
    ]


async def _outdated(
    connection: AsyncConnection, mandates: Sequence[Mandate], *, since: datetime
) -> frozenset[str]:
    """The enterprises of these mandates whose legal representative has changed since then."""
    if not mandates:
        return frozenset()
    values = {"usccs": [each["uscc"] for each in mandates], "since": since}
    return frozenset((await connection.execute(_OUTDATED, values)).scalars())


def _session(
    row: Mapping[Any, Any],
    held: Sequence[CurrentPermissions],
    outdated: frozenset[str],
    settings: Settings,
    now: datetime,
) -> Session:
    return Session(
        digest=row["digest"],
        subject=row["subject"],
        name=row["name"],
        kept_page=row["kept_page"],
        identity_token_digest=row["identity_token_digest"],
        permissions=permissions.current_permissions(
            ((each["uscc"], each["role"]) for each in row["mandates"]),
            held,
            subject=row["subject"],
            delegate_roles=settings.identity_delegate_roles,
            outdated=outdated,
            now=now,
        ),
        outdated=outdated,
    )


async def end(
    connection: AsyncConnection,
    digests: KeyedDigests,
    settings: Settings,
    cookies: Mapping[str, str],
) -> None:
    """Delete the session of a request's cookies, if it has one."""
    value = cookies.get(cookie_name(settings), "")
    await connection.execute(
        delete(SessionRow).where(col(SessionRow.digest) == digests.of("session", value)),
    )


async def delete_expired(connection: AsyncConnection, *, now: datetime) -> None:
    """Delete every session that ended longer ago than `CONTINUED_WITHIN`."""
    then = now - CONTINUED_WITHIN
    await connection.execute(
        delete(SessionRow).where(
            or_(col(SessionRow.expires_at) <= then, col(SessionRow.last_seen_at) <= then - IDLE)
        )
    )


def csrf_token(digests: KeyedDigests, cookie_value: str, purpose: str) -> str:
    """The CSRF token of the form `purpose`, bound to the session cookie."""
    return digests.of("csrf", f"{purpose} {cookie_value}").hex()


def csrf_token_fits(digests: KeyedDigests, cookie_value: str, purpose: str, given: str) -> bool:
    """True where `given` is the CSRF token of that form, compared in constant time."""
    expected = csrf_token(digests, cookie_value, purpose)
    return bool(cookie_value) and hmac.compare_digest(expected.encode(), given.encode())
