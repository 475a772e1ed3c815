"""Choice between a page and JSON by the `Accept` header."""

import pytest
from starlette.requests import Request

from gateway.pages.page_route import wants_json


@pytest.mark.parametrize(
    ("accept", "is_json"),
    [
        ("", False),
        ("*/*", False),
        ("application/json", True),
        ("Application/JSON; charset=utf-8", True),
        ("application/json, text/plain, */*", True),
        ("application/json;q=0.1, */*", True),
        ("application/json;q=0, */*", False),
        ("application/json;q=x, */*", False),
        ("text/html, application/json", False),
        ("text/html;q=0.9, application/json", True),
        ("text/html, application/json;q=0.9", False),
        ("application/jsonp, application/json-seq", False),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", False),
    ],
)
def test_json_is_chosen_where_it_weighs_more_than_html(accept: str, is_json: bool) -> None:
    """RFC 9110 §12.5.1; a page where both weigh the same."""
    request = Request({"type": "http", "headers": [(b"accept", accept.encode())]})
    assert wants_json(request) is is_json
