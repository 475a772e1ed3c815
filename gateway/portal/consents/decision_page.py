"""The decision page of a requested consent and what its form does, by link and by redirect."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from consent import Consent
from consent import store as consents
from gateway.identity.interactions import Interaction
from gateway.identity.permissions import Permission
from gateway.identity.session_dependency import Visitor
from gateway.pages.forms import Fields
from gateway.portal.consents import decision_view
from gateway.portal.consents.apply_decision import apply_decision, cooling_until
from gateway.portal.consents.decision import Choice, DecisionProblem, decider_of
from gateway.portal.consents.decision_form import choice_of, fields_behind
from gateway.portal.page_queries import ClientCard, EnterpriseCard
from gateway.runtime import Runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRequest:
    """A requested consent that this person may decide now."""

    consent: Consent
    enterprise: EnterpriseCard
    client: ClientCard
    action: str
    """Where the form is posted."""
    form: str
    """What the form's CSRF token is bound to."""
    interaction: Interaction | None = None
    """Of a request by redirect."""


async def show_decision(
    connection: AsyncConnection,
    request: Request,
    runtime: Runtime,
    visitor: Visitor,
    opened: OpenRequest,
) -> Response:
    """The page; within a cool-down the page that says so."""
    asked, now = opened.consent, runtime.now()
    changes = await consents.by_id(connection, asked.amends) if asked.amends else None
    relation = asked.client_id, asked.uscc, asked.purpose
    page = decision_view.DecisionPage(
        action=opened.action,
        form=opened.form,
        redirect_origin=opened.interaction.redirect_origin if opened.interaction else "",
        client=opened.client,
        enterprise=opened.enterprise,
        scope=asked.scope,
        purpose=asked.purpose,
        text=decision_view.text_before(opened.client, opened.enterprise, asked.purpose),
        cooling_until=await cooling_until(connection, *relation, now=now),
        changes=changes,
        in_person=visitor.session.may(asked.uscc, Permission.IN_PERSON),
    )
    return decision_view.decision(request, visitor, page, catalogue=runtime.catalogue)


async def submit_decision(
    connection: AsyncConnection,
    request: Request,
    runtime: Runtime,
    visitor: Visitor,
    opened: OpenRequest,
    fields: Fields,
) -> Choice | DecisionProblem:
    """The choice in the form's fields, written; or why not (the caller rolls back)."""
    asked, now = opened.consent, runtime.now()
    text = decision_view.text_before(opened.client, opened.enterprise, asked.purpose)
    behind = fields_behind(asked.datasets, runtime.catalogue)
    choice = choice_of(
        fields,
        asked.scope,
        text,
        shown_fields=behind,
        card=opened.enterprise,
        in_person=visitor.session.may(asked.uscc, Permission.IN_PERSON),
        now=now,
    )
    if isinstance(choice, DecisionProblem):
        return choice
    decider = decider_of(request, visitor, text, fields, shown_fields=behind)
    problem = await apply_decision(
        connection, asked, choice, decider, interaction=opened.interaction, now=now
    )
    return problem or choice
