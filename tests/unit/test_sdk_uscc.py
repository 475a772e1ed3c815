"""SDK handling of USCCs: warning before sending, same rules as the gateway."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import verification
from verification import NotACode, enterprise_code
from verification.uscc import ALPHABET
from xinqiao import errors
from xinqiao._core.wire.uscc import is_code, warnings_of
from xinqiao.testing import FakeGateway

RIGHT, WRONG = "91330106MAHD08319M", "91330106MAHD08319N"
PERSONAL = "933840198503150011"
VECTORS: dict[str, Any] = json.loads(
    (Path(verification.__file__).parent / "vectors" / "uscc.json").read_text("utf-8")
)
TYPED = st.text(st.sampled_from([*ALPHABET, "O", "９", " ", "l"]), max_size=20) | st.builds(
    "9{}{}".format, st.sampled_from("123"), st.from_regex(r"\A[0-9]{4}(19|20)[0-9]{9}[0-9X]\Z")
)


def test_a_code_with_a_wrong_check_character_is_warned_of_and_sent(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Logged without the code; the answer carries the warning too."""
    with FakeGateway().client() as client, caplog.at_level(logging.WARNING, "xinqiao"):
        result = client.verify(RIGHT, purpose="tender", questions=["is_active.v1"])
        assert (caplog.messages, result.warnings) == ([], ())
        result = client.verify(WRONG, purpose="tender", questions=["is_active.v1"])
        assert result.warnings == ("check_character",)
        client.request_consent(WRONG, purpose="tender", datasets=["penalty"])
    assert len(caplog.messages) == 2
    assert not any(WRONG in each for each in caplog.messages)


def test_an_error_carries_the_warning_too() -> None:
    """Warnings of the problem document."""
    with FakeGateway().client() as client, pytest.raises(errors.NotAvailable) as caught:
        client.query(WRONG, purpose="tender", datasets=["penalty"])
    assert caught.value.warnings == ("check_character",)


def test_the_fake_gateway_refuses_a_persons_number(caplog: pytest.LogCaptureFixture) -> None:
    """As the gateway; the SDK logs no digits of it."""
    with FakeGateway().client() as client, pytest.raises(errors.InvalidUscc):
        client.verify(PERSONAL, purpose="tender", questions=["is_active.v1"])
    assert PERSONAL not in caplog.text


@given(st.sampled_from([each["input"] for each in VECTORS["enterprises"]]) | TYPED)
def test_the_sdk_and_the_gateway_know_the_same_codes(text: str) -> None:
    """Two implementations of the standard agree."""
    code = enterprise_code(text)
    assert is_code(text) is not isinstance(code, NotACode)
    wrong = not isinstance(code, NotACode) and not code.check_agrees
    assert warnings_of(text) == (["check_character"] if wrong else [])
