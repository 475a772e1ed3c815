"""Long polling: ends with its time however slow a read is, and with the first result that will do."""

import asyncio

from gateway.access.http.long_poll import poll


async def test_slow_reads_are_part_of_the_wait() -> None:
    """A busy database does not make a wait last longer than its caller has asked for."""
    reads = 0

    async def slow() -> int:
        nonlocal reads
        reads += 1
        await asyncio.sleep(0.1)
        return reads

    found = await poll(slow, until=lambda _: False, wait=0.3, every=0.01)
    assert found == reads
    assert 1 <= reads <= 4  # 30 if only the pauses counted


async def test_the_first_result_that_will_do_ends_it() -> None:
    """Without a pause after it; and nothing is waited for without `wait`."""
    found = iter(range(10))

    async def read() -> int:
        return next(found)

    assert await poll(read, until=lambda n: n == 3, wait=3600, every=0.001) == 3
    assert await poll(read, until=lambda _: False, wait=0, every=3600) == 4
