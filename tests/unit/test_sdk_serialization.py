"""SDK results and errors as data: pickled, copied, as dicts and JSON; printed without personal values."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import json
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

import xinqiao
from tests.sdk_builders import result_of
from xinqiao import (
    Client,
    Limits,
    RetryPolicy,
    Verification,
    errors,
    verify_consent_record,
    verify_evidence,
    verify_report,
)
from xinqiao._core.evidence.receipts import PromisedLeaf
from xinqiao.testing import FakeGateway
from xinqiao.testing._state.limit import FakeLimit

USCC: Final = "91330106MA2XXXXXX0"
LOAN: Final[dict[str, Any]] = {"purpose": "loan_approval"}
VECTORS: Final = Path(__file__).parent.parent / "vectors" / "sdk"
PERSONAL: Final = {"facts": "13900001111", "authority": "文三路 1 号", "content": "张伟国"}
SETTINGS: Final = {
    "ClientSettings",
    "KeySet",
    "RetryPolicy",
    "FileCursor",
    "MemoryCursor",
    "CursorFunctions",
}
"""Public dataclasses that are no results."""
OF_JOBS: Final = {"Job", "JobLine", "TakenLines"}
"""Results of jobs, which the fake gateway does not answer; see the contract tests."""


class Clock:
    """A clock that a test moves."""

    seconds = 1_760_000_000.0

    def __call__(self) -> float:
        return self.seconds


def make_results(gateway: FakeGateway, clock: Clock) -> dict[str, Any]:
    """A result of every method, by its class."""
    mark = {"objection": {"since": "2025-10-01T00:00:00+08:00"}}
    records = [
        {"dataset": "penalty", "record_id": f"r{n}", "fields": PERSONAL, **mark} for n in range(3)
    ]
    gateway.add_enterprise(USCC, answers={"is_active.v1": "yes"}, records=records)
    bank = gateway.client()
    start = bank.start_consent(uscc=USCC, datasets=["penalty"], **LOAN)
    grant = bank.finish_consent(start, gateway.decide(start.url))
    page = bank.query(USCC, datasets=["penalty", "licence"], page_size=2, **LOAN)
    asked = bank.request_consent(USCC, datasets=["penalty"], **LOAN)
    gateway.withdraw("r0")
    gateway.withdraw(grant.consent_id)
    gateway.change_answer(USCC, questions=["is_active.v1"])
    phone = {"dataset": "registration", "fields": ["phone"], "given_by": "enterprise"}
    given = gateway.grant_consent(USCC, datasets=["penalty"], separate_consents=[phone], **LOAN)
    report = verify_report(gateway.make_report(USCC, datasets=["penalty"]), keys=gateway.jwks)
    made = [
        bank.verify(USCC, questions=["is_active.v1"], **LOAN),
        page,
        bank.questions(),
        bank.consent(given.consent_id),
        bank.consents(),
        asked,
        start,
        grant,
        bank.changes(),
        bank.bundles(),
        bank.tell_outcome(page.disclosure_id, "refused", reasons=["live_penalty"]),
        bank.due_for_deletion([page]),
        page.evidence,
        *bank.verify_many(["no code"], questions=["is_active.v1"], **LOAN),
        verify_consent_record(VECTORS / "consent-record.json", keys=VECTORS / "keys.json"),
        report,
        bank.report_status(report),
    ]
    made.append(_limits(gateway))
    clock.seconds += 60
    made += bank.check_receipts()[:1]
    return {type(each).__name__: each for each in made}


def _limits(gateway: FakeGateway) -> Limits:
    """The limits of a client that was refused."""
    unlimited, gateway._limit = gateway._limit, FakeLimit(per_minute=1)
    with gateway.client(retry=RetryPolicy(retries=0)) as bank:
        bank.consents()
        with contextlib.suppress(errors.RateLimited):
            bank.consents()
        found = bank.limits()
    gateway._limit = unlimited
    return found


CLOCK: Final = Clock()
GATEWAY: Final = FakeGateway(clock=CLOCK)
RESULTS: Final = make_results(GATEWAY, CLOCK)


def parts(value: Any) -> Iterator[Any]:
    """A result and the dataclasses in it."""
    if dataclasses.is_dataclass(value):
        yield value
        for each in dataclasses.fields(value):
            yield from parts(getattr(value, each.name))
    elif isinstance(value, tuple):
        for each in value:
            yield from parts(each)


def test_the_results_are_all_of_them() -> None:
    """Each public dataclass, but for the other page type, two bases and what the fake does not know."""
    public = {
        name
        for name in xinqiao.__all__
        if dataclasses.is_dataclass(getattr(xinqiao, name)) and name not in SETTINGS | OF_JOBS
    }
    found = {type(part).__name__ for each in RESULTS.values() for part in parts(each)}
    of_the_real_gateway = {"WatchList", "WatchLists"}
    assert public - found == {"AsyncQueryPage", "Change", "QueryResult"} | of_the_real_gateway


@pytest.mark.parametrize("name", RESULTS)
@pytest.mark.parametrize("protocol", [2, pickle.HIGHEST_PROTOCOL])
def test_a_result_survives_a_process_boundary(name: str, protocol: int) -> None:
    """Equal in all parts, the evidence too."""
    result = RESULTS[name]
    again = pickle.loads(pickle.dumps(result, protocol))  # noqa: S301 - our own bytes
    assert (type(again), again) == (type(result), result)
    if hasattr(result, "evidence"):
        assert again.evidence == result.evidence


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_is_copied_and_taken_apart(name: str) -> None:
    """`copy.deepcopy`, `copy.copy` and `dataclasses.asdict`, which names no private part."""
    result = RESULTS[name]
    assert copy.deepcopy(result) == copy.copy(result) == result
    assert not any(each.startswith("_") for each in dataclasses.asdict(result))


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_is_json(name: str) -> None:
    """`to_dict` has the public members only, and the evidence in it verifies."""
    result = RESULTS[name]
    told = json.loads(json.dumps(result.to_dict(), ensure_ascii=False))
    assert told == result.to_dict()
    if "evidence" in told and name != "RowResult":
        verify_evidence(told["evidence"], keys=GATEWAY.jwks)


@pytest.mark.parametrize("name", ["Verification", "QueryPage"])
def test_kept_evidence_gives_the_result_again(name: str) -> None:
    """Typed, years later or in another process; of another call it is refused."""
    kept = verify_evidence(RESULTS[name].to_dict()["evidence"], keys=GATEWAY.jwks)
    assert kept.result().to_dict() == RESULTS[name].to_dict()
    with pytest.raises(errors.ConfigurationError):
        RESULTS["Consent"].evidence.result()


def test_json_holds_what_the_record_holds() -> None:
    """Values, times in RFC 3339; the consents' evidence stands once."""
    told = RESULTS["QueryPage"].to_dict()
    assert told["records"][0]["fields"] == PERSONAL
    assert told["as_of"] == "2025-10-09T08:53:20+00:00"
    listed = RESULTS["Consents"].to_dict()
    assert all("evidence" not in each for each in listed["consents"])


