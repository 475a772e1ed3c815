"""Published tables of the gateway: fields of the datasets, bundles, problems, OAuth errors.

`published.json` is written by `make docs` from the gateway's own tables.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final

_TABLES: Final[Mapping[str, Any]] = json.loads(
    files("xinqiao.testing").joinpath("published.json").read_text(encoding="utf-8")
)
CATALOGUE_VERSION: Final[str] = _TABLES["catalogue_version"]
FIELDS: Final[Mapping[str, Mapping[str, Mapping[str, Any]]]] = _TABLES["fields"]
"""By dataset and name: `type`, and where it has them `values`, `separate` and `personal`."""
BUNDLES: Final[Mapping[str, Mapping[str, Any]]] = {
    each["bundle"]: each for each in _TABLES["bundles"]
}
"""By name, as `GET /v1/bundles` has them."""
PROBLEMS: Final[Mapping[str, Mapping[str, Any]]] = _TABLES["problems"]
"""By code: `status`, `title` and `detail`."""
OAUTH_ERRORS: Final[Mapping[str, str]] = _TABLES["oauth_errors"]
"""Descriptions by code."""
#: Statuses of errors at the token and the PAR endpoint, by code (RFC 6749, 9396 and 9449).
OAUTH_STATUSES: Final[Mapping[str, tuple[int, ...]]] = {
    **dict.fromkeys(OAUTH_ERRORS, (400,)),
    "invalid_client": (400, 401),
    "invalid_authorization_details": (400,),
    "invalid_target": (400,),
    "invalid_dpop_proof": (400,),
    "temporarily_unavailable": (429, 503),
}


def names_of(flag: str) -> list[str]:
    """Fields with a flag (`separate`, `personal`), as `dataset.field`."""
    return [
        f"{dataset}.{name}"
        for dataset, fields in FIELDS.items()
        for name, field in fields.items()
        if field.get(flag)
    ]
