"""What the demo says at its end: addresses and commands whole, on a terminal of 80 columns."""

import io
from pathlib import Path
from typing import Any

from rich.console import Console

from gateway.synthetic.demo.next_steps import print_next_steps
from gateway.synthetic.demo.state import DemoFolder

ISSUER = "http://127.0.0.1:65535"
CODE = f"{ISSUER}/E/{'A' * 26}"
KIT: Any = {
    "issuer": ISSUER,
    "subjects": [
        {
            "uscc": "91330106MAHD08319M",
            "traits": ["disputed"],
            "login": {"username": "enterprise-08", "password": "0" * 12},
            "code_url": CODE,
        }
    ],
    "consents": {"active": {"uscc": "91330106MAHD08319M", "purpose": "loan_approval"}},
}


def test_no_address_and_no_command_is_broken() -> None:
    """They are to be copied."""
    console = Console(file=(said := io.StringIO()), width=80)
    print_next_steps(KIT, DemoFolder(Path(".demo")), console)
    for whole in (f"{ISSUER}/portal ", CODE, f"{ISSUER}/docs ", "xinqiao-gateway client list "):
        assert whole in said.getvalue()
    [bulletin] = [each for each in said.getvalue().splitlines() if "quality bulletin" in each]
    assert "--out ." in bulletin