def test_a_grant_s_json_has_no_tokens() -> None:
    """They stay in its attributes; the start's has all, or the flow could not be finished."""
    grant, start = RESULTS["ConsentGrant"], RESULTS["ConsentStart"]
    assert grant.access_token not in json.dumps(grant.to_dict())
    assert grant.consent_id == grant.to_dict()["consent_id"]
    assert xinqiao.ConsentStart.from_json(json.dumps(start.to_dict())) == start


def test_a_result_is_read_only() -> None:
    """Its mappings too; a copy can be changed."""
    fields = RESULTS["QueryPage"].records[0].fields
    changes: list[Callable[[], Any]] = [
        lambda: fields.update(phone=""),
        lambda: fields.pop("facts"),
        lambda: fields.__setitem__("facts", ""),
        lambda: fields.__ior__({"facts": ""}),
    ]
    for change in changes:
        with pytest.raises(TypeError):
            change()
    assert dict(fields) == PERSONAL
    assert {**fields, "facts": ""}["facts"] == ""


@pytest.mark.parametrize("name", RESULTS)
def test_printing_shows_no_personal_value(name: str) -> None:
    """Phone, address and person; a record's field names are shown, `.fields` gives the values."""
    shown = repr(RESULTS[name]) + str(RESULTS[name])
    assert not any(value in shown for value in PERSONAL.values())
    if name == "QueryPage":
        assert "fields=<facts, authority, content>" in shown


