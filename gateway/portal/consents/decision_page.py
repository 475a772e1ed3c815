"""The decision page of a requested consent and what its form does, by link and by redirect."""

from dataclasses import fields as fields_of
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from consent import Consent, Giver, Status, status_at
from consent import store as consents
from consent.consent_text import ConsentText
from gateway.clients.bundles import beyond_usual
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.disclosure_class import Audience
from gateway.identity.permissions import Permission
from gateway.identity.session_dependency import Visitor
from gateway.pages.forms import Fields
from gateway.pages.i18n import Translated
from gateway.pages.rendering import PageRenderer
from gateway.pages.security_headers import self_and
from gateway.portal import labels
from gateway.portal.consents.apply_decision import apply_decision, cooling_refusal
from gateway.portal.consents.decision import Choice, DecisionProblem, OpenRequest, decider_of
from gateway.portal.consents.decision_form import (
    ScopeInput,
    choice_of,
    dataset_fields,
    fields_digest,
)
from gateway.portal.consents.labels import PROBLEM_FIELDS, problem_text
from gateway.portal.page_queries import ClientCard
from gateway.runtime import Runtime

ORGANISATION: Final = Translated("机构", "Organisation")
TEXT_PARTS: Final = tuple(
    each.name for each in fields_of(ConsentText) if each.name not in {"questions", "items"}
)

renderer: Final = PageRenderer("gateway.portal")


async def show_decision(
    connection: AsyncConnection,
    runtime: Runtime,
    visitor: Visitor,
    opened: OpenRequest,
    *,
    entered: ScopeInput | None = None,
    problem: DecisionProblem | None = None,
) -> Response:
    """The decision page, with what was `entered` before; in a cool-down (R9) the cool-down page."""
    asked, now = opened.consent, runtime.now()
    changes = await consents.by_id(connection, asked.amends) if asked.amends else None
    relation = asked.client_id, asked.uscc, asked.purpose
    cooling = await cooling_refusal(connection, *relation, now=now)
    if cooling is not None:
        return cool_down_page(visitor, opened.client, cooling, opened=opened)
    running = [
        each
        for each in await consents.open_for(connection, *relation)
        if asked.amends is None and status_at(each, now) in {Status.ACTIVE, Status.PAUSED}
    ]
    return _decision_page(
        visitor,
        opened,
        changes,
        runtime.catalogue,
        replaces=running[0] if running else None,
        entered=entered,
        problem=problem,
    )


async def submit_decision(
    connection: AsyncConnection,
    runtime: Runtime,
    visitor: Visitor,
    opened: OpenRequest,
    fields: Fields,
) -> Choice | DecisionProblem:
    """The choice in the form's fields, written; or why not (the caller rolls back)."""
    asked, now = opened.consent, runtime.now()
    shown = dataset_fields(asked.datasets, runtime.catalogue, opened.enterprise.kind)
    in_person = visitor.session.may(asked.uscc, Permission.IN_PERSON)
    choice = choice_of(fields, opened, shown_fields=shown, in_person=in_person, now=now)
    if isinstance(choice, DecisionProblem):
        return choice
    decider = decider_of(visitor, opened, choice, fields, shown_fields=shown)
    problem = await apply_decision(
        connection, asked, choice, decider, interaction=opened.interaction, now=now
    )
    return problem or choice


def cool_down_page(
    visitor: Visitor,
    client: ClientCard,
    refusal: Consent,
    *,
    opened: OpenRequest | None = None,
    onward: str = "",
) -> Response:
    """The page that the client may not ask again before the cool-down of `refusal` has ended.

    An `opened` request can be refused there; otherwise a button leads `onward`.
    """
    return renderer.visitor_page(
        visitor,
        "portal/cool_down.html",
        form_action=_form_targets(opened) if opened else ("'self'",),
        client=client,
        refusal=refusal,
        opened=opened,
        onward=onward,
    )


def _decision_page(
    visitor: Visitor,
    opened: OpenRequest,
    changes: Consent | None,
    catalogue: Catalogue,
    *,
    replaces: Consent | None,
    entered: ScopeInput | None,
    problem: DecisionProblem | None,
) -> Response:
    asked, kind = opened.consent, opened.enterprise.kind
    in_person = visitor.session.may(asked.uscc, Permission.IN_PERSON)
    open_items = [
        each.item for each in opened.needed if in_person or each.giver is not Giver.PERSON
    ]
    separated = {each.item for each in opened.needed}
    said = {
        name: each and Translated(each.zh, each.en)
        for name in TEXT_PARTS
        for each in (getattr(opened.text, name),)
    }
    return renderer.visitor_page(
        visitor,
        "portal/decide.html",
        status=422 if problem else 200,
        address={"uscc": opened.enterprise.uscc} if opened.interaction else {},
        form_action=_form_targets(opened),
        opened=opened,
        client_kind=labels.CLIENT_KINDS.get(opened.client.kind, ORGANISATION),
        purpose=labels.purpose_name(asked.purpose),
        said=said,
        automated=bool(opened.agreement and opened.agreement.automated_decisions),
        names=opened.names,
        field_names={code: labels.field_names(code, catalogue, kind) for code in asked.datasets},
        public_fields={
            f"{code}.{each.name}"
            for code in asked.datasets
            for each in catalogue.fields_for(code, Audience.PUBLIC, kind)
        },
        beyond=beyond_usual(asked.purpose, asked.datasets, asked.questions),
        separated=separated,
        open_items=open_items,
        reserved=[each.item for each in opened.needed if each.item not in open_items],
        questions=[tag for tag in asked.questions if tag not in separated],
        separate_questions=[tag for tag in asked.questions if tag in separated],
        may_grant=opened.agreement is not None,
        changes=changes,
        replaces=replaces,
        held_separate={each.item for each in changes.separate_consents} if changes else set(),
        now_allowed=labels.items_of(changes, catalogue) if changes else [],
        asked_for=ScopeInput.of_scope(asked.scope),
        entered=entered or ScopeInput.of_scope(asked.scope),
        problem=problem and problem_text(problem, least=1, most=asked.max_uses),
        problem_field=PROBLEM_FIELDS.get(problem or ""),
        fields_digest=fields_digest(dataset_fields(asked.datasets, catalogue, kind), opened.needed),
    )


def _form_targets(opened: OpenRequest) -> tuple[str, ...]:
    """This gateway and, for a request by redirect, the client that the decision leads to."""
    return self_and(opened.interaction.redirect_origin if opened.interaction else "")
