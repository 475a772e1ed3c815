"""Whatever widens an agreement takes two operators; what narrows it takes one, and effect at once.

1. `put`      judges the terms against the present version: puts them, or proposes them
2. `approve`  by another operator, who names the digest of what was read
"""

import hmac
from dataclasses import dataclass, replace

from gateway.admin.audit_log import At, OperatorAct, record
from gateway.admin.client_service import hold
from gateway.admin.errors import AdminRefusal, RefusalReason, conflict, no_such
from gateway.clients import proposals, registry
from gateway.clients.agreement_diff import widens
from gateway.clients.client_details import ClientDetails, Version, versions_of
from gateway.clients.proposals import Proposal
from gateway.clients.terms import Terms, TermsError, check_licensed, digest_of
from gateway.disclosure.ids import new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """This version counts from now on; `anew` is false where it did already."""

    version: int
    digest: bytes
    anew: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """It waits for a second operator; `anew` is false where it did already."""

    proposal: Proposal
    anew: bool = True


async def put(at: At, client_id: str, terms: Terms) -> InForce | Proposed | AdminRefusal:
    """Put the next version into force if it only narrows, else propose it."""
    held = await hold(at, client_id)
    if isinstance(held, AdminRefusal):
        return held
    check_terms(at, held, terms)
    versions = await versions_of(at.connection, client_id)
    present = present_of(at, versions)
    if present is not None and present.terms == terms:
        return InForce(version=present.version, digest=present.digest, anew=False)
    more = widens(present.terms if present else None, terms)
    if more:
        return await _propose(at, client_id, terms, versions, more)
    return await _put(
        at, client_id, terms, present, OperatorAct(what="agreement.narrow", client_id=client_id)
    )


async def approve(
    at: At, proposal_id: str, digest: bytes, *, client_id: str | None = None
) -> InForce | AdminRefusal:
    """Put a proposal into force: of this digest, against the version that still counts."""
    held = await _open(at, proposal_id, client_id)
    if isinstance(held, AdminRefusal):
        return held
    client, proposal = held
    if not hmac.compare_digest(digest, proposal.digest):
        return conflict("This is not the digest of the proposal; read it again.")
    if at.by.may_be(proposal.proposed_by, proposal.proposed_name):
        return AdminRefusal(
            RefusalReason.SECOND_OPERATOR,
            "Whoever proposed cannot approve; another operator must, with another credential.",
        )
    versions = await versions_of(at.connection, client.client_id)
    terms = proposal.terms
    if proposal.version != next_version(versions) or terms.valid_until <= at.now:
        return conflict("The agreement has changed or the term is over; propose again.")
    check_terms(at, client, terms)
    if not await proposals.decide(
        at.connection, proposal, "approved", by=at.by.credential, now=at.now
    ):
        return conflict("This proposal is decided already.")
    act = OperatorAct(what="agreement.approve", client_id=client.client_id, subject=proposal_id)
    return await _put(at, client.client_id, terms, present_of(at, versions), act)


async def reject(
    at: At, proposal_id: str, *, client_id: str | None = None
) -> Proposal | AdminRefusal:
    """Reject a proposal, or take one's own back."""
    held = await _open(at, proposal_id, client_id)
    if isinstance(held, AdminRefusal):
        return held
    client, proposal = held
    await proposals.decide(at.connection, proposal, "rejected", by=at.by.credential, now=at.now)
    await record(
        at,
        OperatorAct(
            what="agreement.reject",
            client_id=client.client_id,
            subject=proposal_id,
            before=proposal.digest,
        ),
    )
    return await proposals.proposal_of(at.connection, proposal_id) or no_such("proposal")


async def end(at: At, client_id: str) -> Version | AdminRefusal:
    """End the agreement from the client's next request on, and whatever was proposed to widen it."""
    held = await hold(at, client_id)
    if isinstance(held, AdminRefusal):
        return held
    versions = await versions_of(at.connection, client_id)
    present = present_of(at, versions)
    await proposals.supersede_open(at.connection, client_id, now=at.now)
    if present is None:
        return versions[0] if versions else no_such("agreement")
    await registry.end_agreement(at.connection, client_id, now=at.now)
    await record(at, OperatorAct(what="agreement.end", client_id=client_id, before=present.digest))
    return replace(present, ended_at=at.now)


def present_of(at: At, versions: list[Version]) -> Version | None:
    """The newest version, if it holds or will."""
    return versions[0] if versions and versions[0].counts(at.now) else None


def next_version(versions: list[Version]) -> int:
    """The number of the version after these."""
    return versions[0].version + 1 if versions else 1


def check_terms(at: At, client: ClientDetails, terms: Terms) -> None:
    """Refuse what cannot be agreed with this client; raises `TermsError`."""
    if terms.signatures is None:
        raise TermsError("An agreement is signed for both sides: give signatures.")
    unknown = terms.unknown_datasets(at.datasets)
    if unknown:
        raise TermsError(f"The catalogue has no such dataset: {', '.join(unknown)}.")
    if client.kind == "operator" and (terms.purposes or terms.datasets or terms.questions):
        raise TermsError("An operator's client reads nothing: it has a term and quotas only.")
    check_licensed(client.kind, client.personal_credit_licence, terms)


async def _propose(
    at: At, client_id: str, terms: Terms, versions: list[Version], more: tuple[str, ...]
) -> Proposed:
    version = next_version(versions)
    document = terms.document(client_id, version)
    digest = digest_of(document)
    waiting = await proposals.proposals_for(at.connection, client_id, status="open")
    same = next((each for each in waiting if each.digest == digest), None)
    if same is not None:
        return Proposed(proposal=same, anew=False)
    proposal = Proposal(
        proposal_id=new_id("prp"),
        client_id=client_id,
        version=version,
        document=document,
        digest=digest,
        widens=more,
        status="open",
        proposed_by=at.by.credential,
        proposed_name=at.by.name,
        proposed_at=at.now,
    )
    await proposals.propose(at.connection, proposal)
    await record(
        at,
        OperatorAct(
            what="agreement.propose",
            client_id=client_id,
            subject=proposal.proposal_id,
            before=versions[0].digest if versions else None,
            after=digest,
        ),
    )
    return Proposed(proposal=proposal)


async def _put(
    at: At, client_id: str, terms: Terms, present: Version | None, act: OperatorAct
) -> InForce:
    version = await registry.put_agreement(at.connection, client_id, terms)
    digest = digest_of(terms.document(client_id, version))
    await proposals.supersede_open(at.connection, client_id, now=at.now)
    await record(at, replace(act, before=present.digest if present else None, after=digest))
    return InForce(version=version, digest=digest)


async def _open(
    at: At, proposal_id: str, client_id: str | None
) -> tuple[ClientDetails, Proposal] | AdminRefusal:
    """The proposal and its client, locked; read again under the lock."""
    found = await proposals.proposal_of(at.connection, proposal_id)
    if found is None or found.client_id != (client_id or found.client_id):
        return no_such("proposal")
    client = await hold(at, found.client_id)
    if isinstance(client, AdminRefusal):
        return client
    proposal = await proposals.proposal_of(at.connection, proposal_id)
    if proposal is None or proposal.status != "open":
        return conflict("This proposal is decided already, or another has taken its place.")
    return client, proposal
