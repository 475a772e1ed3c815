"""Published tables for the SDK's fake gateway, from the catalogue and the code; `make docs` writes them."""

import json
from pathlib import Path
from typing import Any, Final

from gateway import problems
from gateway.clients.bundles import PUBLISHED as BUNDLES
from gateway.consents.bundle_routes import described
from gateway.creditfile.catalogue import Catalogue, load_catalogue
from gateway.creditfile.catalogue.field_definition import FieldDefinition
from gateway.oauth.dpop import use_nonce
from gateway.oauth.errors import SENTENCES, unavailable

PUBLISHED: Final = (
    Path(__file__).parents[2] / "sdk" / "src" / "xinqiao" / "testing" / "published.json"
)


def tables_of(catalogue: Catalogue) -> dict[str, Any]:
    """Fields by dataset, bundles, problems by code, descriptions of OAuth errors."""
    return {
        "catalogue_version": catalogue.version,
        "fields": {
            code: {field.name: _field(field) for field in catalogue.dataset(code).fields}
            for code in sorted(catalogue.codes)
        },
        "bundles": [described(each).model_dump(exclude_none=True) for each in BUNDLES],
        "problems": _problems(),
        "oauth_errors": dict(sorted({**SENTENCES, **_made()}.items())),
    }


def _field(field: FieldDefinition) -> dict[str, Any]:
    """Type on the wire, values; and whether it may need a separate consent, or a licence."""
    kind = "text" if field.type == "free_text" else field.type
    separate = field.separate_consent or field.of_individual_business.separate_consent
    return {
        "type": kind,
        **({"values": list(field.values)} if field.values else {}),
        **({"separate": True} if separate else {}),
        **({"personal": True} if field.personal else {}),
    }


def _made() -> dict[str, str]:
    """Descriptions of errors that are made in one place."""
    return {each.error: each.description for each in (unavailable(""), use_nonce(""))}


def _problems() -> dict[str, Any]:
    """Status, title and sentence; two have no error class, and their title is their sentence."""
    told = {code: each["detail"] for code, each in problems.by_code().items()}
    told |= {
        code: f"{english}."
        for code, (_, _, english) in problems.TABLE.items()
        if code not in told and code != "internal_error"
    }
    documents = {code: problems.document(code, detail) for code, detail in sorted(told.items())}
    return {
        code: {name: each[name] for name in ("status", "title", "detail")}
        for code, each in documents.items()
    }


def text_of(catalogue: Catalogue) -> str:
    """The file: one field or problem a line."""
    written = json.dumps(tables_of(catalogue), ensure_ascii=False, indent=1)
    return written + "\n"


if __name__ == "__main__":
    print(text_of(load_catalogue()), end="")
