"""Contract tests of the fake gateway: the same calls get the same shapes as from the real one."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime, time, timedelta
from functools import partial
from typing import Any, Final

import pytest

import consent
from gateway.access.serializers.timestamps import SHANGHAI
from tests.consent_builders import SHOWN, grant_all
from tests.gateway_fixture import UNKNOWN, GatewayFixture
from tests.records_builders import (
    act,
    approve,
    deliver,
    forget,
    make_act,
    make_department,
    make_penalty,
)
from tests.sdk_builders import client_of, members, parse_json
from tests.waiting import eventually
from xinqiao import Client, MemoryCursor, errors, three_elements
from xinqiao._core.signatures.exchange import sha256_digest
from xinqiao._core.wire import closed_lists
from xinqiao.testing import FakeGateway

pytestmark = pytest.mark.asyncio(loop_scope="session")

PURPOSE: Final = "loan_approval"
DATASETS = ("penalty", "licence", "public_rating")


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayUnderTest:
    """A client of one of the two gateways, and a known enterprise."""

    client: Client
    uscc: str
    name: str


def shape(value: Any) -> Any:
    """Type of a value; of SDK results, types of the public parts."""
    if is_dataclass(value) and type(value).__name__ != "Evidence":
        return {
            f.name: shape(getattr(value, f.name))
            for f in fields(value)
            if not f.name.startswith("_")
        }
    if isinstance(value, tuple):
        return [shape(each) for each in value[:1]]
    return type(value).__name__


def alike(fake: Any, real: Any) -> bool:
    """True if two shapes agree where both are known."""
    if "NoneType" in (fake, real):
        return True
    if isinstance(fake, dict) and isinstance(real, dict):
        return fake.keys() == real.keys() and all(alike(fake[n], real[n]) for n in fake)
    if isinstance(fake, list) and isinstance(real, list):
        return all(alike(one, other) for one, other in zip(fake, real, strict=False))
    return bool(fake == real)


def outcome(call: Callable[[], Any]) -> Any:
    """Result or exception of a call."""
    try:
        return call()
    except errors.XinqiaoError as error:
        return error


def summary(value: Any) -> Any:
    """Kind, code and status of an error; shape of a result."""
    if isinstance(value, errors.XinqiaoError):
        return (type(value).__name__, value.code, value.status)
    return shape(value)


def make_fake(served: GatewayFixture) -> tuple[FakeGateway, GatewayUnderTest]:
    """A fake gateway with the same facts about one enterprise."""
    fake_gateway = FakeGateway()
    of = served.entity("disputed").enterprise
    held = {"name": of.name, "legal_representative": of.legal_representative}
    record = {"objection": {"since": "2026-11-20T09:00:00+08:00"}, "fields": {"fine": "1.0"}}
    fake_gateway.add_enterprise(
        of.uscc,
        answers={
            ("enterprise_name.v1", of.name): "yes",
            "is_active.v1": "yes",
        },
        elements=held,
        records=[{"dataset": "penalty", **record}, {"dataset": "licence", "fields": {"name": "x"}}],
    )
    return fake_gateway, GatewayUnderTest(client=fake_gateway.client(), uscc=of.uscc, name=of.name)


def calls_of(side: GatewayUnderTest) -> dict[str, Callable[[], Any]]:
    """Calls of a bank before and with a consent."""
    client, uscc = side.client, side.uscc
    asked: dict[str, Any] = {"purpose": PURPOSE, "datasets": DATASETS}
    return {
        "verify": lambda: client.verify(
            uscc, purpose=PURPOSE,
            questions={"enterprise_name.v1": side.name, "is_active.v1": None},
        ),
        "verify a wrong name": lambda: client.verify(
            uscc, purpose=PURPOSE, questions={"enterprise_name.v1": "乙公司"},
        ),
        "verify nobody": lambda: client.verify(
            UNKNOWN, purpose=PURPOSE, questions=["is_active.v1"],
        ),
        "verify three elements": lambda: client.verify(
            uscc, purpose=PURPOSE,
            questions=[three_elements(name=side.name, legal_representative="不是本人")],
        ),
        "verify elements by halves": lambda: client.verify(
            uscc, purpose=PURPOSE, questions={"three_elements.v1": {"name": side.name}},
        ),
        "verify elements as a text": lambda: client.verify(
            uscc, purpose=PURPOSE, questions={"three_elements.v1": side.name},
        ),
        "verify a name as elements": lambda: client.verify(
            uscc, purpose=PURPOSE, questions={"enterprise_name.v1": {"name": side.name}},
        ),
        "query nobody": lambda: client.query(UNKNOWN, **asked),
        "query": lambda: client.query(uscc, **asked),
        "query a page": lambda: client.query(uscc, **asked, page_size=1),
        "query the next page": lambda: client.query(uscc, **asked, page_size=1).next_page(),
        "questions": client.questions,
    }  # fmt: skip


async def test_both_answer_the_same_calls_in_the_same_shapes(served: GatewayFixture) -> None:
    """Types of results and kinds of errors: without, with and after a consent."""
    fake_gateway, fake = make_fake(served)
    caller = await served.client()
    real = GatewayUnderTest(client=client_of(caller, Client), uscc=fake.uscc, name=fake.name)
    mine, theirs = calls_of(fake), calls_of(real)

    def compare(*names: str) -> None:
        for name in names:
            one, other = outcome(mine[name]), outcome(theirs[name])
            assert alike(summary(one), summary(other)), (name, summary(one), summary(other))

    compare("verify", "verify a wrong name", "verify nobody", "query nobody", "query", "questions")
    compare(*(name for name in mine if "elements" in name))
    no = fake.client.verify(
        fake.uscc,
        purpose=PURPOSE,
        questions=[three_elements(name=fake.name, legal_representative="不是本人")],
    )
    assert no["three_elements.v1"].no
    known = fake.client.verify(fake.uscc, purpose=PURPOSE, questions={"is_active.v1": None})
    assert known["is_active.v1"].yes
    held = fake_gateway.grant_consent(
        fake.uscc, purpose=PURPOSE, datasets=["penalty", "licence"], max_uses=3
    )
    consent_id = await served.grant(caller, real.uscc, datasets=["penalty", "licence"], max_uses=3)
    compare("query", "query a page", "query the next page", "query")
    assert outcome(mine["query"]).code == "consent_exhausted"
    fake_gateway.withdraw_consent(held.consent_id)
    await served.act(consent.withdraw, consent_id)
    compare("query")


async def test_both_name_separate_consents_and_withhold_what_lacks_one(
    served: GatewayFixture,
) -> None:
    """In the consent, in the answer's consent, and in `withheld`."""
    caller, fake_gateway = await served.client(), FakeGateway()
    uscc = served.uscc("individual_business")
    phone = {"dataset": "registration", "fields": ["phone"], "given_by": "person"}
    fields = {"name": "甲", "phone": "0571-1", "legal_representative": "乙"}
    fake_gateway.add_enterprise(uscc, records=[{"dataset": "registration", "fields": fields}])
    held = fake_gateway.grant_consent(
        uscc,
        purpose=PURPOSE,
        datasets=["registration"],
        separate_consents=[phone],
        unseparated=["registration.legal_representative"],
    )
    consent_id = await served.grant(
        caller, uscc, datasets=["registration"], separate=["registration.phone"]
    )
    told = []
    for client, name in (
        (fake_gateway.client(), held.consent_id),
        (client_of(caller, Client), consent_id),
    ):
        page = client.query(uscc, purpose=PURPOSE, datasets=["registration"])
        [record] = page.records
        assert page.consent is not None
        told.append(
            (
                client.consent(name).separate_consents,
                page.consent.separate_consents,
                [each.fields for each in page.withheld if each.reason == "not_in_consent"],
                ["phone" in record.fields, "legal_representative" in record.fields],
            )
        )
    assert told[0] == told[1]
    assert told[0][2:] == ([("legal_representative",)], [True, False])


