"""The SDK's change feed: typed notices, at least once, a stored cursor, outages, both clients."""

from __future__ import annotations

import asyncio
import itertools
import logging
import re
import sqlite3
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import httpx2
import pytest

from xinqiao import (
    AnswerChange,
    Change,
    Client,
    ConsentChange,
    CursorFunctions,
    FileCursor,
    MemoryCursor,
    RecordChange,
    RetryPolicy,
    errors,
)
from xinqiao._core.api import feed
from xinqiao._core.wire import closed_lists
from xinqiao.testing import FakeConsent, FakeGateway

USCC = "91330106MA2XXXXXX0"
LOAN: dict[str, Any] = {"purpose": "loan_approval"}


@pytest.fixture
def fake_gateway() -> FakeGateway:
    made = FakeGateway()
    records = [
        {"dataset": "penalty", "record_id": f"rec_{n}", "fields": {"fine": "1"}} for n in range(3)
    ]
    made.add_enterprise(USCC, records=records)
    return made


@pytest.fixture
def bank(fake_gateway: FakeGateway) -> Iterator[Client]:
    with fake_gateway.client() as client:
        yield client


@pytest.fixture
def held(fake_gateway: FakeGateway, bank: Client) -> FakeConsent:
    """A consent under which everything was told once."""
    consent = fake_gateway.grant_consent(USCC, datasets=["penalty", "licence"], **LOAN)
    bank.query(USCC, datasets=["penalty"], **LOAN)
    return consent


def acknowledged(fake_gateway: FakeGateway) -> list[bytes]:
    """Bodies of the acknowledgements that the gateway got."""
    return [each.content for each in fake_gateway.requests if each.url.path == "/v1/changes/ack"]


def drained(bank: Client, store: MemoryCursor | FileCursor) -> list[Change]:
    return list(bank.changes(store=store, follow=False))


def suspend_and_reinstate(fake: FakeGateway) -> None:
    fake.suspend("rec_0")
    fake.reinstate("rec_0")


def ask_and_answer(fake: FakeGateway, consent: FakeConsent, *, grant: bool) -> None:
    consent.status = "requested"
    fake.answer_consent(consent, grant=grant)


ACTS: dict[str, Callable[[FakeGateway, FakeConsent], None]] = {
    "record_corrected": lambda fake, _: fake.correct("rec_0", fields={"fine": "2"}),
    "record_repaired": lambda fake, _: fake.repair("rec_0"),
    "record_suspended": lambda fake, _: fake.suspend("rec_0"),
    "record_reinstated": lambda fake, _: suspend_and_reinstate(fake),
    "record_withdrawn": lambda fake, _: fake.withdraw("rec_0"),
    "record_ended": lambda fake, _: fake.end("rec_0"),
    "consent_granted": lambda fake, consent: ask_and_answer(fake, consent, grant=True),
    "consent_refused": lambda fake, consent: ask_and_answer(fake, consent, grant=False),
    "consent_narrowed": lambda fake, consent: fake.narrow_consent(
        consent.consent_id, datasets=["licence"]
    ),
    "consent_withdrawn": lambda fake, consent: fake.withdraw(consent),
    "consent_expired": lambda fake, consent: fake.expire_consent(consent.consent_id),
    "answer_may_have_changed": lambda fake, _: fake.change_answer(USCC, questions=["is_active.v1"]),
}
GIVING = {
    "record_reinstated",
    "consent_granted",
    "consent_refused",
    "consent_expired",
    "answer_may_have_changed",
}


@pytest.mark.parametrize("kind", ACTS)
def test_every_kind_is_a_typed_notice(
    fake_gateway: FakeGateway, bank: Client, held: FakeConsent, kind: str
) -> None:
    """Of the class of its subject, with what names it; it says whether it takes something back."""
    ACTS[kind](fake_gateway, held)
    notice = drained(bank, MemoryCursor())[-1]
    assert (notice.kind, notice.takes_back) == (kind, kind not in GIVING)
    match notice:
        case RecordChange(dataset=dataset, record_id=record_id):
            assert (dataset, record_id) == ("penalty", "rec_0")
            assert len(notice.disclosure_ids) == 1
        case ConsentChange(consent_id=consent_id):
            assert consent_id == held.consent_id
        case AnswerChange(uscc=uscc, questions=questions):
            assert (uscc, questions) == (USCC, ("is_active.v1",))
        case _:
            pytest.fail(f"{kind} has no class of its own")


