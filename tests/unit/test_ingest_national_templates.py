"""National templates of 双公示 as departments' systems write them: headers, words, dates, persons."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.creditfile.catalogue import PUBLISHED_CATALOGUE, CatalogueError, load_catalogue
from gateway.ingest.readers.decompression import FileRefused
from gateway.ingest.readers.header import HeaderReader, shown_name
from gateway.ingest.results import RowWarning
from tests.creditfile_builders import CATALOGUE, USCC
from tests.ingest_reader import Reader, ReadResult, reader_in

VECTORS = Path(__file__).parents[1] / "vectors"
PENALTY = (VECTORS / "penalty_national_template.csv").read_text(encoding="utf-8-sig")
LICENCE = (VECTORS / "licence_national_template.csv").read_text(encoding="utf-8-sig")
PERSON = ("李逸凡", "330106199001011237", "13912345678")
HEADER = "统一社会信用代码,处罚决定书文号,处罚类别,罚款金额（万元）,处罚决定日期,处罚内容"


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    """Read bytes as a file of penalties."""
    return reader_in(tmp_path)


def fields_of(found: ReadResult, row: int = 0) -> dict[str, Any]:
    """The stored fields of a row."""
    document: dict[str, Any] = json.loads(found.lines[row][-3].replace("\\\\", "\\"))
    return document


def with_separator(text: str, separator: str) -> str:
    """The file with another separator."""
    return text.replace(",", separator)


def as_person(text: str) -> str:
    """The template's row as one of a natural person, with personal data in most cells."""
    name, id_number, phone = PERSON
    header, row = text.strip().splitlines()
    cells = row.split(",")
    cells[0], cells[1], cells[2], cells[8], cells[12] = name, "自然人", "", name, id_number
    cells[15] = f"{name}（{id_number}）电话{phone}"
    return "\r\n".join((header, row, ",".join(cells), ""))


