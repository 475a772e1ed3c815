"""The published rules of the wire, each run against the real and the fake gateway.

`RULES` says what an SDK user can rely on, in the order of the wire's document; `ELSEWHERE` and
`NOT_IN_THE_FAKE` name the rules that stand outside this table, with the reason.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import closing, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from tests.gateway_fixture import UNKNOWN, GatewayFixture
from tests.waiting import eventually
from tests.wire_sides import (
    OUTSIDE,
    PURPOSE,
    REVIEW,
    Side,
    call,
    consent_request,
    fake_side,
    query,
    real_side,
    told,
    verification,
)
from xinqiao import PURPOSES, MemoryCursor, errors
from xinqiao._core.transport.problems import BY_CODE
from xinqiao.testing._rules.published import BUNDLES, PROBLEMS

pytestmark = pytest.mark.asyncio(loop_scope="session")

_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT[\d:]{8}\+08:00")
MISTYPED: Final = UNKNOWN[:-1] + "7"
VERIFY, QUERY, CONSENTS = "/v1/verifications", "/v1/queries", "/v1/consents"
BUNDLED: Final = [each["question"] for each in BUNDLES["pre_loan.v1"]["questions"][:-2]]
"""What of a bundle can be watched: not the two that need a consent."""
WATCHES, LIST = "/v1/watches", "/v1/watches/nightly"
WRONG: Final = ("甲公司", "乙公司", "丙公司")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule: what is published, a story that shows it, and what both gateways tell."""

    published: str
    story: Callable[[Side], Awaitable[Any]]
    expected: Any
    lasting: bool = True
    """False where the story changes nothing, so that it may share its client with others."""


FLOWS: Final = [
    "invalid_request: redirect_uri must be one of those registered, character by character.",
    *(
        f"invalid_authorization_details: {sentence}"
        for sentence in (
            "enterprise.uscc is not a unified social credit code.",
            "There is no such purpose; the documentation lists them. 'lunch' is unknown.",
            "There is no such dataset: secrets_of_state. 'secrets_of_state' is unknown.",
            f"This client's agreement does not cover: dataset {OUTSIDE}.",
            "valid_until is in the future and at most two years ahead.",
            "authorization_details is a list of one credit_data. Mend: [0].max_uses: give 1 or more.",
        )
    ),
]

# Stories


def refused_body(path: str, make: Callable[[Side], Mapping[str, Any]]) -> Callable[[Side], Any]:
    """Story of one body, sent to `path`."""

    async def story(side: Side) -> Any:
        return told(call(side, path, make(side)))

    return story


async def every_purpose(side: Side) -> set[Any]:
    """Each purpose is known; those outside the agreement are refused as such."""
    return {
        told(call(side, VERIFY, verification(side, "is_active.v1", purpose=each)))
        for each in PURPOSES
    }


async def a_scope_unknown(side: Side) -> str | None:
    """A token for a scope that is none of the wire's."""
    with pytest.raises(errors.OAuthError) as refused:
        side.client.request("GET", "/v1/questions", scope="everything")
    return refused.value.code


async def a_scope_that_lacks(side: Side) -> str:
    """A query with a token for verifications."""
    refused = side.client.request("POST", QUERY, json=query(side, "penalty"), scope="verify")
    return f"{refused.status} {refused.json()['code']}"


def watched(side: Side, **members: Any) -> dict[str, Any]:
    """Body of a watch list."""
    asked = {"purpose": PURPOSE, "questions": ["is_active.v1"], "enterprises": [side.uscc]}
    return {name: each for name, each in {**asked, **members}.items() if each is not None}


async def a_watch_list(side: Side) -> list[Any]:
    """Put twice, shown, listed and deleted; the members of each answer."""
    lower = watched(side, enterprises=[f" {side.uscc.lower()}", UNKNOWN])
    put = [call(side, LIST, body, method="PUT") for body in (watched(side), lower)]
    shown = [call(side, path, method="GET") for path in (LIST, WATCHES)]
    whole, listed = (each.json() for each in shown)
    gone = [told(call(side, LIST, method=method)) for method in ("DELETE", "GET", "DELETE")]
    first, second = (each.json() for each in put)
    assert listed == {"watches": [second]}
    assert whole == {**second, "enterprises": sorted([side.uscc, UNKNOWN])}
    assert first["created_at"] == second["created_at"] <= second["replaced_at"]
    return [sorted(second), first["count"], second["count"], second["status"], *gone]


async def wrong_watch_lists(side: Side) -> list[Any]:
    """Lists that are refused, and what a bundle of them watches."""
    bodies: list[dict[str, Any]] = [
        {"purpose": "lunch"},
        {"purpose": "tender"},
        {"questions": ["is_blue.v1"]},
        {"questions": ["is_active.v1", "is_active.v1"]},
        {"questions": ["legal_representative_id.v1"]},
        {"questions": []},
        {"questions": None},
        {"enterprises": []},
        {"enterprises": [side.uscc, "123", ""]},
        {"enterprises": [side.uscc, UNKNOWN, side.uscc]},
        {"bundle": "pre_loan.v1"},
        {"bundle": "no_such.v1", "questions": None},
        {"bundle": "tender.v1", "questions": None},
        {"colour": "blue"},
    ]
    found = [told(call(side, LIST, watched(side, **each), method="PUT")) for each in bodies]
    bundled = watched(side, bundle="pre_loan.v1", questions=None)
    held = call(side, LIST, bundled, method="PUT").json()["questions"]
    return [*found, call(side, WATCHES, {}, method="POST").status, held]


def pushed(**members: Any) -> Callable[[Side], Awaitable[Any]]:
    """Story of a consent flow that begins with these members."""

    async def story(side: Side) -> Any:
        asked = {"uscc": side.uscc, "purpose": "loan_approval", "datasets": ["penalty"], **members}
        try:
            return side.client.start_consent(**asked).url.startswith("http")
        except errors.OAuthError as refused:
            return refused.code

    return story


