"""A gateway inside the test process, for a bank's own tests: no network, real signatures.

::

    from xinqiao.testing import FakeGateway

    gateway = FakeGateway()
    gateway.add_enterprise(USCC, answers={"is_active.v1": "yes"})
    with gateway.client() as client:
        assert client.verify(USCC, purpose="tender", questions=["is_active.v1"])["is_active.v1"].yes

It keeps the wire's rules (client assertions, DPoP with nonces, idempotency, consents and their
uses) and signs with a key of its own. It is not the gateway: it knows what a test tells it.
"""

from ._gateway import FakeGateway
from ._people import FakeConsent, FakeEnterprise

__all__ = ["FakeConsent", "FakeEnterprise", "FakeGateway"]
