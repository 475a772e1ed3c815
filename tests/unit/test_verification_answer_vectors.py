"""Published vectors of name answers, and the command that runs an implementation against them."""

from __future__ import annotations

import json
import sys
from collections import Counter

import pytest

from verification.answer_vectors import VERSIONS, AnswerVector, answer_vectors, difference
from verification.line_exchange import LONGEST_LINE
from verification.vectors_answer import reply_to
from verification.vectors_check import MOST_UNREADABLE, check, main, report

VECTORS = answer_vectors()
KINDS = sorted({each.kind for each in VECTORS})
PATIENT = 120.0
FEW = VECTORS[:6]
ECHO = "import json,sys\nfor line in sys.stdin:\n    asked = json.loads(line)\n"


def child(program: str) -> list[str]:
    return [sys.executable, "-c", program]


@pytest.mark.parametrize("kind", KINDS)
def test_the_package_answers_as_published(kind: str) -> None:
    """By both versions, with the forms of the asserted name."""
    replies = [(each, reply_to(each.request())) for each in VECTORS if each.kind == kind]
    wrong = [(each.id, found) for each, reply in replies if (found := difference(each, reply))]
    assert wrong == []


def test_the_vectors_are_many_of_every_kind_and_say_why() -> None:
    """At least 400 cases; ids and cases are unique."""
    assert len(VECTORS) >= 400 * len(VERSIONS)
    assert len({each.id for each in VECTORS}) == len(VECTORS)
    cases = Counter(
        (each.version, each.attribute, each.asserted, f"{each.held}") for each in VECTORS
    )
    assert max(cases.values()) == 1
    assert all(each.reason.endswith(".") for each in VECTORS)
    assert min(Counter(each.kind for each in VECTORS).values()) >= 10 * len(VERSIONS)
    told = {
        version: {each.expected["answer"] for each in VECTORS if each.version == version}
        for version in VERSIONS
    }
    assert all(answers == {"yes", "no", "not_determined"} for answers in told.values())


def test_no_look_alike_is_ever_a_yes() -> None:
    """Characters of another script, and Han characters that differ by a stroke."""
    answers = {each.expected["answer"] for each in VECTORS if each.kind == "lookalike"}
    assert answers == {"no"}


def test_former_names_change_no_answer() -> None:
    """With and without them the reply is the same."""
    formerly = [each for each in VECTORS if "former_names" in each.held]
    assert formerly
    for each in formerly:
        without = {**each.request(), "held": {"name": each.held["name"]}}
        assert reply_to(without) == reply_to(each.request())


def test_the_package_passes_over_stdin_and_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    """The command ends with 0 and says how many."""
    assert main(["--", sys.executable, "-m", "verification.vectors_answer"]) == 0
    assert capsys.readouterr().out == f"{len(VECTORS)} of {len(VECTORS)} as expected.\n"


def test_a_wrong_answer_is_in_the_table_with_its_reason() -> None:
    """What was answered, what was expected, the two names and why."""
    always_no = child(ECHO + "    print(json.dumps({'id': asked['id'], 'answer': 'no'}))")
    outcome = check(always_no, FEW, patience=PATIENT)
    assert [each.id for each, _ in outcome.wrong] == [
        each.id for each in FEW if each.expected["answer"] != "no"
    ]
    table = report(outcome)
    assert f"{FEW[0].id}  answer no, expected yes (strict)" in table
    assert FEW[0].reason in table
    assert table.endswith("0 of 6 as expected.")
    assert not outcome.passed


@pytest.mark.parametrize(
    ("reply", "found"),
    [
        ({"answer": "yes", "match": "loose"}, "answer yes (loose), expected yes (strict)"),
        ({"answer": "yes"}, "answer yes (None), expected yes (strict)"),
        ({"answer": ["yes"]}, 'answer ["yes"], expected yes (strict)'),
        ({"answer": "yes", "match": "strict"}, None),
        (
            {"answer": "yes", "match": "strict", "strict": "x", "loose": "x"},
            'strict "x", expected "y"',
        ),
        ({"answer": "yes", "match": "strict", "strict": "y"}, 'loose null, expected "y"'),
        (
            {"answer": "yes", "match": "strict", "strict": "y", "loose": "y", "also": "z"},
            'also "z", expected null',
        ),
        ({"answer": "yes", "match": "strict", "strict": "y", "loose": "y"}, None),
    ],
)
def test_a_reply_differs_by_its_first_wrong_member(
    reply: dict[str, str], found: str | None
) -> None:
    """Forms count only where there are any."""
    vector = AnswerVector(
        id="1", kind="", reason="", version="names.v1", attribute="", held={}, asserted="",
        expected={"answer": "yes", "match": "strict", "strict": "y", "loose": "y"},
    )  # fmt: skip
    assert difference(vector, reply) == found