async def ids(side: Side) -> Any:
    """Prefixes of all ids that a bank meets, each well formed."""
    consent_id = await side.grant("penalty", "licence")
    verified = side.client.verify(side.uscc, purpose="loan_approval", questions=["is_active.v1"])
    page = side.client.query(side.uscc, purpose="loan_approval", datasets=["penalty", "licence"])
    await side.act("withdraw", consent_id)
    found = [verified.verification_id, verified.disclosure_id, page.disclosure_id, consent_id]
    assert all(re.fullmatch(r"[a-z]{3}_[a-z2-7]{26}", each) for each in found)
    records = [each.record_id for each in page.records]
    assert records
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", each) for each in records)
    return [each.partition("_")[0] for each in found]


async def times(side: Side) -> bool:
    """Times have an offset."""
    answer = call(side, VERIFY, verification(side, "is_active.v1")).json()
    moments = [answer["as_of"], answer["log_promise"]["merge_by"]]
    return all(datetime.fromisoformat(each).utcoffset() is not None for each in moments)


async def request_id(side: Side) -> Any:
    """The caller's own id comes back, on a problem too."""
    headers = {"X-Request-Id": "job_17-a"}
    seen = []
    for tag in ("is_active.v1", "x.v1"):
        content = json.dumps(verification(side, tag)).encode()
        made = side.client.headers_for("POST", VERIFY, content=content, scope="verify")
        with side.raw() as raw:
            response = raw.post(VERIFY, content=content, headers={**made, **headers})
        seen.append((response.status_code, response.headers["x-request-id"]))
    return seen


def answers(*asked: Any, **members: Any) -> Callable[[Side], Awaitable[Any]]:
    """Story of the answers to these questions; a callable value is made of the side."""

    async def story(side: Side) -> Any:
        made = [
            (each[0], each[1](side)) if isinstance(each, tuple) and callable(each[1]) else each
            for each in asked
        ]
        body = verification(side, *made, **members)
        return [each["answer"] for each in call(side, VERIFY, body).json()["answers"]]

    return story


async def match(side: Side) -> Any:
    """Members of each answer."""
    asked = verification(
        side, ("enterprise_name.v1", side.name), ("enterprise_name.v1", "乙公司"), "is_active.v1"
    )
    found = call(side, VERIFY, asked).json()["answers"]
    return [(each["answer"], each.get("match")) for each in found]


async def fourth_value(side: Side) -> Any:
    """The fourth distinct value of a question; a repeat of the first, in another spelling."""
    said = []
    for value in (*WRONG, side.name, f" {WRONG[0]} "):
        said += await answers(("enterprise_name.v1", value))(side)
    return said


async def elements_count(side: Side) -> Any:
    """Names asked one by one leave no room for a group with another name."""
    for value in WRONG:
        await answers(("enterprise_name.v2", value))(side)
    group = {"name": side.name, "legal_representative": "不是本人"}
    return await answers(("three_elements.v1", group))(side)


async def use_of_a_verification(side: Side) -> Any:
    """A consent-bound verification is one use; without a closed question it is none."""
    held = await side.grant(questions=["rating_at_least.v1"], max_uses=1)
    await answers("is_active.v1")(side)
    before = side.client.consent(held).uses_left
    await answers(("rating_at_least.v1", "差"))(side)
    again = await answers(("rating_at_least.v1", "差"))(side)
    return before, side.client.consent(held).status, again


async def without_consent(side: Side) -> Any:
    """Nobody, no consent, one that does not cover it, one that was withdrawn: all the same."""
    seen = [
        told(call(side, QUERY, query(side, "penalty", enterprise={"uscc": uscc})))
        for uscc in (UNKNOWN, side.uscc)
    ]
    await side.grant("licence")
    seen.append(told(call(side, QUERY, query(side, "penalty"))))
    asked = side.client.request_consent(
        side.uscc, purpose="post_loan_management", datasets=["penalty"]
    )
    later = query(side, "penalty", purpose="post_loan_management")
    seen.append(told(call(side, QUERY, later)))
    await side.act("refuse", asked.consent_id)
    seen.append(told(call(side, QUERY, later)))
    seen.append(told(call(side, QUERY, query(side, "penalty", consent_id="cst_nobodys"))))
    return set(seen)


def ended(how: str) -> Callable[[Side], Awaitable[Any]]:
    """Story of a query under a consent that has ended so."""

    async def story(side: Side) -> Any:
        held = await side.grant("penalty", max_uses=1, expired=how == "expired")
        if how == "exhausted":
            call(side, QUERY, query(side, "penalty"))
        elif how != "expired":
            await side.act({"withdrawn": "withdraw", "paused": "pause"}[how], held)
        return told(call(side, QUERY, query(side, "penalty"))), side.client.consent(held).status

    return story


async def pages(side: Side) -> Any:
    """Two pages, one use; the cursor is of this query only."""
    held = await side.grant("penalty", "licence", max_uses=1)
    both = query(side, "penalty", "licence", page={"size": 1})
    first = call(side, QUERY, both).json()
    further = {"size": 1, "cursor": first["page"]["cursor"]}
    second = call(side, QUERY, {**both, "page": further})
    other = call(side, QUERY, query(side, "penalty", page=further))
    return (
        second.status,
        told(other),
        first["consent"]["uses_left"],
        side.client.consent(held).uses_left,
    )


async def terms_of_use(side: Side) -> Any:
    """Each record says until when it is used, and by when it is deleted."""
    await side.grant("penalty")
    (record, *_) = call(side, QUERY, query(side, "penalty")).json()["records"]
    return [
        datetime.fromisoformat(record[name]).tzinfo is not None
        for name in ("use_until", "delete_by")
    ]


async def filter_by_day(side: Side) -> int:
    """Days on which nothing was decided."""
    await side.grant("penalty", "licence")
    none = {"decided_from": "1990-01-01", "decided_to": "1990-12-31"}
    return len(call(side, QUERY, query(side, "penalty", "licence", filter=none)).json()["records"])


