"""Pure parts of verification jobs: states, the tree's frontier, settled sets, files of lines."""

import io
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from gateway.access.errors import Refusal
from gateway.transparency import merkle
from gateway.verifications.batch.answer_lines import AnsweredLine
from gateway.verifications.jobs.frontier import Frontier
from gateway.verifications.jobs.job_line import is_broken, problem_of
from gateway.verifications.jobs.lifecycle import (
    ENDED,
    ClientAct,
    JobPhase,
    JobState,
    NotNow,
    PauseReason,
    StopReason,
    act_on,
    end,
    is_due,
    wait_until,
)
from gateway.verifications.jobs.row_lines import HeaderError
from gateway.verifications.jobs.schemas import JobIn
from gateway.verifications.jobs.settle import MAX_FAULTS, MIN_WAIT, settle
from gateway.verifications.jobs.template import Template, parse_template
from gateway.verifications.jobs.text_lines import CsvLines, NdjsonLines
from gateway.verifications.jobs.xlsx_writer import XlsxWriter
from tests.agreement_builders import an_agreement
from xinqiao._core.signatures.merkle import Frontier as SdkFrontier

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
CODE = "91330106MAHD08319M"


def a_template(*questions: Any) -> Template:
    """A template of these questions."""
    made = parse_template(
        JobIn.model_validate(
            {"purpose": "merchant_review", "questions": list(questions)}, strict=True
        ),
        an_agreement(),
    )
    assert isinstance(made, Template), made
    return made


NAMES = a_template({"question": "enterprise_name.v2", "column": "名称"})


@given(st.lists(st.binary(max_size=4), max_size=70), st.integers(0, 70))
def test_a_frontier_has_the_trees_root_and_goes_on_from_its_bytes(
    entries: list[bytes], cut: int
) -> None:
    """In the gateway and in the SDK, whatever part was stored in between."""
    leaves = [merkle.leaf_hash(each) for each in entries]
    first = Frontier().extended(leaves[:cut])
    stored = Frontier.from_bytes(first.size, first.to_bytes())
    whole = stored.extended(leaves[cut:])
    other = SdkFrontier()
    other.add(leaves)
    assert (whole.size, whole.root()) == (len(leaves), merkle.root(leaves))
    assert (other.size, other.root()) == (len(leaves), merkle.root(leaves))


def test_no_act_revives_an_ended_job() -> None:
    """A deleted one stays deleted, a stopped one stopped; all may be deleted."""
    for state in ENDED:
        for act in (ClientAct.UPLOAD, ClientAct.START, ClientAct.PAUSE, ClientAct.RESUME):
            assert isinstance(act_on(JobPhase(state=state), act), NotNow)
        assert end(JobPhase(state=state), StopReason.FAILED).state is state
    for state in JobState:
        assert act_on(JobPhase(state=state), ClientAct.DELETE) == JobPhase(state=JobState.DELETED)


def test_a_quotas_pause_ends_by_itself_and_a_clients_does_not() -> None:
    """A client's pause stays one, even if a quota ends while its set is answered."""
    running = JobPhase(state=JobState.RUNNING)
    later = NOON + timedelta(hours=1)
    waiting = wait_until(running, PauseReason.QUOTA_EXHAUSTED, later)
    assert not is_due(waiting, NOON)
    assert is_due(waiting, later)
    paused = act_on(waiting, ClientAct.PAUSE)
    assert isinstance(paused, JobPhase)
    assert not is_due(paused, later)
    assert wait_until(paused, PauseReason.RATE_LIMITED, later) == paused
    assert act_on(paused, ClientAct.RESUME) == running


def told(number: int, **problem: Any) -> AnsweredLine:
    """A line's answer, or its problem."""
    content: dict[str, Any] = {"problem": problem} if problem else {"answers": []}
    text = orjson.dumps({"line": number, **content}).decode()
    later = problem.get("code") in {"rate_limited", "quota_exhausted", "internal_error"}
    return AnsweredLine(number, text, is_told=not later)


