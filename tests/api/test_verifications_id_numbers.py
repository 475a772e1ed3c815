"""Encrypted ID numbers: compared under a consent that names the question, and kept nowhere."""

import secrets
from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import text

from gateway.clients.terms import ENCRYPTED
from gateway.limits.memory_store import MemoryStore
from gateway.synthetic.generator.people import invalid_id_number
from tests.batch_builders import answered, batch_body, batch_line
from tests.gateway_fixture import Caller, GatewayFixture, QuestionValue
from tests.job_builders import GENEROUS, finished, started
from tests.jwe_builders import encrypt

pytestmark = pytest.mark.asyncio(loop_scope="session")

ID_NUMBER = "legal_representative_id.v1"
GROUP = "four_elements.v1"
WRONG = "330106199001011234"


async def published_key(gateway: GatewayFixture) -> dict[str, Any]:
    """The gateway's key of use `enc`, as any client finds it."""
    keys = (await gateway.http.get("/.well-known/jwks.json")).json()["keys"]
    (found,) = [each for each in keys if each["use"] == "enc"]
    return dict(found)


async def sealed(bank: Caller, uscc: str, number: str) -> str:
    """An ID number encrypted for this client's question about this enterprise."""
    claims = {"iss": bank.client_id, "aud": bank.gateway.issuer, "sub": uscc, "id_number": number}
    return encrypt(claims, await published_key(bank.gateway))


def number_of(gateway: GatewayFixture, *traits: str) -> tuple[str, str]:
    """An enterprise and its representative's number."""
    found = gateway.entity(*traits)
    return found.enterprise.uscc, found.personal["legal_representative_id_number"]


async def test_an_encrypted_number_is_compared_under_a_consent_that_names_it(
    gateway: GatewayFixture,
) -> None:
    """By itself and in a group; without the consent nothing is determined."""
    bank, (uscc, number) = await gateway.client(), number_of(gateway, "clean")
    of = gateway.entity("clean").enterprise
    right, wrong = await sealed(bank, uscc, number), await sealed(bank, uscc, WRONG)
    asked: list[tuple[str, QuestionValue]] = [(ID_NUMBER, right), (ID_NUMBER, wrong)]
    assert await bank.answers(uscc, *asked) == ["not_determined"] * 2
    await gateway.grant(bank, uscc, datasets=(), questions=["is_active.v1"])
    assert await bank.answers(uscc, *asked) == ["not_determined"] * 2
    await gateway.grant(bank, uscc, datasets=(), questions=[ID_NUMBER, GROUP])
    assert await bank.answers(uscc, *asked) == ["yes", "no"]
    members = {"name": of.name, "legal_representative": of.legal_representative}
    assert await bank.answers(uscc, (GROUP, {**members, "id_number": right})) == ["yes"]
    assert await bank.answers(uscc, (GROUP, {**members, "id_number": wrong})) == ["no"]


async def test_a_number_counts_once_however_it_arrives(gateway: GatewayFixture) -> None:
    """Two encryptions and the number itself are one value of the probe budget."""
    bank, (uscc, number) = await gateway.client(), number_of(gateway, "clean")
    await gateway.grant(bank, uscc, datasets=(), questions=[ID_NUMBER])
    for value in (await sealed(bank, uscc, WRONG), await sealed(bank, uscc, WRONG), WRONG):
        assert await bank.answers(uscc, (ID_NUMBER, value)) == ["no"]
    assert await bank.answers(uscc, (ID_NUMBER, await sealed(bank, uscc, number))) == ["yes"]


async def test_an_agreement_can_take_encrypted_numbers_only(gateway: GatewayFixture) -> None:
    """A plain one is refused before anything is compared; a plain name beside it is not meant."""
    bank, (uscc, number) = await gateway.client(id_numbers=ENCRYPTED), number_of(gateway, "clean")
    await gateway.grant(bank, uscc, datasets=(), questions=[ID_NUMBER])
    refused = await bank.verify(uscc, (ID_NUMBER, number))
    assert (refused.status_code, refused.json()["code"]) == (403, "not_in_agreement")
    assert "encrypted" in refused.json()["detail"]
    assert number not in refused.text
    assert await bank.answers(uscc, (ID_NUMBER, await sealed(bank, uscc, number))) == ["yes"]
    assert await bank.answers(uscc, ("legal_representative_name.v1", "王一")) == ["no"]


