"""Lists of rejected rows and warnings: column, code, and what is accepted, in Chinese and English."""

import csv
import json
from pathlib import Path

import pytest

from gateway.creditfile.field_problems import REASONS, FieldProblem, ProblemCode
from gateway.ingest.nearest_names import NearestInDataset
from gateway.ingest.results import RowWarning
from gateway.ingest.row_lists.accepted_forms import BY_TYPE, AcceptedForms
from gateway.ingest.row_lists.encoding import encode_list
from gateway.ingest.row_lists.wording import (
    REJECT_MEMBERS,
    WARNING_REASONS,
    RowWording,
)
from gateway.pages.i18n import Language
from tests.creditfile_builders import CATALOGUE, USCC
from tests.ingest_reader import Reader, reader_in

HEADER = "统一社会信用代码,处罚决定书文号,处罚类别,罚款金额（万元）,处罚决定日期,处罚内容"
PENALTY = CATALOGUE.dataset("penalty")
ID_NUMBER = "330106199001011237"


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    """Read bytes as a file of penalties."""
    return reader_in(tmp_path)


def test_each_code_has_its_words_in_both_languages() -> None:
    """Of problems and of warnings; none is left over."""
    assert set(REASONS) == set(ProblemCode)
    assert set(WARNING_REASONS) == set(RowWarning)
    for words in (*REASONS.values(), *WARNING_REASONS.values()):
        assert words.zh != words.en
        assert all(words)


@pytest.mark.parametrize(
    ("cells", "language", "wanted"),
    [
        (
            "罚1,罚金,1,2026-03-02,x", "zh",
            ("kinds", "不是目录规定的取值", "处罚类别", "not_in_catalogue", "罚款"),
        ),
        (
            "罚1,罚金,1,2026-03-02,x", "en",
            (
                "kinds", "not one of the values of the catalogue", "处罚类别", "not_in_catalogue",
                "罚款 (Fine)",
            ),
        ),
        (
            "罚1,罚款,1,2026年3月,x", "zh",
            (
                "decided_on", "不是有效日期", "处罚决定日期", "not_a_date",
                "2026-03-02、2026/3/2、20260302、2026年3月2日、2026.3.2",
            ),
        ),
        (
            "罚1,罚款,一万,2026-03-02,x", "en",
            (
                "fine", "not a decimal with at most 14 and 6 digits, as text", "罚款金额（万元）",
                "not_a_decimal",
                BY_TYPE["decimal"].en,
            ),
        ),
        (
            ",罚款,1,2026-03-02,x", "zh",
            ("document_number", "必填项为空", "处罚决定书文号", "missing", ""),
        ),
        (
            "罚1,罚款", "zh",
            (
                "?", "本行有 3 个单元格，表头有 6 个", "", "number_of_cells",
                "6 个单元格；含分隔符的内容放在双引号内",
            ),
        ),
    ],
)  # fmt: skip
def test_a_rejected_row_says_column_code_and_what_is_accepted(
    read: Reader, cells: str, language: Language, wanted: tuple[str, ...]
) -> None:
    """The column as the file names it, the reason in the language asked for."""
    found = read(f"{HEADER}\n{USCC},{cells}\n")
    (listed,) = found.rejects_in(language)
    assert tuple(listed[name] for name in REJECT_MEMBERS) == ("1", *wanted)


def test_where_nothing_is_near_all_values_are_named(read: Reader) -> None:
    """By code, with a word that files may have in its place; never by the label of another field."""
    found = read(f"{HEADER},复议诉讼状态\n{USCC},罚1,罚款,1,2026-03-02,x,龘龘龘\n")
    (listed,) = found.rejects_in("zh")
    assert listed["accepted"] == (
        "none（未复议未诉讼）；in_period（复议诉讼期内）；under_appeal（复议诉讼中）；upheld（维持）；"
        "annulled（撤销）"
    )


def test_a_label_leads_to_its_code() -> None:
    """A word like one that the pages show is near to the value that files have."""
    dataset = CATALOGUE.dataset("commitment")
    nearest = NearestInDataset(dataset).values(dataset.field_by_name["fulfilment"], "已经履约")
    assert nearest[0] == "fulfilled"
    problem = FieldProblem(
        field="fulfilment", code=ProblemCode.NOT_IN_CATALOGUE, nearest=nearest[:1]
    )
    assert AcceptedForms(dataset, "zh").of(problem) == "fulfilled（已履约）"