def test_a_set_waits_for_the_longest_quota_and_keeps_what_was_told() -> None:
    """Lines that did not fit are asked again, the others never."""
    found = [
        (0, told(1)),
        (2, told(3, code="rate_limited", retry_after=1)),
        (3, told(4, code="quota_exhausted", retry_after=7200)),
        (4, told(5, code="unknown_question", detail="x")),
    ]
    settled = settle([b"", b"before", b"", b"", b""], found, attempts=0)
    assert [bool(each) for each in settled.answers] == [True, True, False, False, True]
    assert settled.answers[1] == b"before"
    assert (settled.told, settled.is_whole, settled.problems) == (3, False, 1)
    assert settled.wait is not None
    assert (settled.wait.reason, settled.wait.seconds) == (PauseReason.QUOTA_EXHAUSTED, 7200)
    short = settle([b""], [(0, told(1, code="rate_limited", retry_after=1))], attempts=0)
    assert short.wait is not None
    assert short.wait.seconds == MIN_WAIT


def test_a_line_that_fails_again_and_again_is_answered_by_its_fault() -> None:
    """So that one poisoned line does not hold up the others."""
    found = [(0, told(1, code="internal_error", detail="x")), (1, told(2))]
    again = settle([b"", b""], found, attempts=MAX_FAULTS - 1)
    assert (again.faults, again.is_whole) == (1, False)
    last = settle([b"", b""], found, attempts=MAX_FAULTS)
    assert (last.faults, last.is_whole, last.problems) == (0, True, 1)


def csv_lines(body: bytes, template: Template = NAMES, step: int = 1 << 16) -> list[bytes]:
    """The lines of a CSV file that arrives in blocks of this size."""
    reader = CsvLines(template)
    found = [line for at in range(0, len(body), step) for line in reader.feed(body[at : at + step])]
    return [*found, *reader.end()]


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), min_size=1, max_size=12)


@given(st.lists(CELLS.filter(str.strip), min_size=1, max_size=8), st.integers(1, 90))
def test_cells_come_through_whatever_they_hold_and_however_they_arrive(
    names: list[str], step: int
) -> None:
    """Quotation marks, separators, line feeds; blocks of any size."""
    quoted = ['"{}"'.format(each.replace('"', '""')) for each in names]
    body = "统一社会信用代码,名称\r\n" + "".join(f"{CODE},{each}\r\n" for each in quoted)
    found = [orjson.loads(line) for line in csv_lines(body.encode(), step=step)]
    assert [each["questions"][0]["value"] for each in found] == [each.strip() for each in names]
    assert [each["line"] for each in found] == list(range(1, len(names) + 1))


@given(st.binary(max_size=300), st.integers(1, 40))
def test_any_bytes_below_a_header_are_lines_or_broken_lines(noise: bytes, step: int) -> None:
    """Numbered without gaps, the same for blocks of any size; nothing else is raised."""
    body = f"uscc,名称\n{CODE},甲\n".encode() + noise + f"\n{CODE},乙\n".encode()
    found, other = csv_lines(body), csv_lines(body, step=step)
    assert found == other
    numbers = [
        problem_of(line)["line"] if is_broken(line) else orjson.loads(line)["line"]
        for line in found
    ]
    assert numbers == list(range(1, len(found) + 1))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"a,b\n1,2\n",
        b"uscc\n1\n",
        "uscc,统一社会信用代码,名称\n".encode(),
        "uscc,名称,名称\n".encode(),
        "uscc,名称\n".encode("utf-16"),
    ],
)
def test_a_file_without_a_header_that_fits_is_refused(body: bytes) -> None:
    """No column of codes or two, none or two of values, another encoding."""
    with pytest.raises(HeaderError):
        csv_lines(body)


