"""SDK clients, blocking and asyncio, against the signing fake gateway."""

from __future__ import annotations

import asyncio
import copy
import inspect
import json
import pickle
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, get_args
from urllib.parse import parse_qsl

import httpx2
import pytest

from xinqiao import AsyncClient, BundleName, Client, QuestionTag, errors
from xinqiao.testing import FakeGateway
from xinqiao.testing._endpoints.signing import problem

USCC = "91330106MA2XXXXXX0"
PENALTIES = [{"dataset": "penalty", "fields": {"fine": str(n)}} for n in range(5)]


class BlockingAsyncClient:
    """An `AsyncClient` called as a blocking client."""

    def __init__(self, client: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._client, self._loop = client, loop

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._client, name)
        return self._blocking(member) if callable(member) else member

    def __getitem__(self, key: str) -> Any:
        return self._client[key]

    def _blocking(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            outcome = method(*args, **kwargs)
            if hasattr(outcome, "__aiter__"):
                return iter(self._loop.run_until_complete(_all(outcome)))
            outcome = self._loop.run_until_complete(outcome)
            return (
                BlockingAsyncClient(outcome, self._loop)
                if hasattr(outcome, "next_page")
                else outcome
            )

        return call


async def _all(items: Any) -> list[Any]:
    return [item async for item in items]


@pytest.fixture
def fake_gateway() -> FakeGateway:
    fake_gateway = FakeGateway()
    answers: dict[str | tuple[str, str], str] = {
        "is_active.v1": "yes",
        ("enterprise_name.v1", "甲公司"): "yes",
    }
    fake_gateway.add_enterprise(USCC, answers=answers, records=PENALTIES)
    return fake_gateway


def answer_as_signed(fake_gateway: FakeGateway, change: Callable[[Any], object]) -> None:
    """Change the next answer's body before it is signed."""

    def answer(request: httpx2.Request, response: httpx2.Response) -> httpx2.Response:
        body = response.json()
        change(body)
        return fake_gateway._signed(request, httpx2.Response(200, json=body))

    fake_gateway.answer_with(answer)


def change_records(fake_gateway: FakeGateway, members: dict[str, Any]) -> None:
    """Change members of the records in the next answer."""
    answer_as_signed(fake_gateway, lambda body: [each.update(members) for each in body["records"]])


@pytest.fixture(params=["blocking", "asyncio"])
def open_client(
    request: pytest.FixtureRequest, fake_gateway: FakeGateway
) -> Iterator[Callable[..., Any]]:
    loop = asyncio.new_event_loop()

    def make(**options: Any) -> Any:
        if request.param == "blocking":
            return fake_gateway.client(**options)
        return BlockingAsyncClient(fake_gateway.async_client(**options), loop)

    yield make
    loop.close()


@pytest.fixture
def client(open_client: Callable[..., Any]) -> Any:
    return open_client()


def calls_of(fake_gateway: FakeGateway, path: str) -> list[httpx2.Request]:
    return [request for request in fake_gateway.requests if request.url.path == path]


def ask(client: Any) -> Any:
    return client.verify(USCC, purpose="tender", questions=["is_active.v1"])


def test_answers_come_by_question_and_in_order(client: Any) -> None:
    """Yes, no and not determined."""
    result = client.verify(
        USCC,
        purpose="merchant_onboarding",
        questions=["is_active.v1", ("enterprise_name.v1", "乙公司"), "not_abnormal.v1"],
    )
    assert [answer.answer for answer in result.answers] == ["yes", "no", "not_determined"]
    assert result["is_active.v1"].yes
    assert result["enterprise_name.v1"].no
    assert not result["not_abnormal.v1"].determined
    assert result.uscc == USCC
    assert result.as_of.tzinfo is not None
    assert result.log_promise.leaf_hash


def test_an_answer_refuses_to_be_a_condition(client: Any) -> None:
    """`bool()` raises, since `not_determined` has no truth value."""
    with pytest.raises(TypeError, match="three values"):
        bool(ask(client)["is_active.v1"])


def test_a_question_that_was_not_asked_or_asked_twice_has_no_single_answer(client: Any) -> None:
    """Look-up by tag raises if ambiguous or missing."""
    pairs = [("enterprise_name.v1", "甲公司"), ("enterprise_name.v1", "乙公司")]
    result = client.verify(USCC, purpose="tender", questions=pairs)
    assert [answer.answer for answer in result.answers] == ["yes", "no"]
    for tag in ("enterprise_name.v1", "is_active.v1"):
        with pytest.raises(KeyError):
            result[tag]


def test_a_query_gives_records_and_says_what_is_withheld(
    client: Any, fake_gateway: FakeGateway
) -> None:
    """Records, sources, and datasets missing from the consent."""
    fake_gateway.grant_consent(USCC, purpose="loan_approval", datasets=["penalty"], max_uses=3)
    page = client.query(USCC, purpose="loan_approval", datasets=["penalty", "licence"])
    assert [record.fields["fine"] for record in page.records] == ["0", "1", "2", "3", "4"]
    assert page.records[0].source.name
    assert page.records[0].objection is None
    assert [
        (item.dataset, item.reason, "appeal_state" in item.fields) for item in page.withheld
    ] == [
        ("penalty", "class_never", True),
        ("licence", "not_in_consent", False),
    ]
    assert page.consent.uses_left == 2
    assert page.last
    assert page.next_page() is None


def test_pages_follow_one_another_and_spend_one_use(client: Any, fake_gateway: FakeGateway) -> None:
    """A query with all its pages."""
    consent = fake_gateway.grant_consent(
        USCC, purpose="loan_approval", datasets=["penalty"], max_uses=1
    )
    page = client.query(USCC, purpose="loan_approval", datasets=["penalty"], page_size=2)
    sizes = [len(each.records) for each in page.pages()]
    assert sizes == [2, 2, 1]
    assert consent.uses_left == 0
    keys = {request.headers["idempotency-key"] for request in calls_of(fake_gateway, "/v1/queries")}
    assert len(keys) == 3


def test_query_all_goes_through_the_records_of_all_pages(
    client: Any, fake_gateway: FakeGateway
) -> None:
    """Without handling pages."""
    fake_gateway.grant_consent(USCC, purpose="loan_approval", datasets=["penalty"])
    records = client.query_all(USCC, purpose="loan_approval", datasets=["penalty"], page_size=2)
    assert [record.fields["fine"] for record in records] == ["0", "1", "2", "3", "4"]


def test_a_query_sends_what_was_said_and_nothing_else(
    client: Any, fake_gateway: FakeGateway
) -> None:
    """Missing members are left out, not null."""
    fake_gateway.grant_consent(USCC, purpose="loan_approval", datasets=["penalty"])
    days = {"decided_from": date(2024, 1, 1), "decided_to": "2026-11-22"}
    client.query(USCC, purpose="loan_approval", datasets=["penalty"], **days)
    assert json.loads(calls_of(fake_gateway, "/v1/queries")[-1].content) == {
        "enterprise": {"uscc": USCC},
        "purpose": "loan_approval",
        "datasets": ["penalty"],
        "filter": {"decided_from": "2024-01-01", "decided_to": "2026-11-22"},
    }


def test_consents_can_be_looked_at_listed_asked_for_and_given_up(
    client: Any, fake_gateway: FakeGateway
) -> None:
    """Read, list, request, waive."""
    asked = client.request_consent(USCC, purpose="tender", datasets=["licence"], max_uses=2)
    assert asked.status == "requested"
    assert asked.capture_url.startswith("https://")
    granted = fake_gateway.grant_consent(USCC, purpose="loan_approval", datasets=["penalty"])
    assert client.consent(granted.consent_id).datasets == ("penalty",)
    assert [one.consent_id for one in client.consents(status="active")] == [granted.consent_id]
    assert len(client.consents()) == 2
    assert client.give_up_consent(granted.consent_id).status == 204
    assert client.consent(granted.consent_id).status == "withdrawn"


def test_all_consents_are_listed_whatever_the_number_of_pages(
    client: Any, fake_gateway: FakeGateway
) -> None:
    """The gateway gives a hundred at a time; each has the evidence of its own page."""
    given = {
        fake_gateway.grant_consent(USCC, purpose="tender", datasets=["licence"]).consent_id
        for _ in range(101)
    }
    fake_gateway.withdraw(min(given))
    listed = client.consents(status="active")
    assert [one.consent_id for one in listed] == sorted(given)[1:]
    assert listed.further_evidence
    assert len(client.consents()) == 101
    every = [listed.evidence, *listed.further_evidence]
    assert all(any(one.evidence is page for page in every) for one in listed)


def test_a_list_of_consents_that_leads_back_is_refused(
    client: Any, fake_gateway: FakeGateway
) -> None:
    """Not followed for ever."""

    def circle(request: httpx2.Request, _: httpx2.Response) -> httpx2.Response:
        told = httpx2.Response(200, json={"consents": [], "after": "cst_a"})
        return fake_gateway._signed(request, told)

    fake_gateway.answer_with(circle, times=2)
    with pytest.raises(errors.ProtocolError, match="leads back"):
        client.consents()


def test_await_decision_waits_up_to_its_limit(client: Any, fake_gateway: FakeGateway) -> None:
    """Long polls of some seconds until a decision."""
    asked = client.request_consent(USCC, purpose="tender", datasets=["licence"])
    path = f"/v1/consents/{asked.consent_id}"
    assert client.await_decision(asked.consent_id, within=12).status == "requested"
    assert [call.url.query for call in calls_of(fake_gateway, path)] == [b"wait=5"] * 3
    fake_gateway.answer_consent(asked.consent_id)
    assert client.await_decision(asked.consent_id).status == "active"
    assert len(calls_of(fake_gateway, path)) == 4


def test_the_catalogue_of_questions_can_be_read(client: Any) -> None:
    """With the catalogue's whole entry."""
    catalogue = client.questions()
    assert {entry.question for entry in catalogue} == set(get_args(QuestionTag))
    assert catalogue.questions[0].details["question"] == catalogue.questions[0].question


def test_a_bundle_asks_what_the_agreement_covers(client: Any, fake_gateway: FakeGateway) -> None:
    """The answers, the page and the consent name what it stood for; the page's evidence reads alike."""
    names = {each.bundle: each for each in client.bundles()}
    assert set(names) == set(get_args(BundleName))
    usual = names["pre_loan.v1"]
    asked = client.verify(USCC, purpose="loan_approval", bundle="pre_loan.v1")
    assert tuple(each.question for each in asked.answers) == tuple(usual.questions)
    assert asked.evidence.result().answers == asked.answers
    requested = client.request_consent(USCC, purpose="loan_approval", bundle="pre_loan.v1")
    fake_gateway.answer_consent(requested.consent_id)
    held = client.consent(requested.consent_id)
    assert (held.datasets, held.questions) == (usual.datasets, tuple(usual.questions))
    page = client.query(USCC, purpose="loan_approval", bundle="pre_loan.v1")
    assert page.bundle_datasets == usual.datasets
    assert page.evidence.result().bundle_datasets == usual.datasets
    assert client.query(USCC, purpose="loan_approval", datasets=["penalty"]).bundle_datasets == ()
    start = client.start_consent(uscc=USCC, purpose="loan_approval", bundle="pre_loan.v1")
    grant = client.finish_consent(start, fake_gateway.decide(start.url))
    assert (grant.datasets, grant.questions) == (usual.datasets, tuple(usual.questions))


def test_many_rows_are_asked_a_bundle(client: Any) -> None:
    """But for a row with questions of its own."""
    rows = [USCC, (USCC, ["is_active.v1"])]
    found = list(client.verify_many(rows, purpose="merchant_review", bundle="review.v1"))
    assert len(found[0].answers) == 5
    assert [each.question for each in found[1].answers] == ["is_active.v1"]


def test_a_bundle_beside_what_it_stands_for_is_not_sent(
    client: Any, fake_gateway: FakeGateway
) -> None:
    """By any method."""
    loan: dict[str, Any] = {"purpose": "loan_approval", "bundle": "pre_loan.v1"}
    before = len(fake_gateway.requests)
    for call in (
        lambda: client.verify(USCC, questions=["is_active.v1"], **loan),
        lambda: client.query(USCC, datasets=["penalty"], **loan),
        lambda: client.request_consent(USCC, datasets=["penalty"], **loan),
        lambda: client.start_consent(questions=["is_active.v1"], **loan),
        lambda: client.verify_many([USCC], questions=["is_active.v1"], **loan),
        lambda: client.put_watch("w", questions=["is_active.v1"], enterprises=[USCC], **loan),
        lambda: fake_gateway.client().jobs.create(questions=["is_active.v1"], **loan),
    ):
        with pytest.raises(errors.ConfigurationError, match="not both"):
            call()
    assert len(fake_gateway.requests) == before


def test_an_outcome_is_told_replaced_once_and_its_receipt_checked(
    client: Any, fake_gateway: FakeGateway
) -> None:
    """The fake gateway shows a test what the enterprise sees."""
    fake_gateway.grant_consent(USCC, purpose="loan_approval", datasets=["penalty"])
    query = client.query(USCC, purpose="loan_approval", datasets=["penalty"]).disclosure_id
    told = client.tell_outcome(query, "refused", reasons=["live_penalty", "other"])
    assert (told.outcome, told.reasons) == ("refused", ("live_penalty", "other"))
    assert not told.is_replacement
    again = client.tell_outcome(query, "refused", reasons=["live_penalty", "other"])
    assert again.log_promise == told.log_promise
    assert client.tell_outcome(query, "approved").is_replacement
    assert fake_gateway.outcomes == {query: ("approved", ())}
    with pytest.raises(errors.RequestRefused) as refused:
        client.tell_outcome(query, "withdrawn")
    assert refused.value.code == "conflict"
    with pytest.raises(errors.InvalidRequest):
        client.tell_outcome(query, "refused")
    with pytest.raises(errors.NotFound):
        client.tell_outcome("dsc_unknown", "approved")
    with pytest.raises(errors.ConfigurationError):
        client.tell_outcome(query, "refused", reasons="other")
    fake_gateway.advance(timedelta(seconds=11))
    receipts = {each.disclosure_id for each in client.check_receipts()}
    assert receipts == {query, f"{query}-o1", f"{query}-o2"}


def test_the_same_call_again_is_a_new_call(client: Any, fake_gateway: FakeGateway) -> None:
    """A new idempotency key."""
    assert ask(client).verification_id != ask(client).verification_id
    keys = {r.headers["idempotency-key"] for r in calls_of(fake_gateway, "/v1/verifications")}
    assert len(keys) == 2


def test_a_lost_answer_is_fetched_again_and_spends_nothing(
    client: Any, fake_gateway: FakeGateway
) -> None:
    """The retries have one idempotency key and get the same bytes."""
    consent = fake_gateway.grant_consent(
        USCC, purpose="loan_approval", datasets=["penalty"], max_uses=5
    )
    fake_gateway.disconnect(times=2)
    client.query(USCC, purpose="loan_approval", datasets=["penalty"])
    sent = calls_of(fake_gateway, "/v1/queries")
    assert len({request.headers["idempotency-key"] for request in sent}) == 1
    assert len({request.headers["dpop"] for request in sent}) == len(sent)
    assert consent.uses_left == 4


SPENDING: list[Callable[[Any, str | None], Any]] = [
    lambda client, key: client.verify(
        USCC, purpose="tender", questions=["is_active.v1"], idempotency_key=key
    ),
    lambda client, key: client.query(
        USCC, purpose="tender", datasets=["penalty"], idempotency_key=key
    ),
    lambda client, key: client.request_consent(
        USCC, purpose="tender", datasets=["penalty"], idempotency_key=key
    ),
]


@pytest.mark.parametrize("call", SPENDING, ids=["verify", "query", "request_consent"])
def test_a_worker_that_died_repeats_its_call_by_its_key(
    client: Any, fake_gateway: FakeGateway, call: Callable[[Any, str | None], Any]
) -> None:
    """The same answer, once spent; another key is another call.

    Another body under it is a conflict, and of a request for a consent another request.
    """
    held = fake_gateway.grant_consent(USCC, purpose="tender", datasets=["penalty"], max_uses=9)
    first = call(client, "loan-17")
    uses = held.uses_left
    with fake_gateway.client() as another_worker:
        again = call(another_worker, "loan-17")
    assert again.evidence.body == first.evidence.body
    assert held.uses_left == uses
    assert call(client, "loan-18").evidence.body != first.evidence.body
    client.verify(USCC, purpose="tender", questions=["not_abnormal.v1"], idempotency_key="x")
    with pytest.raises(errors.IdempotencyConflict) as refused:
        client.verify(USCC, purpose="tender", questions=["is_active.v1"], idempotency_key="x")
    assert refused.value.idempotency_key == "x"


@pytest.mark.parametrize("call", SPENDING, ids=["verify", "query", "request_consent"])
def test_an_error_names_the_key_of_its_call(
    client: Any, fake_gateway: FakeGateway, call: Callable[[Any, str | None], Any]
) -> None:
    """The caller's or the SDK's own, with whatever went wrong after the key was chosen."""
    held = fake_gateway.grant_consent(USCC, purpose="tender", datasets=["penalty"], max_uses=9)
    fake_gateway.disconnect(times=4)
    with pytest.raises(errors.ServerUnavailable) as lost:
        call(client, None)
    uses = held.uses_left
    sent = {each.headers.get("idempotency-key") for each in fake_gateway.requests} - {None}
    assert sent == {lost.value.idempotency_key}
    call(client, lost.value.idempotency_key)
    assert held.uses_left == uses
    fake_gateway.answer_with(
        lambda request, _: fake_gateway._signed(request, httpx2.Response(200, json={}))
    )
    with pytest.raises(errors.ProtocolError) as unreadable:
        call(client, "mine")
    assert unreadable.value.idempotency_key == "mine"


@pytest.mark.parametrize("key", ["", " x", 'x"', "x\n", "\u7b2c", "x" * 129])
def test_a_key_that_the_gateway_would_not_take_is_not_sent(
    client: Any, fake_gateway: FakeGateway, key: str
) -> None:
    """1 to 128 printable ASCII characters, no spaces or quotation marks at the ends."""
    for call in SPENDING:
        with pytest.raises(errors.ConfigurationError):
            call(client, key)
    assert fake_gateway.requests == []


def test_the_pages_that_follow_have_keys_of_their_own(
    client: Any, fake_gateway: FakeGateway
) -> None:
    """The caller's key is the first page's."""
    fake_gateway.grant_consent(USCC, purpose="tender", datasets=["penalty"])
    records = client.query_all(
        USCC, purpose="tender", datasets=["penalty"], page_size=2, idempotency_key="loan-17"
    )
    assert len(list(records)) == 5
    keys = [each.headers.get("idempotency-key") for each in fake_gateway.requests]
    pages = [key for key in keys if key is not None]
    assert pages[-3:].count("loan-17") == 1
    assert len(set(pages)) == 3


def test_days_are_taken_where_days_are_meant(client: Any, fake_gateway: FakeGateway) -> None:
    """A term's last day ends at China's midnight; a time given for a day is its day in China."""
    fake_gateway.grant_consent(USCC, purpose="tender", datasets=["penalty"])
    client.query(
        USCC,
        purpose="tender",
        datasets=["penalty"],
        decided_from=datetime(2025, 12, 31, 17, tzinfo=UTC),
        decided_to=date(2026, 11, 22),
    )
    client.request_consent(
        USCC, purpose="tender", datasets=["penalty"], valid_until=date(2027, 5, 21)
    )
    client.start_consent(purpose="tender", datasets=["penalty"], valid_until=date(2027, 5, 21))
    bodies = [json.loads(each.content) for each in fake_gateway.requests if "/v1" in each.url.path]
    assert bodies[-2]["filter"] == {"decided_from": "2026-01-01", "decided_to": "2026-11-22"}
    assert bodies[-1]["valid_until"] == "2027-05-22T00:00:00+08:00"
    pushed = dict(parse_qsl(fake_gateway.requests[-1].content.decode()))
    [details] = json.loads(pushed["authorization_details"])
    assert details["valid_until"] == "2027-05-22T00:00:00+08:00"


@pytest.mark.parametrize(
    ("status", "code"), [(429, "rate_limited"), (503, "temporarily_unavailable")]
)
def test_limits_and_pauses_of_the_gateway_are_waited_out(
    client: Any, fake_gateway: FakeGateway, status: int, code: str
) -> None:
    """Three retries by default."""
    fake_gateway.refuse(status, code, retry_after=0, times=3)
    assert ask(client)["is_active.v1"].yes


def test_after_three_more_tries_the_error_is_raised(client: Any, fake_gateway: FakeGateway) -> None:
    """With the last error."""
    fake_gateway.refuse(429, "rate_limited", retry_after=0, times=4)
    with pytest.raises(errors.RateLimited) as caught:
        ask(client)
    assert caught.value.status == 429
    assert caught.value.request_id


def test_a_wait_beyond_the_deadline_is_not_begun(client: Any, fake_gateway: FakeGateway) -> None:
    """An error at once."""
    fake_gateway.refuse(429, "quota_exhausted", retry_after=86400)
    with pytest.raises(errors.QuotaExhausted) as caught:
        ask(client)
    assert caught.value.retry_after == 86400
    assert len(calls_of(fake_gateway, "/v1/verifications")) == 2  # the nonce, then the refusal


def test_a_broken_proxy_is_never_taken_for_the_gateway(
    client: Any, fake_gateway: FakeGateway
) -> None:
    """An unsigned 502 is retried, and its content ignored."""
    fake_gateway.break_down(502, times=1)
    assert ask(client)["is_active.v1"].yes
    fake_gateway.break_down(503, times=4)
    with pytest.raises(errors.ServerUnavailable) as caught:
        ask(client)
    assert "Bad gateway" not in str(caught.value)


def test_a_gateway_that_cannot_be_reached_is_unavailable(open_client: Callable[..., Any]) -> None:
    """An SDK error without secrets."""

    def nobody(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("no route", request=request)

    with pytest.raises(errors.ServerUnavailable, match="ConnectError"):
        ask(open_client(transport=httpx2.MockTransport(nobody)))


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        ("body", "digest"),
        ("digest", "signature"),
        ("status", "signature"),
        ("content-type", "signature"),
        ("target-uri", "signature"),
        ("method", "signature"),
        ("replay", "signature"),
        ("unsigned", "missing"),
        ("tag", "tag"),
        ("key", "signature"),
        ("unknown-key", "key"),
        ("old", "created"),
        ("signature", "signature"),
    ],
)
def test_a_forged_answer_is_refused_before_it_is_read(
    client: Any, fake_gateway: FakeGateway, part: Any, reason: str
) -> None:
    """No retry, and nothing is parsed."""
    ask(client)
    fake_gateway.tamper(part)
    with pytest.raises(errors.SignatureInvalid) as caught:
        ask(client)
    assert caught.value.reason == reason
    assert len(calls_of(fake_gateway, "/v1/verifications")) == 3


