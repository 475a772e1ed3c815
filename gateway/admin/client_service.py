"""Operators' acts on a client: register, change state, replace keys, amend; each is audited.

Each function locks the client, runs in the caller's transaction, and returns the changed client or a
refusal. None widens what a client may read: that is `agreement_service`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal

from gateway.admin.audit_log import ActContext, record
from gateway.admin.errors import AdminRefusal, conflict, no_such
from gateway.clients import proposals, registry
from gateway.clients.client_details import ClientDetails, change, details_of, versions_of
from gateway.clients.filing import COLUMNS as FILING_COLUMNS
from gateway.clients.filing import Filing
from gateway.clients.registration import (
    NO_KEYS,
    Registration,
    RegistrationError,
    check_key_source,
)
from gateway.clients.terms import check_licensed
from gateway.clients.unique_names import identities

NAMES: Final = ("name_zh", "name_en")
State = Literal["active", "suspended", "ended"]
VERBS: Final[Mapping[State, str]] = {
    "active": "client.resume",
    "suspended": "client.suspend",
    "ended": "client.end",
}


async def register(context: ActContext, registration: Registration) -> ClientDetails | AdminRefusal:
    """Register a client; without an agreement it may do nothing."""
    known = await identities(context.connection)
    names = (registration.name_zh, registration.name_en)
    problem = known.problem_with_id(registration.client_id) or known.problem_with_names(
        registration.client_id, names
    )
    if problem is not None:
        return conflict(problem)
    filing = registration.filing
    _check_days(filing, context.now)
    if filing is not None and filing.ends_at <= context.now:
        raise RegistrationError(f"The filing has ended with {filing.valid_until}.")
    await registry.register_client(context.connection, registration, now=context.now)
    return await _audit(context, "client.register", None, registration.client_id)


async def set_state(
    context: ActContext, client_id: str, state: State
) -> ClientDetails | AdminRefusal:
    """Suspend, resume or end a client, from its next request on; a repeat changes nothing."""
    client = await lock_client(context, client_id)
    if isinstance(client, AdminRefusal) or client.state == state:
        return client
    await change(context.connection, client_id, {"state": state})
    if state == "ended":
        await registry.end_agreement(context.connection, client_id, now=context.now)
        await proposals.supersede_open(context.connection, client_id, now=context.now)
    return await _audit(context, VERBS[state], client, client_id)


async def replace_keys(
    context: ActContext,
    client_id: str,
    *,
    jwks: Mapping[str, Any] | None = None,
    jwks_uri: str | None = None,
    loopback: bool = False,
) -> ClientDetails | AdminRefusal:
    """Replace a client's keys, from its next request on."""
    client = await lock_client(context, client_id)
    if isinstance(client, AdminRefusal):
        return client
    method = client.token_endpoint_auth_method
    check_key_source(jwks, jwks_uri, method=method, loopback=loopback)
    values = {"jwks": dict(jwks or NO_KEYS), "jwks_uri": jwks_uri}
    await change(context.connection, client_id, values)
    return await _audit(context, "client.rotate_keys", client, client_id)


async def amend(
    context: ActContext, client_id: str, values: Mapping[str, Any]
) -> ClientDetails | AdminRefusal:
    """Change names, scopes, redirect addresses, filing or licence; the caller has checked the values.

    A licence that an agency gains while it has an agreement would widen what it is told.
    """
    names = [values[name] for name in NAMES if name in values]
    if names:
        problem = (await identities(context.connection)).problem_with_names(client_id, names)
        if problem is not None:
            return conflict(problem)
    client = await lock_client(context, client_id)
    if isinstance(client, AdminRefusal):
        return client
    licence = values.get("personal_credit_licence", client.personal_credit_licence)
    for version in (await versions_of(context.connection, client_id))[:1]:
        if version.counts(context.now):
            check_licensed(client.kind, licence, version.terms)
            if client.kind == "agency" and licence and not client.personal_credit_licence:
                return conflict(
                    "With a licence the agreement would disclose more: end it, register the licence, "
                    "and agree anew, by two operators."
                )
    columns = dict(values)
    if "filing" in columns:
        filing: Filing | None = columns.pop("filing")
        _check_days(filing, context.now)
        columns |= filing.columns() if filing else dict.fromkeys(FILING_COLUMNS)
    await change(context.connection, client_id, columns)
    return await _audit(context, "client.amend", client, client_id)


async def lock_client(context: ActContext, client_id: str) -> ClientDetails | AdminRefusal:
    """The client, locked until the transaction ends; an ended one is refused."""
    client = await details_of(context.connection, client_id, lock=True)
    if client is None:
        return no_such("client")
    if client.state == "ended":
        return conflict(f"{client_id} has ended; register a new client.")
    return client


def _check_days(filing: Filing | None, now: datetime) -> None:
    if filing is not None and not filing.is_checked_by(now):
        raise RegistrationError("A filing has been checked today or earlier.")


async def _audit(
    context: ActContext, what: str, before: ClientDetails | None, client_id: str
) -> ClientDetails | AdminRefusal:
    after = await details_of(context.connection, client_id)
    if after is None:
        return no_such("client")
    digest = before.digest if before else None
    if digest != after.digest:
        await record(context, what, client_id=client_id, before=digest, after=after.digest)
    return after
