"""A token for the client's own credentials takes two statements: one reads, one writes.

Between them Authlib judges, as for every grant; only that it needs no transaction to do so.
"""

from datetime import datetime

from gateway.clients import registry
from gateway.clients.key_sets import signer_of
from gateway.clients.registry import Client
from gateway.oauth.books import AtTheEnd
from gateway.oauth.errors import OAuthError
from gateway.oauth.issue import At
from gateway.oauth.server import Answer, PostedForm, Server
from gateway.runtime import Runtime

GRANT_TYPE = "client_credentials"


def serves(endpoint: str, posted: PostedForm) -> bool:
    """Whether this is such a request."""
    return endpoint == "token" and posted.form.get("grant_type") == GRANT_TYPE


async def answer(posted: PostedForm, runtime: Runtime, jkt: str | None) -> Answer:
    """The token endpoint's answer, committed."""
    now = runtime.now()
    books = AtTheEnd(await client_of(posted, runtime, now))
    server = Server(At(books=books, runtime=runtime, now=now, jkt=jkt, certificate=None))
    judged = server.answer("token", posted)
    try:
        await books.close(runtime.hot)
    except OAuthError as refusal:
        return server.handle_error_response(posted, refusal)
    return judged


async def client_of(posted: PostedForm, runtime: Runtime, now: datetime) -> Client | None:
    """Whom the assertion says it is from, as registered: whether that is so is judged after."""
    signer = signer_of(posted.form.get("client_assertion"))
    if signer is None:
        return None
    return await registry.find_signer(runtime.hot, signer, now=now, loopback=runtime.settings.demo)