async def reasons(side: Side) -> Any:
    """Why datasets and fields are withheld."""
    await side.grant("penalty", "supervision", "tax_and_social", OUTSIDE, purpose=REVIEW)
    asked = ("penalty", "registration", "supervision", "tax_and_social", OUTSIDE)
    found = call(side, QUERY, query(side, *asked, purpose=REVIEW)).json()["withheld"]
    return {(each["dataset"], "fields" in each): each["reason"] for each in found}


async def never_told(side: Side) -> Any:
    """Fields that no client is told, of each dataset that has some."""
    names = [
        "commitment",
        "inspection",
        "judgment_defaulter",
        "key_person",
        "penalty",
        "shareholder",
    ]
    await side.grant(*names)
    found = call(side, QUERY, query(side, *names)).json()["withheld"]
    return {each["dataset"]: len(each["fields"]) for each in found}


async def repeated(side: Side) -> Any:
    """The same bytes for nothing; another body conflicts, of another enterprise or endpoint too."""
    held = await side.grant("penalty", max_uses=5)
    key = {"Idempotency-Key": "loan-17"}
    first, again = (call(side, QUERY, query(side, "penalty"), headers=key) for _ in range(2))
    other = call(side, QUERY, query(side, "penalty", page={"size": 1}), headers=key)
    asked = verification(side, "is_active.v1", enterprise={"uscc": UNKNOWN})
    elsewhere = call(side, VERIFY, asked, headers=key)
    left = side.client.consent(held).uses_left
    return first.body == again.body, told(other), told(elsewhere), left


async def repeated_after_withdrawal(side: Side) -> Any:
    """A repeated query is refused as a new one would be."""
    held, key = await side.grant("penalty"), {"Idempotency-Key": "loan-17"}
    call(side, QUERY, query(side, "penalty"), headers=key)
    await side.act("withdraw", held)
    return told(call(side, QUERY, query(side, "penalty"), headers=key))


async def consent_by_link(side: Side) -> Any:
    """The same members for anybody and nobody; under the same key the same request."""
    made = [
        call(
            side,
            CONSENTS,
            consent_request(side, enterprise={"uscc": uscc}),
            headers={"Idempotency-Key": uscc},
        )
        for uscc in (side.uscc, side.uscc, UNKNOWN)
    ]
    first, again, nobody = (each.json() for each in made)
    assert first["consent_id"] == again["consent_id"] != nobody["consent_id"]
    return {each.status for each in made}, sorted(first), sorted(nobody)


async def bound_token(side: Side) -> Any:
    """A token of the browser's flow asks about its enterprise, under its consent, while that lasts."""
    held, send = await side.by_browser("penalty")
    asked, read = verification(side, "is_active.v1"), query(side, "penalty")
    stranger = {"enterprise": {"uscc": UNKNOWN}}
    seen = [
        await send(VERIFY, asked),
        await send(VERIFY, {**asked, **stranger}),
        await send(QUERY, read),
        await send(QUERY, {**read, **stranger}),
        await send(QUERY, {**read, "consent_id": await side.grant("penalty", purpose=REVIEW)}),
    ]
    await side.act("withdraw", held)
    await side.grant("penalty")
    return [*seen, await send(VERIFY, asked), await send(QUERY, read)]


async def cooling_down(side: Side) -> Any:
    """After a refusal the same is not asked for again; for another purpose it is."""
    asked = call(side, CONSENTS, consent_request(side)).json()
    await side.act("refuse", asked["consent_id"])
    same = told(call(side, CONSENTS, consent_request(side, datasets=["licence"])))
    other = told(call(side, CONSENTS, consent_request(side, purpose="post_loan_management")))
    return same, other, side.client.consent(asked["consent_id"]).status


async def statuses(side: Side) -> Any:
    """Of a request: asked, given up; of an amendment: asked, and superseded by its grant."""
    seen = []
    asked = call(side, CONSENTS, consent_request(side)).json()["consent_id"]
    seen.append(side.client.consent(asked).status)
    seen.append(told(call(side, f"{CONSENTS}/{asked}", method="DELETE")))
    seen.append(side.client.consent(asked).status)
    running = await side.grant("penalty")
    seen.append(side.client.consent(running).status)
    more = consent_request(side, datasets=["penalty", "licence"], amends=running)
    seen.append(told(call(side, CONSENTS, more)))
    return (*seen, [each.consent_id for each in side.client.consents(status="active")] == [running])


def refused_by_oauth(call_it: Callable[[], object]) -> str:
    """The sentence of an OAuth refusal, which has a request id."""
    with pytest.raises(errors.OAuthError) as refused:
        call_it()
    assert refused.value.request_id
    return f"{refused.value.code}: {refused.value.detail}"


async def consent_flows(side: Side) -> list[str]:
    """Flows that are refused before a browser is sent anywhere."""
    asked: dict[str, Any] = {"purpose": "loan_approval", "datasets": ["penalty"]}
    wrong: list[dict[str, Any]] = [
        {"redirect_uri": "https://bank.test/callback/"},
        {"uscc": "1"},
        {"purpose": "lunch"},
        {"datasets": ["penalty", "secrets_of_state"]},
        {"datasets": [OUTSIDE]},
        {"valid_until": datetime(2020, 1, 1, tzinfo=UTC)},
        {"max_uses": 0},
    ]
    return [
        refused_by_oauth(lambda each=each: side.client.start_consent(**{**asked, **each}))  # type: ignore[misc]
        for each in wrong
    ]


async def clocks(side: Side) -> list[Any]:
    """Clients whose clock is behind or ahead, beyond the skew and within it."""

    def look(seconds: int) -> str:
        with side.open(clock=lambda: time.time() + seconds) as client:
            try:
                client.questions()
            except errors.OAuthError as refused:
                return f"{refused.code}: {refused.detail.partition('.')[0]}"
        return "answered"

    return [await asyncio.to_thread(look, seconds) for seconds in (-30, 5, -3600, 3600)]


