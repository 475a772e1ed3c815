"""Portal pages on which an enterprise issues a code for a sign, and reissues one that is out of date."""

import re
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

from starlette.responses import Response

from gateway.codes import store
from gateway.codes.ids import PHRASE_BYTES, RANDOM_BYTES
from gateway.codes.model import Code, Registration
from gateway.codes.portal.code_view import view_of
from gateway.codes.portal.guards import own_code
from gateway.codes.service import (
    MOST_A_DAY,
    MOST_VALID,
    Author,
    IssueRefusal,
    Sign,
    issue_code,
    reissue_code,
)
from gateway.codes.sign_text import (
    MAX_LABEL,
    MAX_SIGN_NAME,
    TextProblem,
    parse_label,
    parse_sign_name,
)
from gateway.creditfile.local_dates import day_of, end_of
from gateway.identity.permissions import Permission
from gateway.identity.session_dependency import UsingVisitor, Visitor
from gateway.pages.forms import Fields, single_value
from gateway.pages.i18n import Translated
from gateway.pages.page_route import EarlyResponse, PageRoute, see_other
from gateway.pages.rendering import PageRenderer, format_end
from gateway.prefix_router import PrefixRouter
from gateway.rfc3339 import parse_date
from gateway.runtime import Runtime, UsingRuntime

router = PrefixRouter(route_class=PageRoute, include_in_schema=False)
renderer: Final = PageRenderer("gateway.codes")

FORM_ID: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)
TEXT_PROBLEMS: Final[Mapping[TextProblem, Translated]] = {
    TextProblem.EMPTY: Translated("请填写店招名称。", "Please enter the name on the sign."),
    TextProblem.TOO_LONG: Translated("字数过多，请缩短。", "This is too long; please shorten it."),
    TextProblem.CHARACTERS: Translated(
        "含有符号、表情或无法印出的字符，请去掉。",
        "It has symbols, emoji or characters that cannot be printed; leave them out.",
    ),
    TextProblem.PERSONAL_NUMBER: Translated(
        "不能包含证件号码或电话号码。", "It may not hold an ID or phone number."
    ),
    TextProblem.CLAIM: Translated(
        "不能包含网址、官方结论或加好友、付款等字样，请只写店名。",
        "It may not hold an address, an official verdict or a call to pay or chat; "
        "write the shop's name alone.",
    ),
}
TERM: Final = Translated(
    "有效期应为今天之后、十年以内的日期。", "The last day lies after today, within ten years."
)
REFUSALS: Final[Mapping[IssueRefusal, Translated]] = {
    IssueRefusal.NOT_OPERATING: Translated(
        "企业已注销或吊销，不能签发企业码。",
        "The enterprise is no longer in business; it gets no code.",
    ),
    IssueRefusal.TOO_MANY: Translated(
        f"已有 {MOST_VALID} 个有效的企业码，请先作废不用的。",
        f"There are {MOST_VALID} valid codes; please revoke one that is not used.",
    ),
    IssueRefusal.TOO_MANY_TODAY: Translated(
        f"24 小时内已签发 {MOST_A_DAY} 个，请明天再试。",
        f"{MOST_A_DAY} codes were issued within 24 hours; please try again tomorrow.",
    ),
    IssueRefusal.NOT_REISSUABLE: Translated(
        "这个企业码已作废或已换发。", "This code was revoked or replaced."
    ),
    IssueRefusal.TERM: TERM,
}


class Problem(NamedTuple):
    """A rejected form: the sentence about it, and the fields that are meant."""

    text: Translated
    field: str | None = None


@router.get("/portal/enterprises/{uscc}/codes/new")
async def show_issue_form(uscc: str, runtime: UsingRuntime, visitor: UsingVisitor) -> Response:
    """Show the form that issues a code."""
    registration = await _own_registration(uscc, runtime, visitor)
    kept = await visitor.kept_form(f"issue {uscc}")
    return _issue_form(visitor, uscc, registration, kept or Fields({}), None)


@router.post("/portal/enterprises/{uscc}/codes/new")
async def issue(uscc: str, runtime: UsingRuntime, visitor: UsingVisitor) -> Response:
    """Issue a code; a form that is posted twice issues one."""
    fields = await visitor.form(f"issue {uscc}")
    registration = await _own_registration(uscc, runtime, visitor)
    now = runtime.now()
    sign = _parse_sign(fields, now)
    if isinstance(sign, Problem):
        return _issue_form(visitor, uscc, registration, fields, sign)
    seed = runtime.digests.of("enterprise_code", _act_of(uscc, fields, sign))
    async with runtime.engine.begin() as connection:
        issued = await issue_code(
            connection,
            uscc,
            sign,
            Author(**visitor.authorship),
            randomness=seed[: RANDOM_BYTES + PHRASE_BYTES],
            now=now,
        )
    if isinstance(issued, IssueRefusal):
        return _issue_form(visitor, uscc, registration, fields, Problem(REFUSALS[issued]))
    return see_other(f"/portal/codes/{issued.code_id}?notice=issued")