@pytest.mark.parametrize("kind", ["blocking", "asyncio"])
async def test_a_stored_page_says_how_to_read_on(kind: str) -> None:
    """It has no client any more; its cursor goes on with the same query, for no further use."""
    gateway = FakeGateway()
    records = [{"dataset": "penalty", "fields": {"fine": str(n)}} for n in range(3)]
    gateway.add_enterprise(USCC, records=records)
    gateway.grant_consent(USCC, datasets=["penalty"], max_uses=1, **LOAN)
    bank: Any = gateway.client() if kind == "blocking" else gateway.async_client()
    asked: dict[str, Any] = {"datasets": ["penalty"], "page_size": 2, **LOAN}
    page = await result_of(bank.query(USCC, **asked))
    stored = pickle.loads(pickle.dumps(page))  # noqa: S301 - our own bytes
    with pytest.raises(errors.ConfigurationError, match="cursor=page"):
        await result_of(stored.next_page())
    last = await result_of(bank.query(USCC, **asked, cursor=stored.cursor))
    assert [each.fields["fine"] for each in last.records] == ["2"]
    assert await result_of(last.next_page()) is None


def some_error() -> errors.XinqiaoError:
    return errors.RateLimited(
        "D", status=429, title="T", request_id="r", retry_after=3, idempotency_key="k"
    )


def test_an_error_is_data_too() -> None:
    """Pickled and copied with all it knows; `to_dict` names its class."""
    error = some_error()
    for again in (pickle.loads(pickle.dumps(error)), copy.deepcopy(error)):  # noqa: S301
        assert (type(again), vars(again)) == (type(error), vars(error))
    assert json.loads(json.dumps(error.to_dict())) == {
        "error": "RateLimited",
        "detail": "D",
        "code": "rate_limited",
        "status": 429,
        "title": "T",
        "request_id": "r",
        "retry_after": 3,
        "warnings": [],
        "idempotency_key": "k",
    }


def test_an_error_with_evidence_keeps_it() -> None:
    """A broken promise is proof: the evidence in it verifies after the journey."""
    verification: Verification = RESULTS["Verification"]
    assert verification.log_promise is not None
    promised = PromisedLeaf(
        disclosure_id=verification.disclosure_id,
        promise=verification.log_promise,
        evidence=verification.evidence,
    )
    error = errors.PromiseBroken(promised=promised)
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert again.promised.evidence == verification.evidence
    told = json.loads(json.dumps(error.to_dict()))
    verify_evidence(told["promised"]["evidence"], keys=GATEWAY.jwks)


def test_a_closed_client_says_so() -> None:
    """An error of the tree, before anything is sent."""
    gateway = FakeGateway()
    with gateway.client() as bank:
        pass
    with pytest.raises(errors.ClientClosed):
        bank.questions()
    assert (gateway.requests, isinstance(bank, Client)) == ([], True)


async def test_a_closed_asyncio_client_says_so() -> None:
    """The same."""
    async with FakeGateway().async_client() as bank:
        pass
    with pytest.raises(errors.ClientClosed):
        await bank.questions()