async def somebody_elses(side: Side) -> Any:
    """An id that this client does not have."""
    path = f"{CONSENTS}/cst_{'a' * 26}"
    return [told(call(side, path, method=each)) for each in ("GET", "DELETE")]


async def notices(side: Side, held: str, named: Mapping[str, str], *kinds: str) -> set[Any]:
    """What the feed says of a consent once it has these kinds: each with the names of its disclosures."""

    def look() -> set[Any]:
        return {
            (each.kind, *sorted(named.get(name, "?") for name in each.disclosure_ids))
            for each in side.client.changes(store=MemoryCursor(), follow=False)
            if each.consent_id == held and each.kind in kinds
        }

    await eventually(lambda: asyncio.to_thread(lambda: {each[0] for each in look()} == {*kinds}))
    return look()


async def told_under_consent(side: Side, **given: Any) -> tuple[str, dict[str, str]]:
    """A consent with a query and a verification under it, and a verification that needs none."""
    held = await side.grant("penalty", "licence", questions=["rating_at_least.v1"], **given)
    made = {
        "query": call(side, QUERY, query(side, "penalty")),
        "rating": call(side, VERIFY, verification(side, ("rating_at_least.v1", "差"))),
        "open": call(side, VERIFY, verification(side, "is_active.v1")),
    }
    return held, {each.json()["disclosure_id"]: name for name, each in made.items()}


async def notice_of_withdrawal(side: Side) -> Any:
    """All answers under the consent, verifications too."""
    held, named = await told_under_consent(side)
    await side.act("withdraw", held)
    return await notices(side, held, named, "consent_withdrawn")


async def notice_of_narrowing(side: Side) -> Any:
    """The answers that asked for what is taken back: here the question."""
    held, named = await told_under_consent(side)
    await side.narrow(held, "penalty")
    return await notices(side, held, named, "consent_narrowed")


async def notices_of_amendment(side: Side) -> Any:
    """Of the running consent: what it loses, and that it gains."""
    held, named = await told_under_consent(side)
    more = consent_request(side, datasets=["licence", "public_rating"], amends=held)
    asked = call(side, CONSENTS, more).json()["consent_id"]
    await side.amend(asked)
    seen = await notices(side, held, named, "consent_narrowed", "consent_granted")
    return seen, await notices(side, asked, named)


async def notice_of_expiry(side: Side) -> Any:
    """Names no answer: what was told in time may be used on, as its own terms say."""
    held = await side.run_out("penalty")
    return await notices(side, held, {}, "consent_expired"), side.client.consent(held).status


async def public_catalogue(side: Side) -> list[int]:
    """Questions and bundles, for anybody."""
    with side.raw() as raw:
        return [raw.get(path).status_code for path in ("/v1/questions", "/v1/bundles")]


async def told_outcomes(side: Side) -> list[Any]:
    """Outcomes of one query in a row, those that are wrong, and one of an unknown query."""
    await side.grant("penalty")
    page = side.client.query(side.uscc, purpose=PURPOSE, datasets=["penalty"])
    path = f"{QUERY}/{page.disclosure_id}/outcome"
    refused = {"outcome": "refused", "reasons": ["live_penalty"]}
    first = call(side, path, refused, method="PUT").json()
    again = call(side, path, refused, method="PUT").json()
    second = call(side, path, {"outcome": "approved"}, method="PUT").json()
    earlier = {name: first[name] for name in ("outcome", "reasons", "told_at")}
    wrong = (
        {"outcome": "refused"},
        {"outcome": "approved", "reasons": ["other"]},
        {"outcome": "refused", "reasons": ["other", "other"]},
        {"outcome": "maybe"},
        {"outcome": "refused", "reasons": ["because"]},
        {"outcome": "withdrawn", "words": "x"},
    )
    return [
        again == first,
        second["replaced"] == earlier,
        told(call(side, path, {"outcome": "withdrawn"}, method="PUT")),
        {told(call(side, path, each, method="PUT")) for each in wrong},
        told(call(side, f"{QUERY}/dsc_unknown/outcome", refused, method="PUT")),
        told(call(side, path, method="GET")),
    ]


async def published_bundles(side: Side) -> bool:
    """The bundles, to the member."""
    return bool(call(side, "/v1/bundles", method="GET").json() == {"bundles": [*BUNDLES.values()]})


async def asked_by_bundle(side: Side) -> Any:
    """What a bundle stands for in a verification, in a request for a consent and in a query."""
    verified = side.client.verify(side.uscc, purpose=PURPOSE, bundle="pre_loan.v1")
    asked = side.client.request_consent(side.uscc, purpose=PURPOSE, bundle="pre_loan.v1")
    await side.act("grant", asked.consent_id)
    held = side.client.consent(asked.consent_id)
    page = side.client.query(side.uscc, purpose=PURPOSE, bundle="pre_loan.v1")
    usual, covered = BUNDLES["pre_loan.v1"], set(page.bundle_datasets)
    tags = tuple(each["question"] for each in usual["questions"])
    return (
        tuple(each.question for each in verified.answers) == held.questions == tags,
        held.datasets == page.bundle_datasets,
        list(page.bundle_datasets) == [each for each in usual["datasets"] if each in covered],
        {each.dataset for each in page.records} <= covered,
    )


async def flow_by_bundle(side: Side) -> list[str]:
    """Refusals of pushed requests by bundle."""
    told = []
    for purpose, name in ((PURPOSE, "pre_loan.v9"), (PURPOSE, "review.v1"), ("lunch", "x.v1")):
        with pytest.raises(errors.InvalidAuthorizationDetails) as refused:
            side.client.start_consent(uscc=side.uscc, purpose=purpose, bundle=name)  # type: ignore[arg-type]
        told.append(refused.value.detail)
    side.client.start_consent(uscc=side.uscc, purpose=PURPOSE, bundle="pre_loan.v1")
    return told


