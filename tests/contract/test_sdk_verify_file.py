"""`xinqiao verify FILE` against the real gateway: a file of merchants in, the same with answers out."""

import asyncio
import csv
import io
import json
from collections.abc import Awaitable, Callable
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import pytest
import python_calamine
import xlsxwriter
from jwt.algorithms import ECAlgorithm

from tests.gateway_fixture import Caller, GatewayFixture
from tests.job_builders import platform
from xinqiao.cli import _printing
from xinqiao.cli._app import app
from xinqiao.cli.verify.verification import FIRST_ROWS

pytestmark = pytest.mark.asyncio(loop_scope="session")

HEADER = ["商户号", "统一社会信用代码", "企业名称"]
QUESTIONS = ("-q", "is_active.v1", "-q", "enterprise_name.v2=@企业名称")


class Done(NamedTuple):
    """Outcome of the command."""

    status: int
    err: str


Run = Callable[..., Awaitable[Done]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command, in a thread, since the gateway's background tasks run on the test's loop."""

    async def invoke(caller: Caller, *arguments: str) -> Done:
        private = {**ECAlgorithm.to_jwk(caller.key, as_dict=True), "kid": "k1"}
        own = {"client_id": caller.client_id, "private_jwks": {"keys": [private]}}
        kit = tmp_path / "kit.json"
        kit.write_text(json.dumps({"issuer": caller.gateway.issuer, "clients": {"platform": own}}))
        err = StringIO()
        monkeypatch.setattr(_printing.notes, "_file", err)
        given = ["verify", "--kit", str(kit), "--lang", "en", "--purpose", "merchant_review"]
        status = await asyncio.to_thread(app, [*given, *arguments], standalone_mode=False)
        return Done(status or 0, err.getvalue())

    return invoke


def merchants(served: GatewayFixture) -> list[list[str]]:
    """Rows of merchants, one by a wrong code and one under another's name."""
    some = [each.enterprise for each in served.entities[:9]]
    rows = [[f"M-{n}", each.uscc, each.name] for n, each in enumerate(some)]
    rows[4][2] = "另一家公司"
    return [HEADER, *rows, ['=HYPERLINK("x")', "911", "x"]]


async def test_a_workbook_comes_back_with_its_answers(
    served: GatewayFixture, tmp_path: Path, run: Run
) -> None:
    """Its own columns first; a cell that looks like a formula stays a text; a summary on the side."""
    caller = await platform(served)
    rows, source, out = merchants(served), tmp_path / "m.xlsx", tmp_path / "r.xlsx"
    with xlsxwriter.Workbook(str(source), {"strings_to_formulas": False}) as book:
        sheet = book.add_worksheet("商户")
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    done = await run(caller, str(source), *QUESTIONS, "--out", str(out))
    assert done.status == 1, done.err
    assert "10 rows" in done.err
    assert "invalid_uscc: 1" in done.err
    assert out.stat().st_mode & 0o777 == 0o600
    found = python_calamine.CalamineWorkbook.from_path(str(out)).get_sheet_by_index(0).to_python()
    assert found[0][:5] == [*HEADER, "is_active.v1", "enterprise_name.v2"]
    assert [row[:3] for row in found[1:]] == rows[1:]
    names = [str(row[4]).partition(" ")[0] for row in found[1:]]
    assert names == ["yes"] * 4 + ["no"] + ["yes"] * 4 + [""]
    assert found[10][5] == "invalid_uscc"


async def test_a_file_is_asked_a_bundle(served: GatewayFixture, tmp_path: Path, run: Run) -> None:
    """A column for each of its questions; empty where the agreement lacks it."""
    caller = await platform(served, questions=frozenset({"not_abnormal.v1", "is_active.v1"}))
    source, out = tmp_path / "m.csv", tmp_path / "r.csv"
    text = StringIO()
    csv.writer(text).writerows(merchants(served)[:3])
    source.write_text(text.getvalue(), encoding="utf-8")
    done = await run(caller, str(source), "--bundle", "review.v1", "--out", str(out))
    assert done.status == 0, done.err
    header, *rows = csv.reader(io.StringIO(out.read_text("utf-8-sig")))
    place = {name: n for n, name in enumerate(header)}
    assert all(row[place["not_abnormal.v1"]] in {"yes", "no"} for row in rows)
    assert not any(row[place["no_live_penalty.v1"]] for row in rows)
    other = await run(
        caller, str(source), "--bundle", "tender.v1", "--out", str(tmp_path / "x.csv")
    )
    assert other.status == 2
    assert "review.v1 (merchant_review)" in other.err


async def test_the_same_command_again_asks_nothing_anew(
    served: GatewayFixture, tmp_path: Path, run: Run
) -> None:
    """It writes the same answers; each line stands in the log once. An existing file is kept."""
    caller = await platform(served)
    rows, source, out = merchants(served), tmp_path / "m.csv", tmp_path / "r.csv"
    text = StringIO()
    csv.writer(text).writerows(rows[:-1])
    source.write_text(text.getvalue(), encoding="gb18030")
    assert (await run(caller, str(source), *QUESTIONS, "--out", str(out))).status == 0
    first = out.read_bytes()
    kept = await run(caller, str(source), *QUESTIONS, "--out", str(out))
    assert kept.status == 2
    assert "--force" in kept.err
    assert (await run(caller, str(source), *QUESTIONS, "--out", str(out), "--force")).status == 0
    assert out.read_bytes() == first
    assert len(list(csv.reader(io.StringIO(first.decode("utf-8-sig"))))) == 10
    assert len(await served.log_of(caller)) == 9


@pytest.mark.parametrize(
    "wrong",
    [
        ("-q", "enterprise_name.v2=@没有这列", "--out", "r.csv"),
        ("-q", "is_active.v1", "--out", "r.txt"),
    ],
)
async def test_what_cannot_be_asked_is_refused_before_anything_is_sent(
    served: GatewayFixture, tmp_path: Path, run: Run, wrong: tuple[str, ...]
) -> None:
    """With a sentence, and without a file."""
    caller = await platform(served)
    source = tmp_path / "m.csv"
    source.write_text(f"uscc\n{served.uscc()}\n")
    *others, name = wrong
    done = await run(caller, str(source), *others, str(tmp_path / name))
    assert done.status == 2
    assert not (tmp_path / name).exists()
    assert not await served.log_of(caller)


@pytest.mark.parametrize(
    ("purpose", "question", "told"),
    [
        ("merchant_reviews", "is_active.v1", "did you mean 'merchant_review'?"),
        ("merchant_review", "is_activ.v1", "did you mean 'is_active.v1'?"),
        ("tender", "is_active.v1", "not_in_agreement"),
    ],
)
async def test_a_wrong_name_costs_the_calls_of_the_first_rows_alone(
    served: GatewayFixture, tmp_path: Path, run: Run, purpose: str, question: str, told: str
) -> None:
    """It is said once, with the nearest name there is, and no file is written."""
    caller = await platform(served)
    source, out = tmp_path / "m.csv", tmp_path / "r.csv"
    source.write_text("uscc\n" + "".join(f"{served.uscc()}\n" for _ in range(3 * FIRST_ROWS)))
    done = await run(caller, str(source), "--purpose", purpose, "-q", question, "--out", str(out))
    assert done.status == 2
    assert told in done.err
    assert not out.exists()
    assert len(await served.log_of(caller)) == FIRST_ROWS


async def test_a_code_that_looks_mistyped_is_pointed_out(
    served: GatewayFixture, tmp_path: Path, run: Run
) -> None:
    """It is answered like any other; its row and the summary say so."""
    caller = await platform(served)
    source, out = tmp_path / "m.csv", tmp_path / "r.csv"
    right = served.uscc()
    wrong = right[:-1] + ("1" if right[-1] != "1" else "2")
    source.write_text(f"uscc\n{right}\n{wrong}\n")
    done = await run(caller, str(source), "-q", "is_active.v1", "--out", str(out))
    assert done.status == 0
    assert "check_character: 1" in done.err
    rows = list(csv.DictReader(io.StringIO(out.read_text("utf-8-sig"))))
    assert [each["detail"] for each in rows] == ["", "check_character"]
