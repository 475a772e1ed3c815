"""Agreements: put, approve, reject and end a version; widening takes two operators.

1. `put`      puts a version that only narrows into force at once, and proposes any other
2. `approve`  by another operator, who names the digest of the proposal that was read
"""

import hmac
from dataclasses import dataclass, replace

from gateway.admin.audit_log import ActContext, record
from gateway.admin.client_service import lock_client
from gateway.admin.errors import AdminRefusal, RefusalReason, conflict, no_such
from gateway.clients import proposals, registry
from gateway.clients.agreement_widening import widens
from gateway.clients.client_details import AgreementVersion, ClientDetails, versions_of
from gateway.clients.proposals import Proposal
from gateway.clients.terms import Terms, TermsError, check_filed, check_licensed, digest_of
from gateway.disclosure.ids import new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """A version that is in force from now on; `anew` is false where it was already."""

    version: int
    digest: bytes
    anew: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """A proposal that waits for a second operator; `anew` is false where it did already."""

    proposal: Proposal
    anew: bool = True


async def put(
    context: ActContext, client_id: str, terms: Terms
) -> InForce | Proposed | AdminRefusal:
    """Put the next version into force if it only narrows the agreement, else propose it."""
    client = await lock_client(context, client_id)
    if isinstance(client, AdminRefusal):
        return client
    check_terms(context, client, terms)
    versions = await versions_of(context.connection, client_id)
    present = present_of(context, versions)
    terms = terms.following(present.terms if present else None)
    if present is not None and present.terms == terms:
        return InForce(version=present.version, digest=present.digest, anew=False)
    more = widens(present.terms if present else None, terms)
    if more:
        return await _propose(context, client_id, terms, versions, more)
    return await _put(context, "agreement.narrow", client_id, terms, present)


async def approve(
    context: ActContext, proposal_id: str, digest: bytes, *, client_id: str | None = None
) -> InForce | AdminRefusal:
    """Put a proposal of this digest into force, if its base version still counts."""
    found = await _open_proposal(context, proposal_id, client_id)
    if isinstance(found, AdminRefusal):
        return found
    client, proposal = found
    if not hmac.compare_digest(digest, proposal.digest):
        return conflict("This is not the digest of the proposal; read it again.")
    if context.operator.may_be(proposal.proposed_by, proposal.proposed_name):
        return AdminRefusal(
            RefusalReason.SECOND_OPERATOR,
            "Whoever proposed cannot approve; another operator must, with another credential.",
        )
    versions = await versions_of(context.connection, client.client_id)
    terms = proposal.terms
    if proposal.version != next_version(versions) or terms.valid_until <= context.now:
        return conflict("The agreement has changed or the term is over; propose again.")
    check_terms(context, client, terms)
    if not await _decide(context, proposal, "approved"):
        return conflict("This proposal is decided already.")
    present = present_of(context, versions)
    return await _put(
        context, "agreement.approve", client.client_id, terms, present, subject=proposal_id
    )


async def reject(
    context: ActContext, proposal_id: str, *, client_id: str | None = None
) -> Proposal | AdminRefusal:
    """Reject a proposal, or take one's own back."""
    found = await _open_proposal(context, proposal_id, client_id)
    if isinstance(found, AdminRefusal):
        return found
    client, proposal = found
    await _decide(context, proposal, "rejected")
    await record(
        context,
        "agreement.reject",
        client_id=client.client_id,
        subject=proposal_id,
        before=proposal.digest,
    )
    return await proposals.proposal_of(context.connection, proposal_id) or no_such("proposal")


async def end(context: ActContext, client_id: str) -> AgreementVersion | AdminRefusal:
    """End the agreement and its open proposals, from the client's next request on."""
    client = await lock_client(context, client_id)
    if isinstance(client, AdminRefusal):
        return client
    versions = await versions_of(context.connection, client_id)
    present = present_of(context, versions)
    await proposals.supersede_open(context.connection, client_id, now=context.now)
    if present is None:
        return versions[0] if versions else no_such("agreement")
    await registry.end_agreement(context.connection, client_id, now=context.now)
    await record(context, "agreement.end", client_id=client_id, before=present.digest)
    return replace(present, ended_at=context.now)


def present_of(context: ActContext, versions: list[AgreementVersion]) -> AgreementVersion | None:
    """The newest version, if it is in force or will be."""
    return versions[0] if versions and versions[0].counts(context.now) else None


def next_version(versions: list[AgreementVersion]) -> int:
    """The number of the version after these."""
    return versions[0].version + 1 if versions else 1


def check_terms(context: ActContext, client: ClientDetails, terms: Terms) -> None:
    """Refuse terms that cannot be agreed with this client; raises `TermsError`."""
    if terms.signatures is None:
        raise TermsError("An agreement is signed for both sides: give signatures.")
    unknown = terms.unknown_datasets(context.datasets)
    if unknown:
        raise TermsError(f"The catalogue has no such dataset: {', '.join(unknown)}.")
    if client.kind == "operator" and (terms.purposes or terms.datasets or terms.questions):
        raise TermsError("An operator's client reads nothing: it has a term and quotas only.")
    check_licensed(client.kind, client.personal_credit_licence, terms)
    check_filed(client.kind, client.filing, terms)


async def _propose(
    context: ActContext,
    client_id: str,
    terms: Terms,
    versions: list[AgreementVersion],
    more: tuple[str, ...],
) -> Proposed:
    version = next_version(versions)
    document = terms.document(client_id, version)
    digest = digest_of(document)
    waiting = await proposals.proposals_for(context.connection, client_id, status="open")
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
        proposed_by=context.operator.credential,
        proposed_name=context.operator.name,
        proposed_at=context.now,
    )
    await proposals.propose(context.connection, proposal)
    await record(
        context,
        "agreement.propose",
        client_id=client_id,
        subject=proposal.proposal_id,
        before=versions[0].digest if versions else None,
        after=digest,
    )
    return Proposed(proposal=proposal)


async def _decide(context: ActContext, proposal: Proposal, status: str) -> bool:
    by, now = context.operator.credential, context.now
    return await proposals.decide(context.connection, proposal, status, operator=by, now=now)


async def _put(
    context: ActContext,
    what: str,
    client_id: str,
    terms: Terms,
    present: AgreementVersion | None,
    *,
    subject: str | None = None,
) -> InForce:
    version = await registry.put_agreement(context.connection, client_id, terms)
    digest = digest_of(terms.document(client_id, version))
    await proposals.supersede_open(context.connection, client_id, now=context.now)
    before = present.digest if present else None
    await record(context, what, client_id=client_id, subject=subject, before=before, after=digest)
    return InForce(version=version, digest=digest)


async def _open_proposal(
    context: ActContext, proposal_id: str, client_id: str | None
) -> tuple[ClientDetails, Proposal] | AdminRefusal:
    """The proposal and its client, locked; read again under the lock."""
    found = await proposals.proposal_of(context.connection, proposal_id)
    if found is None or found.client_id != (client_id or found.client_id):
        return no_such("proposal")
    client = await lock_client(context, found.client_id)
    if isinstance(client, AdminRefusal):
        return client
    proposal = await proposals.proposal_of(context.connection, proposal_id)
    if proposal is None or proposal.status != "open":
        return conflict("This proposal is decided already, or another has taken its place.")
    return client, proposal