async def methods(side: Side) -> set[Any]:
    """Another method than those of a path."""
    wrong = (
        ("GET", VERIFY), ("PUT", QUERY), ("PATCH", CONSENTS), ("POST", "/v1/changes"),
        ("GET", "/v1/changes/ack"), ("POST", "/v1/questions"), ("PUT", f"{CONSENTS}/cst_{'a' * 26}"),
    )  # fmt: skip
    return {told(call(side, path, method=method)) for method, path in wrong}


async def parameters(side: Side) -> Any:
    """A status that is none, a look at a consent that is too long."""
    held = await side.grant("penalty")
    paths = (
        f"{CONSENTS}?status=over",
        f"{CONSENTS}/{held}?wait=31",
        f"{CONSENTS}/{held}?wait=soon",
    )
    return {told(call(side, each, method="GET")) for each in paths}


async def list_of_consents(side: Side) -> Any:
    """Members of the answer."""
    return sorted(call(side, CONSENTS, method="GET").json())


async def parameters_unknown(side: Side) -> Any:
    """One that another endpoint has, one that stands twice, one at a body's address."""
    calls = (("GET", f"{CONSENTS}?stat=active", None), ("GET", f"{CONSENTS}?after=a&after=b", None),
             ("GET", f"{CONSENTS}/cst_nobodys?status=active", None),
             ("GET", "/v1/questions?lang=zh", None),
             ("POST", f"{VERIFY}?wait=1", verification(side, "is_active.v1")))  # fmt: skip
    problems = [
        side.client.request(method, path, json=body, scope="consents verify").json()
        for method, path, body in calls
    ]
    assert {each["code"] for each in problems} == {"invalid_request"}
    return [each["detail"] for each in problems]


async def without_credentials(side: Side) -> Any:
    """Challenged without an error; with credentials that will not do, with one."""
    seen = []
    for headers in ({}, {"Authorization": "DPoP x", "DPoP": "x"}):
        with side.raw() as raw:
            refused = raw.get(CONSENTS, headers=headers)
        challenge = refused.headers["www-authenticate"]
        seen.append(
            (
                refused.status_code,
                refused.json()["code"],
                challenge.partition(" ")[0],
                "error=" in challenge,
                "dpop-nonce" in refused.headers,
            )
        )
    return seen


async def acknowledged(side: Side) -> Any:
    """Cursors that the feed has given, and waits up to 30 seconds."""
    held = await side.grant("penalty")
    await side.act("withdraw", held)
    good = call(side, "/v1/changes/ack", {"cursor": "0"})
    return (
        sorted(good.json()),
        told(call(side, "/v1/changes/ack", {"cursor": "999999"})),
        told(call(side, "/v1/changes/ack", {"cursor": 0})),
        told(call(side, "/v1/changes?after=999999", method="GET")),
        told(call(side, "/v1/changes?wait=31", method="GET")),
    )


def a_header(**headers: str) -> Callable[[Side], Awaitable[Any]]:
    """Story of a verification with these headers."""

    async def story(side: Side) -> Any:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return told(call(side, VERIFY, verification(side, "is_active.v1"), headers=sent))

    return story


async def too_large(side: Side) -> Any:
    """A body above 64 KiB."""
    return told(call(side, VERIFY, content=b" " * (64 * 1024 + 1)))


def wrong_value(tag: str, value: Any) -> Rule:
    """A value that a question does not take."""
    body = refused_body(VERIFY, lambda side: verification(side, (tag, value)))
    shown = f"{value!r:.30}"
    return Rule(
        published=f"{tag} takes no {shown}", story=body, expected="invalid_request", lasting=False
    )


def wrong(path: str, code: str, what: str, make: Callable[[Side], Mapping[str, Any]]) -> Rule:
    """A body that is refused."""
    return Rule(
        published=f"{code}: {what}", story=refused_body(path, make), expected=code, lasting=False
    )


def wrong_members(path: str, code: str, members: Mapping[str, Any]) -> Rule:
    """A query or a request for a consent that these members make wrong."""

    def make(side: Side) -> Mapping[str, Any]:
        good = query(side, "penalty") if path == QUERY else consent_request(side)
        return {**good, **members}

    return wrong(path, code, f"{members}", make)


NO: Final = "not_determined"
WRONG_CONSENTS: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("invalid_uscc", {"enterprise": {"uscc": "1"}}),
    ("unknown_purpose", {"purpose": "x"}),
    ("unknown_dataset", {"datasets": ["x"]}),
    ("unknown_question", {"questions": ["x.v1"]}),
    ("not_in_agreement", {"datasets": [OUTSIDE]}),
    ("not_found", {"amends": "cst_nobodys"}),
    ("invalid_request", {"max_uses": 0}),
    ("invalid_request", {"datasets": []}),
    ("invalid_request", {"valid_until": "2026-13-01T00:00:00Z"}),
    ("invalid_request", {"valid_until": "2026-01-01T00:00:00Z"}),
    ("invalid_request", {"valid_until": "2099-01-01T00:00:00Z"}),
    ("invalid_request", {"type": "credit_data"}),
)
ITEMS: Final[Mapping[str, Mapping[str, Any]]] = {
    VERIFY: {"questions": [{"question": "is_active.v1"}]},
    QUERY: {"datasets": ["penalty"]},
    CONSENTS: {"questions": ["is_active.v1"]},
}
"""Members that a bundle stands in the place of, by path."""


def wrong_bundle(path: str, members: Mapping[str, Any]) -> Rule:
    """A body with a bundle that does not fit, or with neither a bundle nor items."""

    def make(side: Side) -> Mapping[str, Any]:
        return {"enterprise": {"uscc": side.uscc}, "purpose": PURPOSE, **members}

    return wrong(path, "invalid_request", f"{path} with {members}", make)