async def test_lines_of_a_batch_are_opened_alike(gateway: GatewayFixture) -> None:
    """One that cannot be read costs its own line."""
    bank, (uscc, number) = await gateway.client(), number_of(gateway, "clean")
    other = gateway.uscc("penalised")
    purpose = "loan_approval"
    await gateway.grant(bank, uscc, datasets=(), questions=[ID_NUMBER], purpose=purpose)
    right = await sealed(bank, uscc, number)
    found = await answered(
        bank,
        [
            batch_line(1, uscc, (ID_NUMBER, right), purpose=purpose),
            batch_line(2, other, (ID_NUMBER, right), purpose=purpose),
            batch_line(3, uscc, "is_active.v1", purpose=purpose),
        ],
    )
    assert found.answers == [["yes"], "invalid_request", ["yes"]]


async def test_a_repeated_call_finds_its_answer(gateway: GatewayFixture) -> None:
    """The same bytes under one key, even after the key was rotated away within its week."""
    bank, (uscc, number) = await gateway.client(), number_of(gateway, "clean")
    consent = await gateway.grant(bank, uscc, datasets=(), questions=[ID_NUMBER])
    asked = (ID_NUMBER, await sealed(bank, uscc, number))
    key = {"Idempotency-Key": secrets.token_hex(8)}
    first = await bank.verify(uscc, asked, headers=key)
    with gateway.clock.later(hours=2):
        again = await bank.verify(uscc, asked, headers=key)
    assert (first.status_code, first.content) == (200, again.content)
    assert await gateway.uses(consent) == 1


async def test_a_number_is_in_no_table_no_limit_store_and_no_log(
    gateway: GatewayFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nor its ciphertext: asked by itself, in a group, wrongly, refused, in a batch, with a stored answer."""
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    strict = await gateway.client(id_numbers=ENCRYPTED)
    await gateway.grant(bank, uscc, datasets=(), questions=[ID_NUMBER, GROUP])
    number = invalid_id_number(f"3301061990{secrets.randbelow(10**7):07}")
    token = await sealed(bank, uscc, number)
    for value in (number, token, token[:-2] + "AA"):
        members: Mapping[str, str] = {
            "name": "甲公司", "legal_representative": "王一", "id_number": value
        }  # fmt: skip
        key = {"Idempotency-Key": secrets.token_hex(8)}
        await bank.verify(uscc, (ID_NUMBER, value), headers=key)
        await bank.verify(uscc, (GROUP, members))
        await bank.verify(gateway.uscc("penalised"), (ID_NUMBER, value))
        await strict.verify(uscc, (ID_NUMBER, value))
        await answered(bank, [batch_line(1, uscc, (ID_NUMBER, value), purpose="loan_approval")])
    kept = await everything_kept(gateway)
    told = "".join(capfd.readouterr())
    assert "not_in_agreement" in told  # the log is there
    assert bank.client_id in kept
    for secret in (number, token, token.rpartition(".")[0], token.split(".")[3]):
        assert secret not in kept
        assert secret not in told


async def everything_kept(gateway: GatewayFixture) -> str:
    """Every row of every table, and all that the limit store holds."""
    async with gateway.runtime.engine.connect() as connection:
        names = (
            await connection.execute(
                text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            )
        ).scalars()
        every_row = (text(f'SELECT * FROM "{name}"') for name in names)  # noqa: S608  # own tables
        rows = [str((await connection.execute(each)).all()) for each in every_row]
    limiter = gateway.runtime.limiter
    assert isinstance(limiter, MemoryStore)
    return "".join(rows) + "".join(str(vars_of(shard)) for shard in limiter._shards)


def vars_of(kept: Any) -> dict[str, Any]:
    """The attributes of an object with slots."""
    return {name: getattr(kept, name) for name in type(kept).__slots__}


async def test_a_job_takes_encrypted_numbers_and_stores_no_bare_one(
    gateway: GatewayFixture,
) -> None:
    """Compared as in a call; a line with the number itself is broken when it arrives."""
    platform = await gateway.client(quotas=GENEROUS)
    uscc, number = number_of(gateway, "clean")
    await gateway.grant(platform, uscc, purpose="loan_approval", datasets=(), questions=[ID_NUMBER])
    lines = [
        batch_line(n, uscc, (ID_NUMBER, value), purpose="loan_approval")
        for n, value in enumerate((await sealed(platform, uscc, number), number), 1)
    ]
    job = await started(platform, batch_body(lines))
    told, broken = (await finished(platform, job)).documents
    assert told["answers"] == [{"question": ID_NUMBER, "answer": "yes"}]
    assert broken["problem"]["code"] == "invalid_request"
    assert number not in str(broken)