async def test_both_withhold_an_operator_s_fields_from_an_agency_without_a_licence(
    served: GatewayFixture,
) -> None:
    """`not_licensed`, by field; the rest of the record is told."""
    uscc = served.uscc("individual_business")
    caller = await served.client("agency")
    asked: dict[str, Any] = {"purpose": "credit_service", "datasets": ["registration"]}
    await served.grant(caller, uscc, **asked)
    page = client_of(caller, Client).query(uscc, **asked)
    [fields] = [each.fields for each in page.withheld if each.reason == "not_licensed"]
    told = page.records[0].fields
    assert told
    assert told.keys().isdisjoint(fields)
    fake = FakeGateway()
    fake.add_enterprise(
        uscc,
        records=[{"dataset": "registration", "fields": {**told, **dict.fromkeys(fields, "甲")}}],
    )
    fake.grant_consent(uscc, **asked, unlicensed=[f"registration.{each}" for each in fields])
    with fake.client() as agency:
        same = agency.query(uscc, **asked)
    assert same.records[0].fields == told
    assert [each for each in same.withheld if each.reason == "not_licensed"] == [
        each for each in page.withheld if each.reason == "not_licensed"
    ]


async def test_what_the_real_gateway_tells_can_be_given_to_the_fake(served: GatewayFixture) -> None:
    """Members, fields, types and values of every dataset that some enterprises have."""
    codes = sorted(closed_lists.DATASETS)
    caller = await served.client(purposes=frozenset({PURPOSE}), datasets=frozenset(codes))
    fake, seen = FakeGateway(), set[str]()
    usccs = {each["uscc"]: None for each in served.kit["subjects"]}
    with client_of(caller, Client) as client:
        for uscc in list(usccs)[:6]:
            await served.grant(caller, uscc, datasets=codes)
            pages = [client.query(uscc, purpose=PURPOSE, datasets=codes[n::2]) for n in range(2)]
            told = [each for page in pages for each in page.evidence.json()["records"]]
            for each in told:
                del each["delete_by"]  # which the agreement says
            fake.add_enterprise(uscc, records=told)
            seen |= {each["dataset"] for each in told}
    assert len(seen) > 10


