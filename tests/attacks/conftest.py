"""Collection of the Wycheproof tests where its files are present; `test_signing_jws_forgeries` needs none."""

import os
from pathlib import Path

from tests.servers.proxies import backend, front

__all__ = ["backend", "front"]

_GIVEN = os.environ.get("XINQIAO_TEST_WYCHEPROOF")
_KEPT = Path(__file__).parent.parent / "vectors" / "wycheproof"

collect_ignore = [] if _GIVEN or any(_KEPT.glob("*.json")) else ["test_signing_wycheproof.py"]
