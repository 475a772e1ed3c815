"""Example proxies keep no log of who looked at which code."""

import re
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "deploy" / "proxy"


def directives(name: str) -> list[list[str]]:
    """The words of each line that is no comment."""
    lines = (EXAMPLES / name).read_text().splitlines()
    return [words for each in lines if (words := each.partition("#")[0].rstrip("; ").split())]


def test_nginx_logs_no_request() -> None:
    """Off for all servers, and no server turns it on; what errors say of a request is left out."""
    lines = directives("nginx.conf")
    assert [each for each in lines if each[0] == "access_log"] == [["access_log", "off"]]
    assert [each[-1] for each in lines if each[0] == "error_log"] == ["alert"]
    assert lines.index(["access_log", "off"]) < lines.index(["server", "{"])


def test_haproxy_logs_no_request() -> None:
    """It logs nothing without a `log` line."""
    logs = re.compile(r"log(?:-.*)?")
    assert not [each for each in directives("haproxy.cfg") if logs.fullmatch(each[0])]
    assert not [each for each in directives("haproxy.cfg") if "httplog" in each]
