"""A token for the client's own credentials takes two statements: one has read, one writes.

Between them Authlib judges, as for every grant; only that it needs no transaction to do so.
"""

from gateway.clients.registry import Client
from gateway.oauth.errors import OAuthError
from gateway.oauth.server import Answer, OAuthServer, PostedForm
from gateway.oauth.token_issuer import TokenTime
from gateway.oauth.unit_of_work import AtTheEnd
from gateway.runtime import Runtime

GRANT_TYPE = "client_credentials"


def serves(endpoint: str, posted: PostedForm) -> bool:
    """Whether this is such a request."""
    return endpoint == "token" and posted.form.get("grant_type") == GRANT_TYPE


async def answer(
    posted: PostedForm, runtime: Runtime, jkt: str | None, client: Client | None
) -> Answer:
    """The token endpoint's answer, committed; `client` is whom the assertion says it is from."""
    books, now = AtTheEnd(client), runtime.now()
    server = OAuthServer(
        TokenTime(books=books, runtime=runtime, now=now, jkt=jkt, certificate=None)
    )
    judged = server.answer("token", posted)
    try:
        await books.close(runtime.hot)
    except OAuthError as refusal:
        return server.handle_error_response(posted, refusal)
    return judged
