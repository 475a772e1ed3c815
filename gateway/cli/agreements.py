"""`agreement`: propose, approve, reject, show and end agreements; widening needs a second operator."""

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from pydantic import ValidationError

from gateway.admin import agreement_service, serializers
from gateway.admin.agreement_service import InForce, Proposed
from gateway.admin.manifest import key_file as json_file
from gateway.admin.manifest import mistakes
from gateway.admin.schemas import TermsIn
from gateway.cli.exit import fail
from gateway.cli.operator_session import parse_id, plain_errors, query, run_act
from gateway.cli.printing import print_members
from gateway.clients.client_details import versions_of
from gateway.clients.proposals import Proposal, proposals_for
from gateway.clients.registration import RegistrationError
from gateway.clients.terms import Terms

app = typer.Typer(no_args_is_help=True, help="What each client may do (数字合约).")


@app.command()
def propose(
    client_id: str,
    file: Annotated[
        Path, typer.Argument(help="JSON: purposes, datasets, questions, quotas, term, signatures")
    ],
) -> None:
    """Propose the next version of a client's agreement; one that only narrows counts at once."""
    with plain_errors():
        terms = _terms(file)
    outcome = run_act(partial(agreement_service.put, client_id=parse_id(client_id), terms=terms))
    match outcome:
        case Proposed(proposal=own):
            print_members(_as_filed(own))
            print(
                "It waits for a second operator:\n"
                f"  xinqiao-gateway agreement approve {own.proposal_id} {own.digest.hex()}"
            )
        case InForce(version=version, anew=anew):
            was = "is" if anew else "was already"
            print(f"Version {version} of the agreement of {client_id} {was} in force.")


@app.command()
def approve(
    proposal_id: str,
    digest: Annotated[str, typer.Argument(help="The digest that `agreement proposals` shows.")],
) -> None:
    """Put a proposal of another operator into force, as it was read."""
    try:
        read = bytes.fromhex(digest)
    except ValueError:
        fail("The digest is in hexadecimal, as `agreement proposals` shows it.")
    put = run_act(
        partial(agreement_service.approve, proposal_id=parse_id(proposal_id), digest=read)
    )
    print(f"Version {put.version} is in force.")


@app.command()
def reject(proposal_id: str) -> None:
    """Reject a proposal, or take one's own back."""
    run_act(partial(agreement_service.reject, proposal_id=parse_id(proposal_id)))
    print(f"{proposal_id} is rejected.")


@app.command()
def proposals(
    client_id: Annotated[str | None, typer.Argument(help="Of this client only.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Decided ones too.")] = False,
) -> None:
    """Show what waits for a second operator, whole: this is what is approved."""
    client = parse_id(client_id) if client_id else None
    status = None if every else "open"
    found = query(lambda connection: proposals_for(connection, client, status=status))
    for each in found:
        print_members(_as_filed(each))
    if not found:
        print("Nothing waits.")


@app.command()
def show(client_id: str) -> None:
    """Show every version of a client's agreement, the newest first; the newest counts."""
    versions = query(partial(versions_of, client_id=parse_id(client_id)))
    if not versions:
        fail("This client has no agreement.")
    for each in versions:
        print_members(serializers.version(each))


@app.command()
def end(client_id: str) -> None:
    """End a client's agreement from its next request on."""
    ended = run_act(partial(agreement_service.end, client_id=parse_id(client_id)))
    print(f"Version {ended.version} of the agreement of {client_id} has ended.")


def _terms(file: Path) -> Terms:
    try:
        return TermsIn.model_validate_json(orjson.dumps(json_file(file))).to_terms()
    except ValidationError as error:
        raise RegistrationError(f"Mend these in {file}: {mistakes(error)}.") from None


def _as_filed(made: Proposal) -> dict[str, Any]:
    """A proposal with its terms as in the proposed file; dates are those of Shanghai."""
    document = made.document
    agreed = {name: document[name] for name in ("client_id", "version")}
    return serializers.proposal(made) | {
        "agreement": agreed | serializers.terms(Terms.from_document(document))
    }