FORMS: dict[str, Callable[[str], str | bytes]] = {
    "as it is": lambda text: text,
    "byte order mark": lambda text: "\ufeff" + text,
    "GB 18030": lambda text: text.encode("gb18030"),
    "tabs": lambda text: with_separator(text, "\t"),
    "semicolons": lambda text: with_separator(text.replace(";", "、"), ";"),
    "title rows": lambda text: (
        f"行政处罚信息表,,\r\n填报单位：西湖区,日期：2026年3月,\r\n\r\n{text}"
    ),
    "empty rows": lambda text: f"{text}{',' * 28}\r\n\r\n , ,\u3000,\r\n",
    "trailing separators": lambda text: text.replace("\r\n", ",,\r\n"),
    "half-width brackets": lambda text: text.replace("（", "(").replace("）", ")"),
    "blanks and asterisks": lambda text: text.replace("行政", " *行政 ", 12),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dataset", ["penalty", "licence"])
def test_a_national_template_is_accepted_as_it_is(read: Reader, dataset: str, form: str) -> None:
    """Without a warning; what is known and not kept is listed."""
    text = {"penalty": PENALTY, "licence": LICENCE}[dataset]
    found = read(FORMS[form](text), dataset=dataset, encoding="auto")
    assert (found.refused, found.rejects, found.warned, found.rows) == (None, [], {}, 1)
    ignored = found.chunks[0].ignored
    assert "法定代表人证件号码" in ignored
    assert "备注" in ignored
    assert not any("2026" in each or "沈" in each for each in ignored)


def test_what_a_national_template_says_is_kept(read: Reader) -> None:
    """Under the catalogue's names and values."""
    penalty = fields_of(read(PENALTY))
    assert penalty == {
        "document_number": "杭西市监罚处〔2026〕101号",
        "violation_type": "违反《中华人民共和国消费者权益保护法》",
        "facts": "当事人对所售商品作引人误解的宣传。",
        "legal_basis": "《中华人民共和国消费者权益保护法》第五十六条",
        "kinds": ["罚款", "没收"],
        "content": "罚款人民币6000元，没收违法所得800元",
        "fine": "0.600000",
        "confiscated": "0.080000",
        "decided_on": "2026-03-02",
        "valid_until": "2099-12-31",
        "publicity_ends_on": "2027-03-02",
        "authority": "杭州市西湖区市场监督管理局",
        "authority_uscc": "11330106002490007A",
        "data_source": "杭州市西湖区市场监督管理局",
    }
    licence = fields_of(read(LICENCE, dataset="licence"))
    assert licence["number"] == "浙杭西许〔2026〕22号"
    assert licence["name"] == "准予行政许可决定书"
    assert (licence["certificate"], licence["certificate_number"]) == (
        "食品经营许可证",
        "JY13301060099999",
    )
    assert licence["valid_to"] == "2099-12-31"


def test_a_licence_that_is_not_in_force_is_no_delivery(read: Reader) -> None:
    """Another state than 有效 is reported with what to do: 有效 is not named as what would be accepted."""
    for state in ("2", "注销"):
        found = read(LICENCE.replace(",1,杭州市", f",{state},杭州市"), dataset="licence")
        (listed,) = found.rejects_in("zh", "licence")
        assert (listed["field"], listed["code"]) == ("current_state", "licence_not_in_force")
        assert "请撤回（withdraw）" in listed["reason"]
        assert listed["accepted"] == ""


@pytest.mark.parametrize("text", [PENALTY, LICENCE])
def test_rows_of_natural_persons_are_passed_over_and_counted(read: Reader, text: str) -> None:
    """Nothing of them is in what is stored or listed, even of a row that would be rejected."""
    dataset = "penalty" if text is PENALTY else "licence"
    found = read(as_person(text), dataset=dataset)
    assert (found.refused, found.rejects, found.warned) == (None, [], {})
    assert [(each.rows, each.passed_over, each.rejected) for each in found.chunks] == [(2, 1, 0)]
    assert [line[0] for line in found.lines] == ["1"]
    for each in found.chunks:
        everything = repr(each).encode() + each.payload + each.rejects + each.warned
        assert not any(said.encode() in everything for said in PERSON)


@pytest.mark.parametrize("skip", [0, 7, 20])
def test_rows_of_persons_among_others_are_read_at_once_and_resumed(read: Reader, skip: int) -> None:
    """Row numbers are those of the file, whichever rows are passed over."""
    header, row, person = as_person(PENALTY).strip().splitlines()
    rows = [(person if n % 3 else row).replace("101号", f"{n}号") for n in range(60)]
    found = read("\n".join((header, *rows)), chunk_rows=20, skip=skip)
    assert found.rejects == []
    assert [int(line[0]) for line in found.lines] == [n + 1 for n in range(skip, 60) if n % 3 == 0]
    assert sum(each.passed_over for each in found.chunks) == sum(
        1 for n in range(skip, 60) if n % 3
    )


@pytest.mark.parametrize(
    ("said", "kinds"),
    [
        ("警告", ["警告"]),
        ("通报批评；罚款", ["通报批评", "罚款"]),
        ("没收违法所得、没收非法财物", ["没收"]),
        ("罚款;没收违法所得;没收非法财物", ["罚款", "没收"]),
        ('"警告,罚款"', ["警告", "罚款"]),
        ("暂扣许可证件", ["暂扣许可"]),
        ("降低资质等级", ["降级"]),
        ("吊销许可证件", ["吊销许可"]),
        ("限制开展生产经营活动", ["限制经营"]),
        ("责令停产停业", ["停产停业"]),
        ("责令关闭", ["关闭"]),
        ("限制从业", ["限制从业"]),
        ("行政拘留", ["拘留"]),
        ("其他-责令改正", ["其他"]),
        ("罚款；其他－责令限期拆除", ["罚款", "其他"]),
        (" 罚 款 ", ["罚款"]),
    ],
)
def test_the_kinds_of_the_penalty_law_are_known(read: Reader, said: str, kinds: list[str]) -> None:
    """Article 9 of 行政处罚法 (2021), and what a template writes as 其他-…."""
    found = read(f"{HEADER}\n{USCC},罚1,{said},0.6,2026-03-02,x\n")
    assert found.rejects == []
    assert fields_of(found)["kinds"] == kinds


@pytest.mark.parametrize(
    "said",
    ["2026-03-02", "2026/3/2", "2026/03/02", "20260302", "2026年3月2日", "2026.3.2", " 2026-03-02 ",
     "2026-03-02 00:00:00", "2026/3/2 0:00", "2026-03-02T00:00:00.000", "２０２６年３月２日"],
)  # fmt: skip
def test_a_day_is_taken_however_it_is_written(read: Reader, said: str) -> None:
    """As ISO 8601 in the end."""
    found = read(f"{HEADER}\n{USCC},罚1,罚款,0.6,{said},x\n")
    assert found.rejects == []
    assert fields_of(found)["decided_on"] == "2026-03-02"


@pytest.mark.parametrize("said", ["无", "/", "NULL", "null", "—", " / ", "-"])
def test_words_for_an_empty_cell_are_empty_where_the_catalogue_says_so(
    read: Reader, said: str
) -> None:
    """Not in free text, and a required field is missing."""
    header = f"{HEADER},处罚机关代码,公示截止期,违法事实"
    found = read(f"{header}\n{USCC},罚1,罚款,{said},2026-03-02,x,{said},{said},{said}\n")
    assert found.rejects == []
    fields = fields_of(found)
    assert fields["facts"] == said.strip()
    assert not {"fine", "authority_uscc", "publicity_ends_on"} & fields.keys()
    found = read(f"{HEADER}\n{USCC},罚1,{said},0.6,2026-03-02,x\n")
    assert found.rejects == [("1", "kinds", "missing")]
    rows = "".join(f"{USCC},罚{n},罚款,{said},2026-03-02,x,{said},\n" for n in range(30))
    at_once = read(f"{HEADER},处罚机关代码,违法事实\n{rows}")
    assert (at_once.rejects, len(at_once.lines)) == ([], 30)
    assert "authority_uscc" not in fields_of(at_once)


@pytest.mark.parametrize(
    ("fine", "content", "warned"),
    [
        ("6000", "x", True),
        ("6000", "罚款人民币6,000元", True),
        ("50", "罚款50元", True),
        ("50", "罚款50万元", False),
        ("6000", "罚款6000万元", False),
        ("0.6", "罚款6000元", False),
        ("99", "x", False),
        ("150", "罚款150万元", False),
        ("1,500.00", "罚款", True),
        ("0", "罚款0元", False),
    ],
)
def test_a_fine_that_looks_like_yuan_is_a_warning(
    read: Reader, fine: str, content: str, warned: bool
) -> None:
    """It is stored as delivered."""
    rows = "".join(f'{USCC},罚{n},罚款,"{fine}",2026-03-02,"{content}"\n' for n in range(20))
    found = read(f"{HEADER}\n{rows}")
    assert found.rejects == []
    assert found.warned == ({RowWarning.LIKE_YUAN: 20} if warned else {})


def test_a_column_that_is_not_known_is_named_with_what_is_accepted() -> None:
    """In both languages; where there may be no header, nothing of the row is repeated."""
    refused = refusal(f"{HEADER},内部案号,330106199001011237")
    assert "column “内部案号”, “" in refused.en
    assert "330106199001011237" not in refused.en + refused.zh
    assert "处罚决定书文号" in refused.en
    assert "document_number" in refused.zh
    assert "无法识别的列：“内部案号”" in refused.zh
    assert "李逸凡" not in refusal("李逸凡,330106199001011237,罚款").en


ROWS_OF_DATA = (
    ("registration",
     "统一社会信用代码|91330106MAHD08319M|名称|张三的小店|法定代表人|张三丰|住所|西湖区文三路 1 号 2 幢 303"),
    ("penalty", f"统一社会信用代码|{USCC}|处罚决定书文号|罚1|处罚类别|罚款|处罚决定日期|昨天|备注|张三丰"),
    ("licence", f"统一社会信用代码||{USCC}|备注|张三丰|许可编号|西湖区文三路"),
    ("penalty", "统一社会信用代码|处罚类别|张三丰|李四光|王五|赵六"),
)  # fmt: skip


@pytest.mark.parametrize("ignore_unknown", [True, False])
@pytest.mark.parametrize(("dataset", "row"), ROWS_OF_DATA)
def test_a_row_that_may_be_data_is_not_repeated(
    dataset: str, row: str, ignore_unknown: bool
) -> None:
    """Where no more than half of its cells are known, columns are named by their numbers."""
    cells = row.split("|")
    data = [
        each for each in cells if any(said in each for said in ("3301", "三", "光", "五", "赵"))
    ]
    reader = HeaderReader(CATALOGUE, dataset, ignore_unknown=ignore_unknown)
    try:
        header = reader.read(cells)
    except FileRefused as refused:
        said = refused.zh + refused.en
    else:
        said = repr(header)
        assert "#" in "".join(header.ignored)
    assert data
    assert not any(each in said for each in data)


def test_unknown_columns_have_their_numbers_in_the_file() -> None:
    """In both languages; cells that are blank are no unknown data."""
    refused = refusal("统一社会信用代码,处罚类别,张三丰,李四光")
    assert "as in column 3, 4. Accepted" in refused.en
    assert "无法识别的列：第 3 列、第 4 列。" in refused.zh
    with pytest.raises(FileRefused, match="column 5, 9") as caught:
        HeaderReader(CATALOGUE, "penalty").read(["统一社会信用代码", "张三", "李四"], (1, 4, 8))
    assert "第 5 列、第 9 列" in caught.value.zh


def test_of_grouped_headers_the_one_with_most_known_names_is_read(read: Reader) -> None:
    """Of rows in succession that name the USCC; a later one is data."""
    row = f"{USCC},罚1,罚款,0.6,2026-03-02,x\n"
    found = read(f"统一社会信用代码,处罚信息,,,,\n{HEADER}\n{row}")
    assert (found.refused, found.rejects, found.rows) == (None, [], 1)
    found = read(f"{HEADER}\n{row}{HEADER},违法事实\n")
    assert found.rows == 2
    reader = HeaderReader(CATALOGUE, "penalty")
    assert reader.find([HEADER.split(",")] * 2) == 0


@pytest.mark.parametrize("mark", ["\x1b]0;", "\u202e", "\u2028", "\x9b", "\u200b", "\u2066"])
def test_what_steers_a_terminal_or_a_text_is_not_repeated(mark: str) -> None:
    """Of the name of a column, a sheet or a mapping; nor does it hide a personal number."""
    for text in (refusal(f"{HEADER},内部{mark}案号").zh, shown_name(f"内部{mark}案号")):
        assert mark not in text
        assert "案号" in text
    assert "330106" not in shown_name(f"证件330106{mark[0]}199001011237")


def test_codes_have_chinese_words_too(read: Reader) -> None:
    """A department's file says in words what the API has as a code."""
    found = read(f"{HEADER},复议诉讼状态\n{USCC},罚1,罚款,0.6,2026-03-02,x,复议诉讼中\n")
    assert (found.rejects, fields_of(found)["appeal_state"]) == ([], "under_appeal")


def test_the_nearest_column_is_named_beside_one_that_is_not_known() -> None:
    """Of those that are kept; a number in the name is not repeated, and nothing far is named."""
    refused = refusal(f"{HEADER},处罚种别,法定代表人证件号,内部案号")
    assert "“处罚种别”（是否为“处罚类别”？）" in refused.zh
    assert "“处罚种别” (perhaps 处罚类别)" in refused.en
    assert "“法定代表人证件号”、" in refused.zh
    assert "“内部案号”。" in refused.zh
    assert "330106199001011237" not in refusal(f"{HEADER},处罚类别330106199001011237").zh


def refusal(header: str) -> FileRefused:
    """The refusal of a header of penalties."""
    with pytest.raises(FileRefused) as caught:
        HeaderReader(CATALOGUE, "penalty").read(header.split(","))
    return caught.value


def test_unknown_columns_are_left_out_on_request(read: Reader) -> None:
    """And listed."""
    content = f"内部案号,{HEADER}\n7,{USCC},罚1,罚款,0.6,2026-03-02,x\n"
    assert read(content).refused is not None
    found = read(content, ignore_unknown=True)
    assert (found.refused, found.rejects, found.rows) == (None, [], 1)
    assert found.chunks[0].ignored == ("内部案号",)


def test_a_departments_own_columns_are_mapped(read: Reader) -> None:
    """By code, Chinese name or alias; nothing is a column that is not kept."""
    columns = {"案号": "document_number", "信用代码": "统一社会信用代码", "内部备注": None,
               "处理": "处罚类别", "结案日": "行政处罚决定书文号"}  # fmt: skip
    content = f"案号,信用代码,处理,处罚决定日期,内部备注\n罚1,{USCC},罚款,2026-03-02,密\n"
    found = read(content, columns=columns)
    assert (found.refused, found.rejects, found.rows) == (None, [], 1)
    assert found.chunks[0].ignored == ("内部备注",)
    with pytest.raises(FileRefused, match="names 案情, which is no field of penalty"):
        HeaderReader(CATALOGUE, "penalty", {"案由": "案情"})


NATIONAL: dict[str, Any] = {
    "行政相对人代码_1(统一社会信用代码)": USCC,
    "行政相对人类别": "法人及非法人组织",
    "行政处罚决定书文号": "罚1",
    "处罚类别": "罚款;没收违法所得",
    "处罚决定日期": "2026/3/2",
    "罚款金额（万元）": "0.6",
    "处罚内容": "x",
    "备注": "张三丰来信",
}


def json_lines(*rows: dict[str, Any]) -> str:
    """An NDJSON file."""
    return "\n".join(json.dumps(each, ensure_ascii=False) for each in rows)


def test_members_have_the_names_of_the_national_template_too(read: Reader) -> None:
    """The row is that of codes; what is not kept is listed, a natural person's row passed over."""
    codes = {"uscc": USCC, "document_number": "罚2", "kinds": ["罚款"], "decided_on": "2026-03-02"}
    person = NATIONAL | {"行政相对人类别": "自然人", "处罚类别": PERSON[0], "备注": PERSON[1]}
    found = read(json_lines(NATIONAL, person, codes), "ndjson")
    assert (found.refused, found.rejects, found.warned, found.rows) == (None, [], {}, 3)
    assert [line[0] for line in found.lines] == ["1", "3"]
    assert fields_of(found)["kinds"] == ["罚款", "没收"]
    assert (fields_of(found)["fine"], fields_of(found)["decided_on"]) == ("0.600000", "2026-03-02")
    (chunk,) = found.chunks
    assert (chunk.passed_over, chunk.ignored) == (1, ("备注",))
    everything = repr(chunk).encode() + chunk.payload + chunk.rejects + chunk.warned
    assert not any(said.encode() in everything for said in (*PERSON, "张三丰"))
    many = [NATIONAL | {"行政处罚决定书文号": f"罚{n}"} for n in range(60)]
    whole, rest = read(json_lines(*many), "ndjson"), read(json_lines(*many), "ndjson", skip=7)
    assert (whole.rejects, rest.lines) == ([], whole.lines[7:])


def test_a_problem_of_a_row_of_json_names_its_member(read: Reader) -> None:
    """By its name in the file."""
    found = read(json_lines(NATIONAL | {"处罚决定日期": "昨天"}), "ndjson")
    (listed,) = found.rejects_in("zh")
    assert (listed["field"], listed["column"]) == ("decided_on", "处罚决定日期")
    twice = read(json_lines(NATIONAL | {"document_number": "罚1"}), "ndjson")
    assert twice.rejects == [("1", "?", "an object names a member twice")]


def test_a_departments_own_members_are_mapped_or_left_out(read: Reader) -> None:
    """An unknown one rejects its row, or is left out on request; its name may be data."""
    own = {"案号": "罚1", "uscc": USCC, "kinds": ["罚款"], "decided_on": "2026-03-02", "科室": "密"}
    assert read(json_lines(own), "ndjson").rejects[0] == ("1", "?", "unknown")
    columns = {"案号": "document_number", "科室": None}
    found = read(json_lines(own), "ndjson", columns=columns)
    assert (found.rejects, fields_of(found)["document_number"]) == ([], "罚1")
    assert found.chunks[0].ignored == ("科室",)
    more = own | {"张三丰": "1"}
    assert read(json_lines(more), "ndjson", columns=columns).rejects == [("1", "?", "unknown")]
    found = read(json_lines(more), "ndjson", columns=columns, ignore_unknown=True)
    assert (found.rejects, found.chunks[0].ignored) == ([], ("科室", "?"))
    swapped = own | {"fine": "1"}
    found = read(json_lines(swapped), "ndjson", columns=columns | {"fine": None})
    assert "fine" not in fields_of(found)


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("also: [行政处罚决定书文号]", "also: [违法 事实]", "dataset penalty: a column"),
        ("降级: [降低资质等级]", "降级: [罚款]", "field kinds: 罚款 is a word for two values"),
        ("降级: [降低资质等级]", "降职: [降低资质等级]", "other words for 降职, no value"),
    ],
)
def test_words_that_clash_are_refused_at_the_start(before: str, after: str, sentence: str) -> None:
    """No name of a column or value has two meanings."""
    text = PUBLISHED_CATALOGUE.read_text(encoding="utf-8")
    assert before in text
    with pytest.raises(CatalogueError, match=sentence):
        load_catalogue(text.replace(before, after))


def test_a_field_wins_over_a_column_that_is_not_kept() -> None:
    """证件号码 is ignored of a penalty, and a field of a registration."""
    registration = HeaderReader(CATALOGUE, "registration")
    header = "统一社会信用代码,名称,主体类型,市场主体类型代码,登记状态,法定代表人或经营者,行政区划,证件号码"
    assert registration.read(header.split(",")).columns[-1] == "legal_representative_id_number"
