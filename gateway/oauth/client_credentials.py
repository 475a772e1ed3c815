"""The client credentials request, answered in two statements and no transaction: one read, one write.

Authlib judges it as it does every grant. Between the two, one round trip to the limit store spends the
proof and counts the authenticated client.
"""

from gateway.access.dpop import Proof
from gateway.oauth.claimed_client import claimed_client
from gateway.oauth.errors import OAuthError
from gateway.oauth.request_context import RequestContext
from gateway.oauth.server import Answer, OAuthServer, PostedForm
from gateway.oauth.unit_of_work import DeferredWork
from gateway.runtime import Runtime

GRANT_TYPE = "client_credentials"


def is_client_credentials(endpoint: str, posted: PostedForm) -> bool:
    """True for a token request for client credentials."""
    return endpoint == "token" and posted.form.get("grant_type") == GRANT_TYPE


async def answer(posted: PostedForm, runtime: Runtime, proof: Proof) -> Answer:
    """The token endpoint's response, committed; `proof` is valid, and spent here."""
    work = DeferredWork(await claimed_client(posted.form, None, runtime))
    context = RequestContext(
        unit_of_work=work,
        runtime=runtime,
        now=runtime.now(),
        jkt=proof.jkt,
        certificate=None,
        unspent_proof=proof,
    )
    server = OAuthServer(context)
    response = server.answer("token", posted)
    try:
        await work.close(runtime.hot)
    except OAuthError as refusal:
        response = server.refuse(posted, refusal)
    return response.with_nonce(runtime.nonces.issue(proof.generation, runtime.now()))
