"""`xinqiao-gateway code`: issue, reissue, revoke, list, bulk."""

import asyncio
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from gateway.cli.main import app
from gateway.db.engine import make_engine
from tests.codes_bulk_fixture import (
    DIVISION,
    IN_BUSINESS,
    ISSUER,
    CommandFixture,
    make_command_fixture,
    some_uscc,
)

USCC = some_uscc(1)


@pytest.fixture
def fixture(postgres_url: str, tmp_path: Path) -> CommandFixture:
    """Seventy enterprises."""
    return make_command_fixture(postgres_url, tmp_path)


def listed(fixture: CommandFixture, *arguments: str) -> list[dict[str, Any]]:
    """The lines of `code list`."""
    return [orjson.loads(line) for line in fixture.run("list", *arguments).splitlines()]


def issue(fixture: CommandFixture, *more: str) -> dict[str, Any]:
    """Issue a code by the command."""
    fixture.run("issue", "--uscc", USCC, "--sign-name", "第一商店", *more)
    return max(listed(fixture, "--uscc", USCC), key=lambda each: each["issued_at"])


def test_a_code_is_issued_reissued_and_revoked(fixture: CommandFixture) -> None:
    """Each act under the operator's name, in the audit log too."""
    old = issue(fixture, "--label", "南门")
    assert (old["state"], old["label"], old["issued_by"]) == ("valid", "南门", "shell:fang")
    said = fixture.run("reissue", old["code_id"], "--label", "北门")
    assert f"address: {ISSUER.replace('qym.zj.gov.cn', 'QYM.ZJ.GOV.CN')}/E/" in said
    by_id = {each["code_id"]: each for each in listed(fixture, "--uscc", USCC)}
    (new,) = by_id.keys() - {old["code_id"]}
    assert by_id[old["code_id"]]["state"] == "replaced"
    assert (by_id[new]["label"], by_id[new]["sign_name"]) == ("北门", "第一商店")
    fixture.run("revoke", new, "--yes")
    assert "revoked or replaced before" in fixture.run("revoke", new, "--yes", status=2)
    acts = fixture.rows("SELECT what, operator, subject FROM operator_act ORDER BY at")
    assert [each["what"] for each in acts] == ["code.issue", "code.reissue", "code.revoke"]
    assert {each["operator"] for each in acts} == {"shell:fang"}
    assert [each["subject"] for each in acts] == [old["code_id"], new, new]


def test_codes_that_are_out_of_date_are_listed(fixture: CommandFixture) -> None:
    """Those whose printed name or division is another by now, and only while they are valid."""
    fresh = issue(fixture)
    assert listed(fixture, "--out-of-date") == []
    fixture.rows("UPDATE enterprise SET name = '新名商店' WHERE uscc = :u", u=USCC)
    (found,) = listed(fixture, "--out-of-date", "--division", "3301")
    assert (found["code_id"], found["out_of_date"]) == (fresh["code_id"], ["name"])
    assert listed(fixture, "--out-of-date", "--division", "3302") == []
    fixture.run("revoke", fresh["code_id"], "--yes")
    assert listed(fixture, "--out-of-date") == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["issue", "--uscc", "123", "--sign-name", "店"], "social credit code"),
        (["issue", "--uscc", USCC, "--sign-name", ""], "is empty"),
        (["issue", "--uscc", USCC, "--sign-name", "店" * 41], "too long"),
        (["issue", "--uscc", USCC, "--sign-name", "店", "--last-day", "soon"], "a day as"),
        (["issue", "--uscc", USCC, "--sign-name", "店", "--last-day", "2020-01-01"], "has passed"),
        (["issue", "--uscc", some_uscc(0), "--sign-name", "店"], "no such enterprise in business"),
        (["issue", "--uscc", some_uscc(99), "--sign-name", "店"], "no such enterprise in business"),
        (["reissue", "short"], "26 characters"),
        (["reissue", "A" * 26], "no such code"),
        (["revoke", "A" * 26, "--yes"], "no such code"),
        (["revoke", "--yes"], "Name a code"),
        (["revoke", "--batch", "bat_none", "--yes"], "no such bulk issue"),
        (["list"], "Say which"),
        (["list", "--uscc", "91330106MAHD08319X"], "perhaps mistyped"),
        (["bulk", "--division", "hangzhou", "--out", "x"], "GB/T 2260"),
    ],
)
def test_a_wrong_command_is_refused_in_a_sentence(
    fixture: CommandFixture, arguments: list[str], words: str
) -> None:
    """Nothing is written."""
    assert words in fixture.run(*arguments, status=2)
    assert fixture.rows("SELECT * FROM enterprise_code") == []
    assert fixture.rows("SELECT * FROM operator_act") == []