async def test_both_say_what_must_be_deleted(served: GatewayFixture) -> None:
    """Nothing at first; after a withdrawal the answers that rest on the consent, by a notice."""
    fake_gateway, fake = make_fake(served)
    caller = await served.client()
    real = GatewayUnderTest(client=client_of(caller, Client), uscc=fake.uscc, name=fake.name)
    held = fake_gateway.grant_consent(fake.uscc, purpose=PURPOSE, datasets=["penalty"])
    consent_id = await served.grant(caller, real.uscc, datasets=["penalty"])
    pages = [
        side.client.query(side.uscc, purpose=PURPOSE, datasets=["penalty"]) for side in (fake, real)
    ]
    assert [len(side.client.due_for_deletion()) for side in (fake, real)] == [0, 0]
    fake_gateway.withdraw_consent(held.consent_id)
    await served.act(consent.withdraw, consent_id)
    await eventually(lambda: asyncio.to_thread(lambda: len(real.client.due_for_deletion())))
    due = [
        side.client.due_for_deletion([page]) for side, page in zip((fake, real), pages, strict=True)
    ]
    assert alike(shape(due[0]), shape(due[1]))
    for found, page in zip(due, pages, strict=True):
        assert {(each.disclosure_id, each.record_id, each.reason) for each in found} == {
            (page.disclosure_id, None, "consent_withdrawn")
        }
    bodies = [side.client.changes().evidence.json() for side in (fake, real)]
    assert members(bodies[0]) <= members(bodies[1])
    for side, found in zip((fake, real), due, strict=True):
        assert side.client.acknowledge_changes(found.cursor).status == 200
        assert len(side.client.due_for_deletion(after=found.cursor)) == 0


def seen_changes(side: GatewayUnderTest, named: Mapping[str, str]) -> list[Any]:
    """Each notice of a feed: class, kind, its subject's name in the story, how many answers it names."""
    return [
        (
            type(each).__name__,
            each.kind,
            each.dataset,
            named.get(each.record_id or each.consent_id or ""),
            len(each.disclosure_ids),
            each.takes_back,
        )
        for each in side.client.changes(store=MemoryCursor(), follow=False)
    ]


