"""`xinqiao-gateway ingest`: files, repeated and concurrent runs, rejects, refusals."""

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.ingest_fixture import (
    IngestFixture,
    licences,
    make_ingest_fixture,
    make_source_database,
    make_uscc,
)
from tests.waiting import PATIENCE
from tests.workbook_builders import workbook


@pytest.fixture(scope="module")
def database(postgres_url: str) -> str:
    """A database of this module."""
    return make_source_database(postgres_url)


@pytest.fixture
def fixture(database: str, tmp_path: Path) -> IngestFixture:
    """A fixture with empty credit files."""
    return make_ingest_fixture(database, tmp_path)


def test_a_file_is_taken_once_and_what_changed_is_updated(fixture: IngestFixture) -> None:
    """The same file is skipped; with `--again` every row is unchanged."""
    fixture.write("day1.ndjson", licences(2500))
    fixture.write("day2.ndjson", licences(2500, changed=250))
    first = fixture.ingest("day1.ndjson", "--chunk-rows", "1000")
    assert (first.status, first.err) == (0, "")
    assert "2,500 rows: 2,500 created, 0 updated, 0 unchanged, 0 rejected" in first.out
    assert fixture.ingest("day1.ndjson").out == first.out
    assert "0 created, 0 updated, 2,500 unchanged" in fixture.ingest("day1.ndjson", "--again").out
    assert "0 created, 250 updated, 2,250 unchanged" in fixture.ingest("day2.ndjson").out
    assert fixture.rows("SELECT count(*) AS n FROM record")[0]["n"] == 2500
    assert fixture.rows("SELECT count(*) AS n FROM record_history")[0]["n"] == 250


def test_each_file_is_an_act_of_its_operator(fixture: IngestFixture) -> None:
    """Written in the transaction that begins the job."""
    fixture.write("day1.ndjson", licences(5))
    fixture.ingest("day1.ndjson")
    fixture.ingest("day1.ndjson")
    (act,) = fixture.rows(
        "SELECT a.* FROM operator_act AS a JOIN intake_job AS j ON a.after = j.file_digest"
    )
    assert (act["what"], act["client_id"], act["subject"]) == ("ingest", "market", "licence")
    assert act["operator_name"] == "fang"


def test_a_file_leaves_a_notice_of_each_new_bad_record(fixture: IngestFixture) -> None:
    """To the enterprise that has an address; once, however often the file comes."""
    decided_on = f"{datetime.now(UTC).date() - timedelta(days=30)}"
    fixture.rows("DELETE FROM notice_place")
    fixture.rows(
        "INSERT INTO notice_place (uscc, place_id, channel, link_digest, added_by,"  # noqa: S608
        " added_token_digest, added_at, confirmed_at)"
        f" VALUES ('{make_uscc(1)}', 'plc_1', 'email', '', 'wang', '', now(), now())"
    )
    fixture.write(
        "day1.ndjson",
        [
            {
                "uscc": make_uscc(number),
                "document_number": f"罚{number}-{of}号",
                "kinds": ["罚款"],
                "fine": "1.2",
                "decided_on": decided_on,
                "procedure": "普通",
            }
            for number in (1, 2)
            for of in (1, 2, 3)
        ],
    )
    for again in ((), ("--again",)):
        assert fixture.ingest("day1.ndjson", *again, dataset="penalty").status == 0
        found = fixture.rows("SELECT uscc, kind, dataset FROM notice")
        assert [tuple(each.values()) for each in found] == 3 * [
            (make_uscc(1), "bad_record_arrived", "penalty")
        ]


def test_rejected_rows_are_listed_and_warnings_counted(fixture: IngestFixture) -> None:
    """Listed by row, field and reason, without personal data; the file has mode 0600."""
    wrong = make_uscc(7)[:-1] + ("A" if make_uscc(7)[-1] != "A" else "B")
    rows = [
        *licences(3),
        {"uscc": make_uscc(1), "number": "许1", "decided_on": "2099-01-01"},
        {"uscc": wrong, "number": "许2", "content": "持证人330106199001011234"},
        {"uscc": "330106199001011234", "number": "许3"},
    ]
    fixture.write("day1.ndjson", rows)
    done = fixture.ingest("day1.ndjson")
    assert done.status == 1
    assert "6 rows: 4 created, 0 updated, 0 unchanged, 2 rejected" in done.out
    assert "Warning check_character, from market: 1" in done.out
    assert "Warning id_number_masked, from market: 1" in done.out
    listed = fixture.folder / "day1.ndjson.licence.rejects.csv"
    assert listed.read_text() == (
        "row,field,reason,column,code,accepted\n"
        "4,decided_on,in the future,decided_on,in_the_future,the day of the delivery at the latest\n"
        "6,uscc,not a unified social credit code of a market entity,uscc,not_a_market_entity,"
        '"the 18 characters on the business licence, which begin with 91, 92 or 93"\n'
    )
    assert listed.stat().st_mode & 0o777 == 0o600
    warnings = fixture.folder / "day1.ndjson.licence.warnings.csv"
    assert warnings.read_text() == (
        "row,field,item,kind,start,length,column,code,reason\n"
        "5,uscc,,,,,uscc,check_character,"
        "the code's check character is wrong: compare it with the business licence\n"
        "5,content,,id,3,18,content,id_number_masked,"
        "a number of a person's document was masked\n"
    )
    assert f"Rows with warnings: {warnings}" in done.out
    assert fixture.ingest("day1.ndjson").status == 1