WRONG_QUERIES: Final[tuple[dict[str, Any], ...]] = (
    {"page": {"size": 0}},
    {"page": {"size": 201}},
    {"page": {"cursor": "x"}},
    {"filter": {"decided_from": "2026-02-30"}},
    {"filter": {"decided_from": 1704067200}},
    {"filter": {"decided_from": "2026-02-01", "decided_to": "2026-01-01"}},
    {"datasets": []},
    {"datasets": ["penalty", "penalty"]},
    {"purpose": None},
)
WRONG_DETAILS: Final[tuple[dict[str, Any], ...]] = (
    {"purpose": "marketing"},
    {"datasets": ["x"]},
    {"questions": ["is_active.v9"]},
    {"uscc": "91330106MI2CXXXX17"},
    {"max_uses": 0},
    {"datasets": [OUTSIDE]},
)
RULES: Final = (
    # General
    Rule(published="ids are opaque, at most 64 of [A-Za-z0-9_-]", story=ids,
         expected=["vrf", "dsc", "dsc", "cst"]),
    Rule(published="times have an offset", story=times, expected=True),
    wrong(VERIFY, "invalid_request", "an unknown member",
          lambda side: verification(side, "is_active.v1", colour="blue")),
    wrong(QUERY, "invalid_request", "an unknown member of a member",
          lambda side: query(side, "penalty", page={"number": 1})),
    # Watch lists
    Rule(published="a watch list", story=a_watch_list,
         expected=[["count", "created_at", "name", "purpose", "questions", "replaced_at", "status"],
                   1, 2, "watching", 204, "not_found", "not_found"]),
    Rule(published="what is wrong with a watch list", story=wrong_watch_lists,
         expected=["unknown_purpose", "not_in_agreement", "unknown_question",
                   *["invalid_request"] * 5, "invalid_uscc", *["invalid_request"] * 5, 405, BUNDLED]),
    # OAuth
    Rule(published="scopes are a closed list", story=a_scope_unknown, expected="invalid_scope"),
    Rule(published="a token without the scope", story=a_scope_that_lacks,
         expected="403 insufficient_scope"),
    Rule(published="purposes are a closed list", story=every_purpose,
         expected={200, "not_in_agreement"}),
    Rule(published="a pushed request is judged", story=pushed(), expected=True),
    *(
        Rule(published=f"invalid_authorization_details: {members}", story=pushed(**members),
             expected="invalid_authorization_details", lasting=False)
        for members in WRONG_DETAILS
    ),
    # Verification
    wrong(VERIFY, "invalid_uscc", "a letter that no code has",
          lambda side: verification(side, "is_active.v1", enterprise={"uscc": "91330106MI2CXXXX17"})),
    wrong(VERIFY, "invalid_uscc", "a person's number",
          lambda side: verification(side, "is_active.v1", enterprise={"uscc": "330106199001011234"})),
    wrong(VERIFY, "unknown_purpose", "a verification",
          lambda side: verification(side, "is_active.v1", purpose="marketing")),
    wrong(VERIFY, "unknown_question", "a tag",
          lambda side: verification(side, "is_active.v9")),
    wrong(VERIFY, "not_in_agreement", "a purpose",
          lambda side: verification(side, "is_active.v1", purpose="tender")),
    wrong(VERIFY, "invalid_request", "no question", verification),
    wrong(VERIFY, "invalid_request", "21 questions",
          lambda side: verification(side, *(("licence_number_valid.v1", f"{n}") for n in range(21)))),
    wrong(VERIFY, "invalid_request", "a question twice",
          lambda side: verification(side, "is_active.v1", "is_active.v1")),
    *(
        wrong_value(tag, value)
        for tag, value in (
            ("is_active.v1", "yes"), ("enterprise_name.v1", None), ("enterprise_name.v1", " "),
            ("enterprise_name.v1", "甲" * 201), ("enterprise_name.v1", {"name": "甲"}),
            ("rating_at_least.v1", "极好"), ("established_for.v1", "2"), ("established_for.v1", 3),
            ("three_elements.v1", "甲"), ("three_elements.v1", {"name": "甲"}),
            ("three_elements.v1", {"name": "甲", "legal_representative": " "}),
            ("three_elements.v1", {"name": "甲", "legal_representative": "乙", "id_number": "1"}),
            ("scope_includes.v1", "52"), ("licence_item_valid.v1", "magic"),
        )
    ),
    Rule(published="match stands only beside a yes on a name", story=match,
         expected=[("yes", "strict"), ("no", None), ("yes", None)]),
    Rule(published="a group has one answer", expected=["no"],
         story=answers(("three_elements.v1",
                        lambda side: {"name": side.name, "legal_representative": "不是本人"}))),
    Rule(published="warnings: the check character does not fit", expected=(200, "check_character"),
         story=refused_body(VERIFY, lambda side: verification(
             side, "is_active.v1", enterprise={"uscc": MISTYPED}))),
    Rule(published="warnings: on a problem too", expected=("not_available", "check_character"),
         story=refused_body(QUERY, lambda side: query(
             side, "penalty", enterprise={"uscc": MISTYPED}))),
    Rule(published="not_determined: nobody", expected=[NO, NO],
         story=answers("is_active.v1", ("enterprise_name.v1", "甲"), enterprise={"uscc": UNKNOWN})),
    Rule(published="not_determined: no consent", expected=[NO],
         story=answers(("rating_at_least.v1", "差"))),
    Rule(published="not_determined: three values are answered, a repeat is free",
         story=fourth_value, expected=["no", "no", "no", NO, "no"]),
    Rule(published="each element counts in its own question's budget", story=elements_count,
         expected=[NO]),
    Rule(published="a consent-bound verification is one use", story=use_of_a_verification,
         expected=(1, "exhausted", [NO])),
    # Query
    wrong(QUERY, "unknown_dataset", "a query", lambda side: query(side, "penalty", "x")),
    wrong(QUERY, "unknown_purpose", "a query", lambda side: query(side, "penalty", purpose="x")),
    wrong(QUERY, "not_in_agreement", "all datasets", lambda side: query(side, OUTSIDE)),
    wrong(QUERY, "invalid_uscc", "a query",
          lambda side: query(side, "penalty", enterprise={"uscc": "1"})),
    *(
        wrong_members(QUERY, "invalid_request", members)
        for members in WRONG_QUERIES
    ),
    Rule(published="not_available, the same for all", story=without_consent,
         expected={"not_available"}),
    *(
        Rule(published=f"consent_{how} is told of one's own consent", story=ended(how),
             expected=(f"consent_{how}", how))
        for how in ("withdrawn", "expired", "exhausted", "paused")
    ),
    Rule(published="a query and all its pages are one use", story=pages,
         expected=(200, "invalid_request", 0, 0)),
    Rule(published="records have use_until and delete_by", story=terms_of_use,
         expected=[True, True]),
    Rule(published="the filter is by the day of the decision", story=filter_by_day, expected=0),
    Rule(published="withheld: each reason", story=reasons, expected={
        ("penalty", True): "class_never", ("registration", False): "not_in_consent",
        ("supervision", False): "class_never", ("tax_and_social", False): "not_for_purpose",
        (OUTSIDE, False): "not_in_agreement",
    }),
    Rule(published="withheld: fields that no client is told", story=never_told, expected={
        "commitment": 1, "inspection": 1, "judgment_defaulter": 1, "key_person": 1, "penalty": 7,
        "shareholder": 1,
    }),
    Rule(published="Idempotency-Key: the same bytes, for nothing", story=repeated,
         expected=(True, *["idempotency_conflict"] * 2, 4)),
    Rule(published="Idempotency-Key: only as long as the consent holds",
         story=repeated_after_withdrawal, expected="consent_withdrawn"),
    # Consents
    Rule(published="201, the same whether or not the enterprise exists", story=consent_by_link,
         expected=({201}, *[["capture_url", "consent_id", "expires_at", "status"]] * 2)),
    *(
        wrong_members(CONSENTS, code, members)
        for code, members in WRONG_CONSENTS
    ),
    Rule(published="cooling_down after a refusal", story=cooling_down,
         expected=("cooling_down", 201, "refused")),
    Rule(published="a token of a consent flow is bound to its consent", story=bound_token,
         expected=[200, "not_available", 200, "not_available", "not_available",
                   "invalid_token", "consent_withdrawn"]),
    Rule(published="statuses of a consent", story=statuses,
         expected=("requested", 204, "withdrawn", "active", 201, True)),
    Rule(published="invalid_request: a parameter of a consent's address", story=parameters,
         expected={"invalid_request"}),
    Rule(published="a query parameter that the endpoint does not know is refused",
         story=parameters_unknown, lasting=False, expected=[
             "This endpoint has no query parameter 'stat'; it has status, after.",
             "The query parameter 'after' stands twice.",
             "This endpoint has no query parameter 'status'; it has wait.",
             "This endpoint has no query parameter 'lang'; it has none.",
             "This endpoint has no query parameter 'wait'; it has none.",
         ]),
    Rule(published="the answer of a list of consents names the next page", story=list_of_consents,
         lasting=False, expected=["after", "consents"]),
    Rule(published="not_found: a consent of somebody else", story=somebody_elses,
         expected=["not_found", "not_found"]),
    # Feed
    Rule(published="consent_withdrawn names all answers under it", story=notice_of_withdrawal,
         expected={("consent_withdrawn", "query", "rating")}),
    Rule(published="consent_narrowed names the answers that asked for it", story=notice_of_narrowing,
         expected={("consent_narrowed", "rating")}),
    Rule(published="an amendment is told of the running consent", story=notices_of_amendment,
         expected=({("consent_narrowed", "query", "rating"), ("consent_granted",)}, set())),
    Rule(published="consent_expired names no answer", story=notice_of_expiry,
         expected=({("consent_expired",)}, "expired")),
    Rule(published="changes and their acknowledgement", story=acknowledged,
         expected=(["acknowledged_at", "cursor"], *["invalid_request"] * 4)),
    # OAuth
    Rule(published="refusals of a pushed request, in words", story=consent_flows, lasting=False,
         expected=FLOWS),
    Rule(published="a proof is a minute old at most, and ten seconds of skew", story=clocks,
         lasting=False, expected=["answered", "answered",
                                  *["invalid_dpop_proof: iat is not now; check the clock"] * 2]),
    # Headers
    Rule(published="a call without credentials is challenged without an error",
         story=without_credentials, lasting=False,
         expected=[(401, "invalid_token", "DPoP", False, True),
                   (401, "invalid_token", "DPoP", True, True)]),
    Rule(published="X-Request-Id is echoed", story=request_id,
         expected=[(200, "job_17-a"), (400, "job_17-a")]),
    Rule(published="Content-Type", story=a_header(Content_Type="text/plain"),
         expected="unsupported_media_type"),
    Rule(published="Content-Type with a parameter of another name", expected=200, lasting=False,
         story=a_header(Content_Type="application/json; v=1")),
    Rule(published="Content-Type in another charset", expected="unsupported_media_type",
         lasting=False, story=a_header(Content_Type="application/json; charset=gbk")),
    Rule(published="method_not_allowed", story=methods, expected={"method_not_allowed"},
         lasting=False),
    Rule(published="questions and bundles are public", story=public_catalogue,
         expected=[200, 200], lasting=False),
    Rule(published="PUT /v1/queries/{disclosure_id}/outcome", story=told_outcomes,
         expected=[True, True, "conflict", {"invalid_request"}, "not_found", "method_not_allowed"]),
    Rule(published="GET /v1/bundles", story=published_bundles, expected=True, lasting=False),
    Rule(published="a bundle stands for what of it the agreement covers", story=asked_by_bundle,
         expected=(True, True, True, True)),
    Rule(published="a pushed request by bundle", story=flow_by_bundle, lasting=False, expected=[
        "There is no such bundle; GET /v1/bundles lists them.",
        "The bundle review.v1 is for the purpose merchant_review.",
        "There is no such bundle; GET /v1/bundles lists them. 'lunch' is unknown.",
    ]),
    *(
        wrong_bundle(path, members)
        for path, items in ITEMS.items()
        for members in ({"bundle": "pre_loan.v1", **items}, {"bundle": "x.v1"}, {"bundle": "review.v1"}, {})
    ),
    Rule(published="Content-Digest", story=a_header(Content_Digest="sha-256=:AAAA:"),
         expected="digest_mismatch"),
    Rule(published="Idempotency-Key has at most 128 characters",
         story=a_header(Idempotency_Key="k" * 129), expected="invalid_request"),
    Rule(published="64 KiB", story=too_large, expected="payload_too_large"),
)  # fmt: skip