async def test_both_give_the_same_notices(served: GatewayFixture) -> None:
    """A consent granted, refused, withdrawn; a record corrected twice, suspended, reinstated, repaired."""
    source, caller, uscc = (
        await make_department(served),
        await served.client(),
        served.uscc("clean"),
    )
    penalty = make_penalty(served, uscc)
    (delivered,) = await deliver(source, "penalty", penalty)
    real = GatewayUnderTest(client=client_of(caller, Client), uscc=uscc, name="")
    fake_gateway = FakeGateway()
    record = {"dataset": "penalty", "record_id": "rec_1", "fields": {"fine": "1"}}
    fake_gateway.add_enterprise(uscc, records=[record])
    fake = GatewayUnderTest(client=fake_gateway.client(), uscc=uscc, name="")
    asked: dict[str, Any] = {"purpose": PURPOSE, "datasets": ["penalty"]}
    try:
        granted = [side.client.request_consent(uscc, **asked) for side in (fake, real)]
        fake_gateway.answer_consent(granted[0].consent_id)
        await served.act(grant_all, granted[1].consent_id)
        refused = [
            side.client.request_consent(uscc, purpose="post_loan_management", datasets=["penalty"])
            for side in (fake, real)
        ]
        fake_gateway.answer_consent(refused[0].consent_id, grant=False)
        await served.act(partial(consent.refuse, shown=SHOWN), refused[1].consent_id)
        for fine in ("2", "3"):
            for side in (fake, real):
                side.client.query(uscc, **asked)
            fake_gateway.correct("rec_1", fields={"fine": fine})
            await act(source, make_act(penalty, "correct", fields={"fine": fine}))
        fake_gateway.suspend("rec_1")
        await act(source, make_act(penalty, "suspend"))
        fake_gateway.reinstate("rec_1")
        (asks,) = await act(source, make_act(penalty, "reinstate", operator="李雷 0012"))
        assert (await approve(source, asks["action_id"], operator="韩梅梅 0013")).is_success
        fake_gateway.repair("rec_1")
        await act(source, make_act(penalty, "repair"))
        fake_gateway.withdraw(granted[0].consent_id)
        await served.act(consent.withdraw, granted[1].consent_id)
        told = seen_changes(
            fake,
            {
                granted[0].consent_id: "granted",
                refused[0].consent_id: "refused",
                "rec_1": "penalty",
            },
        )
        named = {
            granted[1].consent_id: "granted",
            refused[1].consent_id: "refused",
            delivered["record_id"]: "penalty",
        }
        await eventually(
            lambda: asyncio.to_thread(lambda: len(seen_changes(real, named)) == len(told))
        )
        assert told == seen_changes(real, named)
        assert [each[1] for each in told] == [
            "consent_granted",
            "consent_refused",
            "record_corrected",
            "record_corrected",
            "record_suspended",
            "record_reinstated",
            "record_repaired",
            "consent_withdrawn",
        ]
    finally:
        await forget(served)
        await served.rows("DELETE FROM record_action")


async def test_both_repeat_a_call_by_its_key_and_as_long_as_it_holds(
    served: GatewayFixture,
) -> None:
    """Another worker gets the same bytes for nothing; after a withdrawal nobody does."""
    fake_gateway, fake = make_fake(served)
    caller = await served.client()
    real = GatewayUnderTest(client=client_of(caller, Client), uscc=fake.uscc, name=fake.name)
    workers = (fake_gateway.client(), client_of(caller, Client))
    held = fake_gateway.grant_consent(fake.uscc, purpose=PURPOSE, datasets=["penalty"], max_uses=3)
    consent_id = await served.grant(caller, real.uscc, datasets=["penalty"], max_uses=3)
    asked: dict[str, Any] = {"purpose": PURPOSE, "datasets": ["penalty"]}
    for side, worker in zip((fake, real), workers, strict=True):
        first = side.client.query(side.uscc, **asked, idempotency_key="loan-17")
        again = worker.query(side.uscc, **asked, idempotency_key="loan-17")
        assert again.evidence.body == first.evidence.body
        assert (again.consent.uses_left, again.records) == (2, first.records)
        with pytest.raises(errors.IdempotencyConflict) as conflict:
            worker.query(side.uscc, **asked, page_size=1, idempotency_key="loan-17")
        assert conflict.value.idempotency_key == "loan-17"
    fake_gateway.withdraw(held)
    await served.act(consent.withdraw, consent_id)
    for side, worker in zip((fake, real), workers, strict=True):
        with pytest.raises(errors.ConsentWithdrawn):
            worker.query(side.uscc, **asked, idempotency_key="loan-17")


