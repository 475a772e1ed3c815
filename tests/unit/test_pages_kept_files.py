"""Files kept for minutes: their bound, their order, their end."""

import asyncio

from gateway.pages.kept_files import KeptFiles


async def test_the_least_used_files_go_when_the_bound_is_reached() -> None:
    """A file larger than the bound is not kept at all."""
    files = KeptFiles(max_bytes=1_000)
    files.keep("a", b"a" * 400)
    files.keep("b", b"b" * 400)
    files.find("a")
    files.keep("c", b"c" * 400)
    assert [files.find(each) for each in "abc"] == [b"a" * 400, None, b"c" * 400]
    files.keep("d", b"d" * 1_001)
    assert [files.find(each) for each in "abcd"] == [None] * 4


async def test_a_file_is_dropped_after_its_time_though_nobody_asks() -> None:
    """With a time of nothing: after the next turns of the loop."""
    files = KeptFiles(seconds=0)
    files.keep("a", b"a")
    assert files.find("a") == b"a"
    await asyncio.sleep(0.01)
    assert files.find("a") is None
