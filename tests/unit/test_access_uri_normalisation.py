"""Request URIs: removal of dot segments (RFC 3986 §5.2.4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access.http.uri_normalisation import target_of, without_dot_segments


@pytest.mark.parametrize(
    ("path", "plain"),
    [
        ("/a/b/c/./../../g", "/a/g"),
        ("", "/"),
        ("/", "/"),
        ("/.", "/"),
        ("/..", "/"),
        ("/a/..", "/"),
        ("/a/.", "/a/"),
        ("/a//..", "/a/"),
        ("/a/.../b", "/a/.../b"),
        ("/..a/.b", "/..a/.b"),
        ("//", "//"),
    ],
)
def test_dot_segments_are_carried_out(path: str, plain: str) -> None:
    """Never above the root."""
    assert without_dot_segments(path) == plain


@given(st.text(alphabet="/.%2eEaA5f?#:@", max_size=24))
def test_a_target_is_its_own_normal_form(rest: str) -> None:
    """Normalisation is idempotent and raises nothing."""
    target = target_of(f"https://credit.test/{rest}")
    if target is not None:
        assert target_of(f"https://{target.host}:{target.port}{target.path}") == target