ELSEWHERE: Final = {
    "signatures, digests, DPoP proofs and nonces": "tests/unit/test_sdk_signatures.py and _tokens.py "
    "with the fake, tests/attacks with the real one",
    "notices on records and the disclosures that they name": "test_sdk_fake_gateway.py, both",
    "not_licensed": "another client and enterprise: test_sdk_fake_gateway.py, both",
    "strictness of JSON and digests": "test_sdk_fake_gateway.py, both",
    "Idempotency-Key lasts 24 hours, a cool-down 30 days, a cursor 15 minutes": "the socket's gateway "
    "has no clock of its own; tests/api moves the real one's, tests/unit/test_sdk_fake_rules.py the fake's",
    "receipts and the log's promise": "test_sdk_real_gateway.py waits for the real merge",
}
NOT_IN_THE_FAKE: Final = {
    "quotas by day, by enterprise and of distinct enterprises": "`refuse(429, …)` gives Retry-After",
    "jobs": "tests/contract/test_sdk_jobs.py, with the real one",
    "records, codes, certificates": "the SDK has no method",
    "fields that the catalogue added after a consent": "a fake consent names no fields",
    "answers under source_unavailable": "`take_offline` withholds datasets; answers are the test's",
}
#: Codes of problems that no rule above shows, with the reason.
CODES_ELSEWHERE: Final = {
    "signature_required": "an agreement's term that only a client with raw keys can break",
    "signature_invalid": "as above",
    "agreement_missing": "a state of the operator's: `refuse(403, …)`; tests/api with the real one",
    "agreement_ended": "as above",
    "client_suspended": "as above",
    "rate_limited": "`test_both_limit_a_client`",
    "quota_exhausted": "`refuse(429, …)`; tests/api with the real one",
    "temporarily_unavailable": "`refuse(503, …)`; tests/faults with the real one",
    "use_dpop_nonce": "tests/unit/test_sdk_tokens.py, tests/attacks",
    "access_denied": "the end of a consent flow; test_sdk_consent.py, tests/api",
    "invalid_grant": "a code used twice; test_sdk_real_gateway.py, test_sdk_consent.py",
}