def test_the_list_of_rejected_rows_overwrites_no_existing_file(fixture: IngestFixture) -> None:
    """A path of an existing file is refused."""
    fixture.write("day1.ndjson", licences(3))
    other = fixture.write("day1.ndjson.licence.rejects.csv", "my,own,table\n1,2,3\n")
    done = fixture.ingest("day1.ndjson")
    assert done.status == 2
    assert "is there already" in done.err
    assert other.read_text() == "my,own,table\n1,2,3\n"


def test_rows_before_a_broken_end_are_kept_and_continued(fixture: IngestFixture) -> None:
    """Rows before the failure stay; the corrected file leaves them unchanged."""
    whole = "".join(
        f'{{"uscc": "{make_uscc(n)}", "number": "许{n * 7919}"}}\n' for n in range(8000)
    )
    packed = gzip.compress(whole.encode())
    fixture.write("day1.ndjson.gz", packed[: len(packed) // 2])
    done = fixture.ingest("day1.ndjson.gz", "--chunk-rows", "1000")
    assert done.status == 2
    assert "breaks off" in done.err
    assert "What came before it was kept." in done.err
    kept = fixture.rows("SELECT count(*) AS n FROM record")[0]["n"]
    assert 0 < kept < 8000
    (job,) = fixture.rows("SELECT * FROM intake_job")
    assert (job["state"], job["rows"], job["created"]) == ("stopped", kept, kept)
    assert fixture.ingest("day1.ndjson.gz").status == 2
    assert fixture.rows("SELECT count(*) AS n FROM record")[0]["n"] == kept
    fixture.write("mended.ndjson.gz", packed)
    mended = fixture.ingest("mended.ndjson.gz")
    assert f"{8000 - kept:,} created, 0 updated, {kept:,} unchanged" in mended.out


@pytest.mark.parametrize(
    ("arguments", "options", "sentence"),
    [
        (("day1.ndjson",), {"source": "nobody"}, "There is no client nobody."),
        (("day1.ndjson",), {"dataset": "honour"}, "market delivers no honour by its agreement."),
        (("day1.ndjson",), {"dataset": "shoes"}, "The catalogue has no dataset shoes"),
        (("day1.ndjson", "--encoding", "latin1"), {}, "--encoding is utf-8, gb18030 or auto."),
        (
            ("day1.ndjson", "--format", "xml"),
            {},
            "--format is one of csv, ndjson, parquet, xlsx, xls.",
        ),
        (("none.csv",), {}, "The file cannot be opened (FileNotFoundError)."),
        (("vault-keys.json",), {"dataset": "penalty"}, "0 created, 0 updated, 0 unchanged, 1"),
    ],
)
def test_a_refusal_is_one_sentence(
    fixture: IngestFixture, arguments: tuple[str, ...], options: dict[str, str], sentence: str
) -> None:
    """Nothing is written."""
    fixture.write("day1.ndjson", licences(3))
    done = fixture.ingest(*arguments, **options)
    assert done.status in {1, 2}
    assert sentence in done.err + done.out
    assert "Traceback" not in done.err
    assert fixture.rows("SELECT count(*) AS n FROM record")[0]["n"] == 0


def test_a_source_that_is_suspended_delivers_nothing(fixture: IngestFixture) -> None:
    """The same for an ended agreement."""
    fixture.write("day1.ndjson", licences(3))
    fixture.rows("UPDATE client SET state = 'suspended' WHERE client_id = 'market'")
    assert "market is suspended." in fixture.ingest("day1.ndjson").err
    fixture.rows("UPDATE client SET state = 'active' WHERE client_id = 'market'")
    fixture.rows("UPDATE agreement SET ended_at = now() WHERE client_id = 'ended'")
    assert "ended has no agreement in force." in fixture.ingest("day1.ndjson", source="ended").err


def test_a_workbook_is_taken_by_the_sheet_that_is_named(fixture: IngestFixture) -> None:
    """A run for another sheet of the same file is no repetition; a dry run reads it as well."""
    rows = [["uscc", "number", "decided_on"], *([each["uscc"], each["number"], each["decided_on"]]
                                                for each in licences(3))]  # fmt: skip
    fixture.write("day1.xlsx", workbook(rows[:3], {"all": rows}))
    assert "fits: all, 数据" in fixture.ingest("day1.xlsx", "--dry-run").err
    done = fixture.ingest("day1.xlsx", "--sheet", "all", "--dry-run")
    assert (done.status, "3 rows judged, 0 rejected" in done.out) == (0, True)
    assert "2 rows: 2 created" in fixture.ingest("day1.xlsx", "--sheet", "数据").out
    assert "3 rows: 1 created, 0 updated, 2 unchanged" in (
        fixture.ingest("day1.xlsx", "--sheet", "all").out
    )
    assert "was taken on" in fixture.ingest("day1.xlsx", "--sheet", "all").err


def test_a_dry_run_judges_and_writes_nothing(fixture: IngestFixture) -> None:
    """Only the list of rejects is written."""
    fixture.write("day1.ndjson", [*licences(3), {"uscc": "1"}])
    done = fixture.ingest("day1.ndjson", "--dry-run")
    assert done.status == 1
    assert "4 rows judged, 1 rejected; nothing was written." in done.out
    assert fixture.rows("SELECT count(*) AS n FROM record")[0]["n"] == 0
    assert fixture.rows("SELECT count(*) AS n FROM intake_job")[0]["n"] == 0
    assert "4,uscc" in (fixture.folder / "day1.ndjson.licence.rejects.csv").read_text()


def test_the_same_file_at_once_is_counted_once(fixture: IngestFixture) -> None:
    """The second run waits, then finds the file done."""
    fixture.write("day1.ndjson", licences(3000))
    runs = [fixture.start("day1.ndjson", "--chunk-rows", "250") for _ in range(2)]
    outs = {run.communicate(timeout=PATIENCE) for run in runs}
    assert len(outs) == 1
    (job,) = fixture.rows("SELECT * FROM intake_job")
    assert (job["rows"], job["created"], job["unchanged"]) == (3000, 3000, 0)
    assert fixture.rows("SELECT count(*) AS n, max(version) AS v FROM record")[0] == {
        "n": 3000,
        "v": 1,
    }


def test_the_same_records_by_two_sources_at_once(fixture: IngestFixture) -> None:
    """Each source has its own records; of registrations the first source is the holder."""
    codes = range(1000)
    registration = {
        "name": "杭州某某有限公司",
        "kind": "firm",
        "entity_type": "1130",
        "status": "active",
        "legal_representative": "张三丰",
        "division": "330106",
    }
    fixture.write("up.ndjson", ({"uscc": make_uscc(n), **registration} for n in codes))
    fixture.write("down.ndjson", ({"uscc": make_uscc(n), **registration} for n in reversed(codes)))
    fixture.write("day1.ndjson", licences(1000))
    runs = [
        fixture.start(name, "--chunk-rows", "100", source=source, dataset=dataset)
        for name, source, dataset in (
            ("up.ndjson", "market", "registration"),
            ("down.ndjson", "rival", "registration"),
            ("day1.ndjson", "market", "licence"),
            ("day1.ndjson", "rival", "licence"),
        )
    ]
    errors = [run.communicate(timeout=PATIENCE)[1] for run in runs]
    assert errors == [""] * 4
    assert {run.returncode for run in runs} <= {0, 1}
    held = fixture.rows("SELECT count(*) AS n, max(version) AS v FROM enterprise")[0]
    assert held == {"n": 1000, "v": 1}
    counted = fixture.rows(
        "SELECT sum(created) AS created, sum(rejected) AS rejected FROM intake_job"
        " WHERE dataset = 'registration'"
    )[0]
    assert counted == {"created": 1000, "rejected": 1000}
    assert fixture.rows("SELECT count(*) AS n FROM record")[0]["n"] == 2000


def test_rows_of_a_dataset_that_statistics_do_not_know_are_looked_up_by_their_key(
    fixture: IngestFixture,
) -> None:
    """The plan reads a few index entries, independent of the dataset's size."""
    fixture.write("before.ndjson", licences(3000))
    fixture.ingest("before.ndjson")
    fixture.rows("ANALYZE record")
    penalties = (
        {
            "uscc": row["uscc"],
            "document_number": f"罚{row['number']}",
            "kinds": ["罚款"],
            "decided_on": row["decided_on"],
        }
        for row in licences(3000)
    )
    fixture.write("new.ndjson", penalties)
    read = "SELECT sum(idx_tup_read) AS n FROM pg_stat_user_indexes WHERE relname = 'record'"
    before = fixture.rows(read)[0]["n"]
    done = fixture.ingest("new.ndjson", "--chunk-rows", "1000", dataset="penalty")
    assert "3,000 created" in done.out
    assert fixture.rows(read)[0]["n"] - before < 20 * 3000
