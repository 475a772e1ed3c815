"""SDK exceptions: complete, documented as a tree, safe to log, picklable."""

from __future__ import annotations

import pickle
from collections.abc import Iterator

import pytest

from xinqiao import errors
from xinqiao._core.transport.problems import BY_CODE, oauth_error, problem_error

WIRE_CODES = [
    "invalid_request",
    "invalid_uscc",
    "unknown_question",
    "unknown_dataset",
    "unknown_purpose",
    "payload_too_large",
    "unsupported_media_type",
    "digest_mismatch",
    "signature_required",
    "signature_invalid",
    "agreement_missing",
    "agreement_ended",
    "not_in_agreement",
    "client_suspended",
    "not_available",
    "consent_withdrawn",
    "consent_expired",
    "consent_exhausted",
    "consent_paused",
    "cooling_down",
    "rate_limited",
    "quota_exhausted",
    "idempotency_conflict",
    "not_found",
    "temporarily_unavailable",
    "invalid_token",
    "insufficient_scope",
    "invalid_dpop_proof",
    "use_dpop_nonce",
]


def family(root: type[errors.XinqiaoError]) -> Iterator[type[errors.XinqiaoError]]:
    yield root
    for child in root.__subclasses__():
        yield from family(child)


@pytest.mark.parametrize("code", WIRE_CODES)
def test_every_code_of_the_wire_has_its_class(code: str) -> None:
    """Each problem code of the gateway."""
    assert BY_CODE[code].known_code == code


def test_the_tree_is_drawn_as_it_is() -> None:
    """The docstring shows each class under its parent with its code."""
    drawn: list[tuple[int, str, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        name, _, said = line.lstrip(" │├└─").partition(" ")
        if isinstance(getattr(errors, name, None), type):
            drawn.append(((len(line) - len(line.lstrip(" │├└─"))) // 4 - 1, name, said))
    path: list[str] = []
    for depth, name, said in drawn:
        path[depth:] = [name]
        kind = getattr(errors, name)
        assert kind.__mro__[1].__name__ == (path[depth - 1] if depth else "Exception")
        assert kind.known_code is None or kind.known_code in said
    assert {name for _, name, _ in drawn} == {kind.__name__ for kind in family(errors.XinqiaoError)}


def test_an_error_says_its_own_sentence_where_the_server_says_none() -> None:
    """First line of the class's docstring."""
    assert str(errors.ConsentWithdrawn()) == (
        "consent_withdrawn: The enterprise has withdrawn this consent."
    )


def test_an_error_carries_what_the_problem_says() -> None:
    """Code, status, title, detail, request id and Retry-After."""
    body = b'{"code":"rate_limited","title":"T","detail":"D","status":429}'
    error = problem_error(429, body, request_id="r", retry_after=3)
    assert isinstance(error, errors.RateLimited)
    assert (error.code, error.status, error.title) == ("rate_limited", 429, "T")
    assert (error.detail, error.request_id, error.retry_after) == ("D", "r", 3)
    assert str(error) == "rate_limited: D (request r)"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, errors.AccessRefused),
        (403, errors.XinqiaoError),
        (404, errors.NotFound),
        (422, errors.RequestRefused),
        (429, errors.LimitReached),
        (500, errors.XinqiaoError),
        (503, errors.TemporarilyUnavailable),
    ],
)
@pytest.mark.parametrize("body", [b"", b"[]", b'{"code": 3}', b'{"code": "never_seen"}'])
def test_without_a_known_code_the_status_decides(
    status: int, kind: type[errors.XinqiaoError], body: bytes
) -> None:
    """For any body."""
    assert type(problem_error(status, body, request_id=None, retry_after=None)) is kind


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.OAuthError),
        (401, errors.OAuthError),
        (429, errors.RateLimited),
        (502, errors.ServerUnavailable),
        (503, errors.TemporarilyUnavailable),
    ],
)
def test_the_token_endpoint_has_errors_of_its_own(
    status: int, kind: type[errors.XinqiaoError]
) -> None:
    """RFC 6749, with limits and outages as retryable classes."""
    body = b'{"error":"invalid_scope","error_description":"D"}'
    error = oauth_error(status, body, request_id=None, retry_after=None)
    assert (type(error), error.code, error.detail) == (kind, "invalid_scope", "D")


@pytest.mark.parametrize("kind", list(family(errors.XinqiaoError)), ids=lambda kind: kind.__name__)
def test_errors_survive_a_process_boundary(kind: type[errors.XinqiaoError]) -> None:
    """For worker pools."""
    error = kind("D")
    error.retry_after = 3
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert (type(again), str(again), again.retry_after) == (kind, str(error), 3)
