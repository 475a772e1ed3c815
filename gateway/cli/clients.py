"""Clients and agreements, as the operator keeps them."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from gateway.clients import registry
from gateway.clients.registration import Registration, RegistrationError
from gateway.clients.tables import ClientRow
from gateway.clients.terms import Terms, TermsError
from gateway.creditfile.catalogue import load_catalogue
from gateway.db.engine import make_engine
from gateway.limits.guard import Quotas, QuotasError
from gateway.settings import DatabaseSettings

app = typer.Typer(no_args_is_help=True, help="Registered clients (接入方).")
agreements = typer.Typer(no_args_is_help=True, help="What each client may do (数字合约).")
T = TypeVar("T")


@app.command("list")
def list_clients() -> None:
    """List the registered clients."""
    rows = _run(_all)
    table = Table("client_id", "kind", "name", "state", "scopes")
    for row in rows:
        table.add_row(row.client_id, row.kind, row.name_zh, row.state, " ".join(row.scopes))
    Console().print(table)


@app.command()
def register(
    client_id: str,
    jwks: Annotated[Path, typer.Option(help="File with the client's public JWK set.")],
    kind: Annotated[str, typer.Option(help="bank, platform, agency or source")],
    name_zh: Annotated[str, typer.Option()],
    name_en: Annotated[str, typer.Option()],
    scope: Annotated[str, typer.Option(help="Scopes, separated by spaces.")],
    redirect_uri: Annotated[list[str] | None, typer.Option()] = None,
    filing_number: Annotated[str | None, typer.Option(help="Needed for an agency.")] = None,
) -> None:
    """Register a client; it may do nothing until it has an agreement."""
    with _sentences():
        registration = Registration(
            client_id=client_id,
            kind=kind,
            name_zh=name_zh,
            name_en=name_en,
            jwks=_json(jwks),
            scopes=tuple(scope.split()),
            redirect_uris=tuple(redirect_uri or ()),
            filing_number=filing_number,
        )
        _run(lambda c: registry.register_client(c, registration, now=datetime.now(UTC)))
    print(f"{client_id} is registered. Next: xinqiao-gateway agreement put {client_id} FILE")


@app.command()
def suspend(client_id: str) -> None:
    """Refuse this client from its next request on."""
    _run(lambda c: registry.set_active(c, client_id, active=False))
    print(f"{client_id} is suspended.")


@app.command()
def resume(client_id: str) -> None:
    """Let a suspended client go on."""
    _run(lambda c: registry.set_active(c, client_id, active=True))
    print(f"{client_id} is active.")


@agreements.command()
def put(
    client_id: str,
    file: Annotated[
        Path,
        typer.Argument(help="JSON: purposes, datasets, questions, quotas, valid_from, valid_until"),
    ],
) -> None:
    """Put the next version of a client's agreement into force."""
    with _sentences():
        terms = _terms(_json(file))
        version = _run(lambda c: registry.put_agreement(c, client_id, terms))
    print(f"Version {version} of the agreement of {client_id} is in force.")


@agreements.command()
def end(client_id: str) -> None:
    """End a client's agreement from its next request on."""
    _run(lambda c: registry.end_agreement(c, client_id, now=datetime.now(UTC)))
    print(f"The agreement of {client_id} has ended.")


def _terms(found: dict[str, Any]) -> Terms:
    terms = Terms(
        purposes=frozenset(found["purposes"]),
        datasets=frozenset(found.get("datasets", ())),
        questions=frozenset(found.get("questions", ())),
        quotas=Quotas.from_json(found.get("quotas", {})),
        valid_from=datetime.fromisoformat(found["valid_from"]),
        valid_until=datetime.fromisoformat(found["valid_until"]),
    )
    unknown = terms.unknown_datasets(load_catalogue().codes)
    if unknown:
        raise TermsError(f"The catalogue has no such dataset: {', '.join(unknown)}.")
    return terms


async def _all(connection: AsyncConnection) -> list[Any]:
    columns = [
        col(getattr(ClientRow, name))
        for name in ("client_id", "kind", "name_zh", "state", "scopes")
    ]
    return list((await connection.execute(select(*columns).order_by(columns[0]))).all())


def _run(work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    """One transaction on the database at XINQIAO_DATABASE_URL."""

    async def run() -> T:
        engine = make_engine(DatabaseSettings.from_env().database_url, pool_size=1)
        try:
            async with engine.begin() as connection:
                return await work(connection)
        finally:
            await engine.dispose()

    return asyncio.run(run())


def _json(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise RegistrationError(f"{path} cannot be read as JSON.") from None
    return found


class _sentences:  # noqa: N801  # reads as a statement
    """Turns what a person can mend into one sentence."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        mendable = (
            RegistrationError,
            TermsError,
            QuotasError,
            registry.UnknownClientError,
            IntegrityError,
            KeyError,
            ValueError,
        )
        if isinstance(error, mendable):
            sentence = (
                "This client_id is taken." if isinstance(error, IntegrityError) else str(error)
            )
            print(sentence, file=sys.stderr)
            raise SystemExit(2)
