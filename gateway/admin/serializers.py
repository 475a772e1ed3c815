"""JSON of clients, agreements, proposals and acts for operators; of keys the ids only."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from gateway.access.serializers.timestamps import format_time
from gateway.clients.client_details import AgreementVersion, ClientDetails, KeyFetch, kids_of
from gateway.clients.filing import COLUMNS as FILING_COLUMNS
from gateway.clients.filing import PREFIX
from gateway.clients.proposals import Proposal
from gateway.clients.terms import Terms


def client(client: ClientDetails, fetching: KeyFetch | None = None) -> dict[str, Any]:
    """One client."""
    return {
        "client_id": client.client_id,
        "kind": client.kind,
        "name_zh": client.name_zh,
        "name_en": client.name_en,
        "state": client.state,
        "scopes": list(client.scopes),
        "redirect_uris": list(client.redirect_uris),
        "jwks_uri": client.jwks_uri,
        "kids": list(fetching.kids if fetching and client.jwks_uri else kids_of(client.jwks)),
        "keys_fetched_at": _moment(fetching.fetched_at) if fetching else None,
        "keys_trouble": fetching.trouble if fetching else None,
        "filing": filing(client),
        "personal_credit_licence": client.personal_credit_licence,
        "contact": client.contact,
        # Without unset members.
        **{n: value for n, value in asdict(client.authentication).items() if value is not None},
        "created_at": format_time(client.created_at),
        "digest": client.digest.hex(),
    }


def filing(client: ClientDetails) -> dict[str, Any] | None:
    """The client's filing; of one registered before it had parts, the number alone."""
    if client.filing_number is None:
        return None
    found = {name.removeprefix(PREFIX): getattr(client, name) for name in FILING_COLUMNS}
    return {
        n: value.isoformat() if isinstance(value, date) else value for n, value in found.items()
    }


def version(put: AgreementVersion) -> dict[str, Any]:
    """One version of an agreement."""
    return {
        "version": put.version,
        "agreement_id": put.agreement_id,
        **terms(put.terms),
        "ended_at": _moment(put.ended_at),
        "digest": put.digest.hex(),
    }


def proposal(made: Proposal) -> dict[str, Any]:
    """One proposal, with the whole document to be approved."""
    return {
        "proposal_id": made.proposal_id,
        "client_id": made.client_id,
        "status": made.status,
        "widens": list(made.widens),
        "agreement": dict(made.document),
        "digest": made.digest.hex(),
        "proposed_by": made.proposed_by,
        "proposed_name": made.proposed_name,
        "proposed_at": format_time(made.proposed_at),
        "decided_by": made.decided_by,
        "decided_at": _moment(made.decided_at),
    }


def act(row: Mapping[str, Any]) -> dict[str, Any]:
    """One act, with the salt of its leaf in the log."""
    shown = {
        name: value.hex() if isinstance(value, bytes) else value for name, value in row.items()
    }
    return {**shown, "at": row["at"].isoformat()}


def terms(agreed: Terms) -> dict[str, Any]:
    """The terms as in an agreement file."""
    return {
        "purposes": sorted(agreed.purposes),
        "datasets": sorted(agreed.datasets),
        "questions": sorted(agreed.questions),
        "quotas": agreed.quotas.to_json(),
        "retention_days": agreed.retention_days,
        "id_numbers": agreed.id_numbers,
        "automated_decisions": agreed.automated_decisions,
        "requires_signed_requests": agreed.requires_signed_requests,
        "valid_from": format_time(agreed.valid_from),
        "valid_until": format_time(agreed.valid_until),
        "signatures": agreed.signatures.to_json() if agreed.signatures else None,
    }


def _moment(moment: Any) -> str | None:  # a datetime or nothing
    return format_time(moment) if moment is not None else None
