"""`make floors`: the SDK's tests with the oldest and with the newest dependencies that it allows.

Each end is installed from the package index into an environment of its own, without the gateway,
as a bank would install it. What the tests themselves need comes in the versions of the lock.
"""

import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement

ROOT: Final = Path(__file__).parents[1]
SDK: Final = ROOT / "sdk"
TOOLS: Final = ("pytest", "pytest-asyncio", "hypothesis", "http-message-signatures")
_NEEDS_THE_GATEWAY: Final = re.compile(
    r"^(?:from|import) (?:gateway|verification|consent|tests\.sdk_builders)\b", re.MULTILINE
)


def main() -> None:
    """Run both ends; the exit status is that of the first that fails."""
    ends = {"oldest": [f"{name}=={floor}" for name, floor in floors().items()], "newest": []}
    for end, constraints in ends.items():
        with tempfile.TemporaryDirectory(prefix=f"xinqiao-{end}-") as folder:
            status = run_end(Path(folder), constraints)
        if status:
            sys.exit(status)


def floors() -> dict[str, str]:
    """The lowest version that the SDK declares of each dependency, its command's included."""
    project = tomllib.loads((SDK / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = map(
        Requirement, (*project["dependencies"], *project["optional-dependencies"]["cli"])
    )
    return {each.name: _floor(each) for each in declared}


def _floor(requirement: Requirement) -> str:
    [specifier] = requirement.specifier
    assert specifier.operator == ">=", f"{requirement} has no floor"
    return specifier.version


def run_end(folder: Path, constraints: Iterable[str]) -> int:
    """Install the SDK under these constraints and run its tests; the exit status."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    wanted = folder / "constraints.txt"
    wanted.write_text("\n".join((*constraints, *_locked(TOOLS))), encoding="utf-8")
    install = (python, "-m", "pip", "install", "--quiet", "--constraint", wanted)
    subprocess.run([*install, f"{SDK}[cli]", *TOOLS], check=True)
    subprocess.run([python, "-m", "pip", "list"], check=True)
    # The shared fixtures are the gateway's; none of these tests takes one.
    # Old releases warn of what newer ones of their own dependencies will drop.
    ours = ("-o", "addopts=--import-mode=importlib", "-o", "filterwarnings=")
    options = ("--noconftest", "-p", "no:cacheprovider", *ours)
    return subprocess.run(
        [python, "-m", "pytest", "-q", *options, *sdk_tests()], cwd=ROOT, check=False
    ).returncode


def sdk_tests() -> list[Path]:
    """The test files of the SDK that run without the gateway."""
    files = sorted((ROOT / "tests" / "unit").glob("test_sdk_*.py"))
    return [each for each in files if not _NEEDS_THE_GATEWAY.search(each.read_text("utf-8"))]


def _locked(names: Iterable[str]) -> list[str]:
    lock = (ROOT / "requirements-dev.lock").read_text(encoding="utf-8")
    return [
        found.group()
        for name in names
        if (found := re.search(rf"^{re.escape(name)}==[^ \\]+", lock, re.MULTILINE))
    ]


if __name__ == "__main__":
    main()
