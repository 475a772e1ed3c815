"""`code`: issue, reissue, revoke and list enterprise codes; bulk issue for a division; sheets of stickers.

Each act is written into the audit log under the operator's name, in its own transaction.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Final

import typer
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.admin.audit_log import ActContext, record
from gateway.admin.errors import AdminRefusal, conflict, no_such
from gateway.admin.operators import Operator
from gateway.cli.codes import options
from gateway.cli.codes.bulk_issue import bulk_issue
from gateway.cli.codes.list_codes import list_codes
from gateway.cli.codes.national import national
from gateway.cli.codes.options import Issuer, Label, LastDay
from gateway.cli.codes.sheets import sheets
from gateway.cli.exit import fail
from gateway.cli.operator_session import (
    current_operator,
    long_work,
    parse_id,
    plain_errors,
    run_act,
)
from gateway.cli.printing import print_members
from gateway.codes import store
from gateway.codes.bulk import batches
from gateway.codes.ids import code_url
from gateway.codes.model import Code
from gateway.codes.service import (
    LONGEST_TERM,
    MOST_A_DAY,
    MOST_VALID,
    Author,
    IssueRefusal,
    Sign,
    issue_code,
    reissue_code,
    revoke_code,
)
from gateway.creditfile.local_dates import SHANGHAI

REFUSALS: Final = {
    IssueRefusal.NOT_OPERATING: "There is no such enterprise in business.",
    IssueRefusal.TOO_MANY: f"The enterprise has {MOST_VALID} valid codes; revoke one first.",
    IssueRefusal.TOO_MANY_TODAY: f"{MOST_A_DAY} codes were issued for it within 24 hours.",
    IssueRefusal.NOT_REISSUABLE: "The code was revoked or replaced before; issue a new one.",
    IssueRefusal.TERM: f"A term ends in the future, within {LONGEST_TERM.days} days.",
}

app = typer.Typer(no_args_is_help=True, help="Enterprise codes (企业码).")
app.command("bulk")(bulk_issue)
app.command("list")(list_codes)
app.command("sheets")(sheets)
app.command("national")(national)

CodeId = Annotated[str, typer.Argument(help="The code's number, of 26 characters.")]


@app.command()
def issue(
    issuer: Issuer,
    uscc: Annotated[str, typer.Option(help="The enterprise.")],
    sign_name: Annotated[str, typer.Option(help="The name on the sign, 1 to 40 characters.")],
    label: Label = "",
    last_day: LastDay = None,
) -> None:
    """Issue a code for one sticker."""
    sign = Sign(
        sign_name=options.sign_name(sign_name),
        label=options.label_text(label),
        expires_at=options.term_end(last_day),
    )
    _print(run_act(partial(_issue, options.known_uscc(uscc), sign)), options.issuer_origin(issuer))


@app.command()
def reissue(
    issuer: Issuer,
    code_id: CodeId,
    sign_name: Annotated[str | None, typer.Option(help="Another name on the sign.")] = None,
    label: Annotated[str | None, typer.Option(help="Another place.")] = None,
    last_day: LastDay = None,
) -> None:
    """Issue a code in the place of one, which then says that it was replaced."""
    name = None if sign_name is None else options.sign_name(sign_name)
    place = None if label is None else options.label_text(label)
    end, now = options.term_end(last_day), datetime.now(UTC)

    def changed(code: Code) -> Sign:
        kept = code.expires_at if code.expires_at and code.expires_at > now else None
        return Sign(
            sign_name=code.sign_name if name is None else name,
            label=code.label if place is None else place,
            expires_at=end or kept,
        )

    act = partial(_reissue, options.known_code_id(code_id), changed)
    _print(run_act(act), options.issuer_origin(issuer))


@app.command()
def revoke(
    code_id: Annotated[str, typer.Argument(help="The code's number.")] = "",
    batch: Annotated[str, typer.Option(help="Instead: all codes of this bulk issue.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Revoke a code, or all of a bulk issue: lost stickers. There is no way back."""
    if bool(code_id) is bool(batch):
        fail("Name a code, or a bulk issue by --batch.")
    if not yes:
        typer.confirm(f"Revoke {code_id or f'all codes of {batch}'}?", abort=True)
    if code_id:
        run_act(partial(_revoke, options.known_code_id(code_id)))
        print(f"{code_id} is revoked.")
        return
    with plain_errors():
        done = asyncio.run(_revoke_batch(parse_id(batch), current_operator()))
    print(f"{done:,} codes of {batch} are revoked.")


async def _issue(uscc: str, sign: Sign, context: ActContext) -> Code | AdminRefusal:
    author = Author(actor=context.operator.credential)
    issued = await issue_code(context.connection, uscc, sign, author, now=context.now)
    return await _audited(context, "code.issue", issued)


async def _reissue(
    code_id: str, changed: Callable[[Code], Sign], context: ActContext
) -> Code | AdminRefusal:
    code = await store.find_code(context.connection, code_id)
    if code is None:
        return no_such("code")
    author = Author(actor=context.operator.credential)
    issued = await reissue_code(context.connection, code, changed, author, now=context.now)
    return await _audited(context, "code.reissue", issued)


async def _audited(
    context: ActContext, what: str, issued: Code | IssueRefusal
) -> Code | AdminRefusal:
    if isinstance(issued, IssueRefusal):
        return conflict(REFUSALS[issued])
    await record(context, what, subject=issued.code_id)
    return issued


async def _revoke(code_id: str, context: ActContext) -> bool | AdminRefusal:
    code = await store.find_code(context.connection, code_id)
    if code is None:
        return no_such("code")
    author = Author(actor=context.operator.credential)
    if not await revoke_code(context.connection, code, author, now=context.now):
        return conflict("The code was revoked or replaced before.")
    await record(context, "code.revoke", subject=code_id)
    return True


async def _revoke_batch(batch_id: str, operator: Operator) -> int:
    """Revoke a batch's codes page by page; the number of those revoked now."""
    total, done = 0, -1
    async with long_work(f"Revoking {batch_id}") as (engine, shown):
        await _record_batch(engine, batch_id, operator)
        while done:
            async with engine.begin() as connection:
                now = datetime.now(UTC)
                done = await batches.revoke_page(
                    connection, batch_id, actor=operator.credential, now=now
                )
            total += done
            shown.update(f"{total:,} codes revoked")
    return total


async def _record_batch(engine: AsyncEngine, batch_id: str, operator: Operator) -> None:
    async with engine.begin() as connection:
        if not await batches.batch_exists(connection, batch_id):
            fail("There is no such bulk issue.")
        now = datetime.now(UTC)
        context = ActContext(connection=connection, operator=operator, now=now, datasets=())
        await record(context, "code.revoke_batch", subject=batch_id)


def _print(code: Code, issuer: str) -> None:
    print_members(
        {
            "code_id": code.code_id,
            "address": code_url(issuer, code.code_id),
            "uscc": code.uscc,
            "name": code.printed_name,
            "sign_name": code.sign_name,
            "label": code.label,
            "check_phrase": code.check_phrase,
            "expires_at": code.expires_at and code.expires_at.astimezone(SHANGHAI).isoformat(),
        }
    )
