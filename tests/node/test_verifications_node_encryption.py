"""ID numbers encrypted by the npm package `jose` are compared."""

import pytest

from gateway.clients.terms import ENCRYPTED
from tests.gateway_fixture import GatewayFixture
from tests.node.programs import Node, Program

pytestmark = pytest.mark.asyncio(loop_scope="session")

ID_NUMBER = "legal_representative_id.v1"


async def test_a_number_encrypted_in_javascript_is_compared(
    served: GatewayFixture, node: Node
) -> None:
    """With the key that the gateway publishes, under an agreement that takes no other."""
    bank, of = await served.client(id_numbers=ENCRYPTED), served.entity("clean")
    await served.grant(bank, of.uscc, datasets=(), questions=[ID_NUMBER])
    numbers = (of.personal["legal_representative_id_number"], "330106199001011234")
    bound = {"iss": bank.client_id, "aud": served.issuer, "sub": of.uscc}
    ask = {"issuer": served.issuer, "claims": [{**bound, "id_number": each} for each in numbers]}
    async with Program.running(node, "id-number.mjs", ask) as program:
        tokens = [(await program.says())["token"] for _ in numbers]
        assert await program.ends() == 0
    assert await bank.answers(of.uscc, *((ID_NUMBER, each) for each in tokens)) == ["yes", "no"]
