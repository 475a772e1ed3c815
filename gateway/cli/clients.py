"""`client`: register, show, change and end clients.

Keys are replaced without the client's involvement, so an operator is as trusted as the database's
owner.
"""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.admin import client_service, manifest, serializers
from gateway.admin.plan import ApplyPlan, carry_out, plan
from gateway.admin.schemas import FilingIn
from gateway.cli import agreements as _agreements
from gateway.cli.exit import fail
from gateway.cli.operator_session import parse_id, plain_errors, query, run_act
from gateway.cli.printing import print_members, print_table
from gateway.clients.authentication_method import METHODS, PRIVATE_KEY_JWT, SUBJECTS, Authentication
from gateway.clients.client_details import (
    AgreementVersion,
    ClientDetails,
    KeyFetch,
    all_details,
    details_of,
    key_fetch_of,
    kids_of,
    versions_of,
)
from gateway.clients.filing import KINDS as FILING_KINDS
from gateway.clients.filing import Filing
from gateway.clients.registration import Registration, RegistrationError

app = typer.Typer(no_args_is_help=True, help="Registered clients (接入方).")
agreements = _agreements.app

Keys = Annotated[Path | None, typer.Option(help="File with the client's public JWK set.")]
Address = Annotated[str | None, typer.Option(help="https address of the client's JWK set.")]


@app.command("list")
def list_clients() -> None:
    """List the registered clients."""
    print_table(
        ("client_id", "kind", "name", "state", "scopes"),
        (
            (each.client_id, each.kind, each.name_zh, each.state, " ".join(each.scopes))
            for each in query(all_details)
        ),
    )


@app.command()
def show(client_id: str) -> None:
    """Show a client, its keys' ids and its agreement."""
    held, fetching, versions = query(partial(_all_of, client_id=parse_id(client_id)))
    if held is None:
        fail("There is no such client.")
    print_members(serializers.client(held, fetching))
    print("agreement:" if versions else "agreement: none yet")
    for version in versions[:1]:
        print_members(serializers.version(version))


@app.command()
def register(
    client_id: str,
    kind: Annotated[str, typer.Option(help="bank, platform, agency, source or operator")],
    name_zh: Annotated[str, typer.Option()],
    name_en: Annotated[str, typer.Option()],
    scope: Annotated[str, typer.Option(help="Scopes, separated by spaces.")],
    jwks: Keys = None,
    jwks_uri: Address = None,
    redirect_uri: Annotated[
        list[str] | None,
        typer.Option(metavar="<uri>", help="Where it receives its authorization codes; repeat."),
    ] = None,
    filing_kind: Annotated[
        str | None, typer.Option(help=f"An agency needs a filing: {', '.join(FILING_KINDS)}.")
    ] = None,
    filing_authority: Annotated[str | None, typer.Option(help="With whom it has filed.")] = None,
    filing_number: Annotated[str | None, typer.Option(help="Number of the filing.")] = None,
    filing_checked_on: Annotated[
        str | None, typer.Option(help="Day on which you checked it, as 2026-11-22.")
    ] = None,
    filing_valid_until: Annotated[
        str | None, typer.Option(help="Last day of the filing; 2099-12-31 is an open one.")
    ] = None,
    personal_credit_licence: Annotated[
        str | None,
        typer.Option(help="An agency needs one for questions on an ID and for operators' data."),
    ] = None,
    contact: Annotated[
        str | None, typer.Option(help="How enterprises reach the client; stands in their consent.")
    ] = None,
    auth_method: Annotated[
        str, typer.Option(help=f"How it authenticates: {', '.join(METHODS)}.")
    ] = PRIVATE_KEY_JWT,
    certificate_subject: Annotated[
        str | None,
        typer.Option(help="For tls_client_auth, as subject_dn=CN=acme,O=Acme or san_dns=acme.cn."),
    ] = None,
    certificate_bound: Annotated[
        bool, typer.Option("--certificate-bound", help="Its tokens are bound to its certificate.")
    ] = False,
) -> None:
    """Register a client; it may do nothing until it has an agreement."""
    with plain_errors():
        registration = Registration(
            client_id=client_id,
            kind=kind,
            name_zh=name_zh,
            name_en=name_en,
            jwks=manifest.key_file(jwks) if jwks else None,
            jwks_uri=jwks_uri,
            scopes=tuple(scope.split()),
            redirect_uris=tuple(redirect_uri or ()),
            filing=_filing(
                kind=filing_kind,
                authority=filing_authority,
                number=filing_number,
                checked_on=filing_checked_on,
                valid_until=filing_valid_until,
            ),
            personal_credit_licence=personal_credit_licence,
            contact=contact,
            authentication=_authentication(auth_method, certificate_subject, certificate_bound),
        )
    run_act(partial(client_service.register, registration=registration))
    print(f"{client_id} is registered. Next: xinqiao-gateway agreement propose {client_id} FILE")


