"""Retention: end of retention, and deletion proofs."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from gateway.creditfile import disclosure_terms
from gateway.creditfile.disclosure_terms import FileContext
from gateway.creditfile.local_dates import midnight
from gateway.creditfile.records import Record
from gateway.creditfile.retention import deletion_proof
from gateway.creditfile.retention.deletion_proof import DeletedRecord, ProofError
from gateway.signing import jws
from gateway.signing.keys import KeyRing, new_key_file, read_keys
from tests.creditfile_builders import CATALOGUE, NOON, make_record

SALT = b"s" * 32
GONE = (
    DeletedRecord("rec_1", 1, "penalty"),
    DeletedRecord("rec_1", 2, "penalty"),
    DeletedRecord("rec_2", 1, "abnormal_listing"),
)


def over_at(record: Record, *, on_serious_list: bool = False) -> datetime | None:
    """End of retention."""
    return disclosure_terms.retention_over_at(
        record,
        CATALOGUE.dataset(record.dataset),
        CATALOGUE.rules_of(record.dataset),
        FileContext(on_serious_list=on_serious_list),
    )


def test_retention_ends_five_years_after_determination_at_midnight_in_shanghai() -> None:
    """By the determination, or the decision if there is none."""
    penalty = make_record(decided_on="2021-01-05", determined_on="2021-02-10")
    assert over_at(penalty) == midnight(date(2026, 2, 11))
    assert over_at(make_record(decided_on="2021-01-05", determined_on=None)) == midnight(
        date(2026, 1, 6)
    )


def test_retention_lasts_while_the_enterprise_is_on_the_serious_list() -> None:
    """For any record."""
    assert over_at(make_record(decided_on="2010-01-05"), on_serious_list=True) is None


def test_retention_of_a_listing_lasts_until_it_is_off_its_list() -> None:
    """At least five years."""
    listed = make_record("abnormal_listing", added_on="2010-02-01")
    assert over_at(listed) is None
    assert over_at(replace(listed, removed_on=date(2024, 5, 1))) == midnight(date(2024, 5, 1))
    early = make_record("abnormal_listing", added_on="2023-02-01")
    assert over_at(replace(early, removed_on=date(2024, 5, 1))) == midnight(date(2028, 2, 2))


def test_retention_ends_nothing_that_is_not_bad_information() -> None:
    """A kept commitment, a good rating, a registration."""
    kept = make_record("commitment", committed_on="2010-01-05")
    broken = make_record("commitment", committed_on="2010-01-05", fulfilment="broken")
    assert over_at(kept) is None
    assert over_at(broken) == midnight(date(2015, 1, 6))
    assert over_at(make_record("public_rating", date="2010-01-05")) is None


@pytest.fixture
def ring(tmp_path: Any) -> KeyRing:
    """Keys of a gateway, valid for a day."""
    path = tmp_path / "keys"
    path.write_text(new_key_file(NOON - timedelta(days=1)))
    return KeyRing(read_keys(path))


def make_proof(ring: KeyRing, now: datetime = NOON, **changed: Any) -> dict[str, Any]:
    """A proof file."""
    made = deletion_proof.sign_statement(
        GONE,
        deletion_id="del_1",
        issuer="https://credit.test",
        salt=SALT,
        catalogue=CATALOGUE,
        key=ring.current("log", NOON),
        now=now,
    )
    return (
        deletion_proof.proof_document(made, SALT, deletion_proof.commitments(SALT, GONE)) | changed
    )


def test_a_proof_says_what_is_gone_and_by_which_rule_and_nothing_else(ring: KeyRing) -> None:
    """Counts by dataset, months, catalogue version; no ids."""
    made = make_proof(ring)
    proved = deletion_proof.verify(made, ring.published())
    assert proved.deleted == {
        "abnormal_listing": {"records": 1, "versions": 1},
        "penalty": {"records": 1, "versions": 2},
    }
    assert proved.at == NOON
    claims = jws.unverified_claims(made["proof"])
    assert claims["rule"]["months"] == {"abnormal_listing": 60, "penalty": 60}
    assert "rec_" not in str(claims)


def test_a_proof_shows_a_version_given_its_content_and_salt(ring: KeyRing) -> None:
    """For a version in it only."""
    made = make_proof(ring)
    assert deletion_proof.verify(made, ring.published(), record=("rec_1", 2))
    for other in (("rec_1", 3), ("rec_3", 1)):
        with pytest.raises(ProofError, match="not among"):
            deletion_proof.verify(made, ring.published(), record=other)
    with pytest.raises(ProofError, match="not among"):
        deletion_proof.verify(made | {"salt": "00" * 32}, ring.published(), record=("rec_1", 2))


@pytest.mark.parametrize(
    "changed",
    [
        {"commitments": []},
        {"commitments": [each.hex() for each in deletion_proof.commitments(SALT, GONE[:2])]},
        {"commitments": ["00" * 32] * 3},
        {"commitments": ["zz"]},
        {"commitments": None},
        {"commitments": [each.hex().upper() for each in deletion_proof.commitments(SALT, GONE)]},
        {"commitments": [f" {each.hex()}" for each in deletion_proof.commitments(SALT, GONE)]},
        {"salt": f"{SALT.hex()} "},
        {"note": "checked"},
        {"salt": 7},
        {"proof": ""},
        {"proof": "a.b.c"},
    ],
    ids=str,
)
def test_a_changed_proof_is_invalid(ring: KeyRing, changed: dict[str, Any]) -> None:
    """Fewer or other commitments, or another document."""
    with pytest.raises(ProofError):
        deletion_proof.verify(make_proof(ring, **changed), ring.published())


def test_a_proof_is_signed_by_the_logs_key_while_it_was_in_use(
    ring: KeyRing, tmp_path: Any
) -> None:
    """Another gateway's key, another use, before or after its validity."""
    path = tmp_path / "others"
    path.write_text(new_key_file(NOON - timedelta(days=1)))
    with pytest.raises(ProofError):
        deletion_proof.verify(make_proof(ring), KeyRing(read_keys(path)).published())
    keys = ring.published()["keys"]
    for changed in (
        {"xinqiao_use": "response"},
        {"not_before": (NOON + timedelta(seconds=1)).isoformat()},
        {"retired_at": NOON.isoformat()},
    ):
        with pytest.raises(ProofError):
            deletion_proof.verify(make_proof(ring), {"keys": [key | changed for key in keys]})
    other = jws.sign({"iat": int(NOON.timestamp())}, typ="at+jwt", key=ring.current("log", NOON))
    with pytest.raises(ProofError):
        deletion_proof.verify(make_proof(ring, proof=other), ring.published())
