"""Content codings of pages: negotiation by Accept-Encoding, and the coded bytes."""

import gzip

import brotli
import pytest

from gateway.pages.content_coding import CODINGS, encoded, negotiated_coding


@pytest.mark.parametrize(
    ("header", "coding"),
    [
        ("", "identity"),
        ("gzip", "gzip"),
        ("gzip, deflate, br, zstd", "br"),
        ("GZIP", "gzip"),
        ("x-gzip", "gzip"),
        ("deflate, zstd", "identity"),
        ("*", "br"),
        ("br;q=0, *", "gzip"),
        ("br;q=0.5, gzip;q=0.8", "gzip"),
        ("br;q=0.5, gzip;q=0.5", "br"),
        ("br ; q=0 , gzip ; q=0", "identity"),
        ("gzip;q=0.000", "identity"),
        ("identity;q=1, gzip;q=0.5", "identity"),
        ("identity;q=0, gzip;q=0.1", "gzip"),
        ("identity;q=0", "identity"),
        ("*;q=0", "identity"),
        ("br;q=2", "identity"),
        ("br;q=x, gzip", "gzip"),
        ("br;level=9", "identity"),
        ("notbr, gzipped", "identity"),
        (",,;q=1,", "identity"),
        ("x" * 2_000 + ", br", "identity"),
    ],
)
def test_the_coding_is_the_accepted_one_of_the_highest_weight(header: str, coding: str) -> None:
    """By names and weights, never by what a header merely contains."""
    assert negotiated_coding(header) == coding


def test_the_same_body_is_coded_to_the_same_bytes_and_back() -> None:
    """Without a time in gzip's header, so that entity tags are the same in every worker."""
    body = "截至 2026-11-22 未查询到".encode() * 100
    coded = {each: encoded(body, each) for each in CODINGS}
    assert coded == {each: encoded(body, each) for each in CODINGS}
    assert brotli.decompress(coded["br"]) == gzip.decompress(coded["gzip"]) == coded["identity"]
    assert len(coded["br"]) < len(body) > len(coded["gzip"])
