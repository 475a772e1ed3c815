"""Types of the SDK as a caller's type checker sees them; each `type: ignore` is a mistake that is found.

`make lint` checks this file (mypy, strict); it refuses an ignored line on which there is nothing to find.
"""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import date
from pathlib import Path
from typing import Any, assert_never, assert_type

import pytest

from tests.docs.sdk_examples import PAGES, ROOT, program_of
from xinqiao import (
    PURPOSES,
    AnswerChange,
    AsyncClient,
    AsyncQueryPage,
    BundleName,
    Change,
    Changes,
    Client,
    ConsentChange,
    FileCursor,
    MemoryCursor,
    Purpose,
    QueryPage,
    RecordChange,
    ToldOutcome,
    Verification,
    errors,
    three_elements,
)
from xinqiao.testing import FakeGateway

USCC = "91330106MA2XXXXXX0"


def a_bank_s_code(bank: Client, purpose_of_a_form: str) -> None:
    """Calls as they are meant."""
    group = three_elements(name="甲公司", legal_representative="乙")
    verified = bank.verify(
        USCC, purpose="loan_approval", questions=[group, "is_active.v1"], idempotency_key="loan-1"
    )
    assert_type(verified, Verification)
    if purpose_of_a_form in PURPOSES:
        assert_type(purpose_of_a_form, Purpose)
        page = bank.query(USCC, purpose=purpose_of_a_form, datasets=["penalty"])
        assert_type(page, QueryPage)
        assert_type(page.next_page(), QueryPage | None)
        assert_type(page.to_dict(), dict[str, Any])
    catalogue = bank.questions()
    bank.verify(USCC, purpose="tender", questions=[each.question for each in catalogue])
    bank.request_consent(
        USCC, purpose="tender", datasets=["penalty"], valid_until=date(2027, 5, 21)
    )
    for bundle in bank.bundles():
        assert_type(bundle.bundle, BundleName)
        bank.verify(USCC, purpose="tender", bundle=bundle.bundle)
    bank.query(USCC, purpose="loan_approval", bundle="pre_loan.v1")
    assert_type(bank.tell_outcome("dsc_1", "refused", reasons=["live_penalty"]), ToldOutcome)
    assert_type(bank.changes(after="1"), Changes)
    assert_type(bank.changes(store=FileCursor("feed.cursor")), Iterator[Change])


def a_bank_s_mistakes(bank: Client) -> None:
    """What a type checker finds before the gateway does."""
    bank.verify(USCC, purpose="loan_aproval", questions=["is_active.v1"])  # type: ignore[arg-type]
    bank.verify(USCC, purpose="tender", questions=["is_activ.v1"])  # type: ignore[list-item]
    bank.query(USCC, purpose="tender", bundle="tender.v9")  # type: ignore[arg-type]
    bank.tell_outcome("dsc_1", "rejected")  # type: ignore[arg-type]
    bank.consents(status="activ")  # type: ignore[arg-type]
    bank.changes(after="1", store=MemoryCursor())  # type: ignore[call-overload]
    Client.from_env(timeouts=3)  # type: ignore[call-arg]
    Client.from_kit("kit.json", "bank", timeout="3")  # type: ignore[arg-type]
    FakeGateway().client(clok=lambda: 0.0)  # type: ignore[call-arg]


async def a_platform_s_code(client: AsyncClient) -> None:
    """The same, awaited."""
    assert_type(
        await client.verify(USCC, purpose="tender", questions={"is_active.v1": None}), Verification
    )
    page = await client.query(USCC, purpose="tender", datasets=["penalty"])
    assert_type(page, AsyncQueryPage)
    assert_type(await client.changes(after="1"), Changes)
    assert_type(client.changes(store=MemoryCursor()), AsyncIterator[Change])


def handle(change: Change) -> str:
    """A bank's handling of its feed: a kind left out of the last `match` is found."""
    match change:
        case RecordChange():
            assert_type(change.record_id, str)
            return change.record_id
        case ConsentChange():
            match change.kind:
                case "consent_withdrawn" | "consent_narrowed" | "consent_expired":
                    return f"stop {change.consent_id}"
                case "consent_granted" | "consent_refused":
                    return f"decided {change.consent_id}"
                case _:
                    assert_never(change.kind)
        case AnswerChange():
            assert_type(change.uscc, str)
            return f"ask again about {change.uscc}"
        case _:
            return f"unknown {change.kind}"


def waiting_time(error: errors.LimitReached) -> int:
    """Whole seconds."""
    return error.retry_after or 0


def test_notices_are_told_apart_by_class_and_kind() -> None:
    """At run time as in the types."""
    gateway = FakeGateway()
    gateway.add_enterprise(USCC)
    consent = gateway.grant_consent(USCC, purpose="tender", datasets=["penalty"])
    gateway.withdraw(consent)
    gateway.change_answer(USCC, questions=["is_active.v1"])
    with gateway.client() as bank:
        handled = [handle(each) for each in bank.changes(store=MemoryCursor(), follow=False)]
    assert handled == [f"stop {consent.consent_id}", f"ask again about {USCC}"]


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_the_constructors_take_the_same_options(kind: type[Any]) -> None:
    """`from_kit`, `from_env` and the fake's take those of the constructor, by their types."""
    options = set(inspect.signature(kind.__init__).parameters) - {"self"}
    typed = inspect.get_annotations(kind.from_env)["options"]
    assert "ClientOptions" in typed
    from xinqiao import ClientOptions

    assert set(ClientOptions.__annotations__) == options


def test_the_examples_are_well_typed(tmp_path: Path) -> None:
    """All Python blocks of each page in order: mypy, strict. `tests/node` has pyright."""
    programs = [tmp_path / f"page_{number}.py" for number, _ in enumerate(PAGES)]
    for page, program in zip(PAGES, programs, strict=True):
        program.write_text(program_of(page), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", *map(str, programs)],
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": str(ROOT / "sdk" / "src")},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode()
