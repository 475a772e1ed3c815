"""Key rotation: the next key is published before it signs; the file is replaced atomically."""

import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from typer.testing import CliRunner, Result

from gateway.cli.main import app
from gateway.signing.decryption_keys import DecryptionKeys
from gateway.signing.keys import KeyRing, KeysUnreadableError, KeyUse, new_key_file
from gateway.signing.rotation import RotationError, rewrite_key_file, rotate_keys

NOON: Final = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Keys valid since yesterday."""
    path = tmp_path / "signing-keys.json"
    path.write_text(new_key_file(NOON - timedelta(days=1)))
    path.chmod(0o600)
    return path


def rotate(file: Path, *uses: KeyUse, moment: datetime = NOON, within: timedelta = HOUR) -> None:
    """Rotate as the command does, at a given time."""
    rewrite_key_file(
        file, lambda found: rotate_keys(found, uses, begins=moment + within, now=moment)
    )


def keys_command(file: Path, *arguments: str) -> Result:
    """Run `xinqiao-gateway keys …` on the file."""
    environment = {"XINQIAO_SIGNING_KEYS": str(file)}
    return CliRunner().invoke(app, ["keys", *arguments], env=environment)


def test_a_key_signs_from_its_date_on_and_never_before(file: Path) -> None:
    """Both are published throughout."""
    old = KeyRing.read(file).current("token", NOON).kid
    rotate(file, "token")
    ring = KeyRing.read(file)
    last_moment = NOON + HOUR - timedelta(microseconds=1)
    assert ring.current("token", NOON).kid == ring.current("token", last_moment).kid == old
    new = ring.current("token", NOON + HOUR).kid
    assert new != old
    published = {key["kid"]: key for key in ring.published()["keys"]}
    assert (
        published[new]["not_before"] == published[old]["retired_at"] == "2026-11-22T05:00:00+00:00"
    )
    assert "retired_at" not in published[new]


def test_only_the_uses_that_were_named_are_rotated(file: Path) -> None:
    """The log's key is pinned by others and stays."""
    rotate(file, "token", "response")
    ring = KeyRing.read(file)
    keys = [key["xinqiao_use"] for key in ring.published()["keys"]]
    assert sorted(keys) == ["log", "response", "response", "token", "token"]


def test_a_running_ring_follows_its_file(file: Path) -> None:
    """Without a restart."""
    ring = KeyRing.read(file)
    before = ring.current("response", NOON + HOUR).kid
    rotate(file, "response")
    after = ring.current("response", NOON + HOUR).kid
    assert after != before
    assert ring.verifying(before, "response") is not None
    assert ring.verifying(after, "response") is not None


@pytest.mark.parametrize("content", ["", "{", '{"keys": [{"kid": "x"}]}', None])
def test_a_file_that_breaks_leaves_the_keys_that_were_read(file: Path, content: str | None) -> None:
    """The corrected file is read again."""
    ring = KeyRing.read(file)
    kept, before = file.read_text(), ring.published()
    file.unlink()
    if content is not None:
        file.write_text(content)
    assert ring.published() == before
    file.write_text(kept)
    rotate(file, "token")
    assert len(ring.published()["keys"]) == len(before["keys"]) + 1


def test_a_second_rotation_waits_until_the_first_has_happened(file: Path) -> None:
    """Otherwise a key would retire without signing."""
    rotate(file, "token")
    before = file.read_bytes()
    with pytest.raises(RotationError, match="is there already"):
        rotate(file, "response", "token")
    assert file.read_bytes() == before
    rotate(file, "token", moment=NOON + HOUR)
    assert len(KeyRing.read(file).published()["keys"]) == 5


def test_one_of_concurrent_rotations_happens(file: Path) -> None:
    """A lock; the others find the next key."""

    def once(_: int) -> bool:
        try:
            rotate(file, "token")
        except RotationError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(once, range(16))) == 1
    assert len(KeyRing.read(file).published()["keys"]) == 4


def test_a_concurrent_reader_finds_complete_keys(file: Path) -> None:
    """Atomic replacement."""

    def read(_: int) -> int:
        return len(KeyRing.read(file).published()["keys"])

    with ThreadPoolExecutor(4) as pool:
        counts = pool.map(read, range(400))
        for step in range(10):
            rotate(file, "token", moment=NOON + step * HOUR)
        assert set(counts) <= set(range(3, 14))


def test_the_new_file_is_for_its_owner_alone_and_leaves_nothing_beside_it(file: Path) -> None:
    """Mode 0600, whatever it was."""
    file.chmod(0o644)
    owner = file.stat().st_uid
    rotate(file, "token")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.stat().st_uid == owner
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can own a file for somebody else")
def test_a_rotation_by_root_leaves_the_file_to_the_gateway(file: Path) -> None:
    """Otherwise the gateway's user could not read it."""
    os.chown(file, 12345, 12345)
    rotate(file, "token")
    assert (file.stat().st_uid, file.stat().st_gid) == (12345, 12345)


def test_a_link_to_the_file_stays_a_link(file: Path) -> None:
    """Its target is replaced."""
    link = file.parent / "link.json"
    link.symlink_to(file)
    rotate(link, "token")
    assert link.is_symlink()
    assert len(KeyRing.read(file).published()["keys"]) == 4


