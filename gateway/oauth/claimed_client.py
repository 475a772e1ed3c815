"""The client that a request claims to be from, read in one statement before authentication.

The same statement runs, and a row is processed, whether there is such a client or not.
"""

from collections.abc import Mapping

from gateway.clients import registry
from gateway.clients.certificates import Certificate
from gateway.clients.key_sets import ClaimedSigner, signer_of
from gateway.clients.registration import CLIENT_ID
from gateway.clients.registry import Client
from gateway.runtime import Runtime


async def claimed_client(
    parameters: Mapping[str, str], certificate: Certificate | None, runtime: Runtime
) -> Client | None:
    """The client that the assertion claims, or `client_id` beside a certificate alone."""
    claimed = _claimed(parameters, certificate)
    if claimed is None:
        return None
    loopback = runtime.settings.demo
    return await registry.find_signer(runtime.hot, claimed, now=runtime.now(), loopback=loopback)


def _claimed(
    parameters: Mapping[str, str], certificate: Certificate | None
) -> ClaimedSigner | None:
    assertion, client_id = parameters.get("client_assertion"), parameters.get("client_id", "")
    if assertion is not None:
        return signer_of(assertion)
    if certificate is None or not CLIENT_ID.fullmatch(client_id):
        return None
    return ClaimedSigner(client_id=client_id, x5c=certificate.x5c)
