"""Upload of a file in parts by the SDK: offsets, pauses, and an end where nothing advances."""

from collections.abc import Generator
from types import SimpleNamespace
from typing import Any

import pytest

from xinqiao import RetryPolicy, errors
from xinqiao._core import flow
from xinqiao._core.api import uploads

LENGTH = 100
POLICY = RetryPolicy(retries=3, base=0.5)


class Gateway:
    """Jobs with these offsets, one after the other; the last one stays. Parts are all answered."""

    def __init__(self, offsets: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
        self._offsets = offsets
        self.sent: list[int] = []
        self.pauses = 0
        monkeypatch.setattr(uploads, "job_status", self._job)
        monkeypatch.setattr(uploads, "_send_part", self._take)

    def upload(self) -> Any:
        """Run the upload; pauses are counted."""
        world = SimpleNamespace(ticks=lambda: 0.0, chance=lambda _, most: most)
        session: Any = SimpleNamespace(world=world, settings=SimpleNamespace(retry=POLICY))
        source = uploads.PartSource(
            length=LENGTH, read=lambda _, size: bytes(size), moved=lambda _: None
        )
        steps = uploads.upload_parts(session, "upl_1", source, language="en")
        answer = None
        while True:
            try:
                step = steps.send(answer)
            except StopIteration as ended:
                return ended.value
            self.pauses += isinstance(step, flow.Pause)
            answer = step.function() if isinstance(step, flow.Invoke) else None

    def _job(self, *_: Any, **__: Any) -> Generator[Any, Any, Any]:
        received = self._offsets.pop(0) if len(self._offsets) > 1 else self._offsets[0]
        state = "queued" if received == LENGTH else "receiving"
        return SimpleNamespace(received=received, state=state)
        yield

    def _take(self, _: Any, __: str, offset: int, ___: bytes) -> Generator[Any, Any, Any]:
        self.sent.append(offset)
        assert len(self.sent) < 50
        return
        yield


def test_parts_are_sent_from_where_the_job_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a pause while it advances."""
    gateway = Gateway([0, 40, 70, LENGTH], monkeypatch)
    assert gateway.upload().received == LENGTH
    assert (gateway.sent, gateway.pauses) == ([0, 40, 70], 0)


def test_parts_that_are_answered_and_not_kept_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the tries of the policy, with a pause before each; an advance begins the count anew."""
    gateway = Gateway([0], monkeypatch)
    with pytest.raises(errors.ServerUnavailable, match="kept nothing"):
        gateway.upload()
    assert (gateway.sent, gateway.pauses) == ([0] * 4, 3)
    gateway = Gateway([0, 0, 0, 1, 1, 1, LENGTH], monkeypatch)
    assert gateway.upload().received == LENGTH
    assert gateway.pauses == 4


@pytest.mark.parametrize("offsets", [[-1], [LENGTH + 1], [0, 40, 39], [0, 40, LENGTH + 1]])
def test_an_offset_that_cannot_be_ends_it(
    offsets: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Below 0, beyond the file, or less than before."""
    with pytest.raises(errors.ProtocolError, match="received"):
        Gateway(offsets, monkeypatch).upload()