def test_a_broken_file_is_not_rotated(file: Path) -> None:
    """An unreadable file is not replaced."""
    file.write_text('{"keys": 7}')
    with pytest.raises(KeysUnreadableError):
        rotate(file, "token")
    assert file.read_text() == '{"keys": 7}'


def test_members_of_the_file_that_we_do_not_know_are_kept(file: Path) -> None:
    """Notes of an operator."""
    document: dict[str, Any] = json.loads(file.read_text())
    file.write_text(json.dumps(document | {"note": "ours"}))
    rotate(file, "token")
    assert json.loads(file.read_text())["note"] == "ours"


def test_the_command_publishes_the_next_keys_a_day_ahead(file: Path) -> None:
    """Token and answer keys by default; the output has kids and dates, no private key."""
    done = keys_command(file, "rotate")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.count("is published now and signs from") == 2
    listed = keys_command(file, "list").stdout
    assert listed.count("\tcoming\t") == 2
    assert listed.count("\tcurrent\t") == 4
    private = [entry["jwk"]["d"] for entry in json.loads(file.read_text())["keys"]]
    assert not any(each in done.stdout + listed for each in private)
    coming = [line for line in listed.splitlines() if "\tcoming\t" in line]
    begins = datetime.fromisoformat(coming[0].split("\t")[2])
    assert timedelta(hours=23) < begins - datetime.now(UTC) <= timedelta(hours=24)


def test_the_command_rotates_the_logs_key_by_name_and_says_whom_to_tell(file: Path) -> None:
    """The log's public key is pinned by its monitors."""
    done = keys_command(file, "rotate", "--use", "log", "--in", "72")
    assert done.exit_code == 0, done.stderr
    assert "log-" in done.stdout
    assert "Tell those who watch the log" in done.stdout


def test_a_decryption_key_is_added_to_a_file_of_before_and_rotated(file: Path) -> None:
    """One is published at a time; the one before opens for a week more."""
    document = json.loads(file.read_text())
    entries = [each for each in document["keys"] if each["use"] != "id_number"]
    file.write_text(json.dumps({"keys": entries}))
    now = datetime.now(UTC)
    assert DecryptionKeys.read(file).published(now) == []
    assert keys_command(file, "rotate", "--use", "id_number", "--at-once").exit_code == 0
    keys = DecryptionKeys.read(file)
    now = datetime.now(UTC)
    (first,) = keys.published(now)
    assert (first["use"], first["alg"], first["crv"]) == ("enc", "ECDH-ES", "P-256")
    done = keys_command(file, "rotate", "--use", "id_number", "--in", "24")
    assert "the one before opens for 7 days more" in done.stdout
    assert keys.published(now) == [first]
    later = now + timedelta(hours=25)
    (second,) = keys.published(later)
    assert second["kid"] != first["kid"]
    assert keys.find(second["kid"], now) is None
    assert keys.find(first["kid"], later) is not None
    assert keys.find(first["kid"], later + timedelta(days=7)) is None


def test_a_broken_decryption_key_leaves_the_ring_as_it_was(file: Path) -> None:
    """Calls go on; the log says so."""
    keys = DecryptionKeys.read(file)
    published = keys.published(datetime.now(UTC))
    document = json.loads(file.read_text())
    for each in document["keys"]:
        each["jwk"] = {"kty": "EC"} if each["use"] == "id_number" else each["jwk"]
    file.write_text(json.dumps(document))
    assert keys.published(datetime.now(UTC)) == published
    with pytest.raises(KeysUnreadableError):
        DecryptionKeys.read(file)


def test_a_leaked_key_is_replaced_at_once_when_the_operator_says_so(file: Path) -> None:
    """The new key signs now, the old one no more."""
    old = KeyRing.read(file).current("response", datetime.now(UTC)).kid
    done = keys_command(file, "rotate", "--use", "response", "--at-once")
    assert done.exit_code == 0, done.stderr
    ring = KeyRing.read(file)
    assert ring.current("response", datetime.now(UTC)).kid != old
    assert "\tretired\t" in keys_command(file, "list").stdout


def test_a_leak_does_not_wait_for_a_rotation_that_is_on_its_way(file: Path) -> None:
    """The next key was in the same file: it never signs."""
    rotate(file, "token", "log")
    coming = KeyRing.read(file).current("token", NOON + HOUR).kid
    rotate(file, "token", within=timedelta())
    ring = KeyRing.read(file)
    assert ring.verifying(coming, "token") is None
    assert ring.current("token", NOON) is ring.current("token", NOON + 2 * HOUR)
    tokens = [key for key in ring.published()["keys"] if key["xinqiao_use"] == "token"]
    assert [key.get("retired_at") for key in tokens] == ["2026-11-22T04:00:00+00:00", None]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("rotate", "--in", "0.5"), "1 to 2160 hours"),
        (("rotate", "--in", "-3"), "1 to 2160 hours"),
        (("rotate", "--in", "nan"), "1 to 2160 hours"),
        (("rotate", "--use", "vault"), "token, response, log or id_number"),
        (("rotate", "--file", "/nowhere/keys.json"), "cannot be read"),
        (("list", "--file", "/nowhere/keys.json"), "cannot be read"),
    ],
)
def test_a_refused_rotation_is_one_sentence_and_changes_nothing(
    file: Path,
    arguments: tuple[str, ...],
    said: str,
) -> None:
    """Status 2."""
    before = file.read_bytes()
    done = keys_command(file, *arguments)
    assert done.exit_code == 2
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert file.read_bytes() == before
