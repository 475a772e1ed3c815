"""Log a refused consent request before its error is answered (R10).

The row is written whether the enterprise exists or not, with the requested names that the catalogues have.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from consent import PURPOSES
from gateway.access.authentication import Caller
from gateway.access.errors import GatewayError, Refusal
from gateway.access.refused_request import UNKNOWN, RefusedRequest
from gateway.consents.schemas import ConsentIn
from gateway.creditfile.catalogue import Catalogue
from gateway.disclosure.commit import log_refusal
from gateway.runtime import Runtime
from verification import find_question


@asynccontextmanager
async def logged(
    runtime: Runtime, caller: Caller, came: ConsentIn | Refusal, uscc: str | None
) -> AsyncIterator[None]:
    """Log what is refused inside the block, if `came` names an enterprise: `uscc`."""
    try:
        yield
    except GatewayError as error:
        if uscc is not None and not isinstance(came, Refusal):
            refused = _refused(Refusal(type(error)), came, uscc, runtime.catalogue)
            await log_refusal(runtime.hot, refused.disclosure(caller, runtime.now()))
        raise


def _refused(refusal: Refusal, came: ConsentIn, uscc: str, catalogue: Catalogue) -> RefusedRequest:
    known = (
        *(name for name in came.datasets if name in catalogue.codes),
        *(tag for tag in came.questions if find_question(tag)),
    )
    return RefusedRequest(
        refusal=refusal,
        uscc=uscc,
        kind="consent_request",
        purpose=came.purpose if came.purpose in PURPOSES else UNKNOWN,
        asked=tuple(dict.fromkeys(known)),
    )
