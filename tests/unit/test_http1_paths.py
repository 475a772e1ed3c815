"""Canonical paths: non-canonical spellings are refused."""

from urllib.parse import quote, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http1.paths import path_problem

GOOD = [
    "/", "/v1/verifications", "/.well-known/jwks.json", "/log/tile/0/x001/067.p/12", "/a/", "/...",
    "/E/ABC%20", "/E/ABC%E3%80%80", "/E/%E4%BC%81", "/E/%e4%bc%81", "/E/%C2%A0", "/a%25b", "/a%3Ab",
    "/a:b@c;d=e,f", "/a%27b", "/a%2Fb", "/..a", "/a..", "/%F0%9F%98%80", "/%7C", "/a+b", "/a&b",
]  # fmt: skip
BAD = [
    "", "*", "a", "//", "//a", "/a//b", "/a//", "/.", "/..", "/./a", "/../a", "/a/.", "/a/..",
    "/a/../b", "/%2e", "/%2E%2e/a", "/.%2e/a", "/%61", "/%6detrics", "/%4D", "/%7Ea", "/%2d", "/%5F",
    "/%30", "/metrics%0a", "/metrics%0D", "/a%00", "/a%1f", "/a%7F", "/a%09", "/a%C2%80", "/a%C2%85",
    "/a%c2%9f", "/a%", "/a%4", "/a%4g", "/a%%41", "/a%u0041", "/a%0x", "/%ff", "/%C0%AF", "/%E4%BC",
    "/%ED%A0%80", "/%F4%90%80%80", "/%c1%81", "/a\\b", "/a%5cb", "/a%5C..", "/a b", "/a\tb", "/a\nb",
    "/a\n", "/a?b", "/a#b", "/a[b]", "/a|b", '/a"b', "/a<b>", "/a^b", "/a`b", "/a{b}", "/企", "/a\x7f",
    "/a\x00", "http://a/b",
]  # fmt: skip


@pytest.mark.parametrize("path", GOOD)
def test_a_path_in_its_one_spelling_passes(path: str) -> None:
    """Percent-encoded UTF-8 in either hex case, spaces, plain characters."""
    assert path_problem(path.encode()) is None


@pytest.mark.parametrize("path", BAD)
def test_another_spelling_is_refused_with_a_sentence(path: str) -> None:
    """With the reason."""
    sentence = path_problem(path.encode())
    assert sentence is not None
    assert sentence.endswith(".")


@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/\\"), min_size=1)
)
def test_every_text_without_control_characters_can_be_a_segment(text: str) -> None:
    """As `encodeURIComponent` and `quote` encode it."""
    assert path_problem(b"/E/" + quote(text, safe="").encode()) is None or text in {".", ".."}


@given(
    st.lists(
        st.sampled_from(
            [b"/", b".", b"a", b"%61", b"%E4%BC%81", b"%0a", b"%2e", b"%", b"\\", b"~"]
        ),
        max_size=8,
    )
)
def test_two_paths_that_pass_and_mean_the_same_are_the_same(parts: list[bytes]) -> None:
    """Decoding and encoding again gives the same path."""
    path = b"/" + b"".join(parts)
    if path_problem(path) is None:
        assert quote(unquote_to_bytes(path), safe="/~").encode() == path
