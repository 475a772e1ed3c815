"""Plan and apply of a manifest: `plan` lists the acts needed, `carry_out` does all or none.

`carry_out` plans again inside the transaction, and acts only on the plan that was shown.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, Final

from pydantic import ValidationError

from gateway.admin import agreement_service, client_service, serializers
from gateway.admin.audit_log import ActContext
from gateway.admin.errors import AdminRefusal, conflict
from gateway.admin.field_diff import DiffLine, differences
from gateway.admin.manifest import Declared, DeclaredClient
from gateway.admin.schemas import ClientDetailsIn, TermsIn
from gateway.clients.agreement_widening import widens
from gateway.clients.authentication_method import MEMBERS, TLS_CLIENT_AUTH, Authentication
from gateway.clients.client_details import ClientDetails, details_of, versions_of
from gateway.clients.proposals import proposals_for
from gateway.clients.registration import (
    RegistrationError,
    check_authentication,
    check_contact,
    check_filing,
    check_key_source,
    check_licence_number,
    check_names,
    check_redirects,
    check_scopes,
)
from gateway.clients.terms import digest_of
from gateway.clients.unique_names import Identities, identities

AMENDABLE: Final = (
    "name_zh",
    "name_en",
    "scopes",
    "redirect_uris",
    "filing",
    "personal_credit_licence",
    "contact",
    *MEMBERS,
)
NEVER_EMPTY: Final = (
    *AMENDABLE[:4],
    "token_endpoint_auth_method",
    "tls_client_certificate_bound_access_tokens",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One act of a plan: its diff, and the function that does it."""

    client_id: str
    verb: str
    lines: tuple[DiffLine, ...]
    run: Callable[[ActContext], Awaitable[object]] = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyPlan:
    """The acts in order, and notes on open proposals."""

    steps: tuple[Step, ...]
    notes: tuple[str, ...]


async def plan(context: ActContext, declared: Declared) -> ApplyPlan:
    """The acts that bring clients and agreements to what the file declares; raises its errors."""
    steps: list[Step] = []
    notes: list[str] = []
    known = await identities(context.connection)
    for client_id, client in declared.clients.items():
        details = await details_of(context.connection, client_id)
        known = _known_with(known, client_id, client, details)
        steps += _new(client_id, client) if details is None else _changed(details, client)
    for client_id, terms in declared.agreements.items():
        found = await _agreement(context, client_id, terms, is_new=client_id in declared.clients)
        if isinstance(found, str):
            notes.append(found)
        elif found is not None:
            steps.append(found)
    return ApplyPlan(steps=tuple(steps), notes=tuple(notes))


async def carry_out(
    context: ActContext, shown_plan: ApplyPlan, declared: Declared
) -> AdminRefusal | None:
    """Do every step or refuse all, in the caller's transaction."""
    if await plan(context, declared) != shown_plan:
        return conflict("Something has changed since the diff was made; apply again.")
    for step in shown_plan.steps:
        outcome = await step.run(context)
        if isinstance(outcome, AdminRefusal):
            return AdminRefusal(outcome.reason, f"{step.client_id}: {outcome.sentence}")
    return None


def _known_with(
    known: Identities, client_id: str, client: DeclaredClient, details: ClientDetails | None
) -> Identities:
    """The identities after this client's change; raises `RegistrationError`."""
    given = [
        name
        for member in client_service.NAMES
        if (name := getattr(client, member))
        and (details is None or name != getattr(details, member))
    ]
    trouble = known.problem_with_names(client_id, given)
    if details is None:
        trouble = known.problem_with_id(client_id) or trouble
    if trouble is not None:
        raise RegistrationError(f"{client_id}: {trouble}")
    return known.with_one(client_id, given)


def _new(client_id: str, client: DeclaredClient) -> list[Step]:
    given = client.model_dump(exclude_none=True, exclude={"state"})
    try:
        registration = ClientDetailsIn(**given).to_registration(client_id, loopback=False)
    except ValidationError as error:
        missing = ", ".join(str(e["loc"][0]) for e in error.errors())
        raise RegistrationError(f"{client_id} is new and needs: {missing}.") from None
    lines = differences({}, given)
    run = partial(client_service.register, registration=registration)
    steps = [Step(client_id=client_id, verb="register", lines=lines, run=run)]
    if client.state not in {None, "active"}:
        steps.append(_state_step(client_id, "active", client.state))
    return steps


