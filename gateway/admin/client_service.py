"""A client is locked while an operator acts on it, and what was done is written down with it.

Each verb runs in the caller's transaction and gives the client as it stands then, or a refusal.
Nothing here lets a client learn more than its agreement says: that is `agreeing`.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

from gateway.admin.audit_log import At, OperatorAct, record
from gateway.admin.errors import AdminRefusal, conflict, no_such
from gateway.clients import proposals, registry
from gateway.clients.client_details import ClientDetails, change, particulars_of, versions_of
from gateway.clients.identities import identities
from gateway.clients.registration import NO_KEYS, Registration, check_key_source
from gateway.clients.terms import check_licensed

NAMES: Final = ("name_zh", "name_en")
State = Literal["active", "suspended", "ended"]
VERBS: Final[Mapping[State, str]] = {
    "active": "client.resume",
    "suspended": "client.suspend",
    "ended": "client.end",
}


async def register(at: At, registration: Registration) -> ClientDetails | AdminRefusal:
    """Add a client; it may do nothing until it has an agreement."""
    held = await identities(at.connection)
    names = (registration.name_zh, registration.name_en)
    taken = held.trouble_with_id(registration.client_id) or held.trouble_with_names(
        registration.client_id, names
    )
    if taken is not None:
        return conflict(taken)
    await registry.register_client(at.connection, registration, now=at.now)
    return await _written(at, "client.register", None, registration.client_id)


async def set_state(at: At, client_id: str, state: State) -> ClientDetails | AdminRefusal:
    """Suspend, resume or end a client; holds from its next request. What is so already stays so."""
    held = await hold(at, client_id)
    if isinstance(held, AdminRefusal) or held.state == state:
        return held
    await change(at.connection, client_id, {"state": state})
    if state == "ended":
        await registry.end_agreement(at.connection, client_id, now=at.now)
        await proposals.supersede_open(at.connection, client_id, now=at.now)
    return await _written(at, VERBS[state], held, client_id)


async def replace_keys(
    at: At,
    client_id: str,
    *,
    jwks: Mapping[str, Any] | None = None,
    jwks_uri: str | None = None,
    loopback: bool = False,
) -> ClientDetails | AdminRefusal:
    """Take these keys for the client's from its next request on, and none of the old ones."""
    held = await hold(at, client_id)
    if isinstance(held, AdminRefusal):
        return held
    method = held.token_endpoint_auth_method
    check_key_source(jwks, jwks_uri, method=method, loopback=loopback)
    values = {"jwks": dict(jwks or NO_KEYS), "jwks_uri": jwks_uri}
    await change(at.connection, client_id, values)
    return await _written(at, "client.rotate_keys", held, client_id)


async def amend(at: At, client_id: str, values: Mapping[str, Any]) -> ClientDetails | AdminRefusal:
    """Change names, scopes, redirect addresses or numbers; the values are checked already."""
    names = [values[name] for name in NAMES if name in values]
    if names:
        taken = (await identities(at.connection)).trouble_with_names(client_id, names)
        if taken is not None:
            return conflict(taken)
    held = await hold(at, client_id)
    if isinstance(held, AdminRefusal):
        return held
    licence = values.get("personal_credit_licence", held.personal_credit_licence)
    for version in (await versions_of(at.connection, client_id))[:1]:
        if version.counts(at.now):
            check_licensed(held.kind, licence, version.terms)
    await change(at.connection, client_id, values)
    return await _written(at, "client.amend", held, client_id)


async def hold(at: At, client_id: str) -> ClientDetails | AdminRefusal:
    """The client, locked until the transaction ends; one that has ended is past all acts."""
    held = await particulars_of(at.connection, client_id, lock=True)
    if held is None:
        return no_such("client")
    if held.state == "ended":
        return conflict(f"{client_id} has ended; register a new client.")
    return held


async def _written(
    at: At, what: str, before: ClientDetails | None, client_id: str
) -> ClientDetails | AdminRefusal:
    after = await particulars_of(at.connection, client_id)
    if after is None:
        return no_such("client")
    digest = before.digest if before else None
    if digest != after.digest:
        act = OperatorAct(what=what, client_id=client_id, before=digest, after=after.digest)
        await record(at, act)
    return after