async def test_both_end_a_term_with_its_last_day(served: GatewayFixture) -> None:
    """Of China's time."""
    fake_gateway, fake = make_fake(served)
    real = client_of(await served.client(), Client)
    day = served.clock().date() + timedelta(days=30)
    ends = datetime.combine(day + timedelta(days=1), time(), SHANGHAI)
    for client in (fake_gateway.client(), real):
        asked = client.request_consent(
            fake.uscc, purpose=PURPOSE, datasets=["penalty"], valid_until=day
        )
        assert client.consent(asked.consent_id).valid_until == ends


async def test_the_fake_tells_no_member_that_the_real_one_does_not(served: GatewayFixture) -> None:
    """For clients that read the JSON body themselves."""
    fake_gateway, fake = make_fake(served)
    caller = await served.client()
    real = GatewayUnderTest(client=client_of(caller, Client), uscc=fake.uscc, name=fake.name)
    fake_gateway.grant_consent(fake.uscc, purpose=PURPOSE, datasets=["penalty"])
    await served.grant(caller, real.uscc, datasets=["penalty"])
    for name in ("verify", "query", "questions"):
        bodies = [parse_json(calls_of(side)[name]().evidence.body) for side in (fake, real)]
        for body in bodies:
            for record in body.get("records", ()):
                record["fields"] = {}
        assert members(bodies[0]) <= members(bodies[1]), name


@pytest.mark.parametrize(
    ("code", "status", "request_"),
    [
        ("not_found", 404, {"method": "GET", "target": "/v1/nothing"}),
        ("idempotency_conflict", 409, {"method": "POST", "target": "/v1/verifications"}),
    ],
)
async def test_both_refuse_alike(
    served: GatewayFixture, code: str, status: int, request_: dict[str, Any]
) -> None:
    """Unknown objects and conflicting idempotency keys."""
    _, fake = make_fake(served)
    real = GatewayUnderTest(
        client=client_of(await served.client(), Client), uscc=fake.uscc, name=fake.name
    )
    seen = []
    for side in (fake, real):
        if code == "idempotency_conflict":
            for tag in ("is_active.v1", "not_abnormal.v1"):
                body = {
                    "enterprise": {"uscc": side.uscc}, "purpose": PURPOSE,
                    "questions": [{"question": tag}],
                }  # fmt: skip
                evidence = side.client.request(
                    **request_, json=body, headers={"Idempotency-Key": "one"}, scope="verify"
                )
        else:
            evidence = side.client.request(**request_, scope="verify")
        seen.append((evidence.status, evidence.json()["code"], members(evidence.json())))
    assert [each[:2] for each in seen] == [(status, code)] * 2
    assert seen[0][2] <= seen[1][2]


async def test_both_read_bodies_with_the_same_strictness(served: GatewayFixture) -> None:
    """Digests, codings, duplicate members and dates."""
    _, fake = make_fake(served)
    real = GatewayUnderTest(
        client=client_of(await served.client(), Client), uscc=fake.uscc, name=fake.name
    )
    verify = (
        f'{{"enterprise":{{"uscc":"{fake.uscc}"}},"purpose":"{PURPOSE}",'
        '"questions":[{"question":"is_active.v1"}]}'
    ).encode()
    query = (
        f'{{"enterprise":{{"uscc":"{fake.uscc}"}},"purpose":"{PURPOSE}","datasets":["penalty"],'
        '"filter":{"decided_from":"1704067200"}}'
    ).encode()
    twice = verify.replace(b'"purpose"', b'"purpose":"tender","purpose"')
    asked: tuple[tuple[str, bytes, dict[str, str]], ...] = (
        ("verifications", verify, {"Content-Digest": "md5=:AAAA:"}),
        ("verifications", verify, {"Content-Digest": ""}),
        ("verifications", verify, {"Content-Digest": f"{sha256_digest(verify)}, x"}),
        ("verifications", verify, {"Content-Encoding": "gzip"}),
        ("verifications", twice, {}),
        ("verifications", b"[1]", {}),
        ("verifications", b"[" * 2_000, {}),
        ("queries", query, {}),
        ("queries", query.replace(b'"1704067200"', b"1704067200"), {}),
    )
    for path, body, headers in asked:
        seen = []
        for side in (fake, real):
            refused = side.client.request(
                "POST", f"/v1/{path}", content=body, headers=headers, scope="verify query"
            )
            bound = refused.status == 400 and bool(refused.exchange.request_body)
            seen.append((refused.status, refused.json()["code"], bound))
        assert seen[0] == seen[1], (body, headers)
        assert seen[0][0] in {400, 415}
