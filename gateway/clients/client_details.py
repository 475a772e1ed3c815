"""A client as its operator sees it: the whole row, with one digest over all of it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from gateway.clients.agreement_diff import still_counts
from gateway.clients.authentication import DEFAULT_AUTHENTICATION, MEMBERS, Authentication
from gateway.clients.tables import AgreementRow, ClientKeySetRow, ClientRow
from gateway.clients.terms import Signatures, Terms, digest_of
from gateway.limits.limiter import Quotas


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
    filing_number: str | None
    personal_credit_licence: str | None
    contact: str | None
    created_at: datetime

    @property
    def digest(self) -> bytes:
        """What an act on this client writes down as before or after.

        How it authenticates is in it where that is not the usual way: so digests that were written
        down before there was another one still fit.
        """
        usual = asdict(DEFAULT_AUTHENTICATION)
        own = asdict(self) | {"created_at": self.created_at.isoformat()}
        return digest_of({n: v for n, v in own.items() if n not in MEMBERS or v != usual[n]})

    @property
    def authentication(self) -> Authentication:
        """How it authenticates."""
        return Authentication.of(asdict(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of an agreement as it was put."""

    version: int
    agreement_id: str
    terms: Terms
    ended_at: datetime | None
    digest: bytes

    def counts(self, now: datetime) -> bool:
        """Whether it holds at `now`, or will."""
        return still_counts(self.terms, self.ended_at, now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetching:
    """How fetching a client's keys from its address went last."""

    kids: tuple[str, ...]
    fetched_at: datetime | None
    tried_at: datetime
    trouble: str | None


_NAMES: Final = tuple(ClientDetails.__dataclass_fields__)
_COLUMNS: Final = tuple(col(getattr(ClientRow, name)) for name in _NAMES)


async def particulars_of(
    connection: AsyncConnection, client_id: str, *, lock: bool = False
) -> ClientDetails | None:
    """The client of this id; `lock` keeps other operators' acts on it waiting."""
    asked = select(*_COLUMNS).where(col(ClientRow.client_id) == client_id)
    row = (await connection.execute(asked.with_for_update() if lock else asked)).one_or_none()
    return _particulars(row) if row is not None else None


async def all_particulars(
    connection: AsyncConnection, *, after: str = "", limit: int | None = None
) -> list[ClientDetails]:
    """The clients by id, from behind `after`."""
    own = col(ClientRow.client_id)
    rows = await connection.execute(select(*_COLUMNS).where(own > after).order_by(own).limit(limit))
    return [_particulars(row) for row in rows]


async def change(connection: AsyncConnection, client_id: str, values: Mapping[str, Any]) -> None:
    """Write these columns of a client; hold its lock."""
    await connection.execute(
        update(ClientRow).where(col(ClientRow.client_id) == client_id).values(**values)
    )


async def versions_of(connection: AsyncConnection, client_id: str) -> list[Version]:
    """Every version of a client's agreement, the newest first."""
    table = AgreementRow.__table__  # type: ignore[attr-defined]  # SQLModel makes it
    rows = await connection.execute(
        select(table).where(table.c.client_id == client_id).order_by(table.c.version.desc())
    )
    return [_version(row) for row in rows]


async def fetching_of(connection: AsyncConnection, client_id: str) -> Fetching | None:
    """The state of a client's fetched keys, if any were ever fetched or tried."""
    table = ClientKeySetRow.__table__  # type: ignore[attr-defined]  # SQLModel makes it
    row = (
        await connection.execute(select(table).where(table.c.client_id == client_id))
    ).one_or_none()
    if row is None:
        return None
    return Fetching(
        kids=kids_of(row.jwks or {"keys": []}),
        fetched_at=row.fetched_at,
        tried_at=row.tried_at,
        trouble=row.trouble,
    )


def kids_of(jwks: Mapping[str, Any]) -> tuple[str, ...]:
    """The ids of a set's keys."""
    return tuple(str(key.get("kid", "(no kid)")) for key in jwks["keys"])


def _particulars(row: Row[Any]) -> ClientDetails:
    found = dict(zip(_NAMES, row, strict=True))
    for name in ("redirect_uris", "scopes"):
        found[name] = tuple(found[name])
    return ClientDetails(**found)


def _version(row: Row[Any]) -> Version:
    return Version(
        version=row.version,
        agreement_id=row.agreement_id,
        terms=Terms(
            purposes=frozenset(row.purposes),
            datasets=frozenset(row.datasets),
            questions=frozenset(row.questions),
            quotas=Quotas.from_json(row.quotas),
            valid_from=row.valid_from,
            valid_until=row.valid_until,
            signatures=Signatures.from_json(row.signatures) if row.signatures else None,
        ),
        ended_at=row.ended_at,
        digest=row.document_digest,
    )
