"""Personal values of answers and questions: in no repr, log line or exception of the SDK."""

import contextlib
import dataclasses
import json
import logging
import traceback
from collections.abc import Iterator
from datetime import date
from typing import Any, Final

import httpx2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.properties.test_sdk_mutations import EXAMPLES, part_at, paths_of
from xinqiao import MemoryCursor, errors, verify_evidence
from xinqiao.testing import FakeGateway

USCC: Final = "91330106MA2XXXXXX0"
DIGITS: Final = st.text("0123456789", min_size=11, max_size=18)
#: Texts that occur nowhere else: names and addresses, phones, ID numbers.
PERSONAL: Final = st.text("张伟国欧阳菲菲𠮷㐂·路号幢", min_size=2, max_size=12) | DIGITS
VALUES: Final = st.recursive(
    PERSONAL,
    lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(
        st.sampled_from(["name", "phone", "address"]), inner, min_size=1, max_size=3
    ),
    max_leaves=5,
)  # fmt: skip
FIELDS: Final = st.dictionaries(st.sampled_from(["operator", "phone", "persons"]), VALUES)
WRONG: Final[st.SearchStrategy[Any]] = (
    st.none() | st.booleans() | st.integers() | st.just([]) | st.just({})
)


def texts(value: Any) -> Iterator[str]:
    """The texts in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from texts(each)


def objects(value: Any) -> Iterator[Any]:
    """An SDK object and those in it, but not the values of a record's fields."""
    if dataclasses.is_dataclass(value):
        yield value
        for each in dataclasses.fields(value):
            yield from objects(getattr(value, each.name))
    elif isinstance(value, tuple | list):
        for each in value:
            yield from objects(each)


class Lines(logging.Handler):
    """Every line that is logged, of whatever library."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(logging.Formatter().format(record))


@contextlib.contextmanager
def logged() -> Iterator[list[str]]:
    """Lines logged inside the block, at all levels."""
    handler, root = Lines(), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield handler.lines
    finally:
        root.setLevel(level)
        root.removeHandler(handler)


def broken(document: Any, place: tuple[str | int, ...], value: Any) -> Any:
    """The document with one part replaced, or removed where `value` is Ellipsis."""
    changed = json.loads(json.dumps(document))
    *way, last = place
    inside = part_at(changed, tuple(way))
    if value is ...:
        del inside[last]
    else:
        inside[last] = value
    return changed


@settings(max_examples=EXAMPLES // 3, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(fields=FIELDS, name=PERSONAL, data=st.data())
def test_no_personal_value_is_printed_logged_or_raised(
    fields: dict[str, Any], name: str, data: st.DataObject
) -> None:
    """Whole answers, answers with a part missing or of another type, tampered evidence, mistakes."""
    secret = {*texts(fields), name}
    gateway = FakeGateway()
    enterprise = gateway.add_enterprise(
        USCC,
        answers={("legal_representative_name.v1", name): "yes"},
        records=[{"dataset": "penalty"}],
    )
    records = ({**enterprise.records[0], "fields": fields},)  # of no catalogue
    enterprise = dataclasses.replace(enterprise, records=records)
    gateway._resources.files.enterprises[USCC] = enterprise
    consent = gateway.grant_consent(USCC, purpose="loan_approval", datasets=["penalty"])
    shown: list[str] = [repr(enterprise)]

    def break_answer(request: httpx2.Request, response: httpx2.Response) -> httpx2.Response:
        document = response.json()
        places = [each for each in paths_of(document) if each and "fields" not in each[:-1]]
        changed = broken(
            document, data.draw(st.sampled_from(places)), data.draw(WRONG | st.just(...))
        )
        return gateway._signed(request, httpx2.Response(200, json=changed))

    with logged() as lines, gateway.client() as bank:
        for call in (
            lambda: bank.query(USCC, purpose="loan_approval", datasets=["penalty"]),
            lambda: bank.verify(
                USCC, purpose="tender", questions={"legal_representative_name.v1": name}
            ),
        ):
            result: Any = call()
            shown += [repr(each) + str(each) for each in objects(result)]
            bundle = result.evidence.to_dict()
            bundle["response"]["body"] += " "
            text = result.evidence.to_json()
            cut = data.draw(st.integers(1, len(text) - 1))
            for attempt in (
                call,
                lambda bundle=bundle: verify_evidence(bundle, keys=gateway.jwks),
                lambda text=text[:cut]: verify_evidence(text, keys=gateway.jwks),
            ):
                gateway.answer_with(break_answer)
                try:
                    shown += [repr(each) for each in objects(attempt())]
                except errors.XinqiaoError as error:
                    shown += [repr(error), str(error), json.dumps(error.to_dict())]
                    shown += traceback.format_exception(error)
                gateway._faults.clear()
        for value in (f"{name}\ud800", {"name": name}, date(2026, 1, 5)):
            mistakes: dict[Any, Any] = {"legal_representative_name.v1": value}
            try:
                bank.verify(USCC, purpose="tender", questions=mistakes)
            except errors.XinqiaoError as error:
                shown += [repr(error), json.dumps(error.to_dict())]
                shown += traceback.format_exception(ExceptionGroup("calls", [error]))
        gateway.withdraw(consent)
        notices = bank.changes(store=MemoryCursor(), follow=False)
        shown += [repr(each) for each in (*notices, bank.consents(), bank.due_for_deletion())]
        shown += [repr(bank), repr(bank._session), *lines]
    for text in shown:
        assert not any(each in text for each in secret), text