def test_a_group_takes_a_column_for_each_member_and_an_optional_value_none() -> None:
    """By the names that the job gives, or the question's own."""
    group = a_template(
        {"question": "three_elements.v1", "columns": {"name": "名称"}},
        {"question": "is_active.v1"},
    )
    body = f"uscc;名称;three_elements.v1/legal_representative\n{CODE};甲公司;王一\n{CODE};甲公司;\n"
    first, second = csv_lines(body.encode(), group)
    assert orjson.loads(first)["questions"] == [
        {
            "question": "three_elements.v1",
            "value": {"name": "甲公司", "legal_representative": "王一"},
        },
        {"question": "is_active.v1"},
    ]
    assert problem_of(second)["problem"]["detail"] == "three_elements.v1 needs a value."


def test_an_ndjson_line_too_long_is_broken_and_the_next_is_read() -> None:
    """In blocks that cut it."""
    reader = NdjsonLines(None)
    body = b'{"a":"' + b"x" * 70_000 + b'"}\n{"b":1}\n{"line":7}\n{"c":2}'
    blocks = [body[at : at + 9_000] for at in range(0, len(body), 9_000)]
    found = [line for block in blocks for line in reader.feed(block)] + list(reader.end())
    assert [is_broken(line) for line in found] == [True, False, True, False]
    assert [orjson.loads(found[place])["line"] for place in (1, 3)] == [2, 4]


def test_a_template_is_stored_as_it_was_parsed() -> None:
    """Bands, columns and groups come back the same."""
    made = a_template(
        {"question": "is_active.v1"},
        {"question": "rating_at_least.v1", "value": "良好"},
        {"question": "enterprise_name.v2", "column": "企业名称"},
        {"question": "three_elements.v1", "columns": {"name": "企业名称"}},
    )
    stored = [each.as_json() for each in made.questions]
    assert Template.stored(made.purpose, stored) == made
    twice = [{"question": "is_active.v1"}] * 2
    body = JobIn.model_validate({"purpose": "merchant_review", "questions": twice})
    assert isinstance(parse_template(body, an_agreement()), Refusal)


def test_a_template_of_a_bundle_has_its_questions_within_the_agreement() -> None:
    """With the bundle's own values; stored by their tags, so that a later agreement changes nothing."""
    body = JobIn.model_validate({"purpose": "tender", "bundle": "tender.v1"})
    covered = frozenset({"not_abnormal.v1", "paid_tax_on_time.v1", "is_active.v1"})
    made = parse_template(body, an_agreement(questions=covered))
    assert isinstance(made, Template)
    stored = [each.as_json() for each in made.questions]
    assert stored == [
        {"question": "not_abnormal.v1"},
        {"question": "paid_tax_on_time.v1", "value": "12"},
    ]
    assert Template.stored(made.purpose, stored) == made


@pytest.mark.parametrize(
    "members",
    [
        {"bundle": "tender.v1"},
        {"purpose": "tender", "bundle": "tender.v9"},
        {"purpose": "loan_approval", "bundle": "tender.v1"},
        {"purpose": "tender", "bundle": "tender.v1", "questions": [{"question": "is_active.v1"}]},
        {"purpose": "tender", "bundle": "tender.v1"},
    ],
)
def test_a_template_of_a_bundle_that_does_not_fit_is_refused(members: dict[str, Any]) -> None:
    """Without its purpose, unknown, of another purpose, beside questions, or outside the agreement."""
    body = JobIn.model_validate(members)
    questions = frozenset({"is_active.v1"})
    assert isinstance(parse_template(body, an_agreement(questions=questions)), Refusal)


def test_a_workbook_is_the_same_bytes_each_time_and_holds_texts_alone() -> None:
    """Control characters are dropped; what looks like a formula is a text."""

    def written() -> bytes:
        book = XlsxWriter()
        return book.add([["line", "=1+1"], ["1", "<&>\x01\ufffe甲"]]) + book.end()

    first = written()
    assert first == written()
    sheet = zipfile.ZipFile(io.BytesIO(first)).read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    found = CalamineWorkbook.from_filelike(io.BytesIO(first)).get_sheet_by_index(0)
    assert found.to_python() == [["line", "=1+1"], ["1", "<&>甲"]]