@app.command("rotate-keys")
def rotate_keys(client_id: str, jwks: Keys = None, jwks_uri: Address = None) -> None:
    """Replace all of a client's keys by those in a file, or at an address."""
    with plain_errors():
        keys = manifest.key_file(jwks) if jwks else None
    verb = partial(
        client_service.replace_keys, client_id=parse_id(client_id), jwks=keys, jwks_uri=jwks_uri
    )
    held = run_act(verb)
    where = held.jwks_uri or ", ".join(kids_of(held.jwks))
    print(f"The keys of {client_id} are now these: {where}")


@app.command()
def suspend(client_id: str) -> None:
    """Refuse this client from its next request on."""
    run_act(partial(client_service.set_state, client_id=parse_id(client_id), state="suspended"))
    print(f"{client_id} is suspended.")


@app.command()
def resume(client_id: str) -> None:
    """Let a suspended client go on."""
    run_act(partial(client_service.set_state, client_id=parse_id(client_id), state="active"))
    print(f"{client_id} is active.")


@app.command()
def end(
    client_id: str, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False
) -> None:
    """End a client and its agreement for good, from its next request on."""
    if not yes:
        typer.confirm(f"End {client_id}? It does not come back.", abort=True)
    run_act(partial(client_service.set_state, client_id=parse_id(client_id), state="ended"))
    print(f"{client_id} has ended.")


@app.command()
def apply(
    file: Annotated[Path, typer.Argument(help="YAML: clients and agreements.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the diff only.")] = False,
) -> None:
    """Make clients and agreements as FILE declares them; what it does not name is left alone."""
    with plain_errors():
        wanted = manifest.read(file)
    found = run_act(partial(plan, declared=wanted))
    _print(found)
    if not found.steps:
        print("Nothing to do.")
        return
    if dry_run:
        print(f"{len(found.steps)} acts would be done; nothing was changed.")
        return
    if not yes:
        typer.confirm(f"Do these {len(found.steps)} acts?", abort=True)
    run_act(partial(carry_out, shown_plan=found, declared=wanted))
    print(f"{len(found.steps)} acts done. What was proposed waits for a second operator.")


async def _all_of(
    connection: AsyncConnection, client_id: str
) -> tuple[ClientDetails | None, KeyFetch | None, list[AgreementVersion]]:
    return (
        await details_of(connection, client_id),
        await key_fetch_of(connection, client_id),
        await versions_of(connection, client_id),
    )


def _filing(**parts: str | None) -> Filing | None:
    """The filing, from the options: all of them or none."""
    missing = [f"--filing-{name.replace('_', '-')}" for name, part in parts.items() if part is None]
    if len(missing) == len(parts):
        return None
    if missing:
        raise RegistrationError(f"A filing needs {', '.join(missing)} too.")
    try:
        return FilingIn.model_validate(parts).to_filing()
    except ValidationError as error:
        raise RegistrationError(f"Mend these of the filing: {manifest.mistakes(error)}.") from None


def _authentication(method: str, subject: str | None, bound: bool) -> Authentication:
    """The client's authentication, from the options."""
    name, separator, value = (subject or "").partition("=")
    member = f"tls_client_auth_{name}"
    if subject is not None and (not separator or member not in SUBJECTS):
        kinds = ", ".join(each.removeprefix("tls_client_auth_") for each in SUBJECTS)
        raise RegistrationError(f"--certificate-subject is KIND=VALUE; the kinds are {kinds}.")
    return Authentication.of(
        {
            "token_endpoint_auth_method": method,
            "tls_client_certificate_bound_access_tokens": bound,
            **({member: value} if subject is not None else {}),
        }
    )


def _print(found: ApplyPlan) -> None:
    console = Console(soft_wrap=True, emoji=False)
    for step in found.steps:
        console.print(f"{step.client_id}: {step.verb}", style="bold", markup=False, highlight=False)
        for line in step.lines:
            console.print(f"  {line.what}", highlight=False)
            for sign, text, style in (("-", line.before, "red"), ("+", line.after, "green")):
                for part in text.splitlines():
                    console.print(f"    {sign} {part}", style=style, markup=False, highlight=False)
    for note in found.notes:
        console.print(note, style="yellow", markup=False, highlight=False)