def test_the_table_of_acts_is_the_wire_s() -> None:
    """Each kind of the closed lists."""
    assert set(ACTS) == {
        *closed_lists.RECORD_CHANGE_KINDS,
        *closed_lists.CONSENT_CHANGE_KINDS,
        *get_args(closed_lists.AnswerChangeKind),
    }


def test_a_kind_newer_than_this_version_is_a_plain_notice(
    fake_gateway: FakeGateway, bank: Client, held: FakeConsent
) -> None:
    """It is not lost, and taken as one that takes back."""
    assert held
    resources = fake_gateway._resources
    resources.feed.tell_record(
        "record_merged", datetime.now(UTC), dataset="penalty", record_id="rec_0"
    )
    [notice] = drained(bank, MemoryCursor())
    assert (type(notice), notice.kind, notice.record_id) == (Change, "record_merged", "rec_0")
    assert notice.takes_back


def test_what_was_handled_is_acknowledged_and_never_before(
    fake_gateway: FakeGateway, bank: Client, held: FakeConsent
) -> None:
    """Not while the loop has a notice in hand; after the last one, cursor and acknowledgement."""
    store = MemoryCursor()
    fake_gateway.withdraw("rec_0")
    fake_gateway.withdraw(held)
    notices = iter(bank.changes(store=store, follow=False))
    assert [next(notices).kind, next(notices).kind] == ["record_withdrawn", "consent_withdrawn"]
    assert (acknowledged(fake_gateway), store.cursor) == ([], None)
    assert list(notices) == []
    assert (acknowledged(fake_gateway), store.cursor) == ([b'{"cursor":"2"}'], "2")


def test_a_worker_that_died_gets_its_notices_again(
    fake_gateway: FakeGateway, bank: Client, held: FakeConsent, tmp_path: Path
) -> None:
    """At least once, with the same ids; what another run had finished does not come again."""
    assert held
    file = tmp_path / "feed.cursor"
    fake_gateway.withdraw("rec_0")
    assert len(drained(bank, FileCursor(file))) == 1
    fake_gateway.withdraw("rec_1")
    fake_gateway.withdraw("rec_2")

    def die(record_id: str) -> list[str]:
        seen = []
        for change in bank.changes(store=FileCursor(file), follow=False):
            seen.append(change.change_id)
            if change.record_id == record_id:
                raise ZeroDivisionError
        return seen

    with pytest.raises(ZeroDivisionError):
        die("rec_2")
    with fake_gateway.client() as restarted:
        again = drained(restarted, FileCursor(str(file)))
    assert [each.record_id for each in again] == ["rec_1", "rec_2"]
    assert drained(bank, FileCursor(file)) == []


def test_a_feed_of_several_pages_is_acknowledged_page_by_page(
    fake_gateway: FakeGateway, bank: Client
) -> None:
    """The store follows."""
    for _ in range(150):
        fake_gateway.change_answer(USCC, questions=["is_active.v1"])
    store = MemoryCursor()
    notices = bank.changes(store=store, follow=False)
    assert len(list(itertools.islice(notices, 101))) == 101
    assert store.cursor == "100"
    assert len(list(notices)) == 49
    assert acknowledged(fake_gateway) == [b'{"cursor":"100"}', b'{"cursor":"150"}']


def test_the_cursor_s_file_is_private_and_replaced_in_one_step(tmp_path: Path) -> None:
    """Nothing else is left beside it; a file with something else in it is refused."""
    store = FileCursor(tmp_path / "feed.cursor")
    assert store.load() is None
    store.save("17")
    store.save("18")
    assert store.load() == "18"
    [file] = tmp_path.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for content in ("", "two words", "\x00"):
        file.write_text(content)
        with pytest.raises(errors.ConfigurationError):
            store.load()
    with pytest.raises(errors.ConfigurationError):
        FileCursor(tmp_path / "absent" / "feed.cursor").save("1")


def test_any_two_functions_are_a_store(
    fake_gateway: FakeGateway, bank: Client, held: FakeConsent
) -> None:
    """A row of a database, say."""
    row: dict[str, str] = {}
    store = CursorFunctions(
        load=lambda: row.get("cursor"), save=lambda cursor: row.update(cursor=cursor)
    )
    fake_gateway.withdraw(held)
    assert len(list(bank.changes(store=store, follow=False))) == 1
    assert row == {"cursor": "1"}


