"""Decision on a reported code by an operator: an audited act; a confirmed code's enterprise is told."""

from gateway.admin.audit_log import ActContext, record
from gateway.admin.errors import AdminRefusal, conflict, no_such
from gateway.codes import store as codes
from gateway.codes.reports import store
from gateway.codes.reports.model import Outcome, ReportStatus
from gateway.notices.kinds import NoticeKind
from gateway.notices.outbox import note


async def decide(
    context: ActContext, case_id: str, outcome: Outcome, reasons: str, *, revoke: bool = False
) -> str | AdminRefusal:
    """Decide an open case, and revoke its code if asked; the case's id."""
    case = await store.find_case(context.connection, case_id, lock=True)
    if case is None:
        return no_such("report")
    if case["status"] != ReportStatus.OPEN:
        return conflict("It was decided before; later reports are a case of their own.")
    if revoke and (outcome is not Outcome.CONFIRMED or case["uscc"] is None):
        return conflict("Only a code of ours that is confirmed forged or misused can be revoked.")
    actor = context.operator.credential
    is_revoked = revoke and await codes.revoke(
        context.connection,
        case["uscc"],
        case["code_key"],
        actor=actor,
        token_digest=None,
        now=context.now,
    )
    await store.save_decision(
        context.connection,
        case_id,
        status=outcome,
        actor=actor,
        reasons=reasons,
        revoked=is_revoked,
        now=context.now,
    )
    if outcome is Outcome.CONFIRMED and case["uscc"] is not None:
        await note(context.connection, NoticeKind.CODE_MISUSED, case["uscc"], now=context.now)
    verb = "revoke" if is_revoked else str(outcome)
    await record(context, f"code_report.{verb}", subject=case_id)
    return case_id
