"""SDK against the real gateway over a socket, blocking and asyncio."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

import consent
from gateway.limits.quotas import Quotas
from gateway.synthetic.tour.headless_visitor import HeadlessVisitor
from tests.consent_builders import grant_all
from tests.gateway_fixture import UNKNOWN, GatewayFixture
from tests.records_builders import deliver, make_department, make_penalty
from tests.sdk_builders import TamperingTransport, client_of, result_of, tamper_with
from tests.waiting import PATIENCE
from tests.watch_builders import follow
from xinqiao import (
    AnswerChange,
    AsyncClient,
    Change,
    Client,
    Evidence,
    MemoryCursor,
    RetryPolicy,
    errors,
    verify_evidence,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")

Kind = type[Client | AsyncClient]
KINDS = pytest.mark.parametrize("kind", [Client, AsyncClient])
MANY = ("registration", "licence", "commitment", "inspection", "honour", "annual_report")


@KINDS
async def test_a_bank_verifies(served: GatewayFixture, kind: Kind) -> None:
    """Answers are typed, `not_determined` included."""
    bank = client_of(await served.client(), kind)
    of = served.entity("traditional_variant").enterprise
    result = await result_of(
        bank.verify(
            of.uscc,
            purpose="loan_approval",
            questions={
                "enterprise_name.v1": "杭州龙腾云数科技有限公司",
                "is_active.v1": None,
                "legal_representative_name.v1": "不是本人",
                "rating_at_least.v1": "良好",
            },
        )
    )
    assert [answer.answer for answer in result.answers] == ["yes", "yes", "no", "not_determined"]
    assert result["enterprise_name.v1"].match == "loose"
    assert not result["rating_at_least.v1"].no
    assert (result.uscc, result.purpose) == (of.uscc, "loan_approval")
    assert result.log_promise.merge_by > result.as_of


@KINDS
async def test_a_bank_queries_page_by_page_for_one_use(served: GatewayFixture, kind: Kind) -> None:
    """All records with their sources, objection marks included."""
    caller = await served.client()
    bank, uscc = client_of(caller, kind), served.uscc("disputed")
    datasets = ("registration", "penalty", "licence", "public_rating", "commitment")
    consent_id = await served.grant(caller, uscc, datasets=datasets, max_uses=5)
    asked = {"purpose": "loan_approval", "datasets": datasets, "page_size": 2}
    page = await result_of(bank.query(uscc, **asked))
    found, seen = [], 0
    while page is not None:
        seen += 1
        assert page.recipient == caller.client_id
        assert (page.consent.consent_id, page.consent.uses_left) == (consent_id, 4)
        found += page.records
        page = await result_of(page.next_page())
    assert seen > 1
    assert {record.dataset for record in found} == set(datasets)
    assert {record.dataset for record in found if record.objection} == {"penalty"}
    assert all(record.source.name and record.source_time.utcoffset() for record in found)
    whole = bank.query_all(uscc, **asked)
    again = [r async for r in whole] if kind is AsyncClient else list(whole)
    assert again == found
    assert await served.uses(consent_id) == 2


@KINDS
async def test_consent_is_asked_given_used_and_taken_back(
    served: GatewayFixture, kind: Kind
) -> None:
    """PAR, decision on the page, code, query, withdrawal."""
    bank = kind.from_kit(
        served.kit, "bank", redirect_uri=served.kit["clients"]["bank"]["redirect_uris"][0]
    )
    subject = served.subject("disputed" if kind is Client else "penalised")
    wanted = ("registration", "penalty", "public_rating")
    start = await result_of(
        bank.start_consent(
            uscc=subject["uscc"], purpose="loan_approval", datasets=wanted, max_uses=3
        )
    )
    async with HeadlessVisitor(served.issuer, subject["login"]) as person:
        callback = await person.decide(start.url, datasets=list(wanted[:2]), questions=[])
    running = await result_of(
        bank.consents(status="active")
    )  # what a worker that died here would see
    grant = await result_of(bank.finish_consent(start, callback))
    held = next(each for each in running if each.consent_id == grant.consent_id)
    assert (held.uscc, held.datasets, held.uses_left) == (grant.uscc, grant.datasets, 3)
    assert held.requested_at <= held.decided_at
    assert (grant.uscc, grant.max_uses) == (subject["uscc"], 3)
    assert set(grant.datasets) == set(wanted[:2])
    asked: dict[str, Any] = {
        "purpose": "loan_approval", "datasets": wanted, "consent_id": grant.consent_id,
    }  # fmt: skip
    page = await result_of(bank.query(subject["uscc"], **asked))
    assert {record.dataset for record in page.records} == set(wanted[:2])
    withheld = {item.dataset: item.reason for item in page.withheld if not item.fields}
    assert withheld == {"public_rating": "not_in_consent"}
    with pytest.raises(errors.CallbackExpired):
        await result_of(bank.finish_consent(start, callback))
    async with HeadlessVisitor(served.issuer, subject["login"]) as person:
        await person.withdraw(grant.consent_id)
    with pytest.raises(errors.ConsentWithdrawn) as refused:
        await result_of(bank.query(subject["uscc"], **asked))
    assert refused.value.status == 403
    store, named = MemoryCursor(), list[Change]()
    while len(named) < 2:
        notices: Any = bank.changes(store=store, follow=False)
        found = [n async for n in notices] if kind is AsyncClient else list(notices)
        named += [each for each in found if each.consent_id == grant.consent_id]
        await asyncio.sleep(0.1)
    assert [each.kind for each in named] == ["consent_granted", "consent_withdrawn"]
    assert named[1].disclosure_ids == (page.disclosure_id,)
    assert (await result_of(bank.changes(after=store.cursor))).cursor == store.cursor


@KINDS
async def test_each_refusal_is_an_error_of_its_own(served: GatewayFixture, kind: Kind) -> None:
    """Code, status, detail and request id."""
    caller = await served.client()
    bank, uscc = client_of(caller, kind), served.uscc("clean")

    async def refusal(call: Callable[[], Any]) -> errors.XinqiaoError:
        with pytest.raises(errors.XinqiaoError) as caught:
            await result_of(call())
        error = caught.value
        assert error.request_id
        assert error.detail
        return error

    def query(uscc: str, **more: Any) -> Callable[[], Any]:
        members = {"purpose": "loan_approval", "datasets": ["licence"], **more}
        return lambda: bank.query(uscc, **members)

    def verify(uscc: str, tag: str) -> Callable[[], Any]:
        return lambda: bank.verify(uscc, purpose="loan_approval", questions=[tag])

    assert type(await refusal(query(UNKNOWN))) is errors.NotAvailable
    assert type(await refusal(query(uscc))) is errors.NotAvailable
    assert type(await refusal(query(uscc, purpose="marketing"))) is errors.UnknownPurpose
    assert type(await refusal(query(uscc, purpose="tender"))) is errors.NotInAgreement
    assert type(await refusal(query(uscc, datasets=["x"]))) is errors.UnknownDataset
    assert type(await refusal(query(uscc, cursor="x"))) is errors.InvalidRequest
    assert type(await refusal(verify("91330106MI2CXXXX17", "is_active.v1"))) is errors.InvalidUscc
    assert type(await refusal(verify(uscc, "is_active.v9"))) is errors.UnknownQuestion
    consent_id = await served.grant(caller, uscc, max_uses=1)
    await result_of(query(uscc)())
    assert type(await refusal(query(uscc))) is errors.ConsentExhausted
    assert (await refusal(query(uscc, consent_id=consent_id))).status == 403
    paused = await served.grant(caller, served.uscc("repaired"))
    await served.act(consent.pause, paused)
    assert type(await refusal(query(served.uscc("repaired")))) is errors.ConsentPaused


async def test_a_client_that_is_too_fast_waits_and_goes_on(served: GatewayFixture) -> None:
    """Retry-After is honoured; without retries the error has the seconds."""
    caller = await served.client(quotas=Quotas(per_minute=30))
    wire, asked = TamperingTransport(), 0
    async with client_of(caller, AsyncClient, transport=wire) as bank:
        while 429 not in wire.statuses and asked < 1_000:
            await bank.verify(UNKNOWN, purpose="loan_approval", questions=["is_active.v1"])
            asked += 1
    assert 429 in wire.statuses
    assert wire.statuses.count(200) == asked
    impatient = client_of(caller, Client, retry=RetryPolicy(retries=0))
    with pytest.raises(errors.RateLimited) as limited:
        _hurry(impatient)
    assert limited.value.retry_after
    assert limited.value.retry_after >= 1


@KINDS
async def test_a_client_reads_its_limits(served: GatewayFixture, kind: Kind) -> None:
    """What is left, and which limit refused last."""
    caller = await served.client(quotas=Quotas(per_day=2))
    bank = client_of(caller, kind, retry=RetryPolicy(retries=0))
    verify = {"purpose": "loan_approval", "questions": ["is_active.v1"]}
    for _ in range(2):
        await result_of(bank.verify(UNKNOWN, **verify))
    with pytest.raises(errors.LimitReached):
        await result_of(bank.verify(UNKNOWN, **verify))
    found = await result_of(bank.limits())
    by_name = {each.name: each for each in found}
    assert (by_name["client_day"].remaining, by_name["client_day"].quota) == (0, 2)
    assert by_name["enterprise"].remaining is None
    assert by_name["oauth"].endpoint in {"token", "par", "introspect", "revoke"}
    assert found.last_refusal is not None
    assert found.last_refusal.limit == "client_day"
    assert found.last_refusal.refused_at <= found.as_of < found.last_refusal.fits_at


def _hurry(bank: Client) -> None:
    for _ in range(1_000):
        bank.verify(UNKNOWN, purpose="loan_approval", questions=["is_active.v1"])


async def test_a_lost_answer_is_not_paid_twice(served: GatewayFixture) -> None:
    """The connection breaks after processing; the retry has the same idempotency key."""
    caller, uscc = await served.client(), served.uscc("clean")
    consent_id = await served.grant(caller, uscc, max_uses=5)
    lost = iter([True, False])

    def losing(response: httpx2.Response) -> httpx2.Response:
        if response.status_code == 200 and next(lost):
            raise httpx2.ReadError("The connection was lost.", request=response.request)
        return response

    wire = TamperingTransport(losing)
    async with client_of(caller, AsyncClient, transport=wire) as bank:
        page = await bank.query(uscc, purpose="loan_approval", datasets=["licence"])
    assert [status for status in wire.statuses if status != 401] == [200, 200]
    assert page.consent.uses_left == 4
    assert await served.uses(consent_id) == 1
    assert len(await served.log_of(caller)) == 1


@pytest.mark.parametrize(
    ("old", "new"), [(b'"yes"', b'"no" '), (b'"is_active.v1"', b'"is_active.v2"'), (b"}", b"} ")]
)
async def test_a_tampered_answer_is_refused(served: GatewayFixture, old: bytes, new: bytes) -> None:
    """Tampered answers raise before they are parsed."""
    caller, uscc = await served.client(), served.uscc("clean")

    def forging(response: httpx2.Response) -> httpx2.Response:
        return tamper_with(response, old, new) if response.status_code == 200 else response

    async with client_of(caller, AsyncClient, transport=TamperingTransport(forging)) as bank:
        with pytest.raises(errors.SignatureInvalid):
            await bank.verify(uscc, purpose="loan_approval", questions=["is_active.v1"])


async def test_the_answer_to_another_request_is_refused(served: GatewayFixture) -> None:
    """Replayed answers are bound to another request."""
    caller = await served.client()
    kept: list[httpx2.Response] = []

    def replaying(response: httpx2.Response) -> httpx2.Response:
        if response.status_code == 200:
            kept.append(response)
        return kept[0] if kept else response

    async with client_of(caller, AsyncClient, transport=TamperingTransport(replaying)) as bank:
        await bank.verify(served.uscc("clean"), purpose="loan_approval", questions=["is_active.v1"])
        with pytest.raises(errors.SignatureInvalid):
            await bank.verify(
                served.uscc("deregistered"), purpose="loan_approval", questions=["is_active.v1"]
            )


# Evidence


async def test_a_consent_is_asked_for_by_link_and_waited_for(served: GatewayFixture) -> None:
    """Long polling; an amendment works the same way."""
    caller, uscc = await served.client(), served.uscc("clean")
    async with client_of(caller, AsyncClient) as bank:
        asked = await bank.request_consent(uscc, purpose="loan_approval", datasets=["licence"])
        waiting = asyncio.create_task(bank.await_decision(asked.consent_id))
        await asyncio.sleep(0.3)
        await served.act(grant_all, asked.consent_id)
        assert (await asyncio.wait_for(waiting, PATIENCE)).status == "active"
        more = await bank.request_consent(
            uscc, purpose="loan_approval", datasets=["penalty"], amends=asked.consent_id
        )
        assert more.status == "requested"


async def some_evidence(served: GatewayFixture) -> tuple[Evidence, dict[str, Any]]:
    """Evidence of a query, and the published keys saved beforehand."""
    caller, uscc = await served.client(), served.uscc("penalised")
    await served.grant(caller, uscc)
    async with client_of(caller, AsyncClient) as bank:
        page = await bank.query(uscc, purpose="loan_approval", datasets=["penalty"])
    async with httpx2.AsyncClient(trust_env=False) as http:
        keys = (await http.get(f"{served.issuer}/.well-known/jwks.json")).json()
    return page.evidence, keys


async def test_evidence_is_verified_offline(served: GatewayFixture) -> None:
    """With the bundle and earlier saved keys only."""
    evidence, keys = await some_evidence(served)
    verified = verify_evidence(evidence.to_dict(), keys=keys)
    assert verified.json()["records"][0]["dataset"] == "penalty"
    assert "Authorization" not in evidence.to_json()


@pytest.mark.parametrize(
    ("part", "name", "old", "new"),
    [
        ("response", "body", '"fine":"', '"fine":"0'),
        ("response", "body", '"penalty"', '"licence"'),
        ("request", "body", "loan_approval", "tender"),
        ("request", "target_uri", "/v1/queries", "/v1/verifications"),
        ("request", "method", "POST", "PUT"),
    ],
)
async def test_tampered_evidence_is_refused(
    served: GatewayFixture, part: str, name: str, old: str, new: str
) -> None:
    """Any changed part."""
    evidence, keys = await some_evidence(served)
    bundle = evidence.to_dict()
    assert old in bundle[part][name]
    bundle[part][name] = bundle[part][name].replace(old, new)
    with pytest.raises(errors.EvidenceInvalid):
        verify_evidence(bundle, keys=keys)


async def test_evidence_is_not_believed_for_the_key_that_it_brings(served: GatewayFixture) -> None:
    """Keys in the bundle are not trusted."""
    evidence, keys = await some_evidence(served)
    others = {"keys": [key for key in keys["keys"] if key["kid"] != evidence.keyid]}
    with pytest.raises(errors.XinqiaoError):
        verify_evidence(evidence.to_dict(), keys=others)


async def test_the_log_keeps_its_promises_to_the_sdk(served: GatewayFixture) -> None:
    """Receipts verify under the log's key, blocking and asyncio; waits follow `merge_by`."""
    caller, uscc = await served.client(), served.uscc("clean")
    clients = [client_of(caller, kind) for kind in (Client, AsyncClient)]
    for client in clients:
        for _ in range(3):
            await result_of(
                client.verify(uscc, purpose="loan_approval", questions=["is_active.v1"])
            )
        assert await result_of(client.check_receipts()) == ()
    await asyncio.sleep(11)
    for client in clients:
        assert len(await result_of(client.check_receipts())) == 3


