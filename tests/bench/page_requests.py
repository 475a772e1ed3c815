"""Requests for public pages of enterprise codes, as a browser sends them."""

from dataclasses import dataclass
from typing import Final

from tests.bench.http_requests import get_request

BROWSER: Final = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Encoding": "gzip, deflate, br",
    "Accept-Language": "zh-CN,zh;q=0.9",
    "User-Agent": "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Mobile",
}
TOLD: Final = (b"content-encoding: br\r\n",)
"""What each answer has in its head."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequests:
    """One request for each address."""

    paths: tuple[str, ...]
    port: int

    def build(self) -> list[bytes]:
        """Complete HTTP/1.1 requests as bytes."""
        return [get_request(path, self.port, BROWSER) for path in self.paths]