def test_a_bulk_issue_gives_each_enterprise_one_code(fixture: CommandFixture) -> None:
    """In business, in the division, and without a valid code; the file has them all, by USCC."""
    own = issue(fixture)
    said = fixture.run(*fixture.bulk("--label", "门头", "--page", "7"))
    lines = fixture.lines()
    assert f"{IN_BUSINESS - 1} codes" in said
    assert [each["uscc"] for each in lines] == sorted(
        {some_uscc(n) for n in range(70) if n % 14 not in {0, 7}} - {USCC}
    )
    first = lines[0]
    assert first["address"] == f"https://QYM.ZJ.GOV.CN/E/{first['code_id']}"
    assert (first["label"], first["sign_name"]) == ("门头", first["name"])
    stored = fixture.rows("SELECT code_id FROM enterprise_code WHERE batch_id IS NOT NULL")
    located = fixture.rows("SELECT code_id FROM enterprise_code_locator")
    ids = {each["code_id"] for each in lines}
    assert len(ids) == IN_BUSINESS - 1
    assert ids == {each["code_id"] for each in stored}
    assert ids | {own["code_id"]} == {each["code_id"] for each in located}
    assert fixture.file.stat().st_mode & 0o777 == 0o600


def test_a_second_bulk_issue_has_only_new_enterprises(fixture: CommandFixture) -> None:
    """The same command again writes the file again, and issues nothing."""
    fixture.run(*fixture.bulk())
    written = fixture.file.read_bytes()
    assert "0 codes" in fixture.run(*fixture.bulk())
    assert fixture.file.read_bytes() == written
    fixture.rows("UPDATE enterprise SET status = 'active' WHERE uscc = :u", u=some_uscc(0))
    fixture.file.unlink()
    fixture.run(*fixture.bulk())
    assert fixture.file.read_bytes() == written
    other = fixture.folder / "more.ndjson"
    fixture.run("bulk", "--division", "3301", "--out", str(other))
    assert [orjson.loads(each)["uscc"] for each in other.read_bytes().splitlines()] == sorted(
        [some_uscc(0), *(some_uscc(n) for n in range(7, 70, 14))]
    )


def test_codes_that_no_line_was_written_for_are_found_again(fixture: CommandFixture) -> None:
    """Committed and not yet written; a line cut in the middle; a code of an enterprise that moved away."""
    fixture.run(*fixture.bulk("--page", "10"))
    whole = fixture.file.read_bytes()
    fixture.rows("UPDATE enterprise_code_batch SET finished_at = NULL")
    kept = b"".join(whole.splitlines(keepends=True)[:20])
    fixture.file.write_bytes(kept + whole.splitlines()[20][:50])
    moved = orjson.loads(whole.splitlines()[30])["uscc"]
    fixture.rows("UPDATE enterprise SET division = '330203' WHERE uscc = :u", u=moved)
    gone = orjson.loads(whole.splitlines()[31])
    fixture.run("revoke", gone["code_id"], "--yes")
    fixture.run(*fixture.bulk("--page", "10"))
    expected = [each for each in whole.splitlines() if gone["code_id"].encode() not in each]
    assert fixture.file.read_bytes().splitlines() == expected
    assert len(fixture.rows("SELECT * FROM enterprise_code")) == IN_BUSINESS


@pytest.mark.parametrize(
    "content",
    [b"{}\n", b"a list of mine", b'{"uscc": "x", "batch_id": "bat_other"}\n', b"x" * 40_000],
)
def test_another_file_is_left_alone(fixture: CommandFixture, content: bytes) -> None:
    """Neither before the batch nor in its place afterwards."""
    fixture.file.write_bytes(content)
    assert "cannot be written" in fixture.run(*fixture.bulk(), status=2)
    assert fixture.file.read_bytes() == content
    fixture.file.unlink()
    fixture.run(*fixture.bulk())
    fixture.file.write_bytes(content)
    assert "cannot be written" in fixture.run(*fixture.bulk(), status=2)
    assert fixture.file.read_bytes() == content


