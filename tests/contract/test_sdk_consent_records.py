"""SDK verification of consent records against the real log, offline."""

import copy
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from typer.testing import CliRunner

from gateway.access.serializers import signed_consent_record
from gateway.signing import jws
from tests.consent_leaf_checks import (
    enterprise_record,
    make_eventful_consent,
    wait_for_merged_record,
)
from tests.gateway_fixture import Caller, GatewayFixture
from xinqiao import KeySet, errors, verify_consent_record
from xinqiao.cli._app import app

pytestmark = pytest.mark.asyncio(loop_scope="session")

Document = dict[str, Any]
Change = Callable[[Document], None]


@pytest_asyncio.fixture(loop_scope="session")
async def bank(gateway: GatewayFixture) -> AsyncIterator[Caller]:
    """A new bank."""
    yield await gateway.client("bank")


def signed_anew(gateway: GatewayFixture, made: Document, change: Change) -> Document:
    """Sign a changed record again, as an operator with the key could."""
    forged = copy.deepcopy(made)
    change(forged)
    now = gateway.clock()
    claims = {
        "iss": gateway.issuer,
        "iat": int(now.timestamp()),
        "sub": forged["record"]["dct:identifier"],
        "record": forged["record"],
        "text": forged["text"],
    }
    key = gateway.runtime.keys.current("response", now)
    return forged | {"jwt": jws.sign(claims, typ=signed_consent_record.TYP, key=key)}


def refused(document: Document, gateway: GatewayFixture) -> str:
    """Reason of the refusal."""
    with pytest.raises(errors.XinqiaoError) as caught:
        verify_consent_record(document, keys=gateway.runtime.keys.published())
    assert isinstance(caught.value, errors.EvidenceInvalid | errors.ReceiptInvalid)
    return str(caught.value)


async def test_both_copies_are_proven_by_the_log(gateway: GatewayFixture, bank: Caller) -> None:
    """Six events with six leaves; the client's copy has no persons."""
    consent_id = await make_eventful_consent(gateway, bank)
    keys = gateway.runtime.keys.published()
    for made in (
        await wait_for_merged_record(bank, consent_id),
        await enterprise_record(gateway, consent_id),
    ):
        verified = verify_consent_record(made, keys=keys)
        assert (verified.consent_id, verified.unproven) == (consent_id, ())
        assert verified.proven == (1, 2, 3, 4, 5, 6)
        assert verified.record["xq:status"] == "withdrawn"


def _event(name: str, value: object, number: int = 1) -> Change:
    def change(made: Document) -> None:
        made["record"]["xq:events"][number][name] = value

    return change


def _more_data(made: Document) -> None:
    more = made["record"]["xq:events"][0]["dpv:hasPersonalData"]
    for at in range(4, 6):
        made["record"]["xq:events"][at]["dpv:hasPersonalData"] = more
    made["record"]["dpv:hasProcess"]["dpv:hasPersonalData"] = more


def _not_withdrawn(made: Document) -> None:
    made["record"]["xq:events"].pop()
    made["record"] |= {"xq:status": "active", "dpv:hasConsentStatus": "dpv:ConsentGiven"}


def _wider_now(made: Document) -> None:
    made["record"]["dpv:hasProcess"]["dpv:hasDuration"][1]["rdf:value"] = 1_000


def _anothers(made: Document) -> None:
    made["record"]["dpv:hasProcess"]["dpv:hasRecipient"] = "another-bank"


def _make_leaf_to_fit(made: Document) -> None:
    leaf = made["record"]["xq:events"][1]["xq:leaf"]
    leaf |= made["record"]["xq:events"][2]["xq:leaf"] | {"dct:identifier": leaf["dct:identifier"]}


FORGED: Final[dict[str, tuple[Change, str]]] = {
    "an act": (_event("xq:act", "resumed"), "Event 2 is not what its leaf says."),
    "a time": (
        _event("dct:date", "2020-01-01T00:00:00+08:00"),
        "Event 2 is not what its leaf says.",
    ),
    "a person": (_event("dpv:isImplementedByEntity", "x"), "Event 2 is not what its person did."),
    "a token": (_event("xq:identityTokenSha256", "00"), "Event 2 is not what its person did."),
    "more data": (_more_data, "Event 5 is not what its leaf says."),
    "a recipient": (_anothers, "Event 1 is not what its leaf says."),
    "a withdrawal left out": (_not_withdrawn, "The record lacks an event."),
    "what holds now": (_wider_now, "What the record allows is not what was decided last."),
    "another event's leaf": (_make_leaf_to_fit, "Event 2 is not what its leaf says."),
}