def _changed(details: ClientDetails, client: DeclaredClient) -> list[Step]:
    given = client.model_dump(exclude_unset=True)
    if client.filing is not None:
        given["filing"] = client.filing.to_filing()
    if given.get("kind", details.kind) != details.kind:
        raise RegistrationError(f"{details.client_id} stays of its kind; register another client.")
    wanted: dict[str, Any] = {
        name: given[name]
        for name in AMENDABLE
        if name in given and given[name] != getattr(details, name)
    }
    steps = []
    if wanted:
        _check_amended(details, wanted)
        if "jwks" not in given and "jwks_uri" not in given:
            _check_keys_kept(details, wanted)
        run = partial(client_service.amend, client_id=details.client_id, values=wanted)
        declared = client.model_dump()
        lines = differences(
            asdict(details) | {"filing": serializers.filing(details)},
            {name: declared[name] for name in wanted},
        )
        steps.append(Step(client_id=details.client_id, verb="amend", lines=lines, run=run))
    steps += _keys_step(details, given)
    if client.state not in {None, details.state}:
        steps.append(_state_step(details.client_id, details.state, client.state))
    return steps


def _check_amended(details: ClientDetails, wanted: Mapping[str, Any]) -> None:
    after = {name: wanted.get(name, getattr(details, name)) for name in AMENDABLE}
    emptied = [name for name in NEVER_EMPTY if after[name] is None]
    if emptied:
        raise RegistrationError(f"{details.client_id} cannot be without: {', '.join(emptied)}.")
    check_names(after["name_zh"], after["name_en"])
    check_scopes(details.kind, after["scopes"])
    if "filing" in wanted:
        check_filing(details.kind, wanted["filing"])
    check_licence_number(after["personal_credit_licence"])
    check_contact(after["contact"])
    check_redirects(wanted.get("redirect_uris", ()), loopback=False)
    check_authentication(Authentication.of(after))


def _check_keys_kept(details: ClientDetails, wanted: Mapping[str, Any]) -> None:
    """Check that the client's present keys fit a new authentication method."""
    method = wanted.get("token_endpoint_auth_method", details.token_endpoint_auth_method)
    if method not in {details.token_endpoint_auth_method, TLS_CLIENT_AUTH}:
        jwks = None if details.jwks_uri else details.jwks
        check_key_source(jwks, details.jwks_uri, method=method, loopback=False)


def _keys_step(details: ClientDetails, given: Mapping[str, Any]) -> list[Step]:
    keys: dict[str, Any] = {"jwks": given.get("jwks"), "jwks_uri": given.get("jwks_uri")}
    now = {"jwks": None if details.jwks_uri else dict(details.jwks), "jwks_uri": details.jwks_uri}
    if keys == now or not any(each is not None for each in keys.values()):
        return []
    method = given.get("token_endpoint_auth_method", details.token_endpoint_auth_method)
    check_key_source(**keys, method=method, loopback=False)
    run = partial(client_service.replace_keys, client_id=details.client_id, **keys)
    lines = differences(now, keys)
    return [Step(client_id=details.client_id, verb="rotate keys", lines=lines, run=run)]


def _state_step(client_id: str, before: str, after: Any) -> Step:  # one of the declared states
    run = partial(client_service.set_state, client_id=client_id, state=after)
    line = DiffLine(what="state", before=before, after=after)
    return Step(client_id=client_id, verb="change state", lines=(line,), run=run)


async def _agreement(
    context: ActContext, client_id: str, declared: TermsIn, *, is_new: bool
) -> Step | str | None:
    details = await details_of(context.connection, client_id)
    if details is None and not is_new:
        raise RegistrationError(f"{client_id} has an agreement in the file, but is no client.")
    versions = await versions_of(context.connection, client_id)
    present = agreement_service.present_of(context, versions)
    terms = declared.to_terms().following(present.terms if present else None)
    if details is not None:
        agreement_service.check_terms(context, details, terms)
    if present is not None and present.terms == terms:
        return None
    more = widens(present.terms if present else None, terms)
    digest = digest_of(terms.document(client_id, agreement_service.next_version(versions)))
    for waiting in await proposals_for(context.connection, client_id, status="open"):
        if more and waiting.digest == digest:
            return f"{client_id}: {waiting.proposal_id} waits for a second operator."
    before = serializers.terms(present.terms) if present else {}
    return Step(
        client_id=client_id,
        verb=f"propose (it widens: {'; '.join(more)})" if more else "agree (it only narrows)",
        lines=differences(before, serializers.terms(terms)),
        run=partial(agreement_service.put, client_id=client_id, terms=terms),
    )