def test_a_forged_refusal_is_refused_too(client: Any, fake_gateway: FakeGateway) -> None:
    """For any status."""
    fake_gateway.tamper("body")
    with pytest.raises(errors.SignatureInvalid):
        client.query(USCC, purpose="loan_approval", datasets=["penalty"])


def test_a_new_key_is_fetched_when_it_appears(client: Any, fake_gateway: FakeGateway) -> None:
    """Without a new client."""
    ask(client)
    fake_gateway.rotate_key()
    assert ask(client).evidence.keyid == "response-2"


def test_unknown_keys_cannot_make_the_client_fetch_without_end(
    client: Any, fake_gateway: FakeGateway
) -> None:
    """At most one fetch a minute."""
    ask(client)
    fake_gateway.tamper("unknown-key", times=3)
    for _ in range(3):
        with pytest.raises(errors.SignatureInvalid):
            ask(client)
    assert len(calls_of(fake_gateway, "/.well-known/jwks.json")) == 2


def test_pinned_keys_are_the_only_keys(
    open_client: Callable[..., Any], fake_gateway: FakeGateway
) -> None:
    """Published keys are not fetched."""
    client = open_client(keys=fake_gateway.jwks)
    ask(client)
    fake_gateway.rotate_key()
    with pytest.raises(errors.SignatureInvalid, match="not one of the gateway's"):
        ask(client)
    assert calls_of(fake_gateway, "/.well-known/jwks.json") == []


