"""In-process fake gateway for a client's own tests: no network, real signatures.

::

    from xinqiao.testing import FakeGateway

    gateway = FakeGateway()
    gateway.add_enterprise(USCC, answers={"is_active.v1": "yes"})
    with gateway.client() as client:
        assert client.verify(USCC, purpose="tender", questions=["is_active.v1"])["is_active.v1"].yes

It keeps the wire's rules (client assertions, DPoP with nonces, scopes, the published tables of purposes,
questions and datasets, idempotency, consents and their uses, cooling down, budgets of asserted values)
and signs with a key of its own. It knows only what a test tells it, and a test can tell it only what the
real gateway could have: everything else is a `FakeSetupError`, which names the nearest right value.
"""

from xinqiao.testing._state.enterprises import FakeAgreement, FakeConsent, FakeEnterprise

from ._gateway import FakeGateway
from ._rules.setup_checks import FakeSetupError

__all__ = ["FakeAgreement", "FakeConsent", "FakeEnterprise", "FakeGateway", "FakeSetupError"]
