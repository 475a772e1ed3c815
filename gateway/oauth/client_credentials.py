"""The client credentials request, answered in two statements and no transaction: one read, one write.

Authlib judges it as it does every grant.
"""

from gateway.clients.registry import Client
from gateway.oauth.errors import OAuthError
from gateway.oauth.request_context import RequestContext
from gateway.oauth.server import Answer, OAuthServer, PostedForm
from gateway.oauth.unit_of_work import DeferredWork
from gateway.runtime import Runtime

GRANT_TYPE = "client_credentials"


def is_client_credentials(endpoint: str, posted: PostedForm) -> bool:
    """True for a token request for client credentials."""
    return endpoint == "token" and posted.form.get("grant_type") == GRANT_TYPE


async def answer(
    posted: PostedForm, runtime: Runtime, jkt: str | None, client: Client | None
) -> Answer:
    """The token endpoint's response, committed; `client` is the one that the assertion claims."""
    work = DeferredWork(client)
    context = RequestContext(
        unit_of_work=work, runtime=runtime, now=runtime.now(), jkt=jkt, certificate=None
    )
    server = OAuthServer(context)
    response = server.answer("token", posted)
    try:
        await work.close(runtime.hot)
    except OAuthError as refusal:
        return server.refuse(posted, refusal)
    return response