@KINDS
async def test_a_bundle_is_asked_by_every_method(served: GatewayFixture, kind: Kind) -> None:
    """Each result names what it stood for under this agreement."""
    covered = frozenset({"not_abnormal.v1", "no_live_penalty.v1", "paid_tax_on_time.v1"})
    codes = frozenset({"registration", "penalty"})
    caller = await served.client(questions=covered, datasets=codes)
    bank, uscc = client_of(caller, kind), served.uscc("clean")
    loan: dict[str, Any] = {"purpose": "loan_approval", "bundle": "pre_loan.v1"}
    usual = next(each for each in await result_of(bank.bundles()) if each.bundle == "pre_loan.v1")
    tags = [tag for tag in usual.questions if tag in covered]
    verified = await result_of(bank.verify(uscc, **loan))
    assert [each.question for each in verified.answers] == tags
    rows = bank.verify_many([uscc], **loan)
    found = list(rows) if kind is Client else [each async for each in rows]
    assert [each.question for each in found[0].answers] == tags
    put = await result_of(bank.put_watch("by-bundle", enterprises=[uscc], **loan))
    assert list(put.questions) == [tag for tag in tags if tag != "paid_tax_on_time.v1"]
    job = await result_of(bank.jobs.create(**loan))
    asked = [each["question"] for each in job.evidence.json()["questions"]]
    assert asked == tags
    await served.grant(caller, uscc, datasets=usual.datasets, separate=())
    page = await result_of(bank.query(uscc, **loan))
    assert set(page.bundle_datasets) == codes