def test_a_file_is_continued_with_the_same_label(fixture: CommandFixture) -> None:
    """Another label, term or issuer in the same file is refused; it is left as it is."""
    fixture.run(*fixture.bulk())
    written = fixture.file.read_bytes()
    for change, words in (
        (("--label", "北门"), "label"),
        (("--last-day", "2030-12-31"), "end of term none"),
        (("--issuer", "https://other.gov.cn"), "another issuer"),
    ):
        assert words in fixture.run(*fixture.bulk(*change), status=2)
    assert fixture.file.read_bytes() == written


def test_a_name_that_is_on_no_sign_is_skipped_and_said(fixture: CommandFixture) -> None:
    """A personal number and a verdict in a registered name get no code, and are in no line."""
    number, verdict = some_uscc(2), some_uscc(3)
    for uscc, name in ((number, "张记面馆13800138000"), (verdict, "政府认证诚信店无违法记录")):
        fixture.rows("UPDATE enterprise SET name = :n WHERE uscc = :u", n=name, u=uscc)
    done = CliRunner().invoke(app, ["code", *fixture.bulk()], env=fixture.environment)
    assert done.exit_code == 0
    for uscc in (number, verdict):
        assert f"{uscc} skipped" in done.stderr
        assert uscc not in {each["uscc"] for each in fixture.lines()}
    assert "2 were skipped" in done.stdout
    assert "without a code: 2." in done.stdout
    assert "138001" not in fixture.file.read_text() + done.output
    assert len(fixture.rows("SELECT * FROM enterprise_code")) == IN_BUSINESS - 2
    fixture.rows("UPDATE enterprise SET status = 'active' WHERE uscc = :u", u=some_uscc(0))
    assert "without a code: 3." in fixture.run(*fixture.bulk())


def test_the_name_of_an_operator_is_on_no_printers_list(fixture: CommandFixture) -> None:
    """An individual business without a 字号 gets the sign that is given, and no registered name."""
    shop, other = some_uscc(2), some_uscc(3)
    fixture.rows(
        "UPDATE enterprise SET kind = 'individual_business', name = '张三丰',"
        " legal_representative = '张三丰' WHERE uscc = ANY(:u)",
        u=[shop, other],
    )
    done = CliRunner().invoke(app, ["code", *fixture.bulk()], env=fixture.environment)
    assert f"{shop} skipped: its registered name is its operator's own" in done.stderr
    assert "张三丰" not in fixture.file.read_text()
    signs = fixture.folder / "signs.csv"
    signs.write_text(f"uscc,sign_name\n{shop},三丰小吃\n{some_uscc(4)},老店\n")
    file = fixture.folder / "more.ndjson"
    fixture.run("bulk", "--division", DIVISION, "--out", str(file), "--signs", str(signs))
    [line] = [orjson.loads(each) for each in file.read_bytes().splitlines()]
    assert (line["uscc"], line["sign_name"], line["name"]) == (shop, "三丰小吃", "三丰小吃")
    [listed_code] = listed(fixture, "--uscc", shop)
    assert (listed_code["printed_name"], listed_code["out_of_date"]) == (None, [])
    fixture.run("issue", "--uscc", other, "--sign-name", "太极小店")
    [by_hand] = listed(fixture, "--uscc", other)
    assert by_hand["printed_name"] is None


def test_texts_of_before_the_rules_are_listed(fixture: CommandFixture) -> None:
    """Valid codes alone, each with what is refused; nothing is changed."""
    good, bad, revoked = issue(fixture), issue(fixture), issue(fixture)
    for code in (bad, revoked):
        fixture.rows(
            "UPDATE enterprise_code SET sign_name = '✓政府认证店', label = '扫我领红包'"
            " WHERE code_id = :c",
            c=code["code_id"],
        )
    fixture.run("revoke", revoked["code_id"], "--yes")
    [found] = listed(fixture, "--refused-texts")
    assert found["code_id"] == bad["code_id"]
    assert found["refused_texts"] == {"sign_name": "characters", "label": "claim"}
    assert listed(fixture, "--refused-texts", "--division", "1101") == []
    [fine] = [e for e in listed(fixture, "--uscc", USCC) if e["code_id"] == good["code_id"]]
    assert fine["refused_texts"] == {}


