"""The data catalogue: datasets, fields, clocks and procedures; its versions, and what a new one changes."""

from gateway.creditfile.catalogue.catalogue import (
    PUBLISHED_CATALOGUE,
    Catalogue,
    CatalogueError,
    UnknownDatasetError,
    load_catalogue,
    opens_by_condition,
    require_separate_consents,
)

__all__ = [
    "PUBLISHED_CATALOGUE",
    "Catalogue",
    "CatalogueError",
    "UnknownDatasetError",
    "load_catalogue",
    "opens_by_condition",
    "require_separate_consents",
]
