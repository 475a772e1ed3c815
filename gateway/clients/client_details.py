"""A client's full registration and agreement versions, for operators, with one digest over it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from gateway.clients.agreement_widening import still_counts
from gateway.clients.authentication_method import DEFAULT_AUTHENTICATION, Authentication
from gateway.clients.filing import COLUMNS as FILING_COLUMNS
from gateway.clients.filing import Filing
from gateway.clients.tables import AgreementRow, ClientKeySetRow, ClientRow
from gateway.clients.terms import Signatures, Terms, digest_of
from gateway.limits.quotas import Quotas

_LATER: Final[Mapping[str, Any]] = asdict(DEFAULT_AUTHENTICATION) | {
    name: None for name in FILING_COLUMNS if name != "filing_number"
}
"""Members that registrations did not always have, with their defaults."""
_LATER_DAYS: Final = ("filing_checked_on", "filing_valid_until")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientDetails(Authentication):
    """All registered details of one client, its authentication among them."""

    client_id: str
    kind: str
    name_zh: str
    name_en: str
    state: str
    jwks: Mapping[str, Any]
    jwks_uri: str | None
    redirect_uris: tuple[str, ...]
    scopes: tuple[str, ...]
    filing_kind: str | None
    filing_authority: str | None
    filing_number: str | None
    filing_checked_on: date | None
    filing_valid_until: date | None
    personal_credit_licence: str | None
    contact: str | None
    created_at: datetime

    @property
    def digest(self) -> bytes:
        """The SHA-256 of all details, written down before and after an operator's act.

        Later members are part of it where they differ from the default, so that digests written
        before there were any still fit.
        """
        own = asdict(self) | {"created_at": self.created_at.isoformat()}
        own |= {name: str(own[name]) for name in _LATER_DAYS if own[name] is not None}
        return digest_of({n: v for n, v in own.items() if n not in _LATER or v != _LATER[n]})

    @property
    def filing(self) -> Filing | None:
        """The client's filing, if it is known whole."""
        return Filing.of(asdict(self))

    @property
    def authentication(self) -> Authentication:
        """The client's authentication."""
        return Authentication.of(asdict(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementVersion:
    """One version of an agreement."""

    version: int
    agreement_id: str
    terms: Terms
    ended_at: datetime | None
    digest: bytes

    def counts(self, now: datetime) -> bool:
        """True if it is in force at `now`, or will be."""
        return still_counts(self.terms, self.ended_at, now)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFetch:
    """The last fetch of a client's keys from its `jwks_uri`."""

    kids: tuple[str, ...]
    fetched_at: datetime | None
    tried_at: datetime
    trouble: str | None


_NAMES: Final = tuple(ClientDetails.__dataclass_fields__)
_COLUMNS: Final = tuple(col(getattr(ClientRow, name)) for name in _NAMES)


async def details_of(
    connection: AsyncConnection, client_id: str, *, lock: bool = False
) -> ClientDetails | None:
    """The client of this id; `lock` makes other operators' acts on it wait."""
    asked = select(*_COLUMNS).where(col(ClientRow.client_id) == client_id)
    row = (await connection.execute(asked.with_for_update() if lock else asked)).one_or_none()
    return _details(row) if row is not None else None


async def all_details(
    connection: AsyncConnection, *, after: str = "", limit: int | None = None
) -> list[ClientDetails]:
    """All clients by id, from the one after `after`."""
    own = col(ClientRow.client_id)
    rows = await connection.execute(select(*_COLUMNS).where(own > after).order_by(own).limit(limit))
    return [_details(row) for row in rows]


async def change(connection: AsyncConnection, client_id: str, values: Mapping[str, Any]) -> None:
    """Write columns of a client, whose lock the caller holds."""
    await connection.execute(
        update(ClientRow).where(col(ClientRow.client_id) == client_id).values(**values)
    )


async def versions_of(connection: AsyncConnection, client_id: str) -> list[AgreementVersion]:
    """Every version of a client's agreement, the newest first."""
    table = AgreementRow.__table__  # type: ignore[attr-defined]  # SQLModel makes it
    rows = await connection.execute(
        select(table).where(table.c.client_id == client_id).order_by(table.c.version.desc())
    )
    return [_version(row) for row in rows]


async def key_fetch_of(connection: AsyncConnection, client_id: str) -> KeyFetch | None:
    """The last fetch of a client's keys, if there was one."""
    table = ClientKeySetRow.__table__  # type: ignore[attr-defined]  # SQLModel makes it
    found = await connection.execute(select(table).where(table.c.client_id == client_id))
    row = found.one_or_none()
    if row is None:
        return None
    return KeyFetch(
        kids=kids_of(row.jwks or {"keys": []}),
        fetched_at=row.fetched_at,
        tried_at=row.tried_at,
        trouble=row.trouble,
    )


def kids_of(jwks: Mapping[str, Any]) -> tuple[str, ...]:
    """The key ids of a JWK set."""
    return tuple(str(key.get("kid", "(no kid)")) for key in jwks["keys"])


def _details(row: Row[Any]) -> ClientDetails:
    found = dict(zip(_NAMES, row, strict=True))
    for name in ("redirect_uris", "scopes"):
        found[name] = tuple(found[name])
    return ClientDetails(**found)


def _version(row: Row[Any]) -> AgreementVersion:
    return AgreementVersion(
        version=row.version,
        agreement_id=row.agreement_id,
        terms=Terms(
            purposes=frozenset(row.purposes),
            datasets=frozenset(row.datasets),
            questions=frozenset(row.questions),
            quotas=Quotas.from_json(row.quotas),
            retention_days=row.retention_days,
            id_numbers=row.id_numbers,
            automated_decisions=row.automated_decisions,
            valid_from=row.valid_from,
            requires_signed_requests=row.signed_until is not None,
            valid_until=row.signed_until or row.valid_until,
            signatures=Signatures.from_json(row.signatures) if row.signatures else None,
        ),
        ended_at=row.ended_at,
        digest=row.document_digest,
    )