@pytest.mark.parametrize("what", FORGED)
async def test_a_record_forged_by_the_operator_itself_shows(
    gateway: GatewayFixture, bank: Caller, what: str
) -> None:
    """With a valid signature."""
    change, sentence = FORGED[what]
    consent_id = await make_eventful_consent(gateway, bank)
    await wait_for_merged_record(bank, consent_id)
    made = await enterprise_record(gateway, consent_id)
    assert refused(signed_anew(gateway, made, change), gateway) == sentence


async def test_a_receipt_that_does_not_show_its_leaf_is_refused(
    gateway: GatewayFixture, bank: Caller
) -> None:
    """Another leaf's receipt, another log's key, another index."""
    made = await wait_for_merged_record(bank, await make_eventful_consent(gateway, bank))
    keys = KeySet.read(gateway.runtime.keys.published())
    swapped, moved = copy.deepcopy(made), copy.deepcopy(made)
    first, second = swapped["receipts"][:2]
    first["disclosure_id"], second["disclosure_id"] = (
        second["disclosure_id"],
        first["disclosure_id"],
    )
    assert refused(swapped, gateway) == "The receipt is of another leaf."
    moved["receipts"][0]["leaf_index"] += 1
    assert refused(moved, gateway) == "The proof does not lead to the checkpoint's root."
    with pytest.raises(errors.ReceiptInvalid, match="not signed by a trusted log key"):
        verify_consent_record(made, keys=KeySet(keys.by_kid))


async def test_an_unsigned_record_is_refused(gateway: GatewayFixture, bank: Caller) -> None:
    """Changed beside its JWT, without one, by an unknown key, another document."""
    made = await wait_for_merged_record(bank, await make_eventful_consent(gateway, bank))
    changed = copy.deepcopy(made)
    changed["record"]["xq:uses"] = 99
    assert refused(changed, gateway) == "The record is not the one that was signed."
    other_text = {"zh": ["别的"], "en": ["other"]}
    changed = copy.deepcopy(made) | {"text": other_text}
    assert refused(changed, gateway) == "The text is not the one that was signed."
    anew = signed_anew(gateway, made, lambda forged: forged.update(text=other_text))
    assert refused(anew, gateway) == "The text is not the one that the record names."
    for token in ("", "a.b.c", made["jwt"][:-6] + "AAAAAA", None):
        assert refused(made | {"jwt": token}, gateway) == "The record's JWT cannot be verified."
    with pytest.raises(errors.EvidenceInvalid, match="not among the trusted keys"):
        verify_consent_record(made, keys={"keys": []})
    refused({}, gateway)


async def test_an_event_without_a_receipt_is_named(gateway: GatewayFixture, bank: Caller) -> None:
    """Also an event whose salt was erased."""
    made = await wait_for_merged_record(bank, await make_eventful_consent(gateway, bank))
    made["receipts"] = made["receipts"][:4]
    fresh = verify_consent_record(made, keys=gateway.runtime.keys.published())
    assert (fresh.proven, fresh.unproven) == ((1, 2, 3, 4), (5, 6))
    erased = signed_anew(gateway, made, lambda it: it["record"]["xq:events"][0].pop("xq:leaf"))
    assert verify_consent_record(erased, keys=gateway.runtime.keys.published()).proven == (2, 3, 4)


async def test_the_command_says_what_the_log_proves(
    gateway: GatewayFixture, bank: Caller, tmp_path: Path
) -> None:
    """Exit status 0 if all events are proven, 1 otherwise."""
    made = await wait_for_merged_record(bank, await make_eventful_consent(gateway, bank))
    file, keys = tmp_path / "record.json", tmp_path / "keys.json"
    keys.write_text(json.dumps(gateway.runtime.keys.published()))
    outcomes = []
    partly, changed = copy.deepcopy(made), copy.deepcopy(made)
    partly["receipts"] = []
    changed["record"]["xq:uses"] = 99
    for document in (made, partly, changed):
        file.write_text(json.dumps(document))
        outcomes.append(CliRunner().invoke(app, ["verify-consent", str(file), "--keys", str(keys)]))
    assert [each.exit_code for each in outcomes] == [0, 1, 1]
    assert outcomes[0].stdout.count("in the log") == 6
    assert outcomes[1].stdout.count("not proven by the log") == 6
    assert "The record is not the one that was signed." in outcomes[2].stderr