@pytest.mark.parametrize(
    "code",
    [
        "consent_withdrawn",
        "consent_expired",
        "consent_exhausted",
        "consent_paused",
        "not_available",
    ],
)
def test_a_refusal_is_the_error_of_its_code(
    client: Any, fake_gateway: FakeGateway, code: str
) -> None:
    """One class for each code."""
    fake_gateway.refuse(403, code)
    with pytest.raises(errors.XinqiaoError) as caught:
        client.query(USCC, purpose="loan_approval", datasets=["penalty"])
    assert type(caught.value).known_code == code
    assert (caught.value.code, caught.value.status) == (code, 403)


def test_a_code_newer_than_this_version_raises_the_nearest_class(
    client: Any, fake_gateway: FakeGateway
) -> None:
    """By status."""
    fake_gateway.answer_with(
        lambda request, _: fake_gateway._signed(request, problem(422, "value_too_old"))
    )
    with pytest.raises(errors.RequestRefused) as caught:
        ask(client)
    assert caught.value.code == "value_too_old"


def test_members_that_are_not_known_yet_are_ignored(client: Any, fake_gateway: FakeGateway) -> None:
    """Forward compatibility."""
    change_records(fake_gateway, {"colour": "blue", "source": {"name": "甲", "floor": 3}})
    fake_gateway.grant_consent(USCC, purpose="tender", datasets=["penalty"])
    assert client.query(USCC, purpose="tender", datasets=["penalty"]).records[0].source.name == "甲"