def test_the_enterprise_is_told_of_what_the_operator_does(fixture: CommandFixture) -> None:
    """Of issue, reissue and revocation, in bulk too; a command that changes nothing tells nothing."""
    for uscc in (USCC, some_uscc(5)):
        fixture.rows(
            "INSERT INTO notice_place (uscc, place_id, channel, link_digest, added_by,"
            " added_token_digest, added_at, confirmed_at)"
            " VALUES (:u, 'p', 'email', '', '', '', now(), now())",
            u=uscc,
        )

    def told(uscc: str) -> list[str]:
        found = fixture.rows("SELECT kind FROM notice WHERE uscc = :u ORDER BY at", u=uscc)
        return [each["kind"] for each in found]

    code = issue(fixture)
    fixture.run("reissue", code["code_id"])
    fixture.run("revoke", code["code_id"], "--yes", status=2)
    assert told(USCC) == ["code_issued"] * 2
    fixture.run(*fixture.bulk())
    fixture.run(*fixture.bulk())
    assert told(some_uscc(5)) == ["code_issued"]
    batch = fixture.lines()[0]["batch_id"]
    for _ in range(2):
        fixture.run("revoke", "--batch", batch, "--yes")
    assert told(some_uscc(5)) == ["code_issued", "code_revoked"]
    assert len(told(USCC)) == 2
    assert len(fixture.rows("SELECT * FROM notice")) == 4, "enterprises without a contact point"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("name\n", "line 1: the columns are uscc,sign_name"),
        ("uscc,sign_name\n{0},一店\n{0},二店\n", "stands there twice"),
        ("uscc,sign_name\n91330106,一店\n", "line 2: this is not a unified social credit code"),
        ("uscc,sign_name\n{0},一店\n{1},政府认证\n", "line 3: has an address, a claim"),
        ("uscc,sign_name\n{0}\n", "line 2: it has 1 columns"),
        ('uscc,sign_name\n{0},"一店\n', "it is not CSV in UTF-8"),
    ],
)
def test_a_wrong_file_of_signs_issues_nothing(
    fixture: CommandFixture, content: str, sentence: str
) -> None:
    """Every line is judged before the first code is issued."""
    signs = fixture.folder / "signs.csv"
    signs.write_text(content.format(some_uscc(2), some_uscc(3)))
    said = fixture.run(*fixture.bulk("--signs", str(signs)), status=2)
    assert sentence in " ".join(said.split())
    assert fixture.rows("SELECT * FROM enterprise_code") == []
    assert fixture.rows("SELECT * FROM enterprise_code_batch") == []


def test_an_empty_list_says_so_and_times_are_local(fixture: CommandFixture) -> None:
    """Not among the lines."""
    done = CliRunner().invoke(app, ["code", "list", "--uscc", USCC], env=fixture.environment)
    assert (done.stdout, done.stderr) == ("", "0 codes.\n")
    code = issue(fixture, "--last-day", "2030-12-31")
    assert code["issued_at"].endswith("+08:00")
    assert code["expires_at"] == "2031-01-01T00:00:00+08:00"
    said = fixture.run("reissue", code["code_id"])
    assert "expires_at: 2031-01-01T00:00:00+08:00" in said


def test_a_lost_box_of_stickers_is_revoked_whole(fixture: CommandFixture) -> None:
    """By its batch, page by page; other codes stay valid."""
    own = issue(fixture)
    fixture.run(*fixture.bulk())
    batch = fixture.lines()[0]["batch_id"]
    assert len(listed(fixture, "--batch", batch)) == IN_BUSINESS - 1
    assert f"{IN_BUSINESS - 1} codes" in fixture.run("revoke", "--batch", batch, "--yes")
    states = {each["code_id"]: each["state"] for each in listed(fixture, "--division", "33")}
    assert states.pop(own["code_id"]) == "valid"
    assert set(states.values()) == {"revoked"}


def test_bulk_issues_exclude_each_other(fixture: CommandFixture) -> None:
    """While one runs another is refused."""

    async def act() -> str:
        engine = make_engine(fixture.url, pool_size=1)
        async with engine.connect() as connection:
            await connection.exec_driver_sql(
                f"SELECT pg_advisory_lock({0x58514344}, hashtext('bulk'))"
            )
            said = await asyncio.to_thread(fixture.run, *fixture.bulk(), status=2)
        await engine.dispose()
        return said

    assert "under way" in asyncio.run(act())