@pytest.fixture(scope="module")
def shared() -> Iterator[dict[str, Side]]:
    """The clients of stories that change nothing."""
    made: dict[str, Side] = {}
    yield made
    for side in made.values():
        side.client.close()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.published)
async def test_both_keep_the_rule(
    served: GatewayFixture, shared: dict[str, Side], rule: Rule
) -> None:
    """The same story is told the same by the real and by the fake gateway, problems in the same words."""
    told: dict[str, list[Mapping[str, Any]]] = {}
    for which in ("fake", "real"):
        side = None if rule.lasting else shared.get(which)
        if side is None:
            side = await (real_side(served) if which == "real" else fake_side(served))
        if not rule.lasting:
            shared[which] = side
        side.problems.clear()
        with nullcontext() if side is shared.get(which) else closing(side.client):
            assert await rule.story(side) == rule.expected, which
        told[which] = list(side.problems)
    for fake, real in zip(told["fake"], told["real"], strict=True):
        assert fake.keys() == real.keys()
        words = ("type", "title", "status", "code", "detail")
        assert _without_moments(fake, words) == _without_moments(_in_general(real), words)
        assert [type(each["request_id"]) for each in (fake, real)] == [str, str]


def _without_moments(problem: Mapping[str, Any], words: Iterable[str]) -> list[str]:
    """These members, whose moments differ by when they were told."""
    return [_MOMENT.sub("…", str(problem[each])) for each in words]


def _in_general(problem: Mapping[str, Any]) -> Mapping[str, Any]:
    """A problem with the general sentence where the gateway names members of another form, one by one."""
    named = problem["detail"].startswith(("The body cannot", "Mend these members: query."))
    return {**problem, "detail": PROBLEMS[problem["code"]]["detail"]} if named else problem


@pytest.mark.parametrize("side_of", [fake_side, real_side])
async def test_both_limit_a_client(
    served: GatewayFixture, side_of: Callable[..., Awaitable[Side]]
) -> None:
    """`rate_limited` with `Retry-After`; `RateLimit-Policy` and `RateLimit` on every answer."""
    side = await side_of(served, per_minute=1)
    seen = []
    with closing(side.client), side.raw() as raw:
        for _ in range(2):
            headers = side.client.headers_for("GET", CONSENTS, scope="consents")
            response = raw.get(CONSENTS, headers=headers)
            policy, state = (
                response.headers[name].partition(",")[0]
                for name in ("RateLimit-Policy", "RateLimit")
            )
            waits = 0 < int(response.headers.get("Retry-After", "0")) <= 60
            seen.append((response.status_code, policy, state.partition(";t=")[0], waits))
    assert seen == [
        (200, '"client";q=1;w=60', '"client";r=0', False),
        (429, '"client";q=1;w=60', '"client";r=0', True),
    ]


async def test_every_code_of_a_problem_is_shown_or_its_absence_explained() -> None:
    """Of those that the SDK has an error for."""
    shown = repr([each.expected for each in RULES])
    missing = {code for code in BY_CODE if f"{code}" not in shown}
    assert missing == CODES_ELSEWHERE.keys() & BY_CODE.keys()