@pytest.mark.parametrize(
    "broken",
    [
        {"source": None},
        {"version": "3"},
        {"source_time": "yesterday"},
        {"source_time": "2026-01-01T00:00:00"},
        {"fields": []},
    ],
)
def test_an_answer_that_breaks_the_wire_is_a_protocol_error(
    client: Any, fake_gateway: FakeGateway, broken: dict[str, Any]
) -> None:
    """Required members in their type."""
    change_records(fake_gateway, broken)
    fake_gateway.grant_consent(USCC, purpose="tender", datasets=["penalty"])
    with pytest.raises(errors.ProtocolError):
        client.query(USCC, purpose="tender", datasets=["penalty"])


def test_an_answer_outside_the_three_is_a_protocol_error(
    client: Any, fake_gateway: FakeGateway
) -> None:
    """Answers are a closed list."""
    answer_as_signed(fake_gateway, lambda body: body["answers"][0].update(answer="perhaps"))
    with pytest.raises(errors.ProtocolError):
        ask(client)


def test_any_address_of_the_issuer_can_be_called_and_no_other(
    client: Any, fake_gateway: FakeGateway
) -> None:
    """Raw and verified; refusals are returned, not raised."""
    assert client.request("GET", "/v1/questions").status == 200
    assert (
        client.request("GET", "/v1/nothing", headers={"X-Mine": "1"}).json()["code"] == "not_found"
    )
    before = len(fake_gateway.requests)
    for elsewhere in ("https://evil.test/v1/questions", "http://gateway.test/v1/questions"):
        with pytest.raises(errors.ConfigurationError):
            client.request("GET", elsewhere)
    assert len(fake_gateway.requests) == before