def test_a_command_that_dies_leaves_the_rest_unanswered() -> None:
    """What it answered before counts; its status is told."""
    right = json.dumps(reply_to(FEW[0].request()))
    outcome = check(
        child(f"print('''{right}''', flush=True); raise SystemExit(3)"), FEW, patience=PATIENT
    )
    assert [each.id for each in outcome.missing] == [each.id for each in FEW[1:]]
    assert outcome.amiss == ["it ended with status 3"]
    assert report(outcome).endswith("1 of 6 as expected.")


def test_a_command_that_ends_without_reading_is_no_error_of_ours() -> None:
    """Though it has closed the pipe that is written to."""
    outcome = check(child("pass"), VECTORS, patience=PATIENT)
    assert len(outcome.missing) == len(VECTORS)
    assert f"and {len(VECTORS) - 50} more" in report(outcome)


@pytest.mark.parametrize(
    "rubbish",
    [
        "b'\\xff\\x00\\n'",
        "b'[1]\\n'",
        "b'{\"id\": {}}\\n'",
        "b'[' * 9000 + b'\\n'",
        "b'nonsense\\n'",
        "b'\\n'",
    ],
)
def test_a_line_that_answers_nothing_is_told_and_the_rest_goes_on(rubbish: str) -> None:
    """Neither bytes, nor depth, nor shape stop the check."""
    program = (
        f"import sys; sys.stdout.buffer.write({rubbish}); sys.stdout.flush()\n"
        "import json, runpy; runpy.run_module('verification.vectors_answer', run_name='__main__')"
    )
    outcome = check(child(program), FEW, patience=PATIENT)
    assert (outcome.wrong, outcome.missing) == ([], [])
    assert len(outcome.amiss) == 1
    assert not outcome.passed


def test_a_second_reply_to_one_case_answers_nothing() -> None:
    """The first one counts."""
    right = json.dumps(reply_to(FEW[0].request()))
    outcome = check(child(f"print('''{right}\\n{right}''')"), FEW[:1], patience=PATIENT)
    assert (outcome.missing, len(outcome.amiss)) == ([], 1)


def test_a_command_that_writes_without_end_is_stopped() -> None:
    """Lines, or one line that never ends."""
    for what in ("b'x\\n'", f"b'x' * {LONGEST_LINE}"):
        outcome = check(
            child(f"import sys\nwhile True: sys.stdout.buffer.write({what})"), FEW, patience=PATIENT
        )
        assert len(outcome.amiss) >= MOST_UNREADABLE
        assert len(outcome.missing) == len(FEW)


@pytest.mark.parametrize(
    "program",
    [
        "import time; time.sleep(600)",
        "import sys; sys.stdout.close(); sys.stdin.read(); import time; time.sleep(600)",
    ],
)
def test_a_silent_command_is_stopped(program: str) -> None:
    """One that says nothing, and one that never ends."""
    outcome = check(child(program), FEW, patience=0.5)
    assert len(outcome.amiss) == 1
    assert len(outcome.missing) == len(FEW)


def test_a_command_that_cannot_be_started_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 2."""
    assert main(["--", "/nowhere/at-all"]) == 2
    assert "cannot be started" in capsys.readouterr().err


def test_one_version_can_be_checked_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """For who implements one."""
    assert (
        main(["--version", "names.v2", "--", sys.executable, "-m", "verification.vectors_answer"])
        == 0
    )
    assert capsys.readouterr().out.startswith(f"{len(VECTORS) // 2} of ")


def test_failures_end_with_status_one() -> None:
    """For a build."""
    assert main(["--patience", "60", "--", sys.executable, "-c", "pass"]) == 1
