"""The two distributions: what wheel and sdist hold, what the locks install, the SDK's floors."""

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from typing import Any, Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.floors import floors, sdk_tests

ROOT: Final = Path(__file__).parents[2]
GATEWAY: Final = (ROOT, ("gateway", "consent", "verification"), "")
SDK: Final = (ROOT / "sdk", ("src/xinqiao",), "src/")
INSTALLING: Final = ("hatchling", "editables")
"""What `pip install --no-build-isolation -e` needs."""


@pytest.mark.parametrize(("project", "packages", "prefix"), [GATEWAY, SDK], ids=["gateway", "sdk"])
def test_wheel_and_sdist_hold_every_file_and_the_licence(
    tmp_path: Path, project: Path, packages: tuple[str, ...], prefix: str
) -> None:
    """Templates, tables and type markers as well as modules."""
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(tmp_path)]
    subprocess.run(command, cwd=project, check=True, capture_output=True)
    listed = subprocess.run(
        ["git", "ls-files", "--", *packages],
        cwd=project,
        check=True,
        capture_output=True,
        text=True,
    )
    tracked = set(listed.stdout.split())
    [wheel], [sdist] = tmp_path.glob("*.whl"), tmp_path.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as archive:
        in_wheel = set(archive.namelist())
    with tarfile.open(sdist) as archive_of_source:
        in_sdist = {name.partition("/")[2] for name in archive_of_source.getnames()}
    assert tracked
    assert {each.removeprefix(prefix) for each in tracked} <= in_wheel
    assert tracked | {"LICENSE", "README.md"} <= in_sdist
    assert any(each.endswith("/licenses/LICENSE") for each in in_wheel)
    assert not [each for each in in_wheel if each.startswith("tests/")]


def test_the_locks_hold_what_the_project_declares() -> None:
    """The demo's lock holds all that the demo needs; the test tools' lock holds nothing twice."""
    product, tools = _locked("requirements.lock"), _locked("requirements-dev.lock")
    project, sdk = _project(ROOT), _project(ROOT / "sdk")
    extras = project["optional-dependencies"]
    declared = (*sdk["dependencies"], *sdk["optional-dependencies"]["cli"], *INSTALLING)
    needed = _closure([*project["dependencies"], *extras["demo"], *declared])
    assert needed - {"xinqiao"} <= set(product)
    assert _closure([*extras["dev"], *extras["parquet"]]) <= set(product) | set(tools)
    assert not set(product) & set(tools)
    assert "pyarrow" not in product


def test_the_floors_of_the_sdk_are_below_the_locked_versions() -> None:
    """`make floors` tests the SDK at both ends."""
    locked = _locked("requirements.lock")
    for name, floor in floors().items():
        assert Version(floor) < Version(locked[name])
    assert len(sdk_tests()) >= 10


def _project(folder: Path) -> dict[str, Any]:  # the table `project`
    found: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))[
        "project"
    ]
    return found


def _locked(name: str) -> dict[str, str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    found = re.findall(r"^([A-Za-z0-9._-]+)==([^ \\]+)", text, re.MULTILINE)
    return {canonicalize_name(package): version for package, version in found}


def _closure(declared: list[str]) -> set[str]:
    """Names of the requirements on this platform, with all that they require."""
    todo, found = [Requirement(each) for each in declared], set[tuple[str, frozenset[str]]]()
    while todo:
        each = todo.pop()
        if each.marker is not None and not each.marker.evaluate({"extra": ""}):
            continue
        key = (canonicalize_name(each.name), frozenset(each.extras))
        if key in found:
            continue
        found.add(key)
        todo += _required_by(each)
    return {name for name, _ in found}


def _required_by(requirement: Requirement) -> list[Requirement]:
    try:
        declared = requires(requirement.name) or []
    except PackageNotFoundError:
        pytest.fail(f"{requirement.name} is declared and not installed")
    chosen = []
    for each in map(Requirement, declared):
        extras = requirement.extras or {""}
        if each.marker is None or any(each.marker.evaluate({"extra": e}) for e in extras | {""}):
            each.marker = None
            chosen.append(each)
    return chosen
