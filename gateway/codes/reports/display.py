"""Language and text size in an address, carried over to the next page: no cookie holds them."""

from urllib.parse import urlencode

from starlette.requests import Request

from gateway.codes.public_page.page_html import LARGE

_CHOICES = (("lang", frozenset({"zh", "en"})), ("size", frozenset({LARGE})))


def display_choices(request: Request) -> dict[str, str]:
    """The valid choices of the request's address."""
    query = request.query_params
    return {name: query[name] for name, values in _CHOICES if query.get(name) in values}


def display_query(request: Request) -> str:
    """The same as a query, with its question mark; empty if nothing was chosen."""
    chosen = display_choices(request)
    return f"?{urlencode(chosen)}" if chosen else ""