@router.get("/portal/codes/{code_id}/reissue")
async def show_reissue_form(code_id: str, runtime: UsingRuntime, visitor: UsingVisitor) -> Response:
    """Show the form that replaces a code, filled with what its sticker says."""
    code, registration = await _own(code_id, runtime, visitor)
    kept = await visitor.kept_form(f"reissue {code_id}")
    fields = kept or _fields_of(code, runtime.now())
    return _reissue_form(runtime, visitor, code, registration, fields, None)


@router.post("/portal/codes/{code_id}/reissue")
async def reissue(code_id: str, runtime: UsingRuntime, visitor: UsingVisitor) -> Response:
    """Replace a code; posted again, it leads to the one that was issued."""
    fields = await visitor.form(f"reissue {code_id}")
    code, registration = await _own(code_id, runtime, visitor)
    now = runtime.now()
    sign = _parse_sign(fields, now)
    if isinstance(sign, Problem):
        return _reissue_form(runtime, visitor, code, registration, fields, sign)
    author = Author(**visitor.authorship)
    async with runtime.engine.begin() as connection:
        issued = await reissue_code(connection, code, lambda _: sign, author, now=now)
    if issued is IssueRefusal.NOT_REISSUABLE:
        return see_other(f"/portal/codes/{code.replaced_by or code.code_id}")
    if isinstance(issued, IssueRefusal):
        problem = Problem(REFUSALS[issued])
        return _reissue_form(runtime, visitor, code, registration, fields, problem)
    return see_other(f"/portal/codes/{issued.code_id}?notice=reissued")


async def _own_registration(uscc: str, runtime: Runtime, visitor: Visitor) -> Registration:
    visitor.require(Permission.CODES, uscc)
    async with runtime.engine.connect() as connection:
        found = await store.find_registration(connection, uscc)
    if found is None:
        raise EarlyResponse(visitor.not_found())
    return found


async def _own(code_id: str, runtime: Runtime, visitor: Visitor) -> tuple[Code, Registration]:
    async with runtime.engine.connect() as connection:
        code = await own_code(connection, visitor, code_id)
    return code, await _own_registration(code.uscc, runtime, visitor)


def _fields_of(code: Code, now: datetime) -> Fields:
    """The fields of a form as a code's sticker has them; a term that is over is left out."""
    fields = {"sign_name": [code.sign_name], "label": [code.label]}
    if code.expires_at is not None and code.expires_at > now:
        fields["last_day"] = [format_end(code.expires_at)]
    return Fields(fields)


def _parse_sign(fields: Fields, now: datetime) -> Sign | Problem:
    """The sign in a posted form, or the first problem with it."""
    today, last_day = day_of(now), single_value(fields, "last_day").strip()
    sign_name = parse_sign_name(single_value(fields, "sign_name"), today=today)
    if isinstance(sign_name, TextProblem):
        return Problem(TEXT_PROBLEMS[sign_name], "sign_name")
    label = parse_label(single_value(fields, "label"), today=today)
    if isinstance(label, TextProblem):
        return Problem(TEXT_PROBLEMS[label], "label")
    try:
        expires_at = end_of(parse_date(last_day)) if last_day else None
    except ValueError:
        return Problem(TERM, "last_day")
    return Sign(sign_name=sign_name, label=label, expires_at=expires_at)


def _act_of(uscc: str, fields: Fields, sign: Sign) -> bytes:
    """One act of issue: the same form posted again, with the same sign."""
    term = sign.expires_at.isoformat() if sign.expires_at else ""
    return "\n".join(("portal", uscc, _form_id(fields), sign.sign_name, sign.label, term)).encode()


def _issue_form(
    visitor: Visitor, uscc: str, registration: Registration, fields: Fields, problem: Problem | None
) -> Response:
    return _form(
        visitor,
        "codes/new_code.html",
        {"uscc": uscc, "name": registration.name},
        f"/portal/enterprises/{uscc}/codes/new",
        f"issue {uscc}",
        fields,
        problem,
        form_id=_form_id(fields),
    )


def _form_id(fields: Fields) -> str:
    """The id of a form that has been shown, or a new one; it makes a second post the same act."""
    given = single_value(fields, "form_id")
    return given if FORM_ID.fullmatch(given) else secrets.token_hex(16)


def _reissue_form(
    runtime: Runtime,
    visitor: Visitor,
    code: Code,
    registration: Registration,
    fields: Fields,
    problem: Problem | None,
) -> Response:
    return _form(
        visitor,
        "codes/reissue.html",
        {"uscc": code.uscc, "name": registration.name},
        f"/portal/codes/{code.code_id}/reissue",
        f"reissue {code.code_id}",
        fields,
        problem,
        view=view_of(code, registration, runtime.now()),
    )


def _form(
    visitor: Visitor,
    template: str,
    enterprise: Mapping[str, str],
    action: str,
    purpose: str,
    fields: Fields,
    problem: Problem | None,
    **context: object,
) -> Response:
    """The page of a form."""
    return renderer.visitor_page(
        visitor,
        template,
        status=422 if problem else 200,
        tab="codes",
        enterprise=enterprise,
        action=action,
        csrf=visitor.token(purpose),
        problem=problem.text if problem else None,
        problem_field=problem.field if problem else None,
        values={name: single_value(fields, name) for name in ("sign_name", "label", "last_day")},
        longest={"sign_name": MAX_SIGN_NAME, "label": MAX_LABEL},
        **context,
    )
