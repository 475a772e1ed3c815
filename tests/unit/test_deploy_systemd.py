"""The systemd unit of `deploy/systemd`: systemd takes it, and it starts what the documentation installs."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

UNIT: Final = Path("deploy/systemd/xinqiao-gateway.service")
ANALYZE: Final = shutil.which("systemd-analyze")
INSTALLED: Final = "/opt/xinqiao/bin/xinqiao-gateway"
NOT_VERIFIED: Final = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")
MOST_EXPOSURE: Final = 2.0


def analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """What systemd-analyze says."""
    command = [str(ANALYZE), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program that there is on this machine."""
    made = tmp_path / UNIT.name
    made.write_text(UNIT.read_text().replace(INSTALLED, sys.executable))
    return made


@NOT_VERIFIED
def test_systemd_verifies_the_unit(unit: Path) -> None:
    """Every setting is known to it."""
    found = analyze("verify", unit)
    assert (found.returncode, found.stderr) == (0, "")
    unit.write_text(unit.read_text().replace("KillMode=mixed", "KillMode=gently"))
    assert "kill mode" in analyze("verify", unit).stderr


@NOT_VERIFIED
def test_the_unit_is_hardened(unit: Path) -> None:
    """By systemd's own measure, of 10 without any hardening."""
    found = analyze("security", "--offline=true", unit)
    if "unrecognized option" in found.stderr:
        pytest.skip("systemd-analyze before 250 measures running units only")
    exposure = re.search(r"Overall exposure level for .*: (\d+\.\d)", found.stdout)
    assert exposure is not None, found
    assert float(exposure[1]) <= MOST_EXPOSURE


def test_readers_of_workbooks_may_bound_their_memory() -> None:
    """They set limits of their own (`gateway.ingest.reader_processes`)."""
    assert not re.search(r"^SystemCallFilter=~.*@resources", UNIT.read_text(), re.MULTILINE)


@pytest.mark.parametrize("page", ["docs/operate/install.md", "docs/zh/operate/install.md"])
def test_the_unit_has_the_paths_of_the_documentation(page: str) -> None:
    """Program, settings, log checkpoints."""
    documentation, settings = Path(page).read_text(encoding="utf-8"), UNIT.read_text()
    for path in (INSTALLED, "/etc/xinqiao/gateway.env", "/mnt/xinqiao-log"):
        assert path in settings
        assert path in documentation
