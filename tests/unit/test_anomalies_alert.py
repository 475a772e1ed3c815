"""Alert secrets and signatures (Standard Webhooks)."""

import pytest

from gateway.anomalies.alert import AlertHook, parse_secret, signed_headers


def test_the_signature_is_that_of_the_published_example() -> None:
    """Of the specification's reference libraries."""
    key = parse_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = signed_headers(
        key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}'
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_c2hvcnQ=",
        "whsec_*",
        "whsec_" + "A" * 88,
    ],
)
def test_a_secret_that_is_none_is_refused(secret: str) -> None:
    """Without prefix, too short, too long, no base64."""
    with pytest.raises(ValueError, match="24 to 64 random bytes"):
        parse_secret(secret)


def test_a_hook_does_not_print_its_key() -> None:
    """Nor an error with it."""
    hook = AlertHook.parse("https://alerts.test/", "whsec_" + "QUJD" * 8, loopback=False)
    assert "ABC" not in repr(hook)
