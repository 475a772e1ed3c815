"""Table of problems: every error class has a row with its published status."""

from collections.abc import Iterator

import gateway.app  # noqa: F401  # so that every package has defined its errors
from gateway.access import errors
from gateway.access.errors import GatewayError
from gateway.problems import CODE_OF_STATUS, TABLE

WIRE = {
    400: "invalid_request invalid_uscc unknown_question unknown_dataset unknown_purpose"
    " digest_mismatch signature_required signature_invalid",
    401: "invalid_token invalid_dpop_proof use_dpop_nonce",
    403: "insufficient_scope agreement_missing agreement_ended not_in_agreement client_suspended"
    " not_available consent_withdrawn consent_expired consent_exhausted consent_paused"
    " cooling_down",
    404: "not_found",
    405: "method_not_allowed",
    409: "idempotency_conflict",
    413: "payload_too_large",
    415: "unsupported_media_type",
    429: "rate_limited quota_exhausted",
    500: "internal_error",
    503: "temporarily_unavailable",
}
# Made where no error is raised: by the router, and when a handler broke.
WITHOUT_AN_ERROR = {"method_not_allowed", "internal_error"}


def every_error(root: type[GatewayError] = GatewayError) -> Iterator[type[GatewayError]]:
    """All raised error classes, from all packages."""
    for kind in root.__subclasses__():
        if "code" in vars(kind):
            yield kind
        yield from every_error(kind)


def test_each_error_has_its_row_and_each_row_its_error() -> None:
    """A bijection, with unique codes."""
    codes = [kind.code for kind in every_error()]
    assert sorted(codes) == sorted(TABLE.keys() - WITHOUT_AN_ERROR)


def test_each_status_is_that_of_the_wire() -> None:
    """Statuses are part of the API."""
    stated = {code: status for status, codes in WIRE.items() for code in codes.split()}
    assert {code: TABLE[code][0] for code in stated} == stated


def test_each_status_of_the_framework_has_a_code_of_that_status() -> None:
    """Starlette's own errors use our codes."""
    assert all(TABLE[code][0] == status for status, code in CODE_OF_STATUS.items())


def test_each_error_says_in_its_docstring_what_to_do() -> None:
    """One sentence with a full stop, without placeholders for input."""
    for kind in every_error():
        sentence = (kind.__doc__ or "").strip()
        assert sentence.endswith("."), kind
        assert kind().detail == sentence


def test_each_title_is_in_chinese_first_and_english_second() -> None:
    """Both languages."""
    for _, chinese, english in TABLE.values():
        assert any("\u4e00" <= character <= "\u9fff" for character in chinese)
        assert english.isascii()


def test_retry_after_is_a_header_of_the_error() -> None:
    """Whole seconds."""
    assert errors.RateLimitedError(retry_after=7).headers == {"Retry-After": "7"}
