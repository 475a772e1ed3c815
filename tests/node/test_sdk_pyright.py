"""The SDK as an editor with Pylance sees it: pyright over its source, its pages and its public types."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sysconfig
from pathlib import Path
from typing import Final

from tests.docs.sdk_examples import PAGES, ROOT, program_of
from tests.node.programs import MODULES, Node
from tests.sampling import FULL

PYRIGHT: Final = MODULES / "pyright" / "index.js"
SOURCE: Final = ROOT / "sdk" / "src"


def pyright(node: Node, folder: Path, *options: str) -> str:
    """Pyright's report on a folder or a package."""
    libraries = os.pathsep.join([str(SOURCE), sysconfig.get_path("purelib")])
    done = subprocess.run(
        [node.node, str(PYRIGHT), *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": libraries},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout


def test_the_pages_are_clean_and_under_full_the_source(node: Node, tmp_path: Path) -> None:
    """In standard mode; a wrong status is found, so that there was something to check."""
    for number, page in enumerate(PAGES):
        (tmp_path / f"page_{number}.py").write_text(program_of(page), encoding="utf-8")
    wrong = 'from xinqiao import Client\nClient.from_env().consents(status="activ")\n'
    (tmp_path / "wrong.py").write_text(wrong)
    settings = {
        "include": [".", *([os.path.relpath(SOURCE, tmp_path)] if FULL else [])],
        "extraPaths": [str(SOURCE), sysconfig.get_path("purelib")],
        "typeCheckingMode": "standard",
    }
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    report = json.loads(pyright(node, tmp_path, "--outputjson"))
    found = [
        f"{Path(each['file']).name}: {each['message']}" for each in report["generalDiagnostics"]
    ]
    files = len(PAGES) + 1 + (len(list(SOURCE.rglob("*.py"))) if FULL else 0)
    assert report["summary"]["filesAnalyzed"] == files
    assert len(found) == 1, found
    assert found[0].startswith("wrong.py: Argument of type")


if FULL:  # half a minute of a processor

    def test_every_public_type_is_known(node: Node, tmp_path: Path) -> None:
        """`py.typed` is there, and `pyright --verifytypes` has nothing to guess."""
        report = pyright(node, tmp_path, "--ignoreexternal", "--verifytypes", "xinqiao")
        assert re.search(r"^Type completeness score: 100%$", report, re.MULTILINE), report