def test_an_unknown_member_is_answered_with_the_nearest_field(read: Reader) -> None:
    """In NDJSON the column is the member; one that could be a value is not repeated."""
    row = {"uscc": USCC, "document_number": "罚1", "kinds": ["罚款"], "decided_on": "2026-03-02"}
    content = "\n".join(
        json.dumps(row | more) for more in ({"decided_no": "x"}, {f"某{ID_NUMBER}": "x"})
    )
    near, far = read(content, "ndjson").rejects_in("en")
    assert (near["column"], near["code"]) == ("decided_no", "unknown_field")
    assert near["accepted"].startswith("decided_on (")
    assert (far["field"], far["column"]) == ("?", "")
    assert far["accepted"].startswith("document_number (")
    assert ID_NUMBER not in json.dumps(far)


def test_nothing_is_looked_up_of_a_personal_field() -> None:
    """All values of the catalogue are named, whatever was delivered."""
    field = PENALTY.field_by_name["kinds"]
    nearest = NearestInDataset(PENALTY)
    assert nearest.values(field, ["罚款", "罚金"]) == ("罚款",)
    assert nearest.values(field.model_copy(update={"personal": True}), ["罚金"]) == ()


def test_a_long_word_is_near_to_nothing() -> None:
    """The cost of a lookup is bounded."""
    field = PENALTY.field_by_name["kinds"]
    assert NearestInDataset(PENALTY).values(field, ["罚款" * 1_000]) == ()
    assert NearestInDataset(PENALTY).values(field, [{}]) == ()


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("dataset", CATALOGUE.codes)
def test_every_problem_of_every_field_has_its_words(dataset: str, language: Language) -> None:
    """Without an unfilled place."""
    wording = RowWording(CATALOGUE, dataset, language)
    for field in (*CATALOGUE.dataset(dataset).field_by_name, "?", "key", "source_time"):
        for code in ProblemCode:
            said = wording.problem(FieldProblem(field=field, code=code, numbers=(3, 4)))
            assert said["reason"]
            assert "{" not in said["reason"] + said["accepted"]


def test_every_warning_is_listed_with_its_row_and_column(read: Reader) -> None:
    """Those of a field, of a masked number and of a row as a whole."""
    wrong = USCC[:-1] + ("A" if USCC[-1] != "A" else "B")
    header = f"{HEADER},没收金额（万元）,公示截止期"
    rows = (
        f"{USCC},罚1,罚款,6000,2026-03-02,x,7000,\n"
        f"{wrong},罚2,罚款,1,2026-03-02,张某{ID_NUMBER}电话13912345678,,\n"
        f"{USCC},罚3,罚款,1,2026-03-02,x,,2099-01-01\n"
        f"{USCC},罚3,罚款,1,2026-03-02,x,,\n"
    )
    found = read(f"{header}\n{rows}")
    assert found.refused is None
    listed = found.warnings_in("zh")
    assert [(each["row"], each["field"], each["column"], each["code"]) for each in listed] == [
        ("1", "fine", "罚款金额（万元）", "like_yuan"),
        ("1", "confiscated", "没收金额（万元）", "like_yuan"),
        ("2", "uscc", "统一社会信用代码", "check_character"),
        ("2", "content", "处罚内容", "id_number_masked"),
        ("2", "content", "处罚内容", "phone_masked"),
        ("3", "publicity_ends_on", "公示截止期", "publicity_end"),
        ("3", "?", "", "superseded_in_delivery"),
    ]
    assert listed[3]["start"] == "2"
    end = listed.pop(5)["reason"]
    assert end == "按规则公示至 2026-06-02；与报送的不同，以较早者为准"
    assert all(each["reason"] == WARNING_REASONS[RowWarning(each["code"])].zh for each in listed)
    assert found.warned[RowWarning.LIKE_YUAN] == 1


def test_the_end_of_a_penalty_that_is_not_published(read: Reader) -> None:
    """Which fields are missing, if its publication was decided."""
    (listed,) = read(
        f"{HEADER},公示截止期\n{USCC},罚1,警告,,2026-05-02,x,2027-05-02\n"
    ).warnings_in("zh")
    assert listed["reason"] == "按规则不公示；已决定公示的，请填写“处罚程序”“是否决定公示”"