def test_headers_made_for_another_program_work_once(client: Any, fake_gateway: FakeGateway) -> None:
    """Token, proof with the server's nonce, digest."""
    body = {
        "enterprise": {"uscc": USCC},
        "purpose": "tender",
        "questions": [{"question": "is_active.v1"}],
    }
    headers = client.headers_for("POST", "/v1/verifications", json=body)
    assert {"authorization", "dpop", "content-digest", "content-type"} <= set(headers)
    content = json.dumps(body, separators=(",", ":")).encode()
    url = "https://gateway.test/v1/verifications"
    by_hand = httpx2.Client(transport=fake_gateway)
    assert by_hand.post(url, headers=headers, content=content).status_code == 200
    assert by_hand.post(url, headers=headers, content=content).status_code == 401


def test_mistakes_in_arguments_are_found_before_anything_is_sent(
    client: Any, fake_gateway: FakeGateway
) -> None:
    """A string in place of a list, what JSON has not, a header that no server would take."""
    mistakes: list[Callable[[], Any]] = [
        lambda: client.verify(USCC, purpose="tender", questions="is_active.v1"),
        lambda: client.query(USCC, purpose="tender", datasets="penalty"),
        lambda: client.request_consent(USCC, purpose="tender"),
        lambda: client.request_consent(
            USCC,
            purpose="tender",
            datasets=["a"],
            valid_until=datetime(2027, 1, 1),  # noqa: DTZ001
        ),
        lambda: client.verify(USCC, purpose="tender", questions={"enterprise_name.v1": "\ud800"}),
        lambda: client.query(USCC, purpose="tender", datasets=[date(2026, 1, 1)]),
        lambda: client.request("GET", "/v1/consents", headers={"X-Request-Id": " a"}),
        lambda: client.request("GET", "/v1/consents", headers={"X-Request-Id": "甲"}),
    ]
    for mistake in mistakes:
        with pytest.raises(errors.ConfigurationError):
            mistake()
    assert fake_gateway.requests == []