@KINDS
async def test_a_bank_watches_and_is_told_what_to_ask_again(
    served: GatewayFixture, kind: Kind
) -> None:
    """Lists are put, read and deleted; a change of the feed names the questions."""
    caller, department = await served.client(), await make_department(served)
    bank, uscc = client_of(caller, kind), served.entities[160 + [Client, AsyncClient].index(kind)]
    asked: dict[str, Any] = {"purpose": "loan_approval", "questions": ["no_live_penalty.v1"]}
    put = await result_of(bank.put_watch("nightly", enterprises=[uscc.uscc], **asked))
    assert (put.name, put.count, put.status, put.enterprises) == ("nightly", 1, "watching", ())
    await follow(served)
    await deliver(department, "penalty", make_penalty(served, uscc.uscc))
    changes: list[Change] = []
    while not changes:
        await asyncio.sleep(0.1)
        changes = list(await result_of(bank.changes()))
    (change,) = changes
    assert isinstance(change, AnswerChange)
    assert (change.uscc, change.questions) == (uscc.uscc, ("no_live_penalty.v1",))
    assert not change.takes_back
    whole = await result_of(bank.watch("nightly"))
    assert whole.enterprises == (uscc.uscc,)
    assert [each.name for each in await result_of(bank.watches())] == ["nightly"]
    assert (await result_of(bank.delete_watch("nightly"))).status == 204
    with pytest.raises(errors.NotFound):
        await result_of(bank.watch("nightly"))