def test_a_follower_waits_for_what_comes(
    fake_gateway: FakeGateway, bank: Client, held: FakeConsent
) -> None:
    """By long polls, each with time enough to be answered."""
    notices = bank.changes(store=MemoryCursor())
    fake_gateway.withdraw("rec_0")
    assert next(notices).record_id == "rec_0"
    looks = [each for each in fake_gateway.requests if each.url.path == "/v1/changes"]
    assert dict(looks[-1].url.params) == {"wait": str(feed.WAIT_SECONDS)}
    assert looks[-1].extensions["timeout"]["read"] > feed.WAIT_SECONDS

    def withdraw_at_the_second_look(
        request: httpx2.Request, response: httpx2.Response
    ) -> httpx2.Response:
        fake_gateway.withdraw(held)
        return fake_gateway._signed(request, response)

    fake_gateway.answer_with(withdraw_at_the_second_look)
    assert next(notices).kind == "consent_withdrawn"


@pytest.mark.parametrize("outage", ["unreachable", "limited", "proxy"])
def test_a_follower_outlasts_an_outage(
    fake_gateway: FakeGateway,
    held: FakeConsent,
    outage: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Longer than the client's own retries, and says so in the log; the same page is not skipped."""
    assert held
    caplog.set_level(logging.WARNING, "xinqiao")
    with fake_gateway.client(retry=RetryPolicy(retries=0, base=0.001)) as impatient:
        notices = impatient.changes(store=MemoryCursor())
        fake_gateway.withdraw("rec_0")
        assert next(notices).record_id == "rec_0"
        fake_gateway.withdraw("rec_1")
        match outage:
            case "unreachable":
                fake_gateway.disconnect(times=3)
            case "limited":
                fake_gateway.refuse(429, "rate_limited", retry_after=0, times=3)
            case _:
                fake_gateway.break_down(502, times=3)
        assert next(notices).record_id == "rec_1"
        fake_gateway.withdraw("rec_2")
        assert next(notices).record_id == "rec_2"
    warned = [each.getMessage() for each in caplog.records if "change feed" in each.getMessage()]
    assert ["waits" in each for each in warned] == [True, True, True, False]
    assert warned[-1] == "The change feed is back again after 3 failed tries."


@pytest.mark.parametrize(
    ("status", "longest"), [(503, feed.LONGEST_PAUSE), (429, feed.LONGEST_LIMIT)]
)
def test_no_answer_stops_a_follower_for_years(
    fake_gateway: FakeGateway,
    held: FakeConsent,
    status: int,
    longest: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Anybody on the way can write a Retry-After: asked again within a minute, at a limit an hour."""
    pauses: list[float] = []

    def pause(seconds: float) -> Iterator[None]:
        pauses.append(seconds)
        return iter(())

    monkeypatch.setattr("xinqiao._core.flow.pause", pause)
    client = fake_gateway.client(retry=RetryPolicy(retries=0, base=0.001))
    notices = client.changes(store=MemoryCursor())
    fake_gateway.withdraw("rec_0")
    next(notices)
    fake_gateway.withdraw(held)
    if status == 429:
        fake_gateway.refuse(429, "rate_limited", retry_after=999_999_999)
    else:
        forged = httpx2.Response(503, headers={"Retry-After": "999999999"})
        fake_gateway.answer_with(lambda _, __: forged)
    assert next(notices).kind == "consent_withdrawn"
    assert pauses == [longest]


def test_an_outage_before_the_first_answer_and_a_refusal_are_raised(
    fake_gateway: FakeGateway, held: FakeConsent
) -> None:
    """A wrong address is seen at once; a suspended client is no outage; a drain raises as every call."""
    impatient = fake_gateway.client(retry=RetryPolicy(retries=0))
    fake_gateway.disconnect()
    with pytest.raises(errors.ServerUnavailable):
        next(impatient.changes(store=MemoryCursor()))
    notices = impatient.changes(store=MemoryCursor())
    fake_gateway.withdraw(held)
    next(notices)
    fake_gateway.refuse(403, "client_suspended")
    with pytest.raises(errors.ClientSuspended):
        next(notices)
    drain = impatient.changes(store=MemoryCursor(), follow=False)
    next(drain)
    fake_gateway.disconnect()
    with pytest.raises(errors.ServerUnavailable):
        next(drain)


def test_a_lost_acknowledgement_is_sent_again(
    fake_gateway: FakeGateway, bank: Client, held: FakeConsent
) -> None:
    """It is idempotent, and the client's retries say so."""
    fake_gateway.withdraw(held)
    notices = bank.changes(store=MemoryCursor(), follow=False)
    next(notices)
    fake_gateway.disconnect()
    assert list(notices) == []
    assert acknowledged(fake_gateway) == [b'{"cursor":"1"}'] * 2


def test_a_store_has_its_own_cursor(bank: Client) -> None:
    """Two cursors are refused; a page is read as before."""
    with pytest.raises(errors.ConfigurationError):
        bank.changes(after="1", store=MemoryCursor())  # type: ignore[call-overload]
    assert len(bank.changes(after="0")) == 0


@pytest.mark.parametrize("wrong", ["feed.cursor", Path("feed.cursor"), object()])
def test_what_is_no_store_is_refused_before_anything_is_read(
    bank: Client, fake_gateway: FakeGateway, wrong: Any
) -> None:
    """The path of a file, above all."""
    with pytest.raises(errors.ConfigurationError, match="FileCursor"):
        bank.changes(store=wrong)
    assert fake_gateway.requests == []


def test_a_store_that_fails_ends_the_loop_with_its_own_error(
    bank: Client, fake_gateway: FakeGateway, held: FakeConsent
) -> None:
    """The next loop gets the page again."""
    fake_gateway.withdraw(held)
    seen: list[str] = []

    def save(_: str) -> None:
        raise sqlite3.OperationalError("disk full")

    failing = CursorFunctions(load=lambda: None, save=save)
    for _ in range(2):
        with pytest.raises(sqlite3.OperationalError):
            seen.extend(each.change_id for each in bank.changes(store=failing, follow=False))
    assert len(seen) == 2
    assert len(set(seen)) == 1


@pytest.mark.parametrize("rubbish", ["hello", "12; DROP TABLE", "-1"])
def test_a_store_with_rubbish_in_it_is_named_with_what_to_do(
    bank: Client, fake_gateway: FakeGateway, tmp_path: Path, rubbish: str
) -> None:
    """The file, or the function, and never what it holds; the gateway's error stays the class's base."""
    file = tmp_path / "feed.cursor"
    file.write_text(rubbish)

    def load_of_the_bank() -> str | None:
        return rubbish

    functions = CursorFunctions(load=load_of_the_bank, save=lambda _: None)
    for store, name in ((FileCursor(file), str(file)), (functions, "load_of_the_bank")):
        with pytest.raises(errors.ConfigurationError) as caught:
            next(iter(bank.changes(store=store)))
        said = str(caught.value)
        assert name in said
        assert "Put back what was saved there" in said
        assert "empty" not in said
        assert rubbish not in re.sub(r"request \S+", "", said.replace(str(file), ""))
    if isinstance(caught.value, errors.CursorRefused):
        assert isinstance(caught.value, errors.InvalidRequest)
        assert caught.value.status == 400
    file.unlink()
    assert drained(bank, FileCursor(file)) == []
    assert fake_gateway.requests


@pytest.mark.parametrize("rubbish", [b"", b"\n", b"\x00\x01", b"\xff\xfe7"])
def test_an_empty_or_binary_file_holds_no_cursor(
    bank: Client, fake_gateway: FakeGateway, tmp_path: Path, rubbish: bytes
) -> None:
    """`CursorRefused`, which is a `ConfigurationError`, before anything is asked."""
    file = tmp_path / "feed.cursor"
    file.write_bytes(rubbish)
    with pytest.raises(
        errors.CursorRefused, match="or delete it: the feed then begins anew"
    ) as caught:
        next(iter(bank.changes(store=FileCursor(file))))
    assert isinstance(caught.value, errors.ConfigurationError)
    assert str(file) in str(caught.value)
    assert fake_gateway.requests == []


def test_a_cursor_without_its_folder_is_refused_before_anything_is_handled(
    bank: Client, fake_gateway: FakeGateway, tmp_path: Path
) -> None:
    """By the folder's name, not that of a temporary file."""
    file = tmp_path / "nodir" / "feed.cursor"
    with pytest.raises(errors.ConfigurationError) as caught:
        next(iter(bank.changes(store=FileCursor(file))))
    assert (
        str(caught.value) == f"The cursor {file} cannot be kept: there is no folder {file.parent}."
    )
    assert fake_gateway.requests == []
    with pytest.raises(
        errors.ConfigurationError, match=r"feed\.cursor cannot be kept: No such file"
    ):
        FileCursor(file).save("1")


def test_a_store_that_gives_no_text_is_named(bank: Client) -> None:
    """Bytes of a cache, say."""
    store = CursorFunctions(load=lambda: b"17", save=lambda _: None)  # type: ignore[arg-type, return-value]
    with pytest.raises(errors.ConfigurationError, match=r"lambda.* is no text \(a bytes\)"):
        next(iter(bank.changes(store=store)))


def test_two_readers_of_one_store_each_get_every_notice(
    bank: Client, fake_gateway: FakeGateway, held: FakeConsent
) -> None:
    """At least once, and none is lost where the slower one stores an older cursor."""
    store = MemoryCursor()
    fake_gateway.suspend("rec_0")
    slow = bank.changes(store=store, follow=False)
    seen = [next(slow).kind]
    fake_gateway.withdraw(held)
    seen += [each.kind for each in bank.changes(store=store, follow=False)]
    assert store.cursor == "2"
    seen += [each.kind for each in slow]
    assert seen == [
        "record_suspended",
        *["record_suspended", "consent_withdrawn"],
        "consent_withdrawn",
    ]
    assert store.cursor == "2"


class AwaitedCursor:
    """A store whose methods are awaited."""

    def __init__(self) -> None:
        self.saved: list[str] = []
        self.twice = asyncio.Event()

    async def load(self) -> str | None:
        await asyncio.sleep(0)
        return self.saved[-1] if self.saved else None

    async def save(self, cursor: str) -> None:
        await asyncio.sleep(0)
        self.saved.append(cursor)
        if len(self.saved) == 2:
            self.twice.set()


def test_it_is_the_same_with_asyncio(fake_gateway: FakeGateway, held: FakeConsent) -> None:
    """`async for`, with awaited and plain stores; a follower ends with its task."""
    fake_gateway.withdraw(held)
    awaited, plain = AwaitedCursor(), MemoryCursor()

    async def run() -> list[str]:
        async with fake_gateway.async_client() as bank:
            kinds = [each.kind async for each in bank.changes(store=awaited, follow=False)]
            kinds += [each.kind async for each in bank.changes(store=plain, follow=False)]
            assert len(await bank.changes(after="0")) == 1
            fake_gateway.withdraw("rec_0")

            async def follow() -> None:
                async for change in bank.changes(store=awaited):
                    kinds.append(change.kind)

            task = asyncio.create_task(follow())
            await asyncio.wait_for(awaited.twice.wait(), 10)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return kinds

    assert asyncio.run(run()) == ["consent_withdrawn", "consent_withdrawn", "record_withdrawn"]
    assert (awaited.saved, plain.cursor) == (["1", "2"], "1")


def test_the_fake_names_what_the_wire_names(
    fake_gateway: FakeGateway, bank: Client, held: FakeConsent
) -> None:
    """A second correction names what was told since; nobody who was not told gets a notice."""
    fake_gateway.correct("rec_0", fields={"fine": "2"})
    fake_gateway.correct("rec_0", fields={"fine": "3"})
    page = bank.query(USCC, datasets=["penalty"], **LOAN)
    assert {each.record_id: each.version for each in page.records}["rec_0"] == 3
    fake_gateway.correct("rec_0", fields={"fine": "4"})
    fake_gateway.narrow_consent(held.consent_id, valid_until=datetime.now(UTC) + timedelta(days=1))
    first, second, shorter = drained(bank, MemoryCursor())
    assert second.disclosure_ids == (page.disclosure_id,)
    assert page.disclosure_id not in first.disclosure_ids
    assert not shorter.takes_back
    untold = {"dataset": "licence", "record_id": "rec_of_another"}
    fake_gateway.add_enterprise("91330106MA2YYYYYY1", records=[untold])
    fake_gateway.withdraw("rec_of_another")
    assert len(drained(bank, MemoryCursor())) == 3


def test_a_loop_that_is_cancelled_in_its_poll_leaves_the_client_usable(
    fake_gateway: FakeGateway, held: FakeConsent
) -> None:
    """A time limit on one notice ends the loop; the next loop goes on from the store."""
    store = MemoryCursor()

    async def run() -> list[str]:
        async with fake_gateway.async_client() as bank:
            notices = aiter(bank.changes(store=store))
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(notices), 0.1)
            fake_gateway.withdraw(held)
            assert [each async for each in notices] == []
            return [each.kind async for each in bank.changes(store=store, follow=False)]

    assert asyncio.run(run()) == ["consent_withdrawn"]