@pytest.mark.parametrize(
    "wrong",
    [{"issuer": None}, {"client_id": ""}, {"timeout": None}, {"timeout": 0}, {"timeout": "3"}],
)
@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_a_client_is_not_opened_with_what_it_cannot_use(
    kind: type[Any], wrong: dict[str, Any]
) -> None:
    """A variable that is not set, a timeout that is no number of seconds: said at once, not in a call."""
    key = FakeGateway().private_jwk
    with pytest.raises(errors.ConfigurationError, match=r"issuer|client_id|timeout"):
        kind(**{"issuer": "https://a.test", "client_id": "bank", "private_jwks": key, **wrong})


@pytest.mark.parametrize("copied", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_client_is_not_sent_to_another_process(copied: Callable[[Any], Any]) -> None:
    """The error says what to do."""
    fake = FakeGateway()
    for client in (fake.client(), fake.async_client()):
        with pytest.raises(TypeError, match="each process opens its own"):
            copied(client)


def test_both_kinds_of_client_have_the_same_methods() -> None:
    """But for closing."""
    own = {"close", "aclose"}
    assert _public(Client) - own == _public(AsyncClient) - own


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_methods_show_themselves_as_what_they_are(kind: type[Any]) -> None:
    """`help()` shows name, docstring and parameters."""
    pages = {Client: "QueryPage", AsyncClient: "AsyncQueryPage"}
    shown = {
        name: str(inspect.signature(getattr(kind, name)))
        for name in _public(kind)
        if callable(getattr(kind, name))
    }
    assert not any("Session" in text or "Flow" in text for text in shown.values())
    assert shown["consent"] == "(self, consent_id: 'str') -> 'Consent'"
    assert shown["query"].endswith(f"-> '{pages[kind]}'")
    assert "yes/no questions" in str(kind.verify.__doc__)


def _public(kind: type) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")}


@pytest.mark.parametrize(
    "issuer",
    [
        "https://ops:hunter2@gateway.example",
        "https://gateway.example/?token=hunter2",
        "https://gateway.example/#hunter2",
        "ops:hunter2@gateway.example",
    ],
)
def test_a_wrong_issuer_is_named_without_its_secrets(issuer: str) -> None:
    """Credentials, query and fragment are not in the error, which may be logged."""
    with pytest.raises(errors.ConfigurationError) as refused:
        FakeGateway().client(issuer=issuer)
    assert "gateway.example" in str(refused.value)
    assert "hunter2" not in str(refused.value)
