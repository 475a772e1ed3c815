"""All routes of the portal."""

from gateway.pages import static
from gateway.portal import contact_pages, home, my_record, self_assessment, sign_in
from gateway.portal.access_history import page
from gateway.portal.consents import (
    consent_downloads,
    end_cool_down,
    inherited_consents,
    link_request,
    my_consents,
    narrow_consent,
    receipt_check,
    redirect_request,
)
from gateway.portal.delegates import invitations, pages
from gateway.portal.objections import my_objections, new_objection
from gateway.portal.repairs import my_applications, new_application
from gateway.prefix_router import PrefixRouter

router = PrefixRouter(include_in_schema=False)
for module in (
    static,
    sign_in,
    home,
    invitations,
    redirect_request,
    pages,
    link_request,
    narrow_consent,
    contact_pages,
    consent_downloads,
    receipt_check,
    inherited_consents,
    end_cool_down,
    my_consents,
    page,
    my_record,
    self_assessment,
    new_objection,
    my_objections,
    new_application,
    my_applications,
):
    router.include_router(module.router)