def test_a_warning_of_an_earlier_version_has_its_code() -> None:
    """Which follows from the kind of number."""
    words = RowWording(CATALOGUE, "penalty", "en").of_warnings
    _, line = encode_list(words, "3,facts,,phone,3,11\n", is_csv=True).splitlines(keepends=True)
    assert line == b"3,facts,,phone,3,11,,phone_masked,a phone number was masked\n"


def test_a_list_of_a_dataset_that_is_gone_is_still_in_words() -> None:
    """A later catalogue may lack it."""
    (listed,) = RowWording(CATALOGUE, "gone", "zh").rejects("1,kinds,not_in_catalogue,类别,,\n")
    assert (listed["reason"], listed["accepted"]) == ("不是目录规定的取值", "")


def test_a_list_of_a_later_version_is_served_by_its_codes() -> None:
    """With cells and codes that this version does not know."""
    wording = RowWording(CATALOGUE, "penalty", "zh")
    (reject,) = wording.rejects("1,kinds,of_tomorrow,类别,,,more\n")
    assert (reject["column"], reject["code"], reject["reason"]) == (
        "类别", "of_tomorrow", "of_tomorrow",
    )  # fmt: skip
    (warning,) = wording.warnings("1,kinds,,,,,of_tomorrow,类别,more,more\n")
    assert (warning["column"], warning["code"], warning["reason"]) == (
        "类别", "of_tomorrow", "of_tomorrow",
    )  # fmt: skip


def test_five_of_many_values_are_named() -> None:
    """Where nothing is near; the catalogue has them all."""
    problem = FieldProblem(field="kinds", code=ProblemCode.NOT_IN_CATALOGUE)
    zh, en = (AcceptedForms(PENALTY, each).of(problem) for each in ("zh", "en"))
    assert (zh.count("；"), en.count("; ")) == (5, 5)
    assert zh.endswith("；等")
    assert en.endswith("; …")


def test_words_are_found_once_for_equal_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """And encoded once; rows differ."""
    asked: list[FieldProblem] = []
    whole = AcceptedForms.of

    def of(forms: AcceptedForms, problem: FieldProblem) -> str:
        asked.append(problem)
        return whole(forms, problem)

    monkeypatch.setattr(AcceptedForms, "of", of)
    lines = "".join(f"{n},kinds,not_in_catalogue,{n % 2},,\n" for n in range(100))
    text = encode_list(RowWording(CATALOGUE, "penalty", "zh").of_rejects, lines, is_csv=False)
    assert [json.loads(line)["row"] for line in text.splitlines()] == list(range(100))
    assert json.loads(text.splitlines()[7])["column"] == "1"
    assert len(asked) == 1


@pytest.mark.parametrize("column", ["=1+1", "+1", "-1", "@A1", "\t=1"])
def test_a_column_is_no_formula_in_csv(column: str) -> None:
    """As in each CSV of the gateway; in JSON it is as the file names it."""
    wording = RowWording(CATALOGUE, "penalty", "zh")
    stored = (f'1,kinds,negative,"{column}",,\n', f'1,kinds,,,,,like_yuan,"{column}"\n')
    for words, line in zip((wording.of_rejects, wording.of_warnings), stored, strict=True):
        (listed,) = csv.DictReader(encode_list(words, line, is_csv=True).decode().splitlines())
        assert listed["column"] == f"'{column}"
        assert json.loads(encode_list(words, line, is_csv=False))["column"] == column


@pytest.mark.parametrize("is_csv", [True, False])
def test_a_list_that_is_cut_says_so(is_csv: bool) -> None:
    """In its last line, with the first row that is missing; it stays within its limit."""
    words = RowWording(CATALOGUE, "penalty", "en").of_rejects
    lines = "".join(f"{n},fine,negative,fine,,\n" for n in range(1, 101))
    whole = encode_list(words, lines, is_csv=is_csv)
    assert whole.count(b"\n") == 100 + is_csv
    assert b"list_cut" not in whole
    cut = encode_list(words, lines, is_csv=is_csv, max_bytes=2_000).splitlines()
    assert len(b"\n".join(cut)) < 2_000
    assert cut[:-1] == whole.splitlines()[: len(cut) - 1]
    row = len(cut) - is_csv
    start = (
        f"{row},?,the list is full" if is_csv else f'{{"row":{row},"field":"?","reason":"the list'
    )
    assert cut[-1].decode().startswith(start)
    assert b"list_cut" in cut[-1]
