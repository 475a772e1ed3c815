"""SMS channel: one form POST with a token; any answer but 200 is a failure."""

import logging
import socket
import traceback
from collections.abc import Iterator

import pytest

from gateway.notices.channels import HttpSms, UnsentError
from gateway.notices.templates import Message
from gateway.safe_fetch import MAX_RESPONSE_BYTES, FetchRoute
from tests.servers.sms_server import SmsServer, make_sms_server
from tests.waiting import PATIENCE

PHONE = "13800000000"
TOKEN = "made-up-token-of-the-sms-gateway"
MESSAGE = Message(
    subject="信桥通知 Xinqiao notice",
    text="杭州云栖数据科技有限公司：\n已向 银行&Co=1 同意授权\n",
    reference="ntc_1 plc_1",
)


@pytest.fixture
def server() -> Iterator[SmsServer]:
    """An SMS gateway."""
    with make_sms_server() as made:
        yield made


def sms(url: str, *, loopback: bool = True, timeout: float = PATIENCE) -> HttpSms:
    """The channel to it."""
    return HttpSms(url=url, token=TOKEN, loopback=loopback, route=FetchRoute(timeout=timeout))


async def test_a_message_is_one_form_with_the_number_the_text_and_a_reference(
    server: SmsServer,
) -> None:
    """The token is in a header; no name, place or id is sent."""
    await sms(server.url).send(PHONE, MESSAGE)
    (taken,) = server.taken
    assert (taken.method, taken.path) == ("POST", "/send")
    assert taken.headers["authorization"] == f"Bearer {TOKEN}"
    assert taken.headers["content-type"] == "application/x-www-form-urlencoded"
    assert set(taken.form) == {"to", "text", "reference"}
    assert (taken.form["to"], taken.form["text"]) == (PHONE, MESSAGE.text)
    assert not {PHONE, "ntc_1", "plc_1"} & {taken.form["reference"]}
    assert len(taken.form["reference"]) == 32
    assert int(taken.form["reference"], 16) >= 0
    assert set(taken.headers) == {
        "host", "accept", "accept-encoding", "connection", "user-agent",
        "content-type", "content-length", "authorization",
    }  # fmt: skip


async def test_the_same_message_to_the_same_number_has_the_same_reference(
    server: SmsServer,
) -> None:
    """Another number has another reference."""
    channel = sms(server.url)
    for number in (PHONE, PHONE, "13900000000"):
        await channel.send(number, MESSAGE)
    first, second, third = (each.form["reference"] for each in server.taken)
    assert first == second != third


@pytest.mark.parametrize("status", [201, 202, 204, 400, 401, 403, 429, 500, 503])
async def test_any_answer_but_200_is_a_failure(server: SmsServer, status: int) -> None:
    """One try; the outbox schedules retries."""
    server.statuses = [status]
    server.body = b"" if status == 204 else b"{}"
    with pytest.raises(UnsentError):
        await sms(server.url).send(PHONE, MESSAGE)
    assert len(server.taken) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(server: SmsServer, status: int) -> None:
    """Number and token are not sent elsewhere."""
    with make_sms_server() as elsewhere:
        server.statuses, server.location = [status], elsewhere.url
        with pytest.raises(UnsentError):
            await sms(server.url).send(PHONE, MESSAGE)
        assert elsewhere.taken == []
    assert len(server.taken) == 1


async def test_a_gateway_that_does_not_answer_is_left_after_the_time_out(
    server: SmsServer,
) -> None:
    """The worker continues."""
    server.stalls = True
    with pytest.raises(UnsentError):
        await sms(server.url, timeout=0.2).send(PHONE, MESSAGE)


async def test_a_gateway_that_is_not_there_or_never_stops_talking_has_taken_nothing(
    server: SmsServer,
) -> None:
    """A closed port, an endless answer."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(UnsentError):
        await sms(f"http://127.0.0.1:{port}/send").send(PHONE, MESSAGE)
    server.body = b"x" * (MAX_RESPONSE_BYTES + 1)
    with pytest.raises(UnsentError):
        await sms(server.url).send(PHONE, MESSAGE)


@pytest.mark.parametrize("url", ["http://sms.example.cn/send", "ftp://sms.example.cn/send"])
async def test_without_tls_nothing_is_sent_beyond_loopback(url: str) -> None:
    """Refused before DNS; outside the demo also for loopback."""
    with pytest.raises(UnsentError):
        await sms(url).send(PHONE, MESSAGE)


async def test_plain_http_to_loopback_is_the_demos_alone(server: SmsServer) -> None:
    """Production requires TLS for any address."""
    with pytest.raises(UnsentError):
        await sms(server.url, loopback=False).send(PHONE, MESSAGE)
    assert server.taken == []


async def test_neither_number_nor_token_nor_text_is_in_an_error_a_log_or_a_representation(
    server: SmsServer, caplog: pytest.LogCaptureFixture
) -> None:
    """At debug level, with tracebacks."""
    caplog.set_level(logging.DEBUG)
    server.statuses = [500]
    channel = sms(server.url)
    with pytest.raises(UnsentError) as raised:
        await channel.send(PHONE, MESSAGE)
    said = "".join((*traceback.format_exception(raised.value), caplog.text, repr(channel)))
    assert "UnfetchableError" in said
    assert not [each for each in (PHONE, TOKEN, "云栖") if each in said]
