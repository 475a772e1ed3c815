"""Sensitive subjects, recognised by words in the names of fields."""

import re

from gateway.creditfile.catalogue.field_definition import FieldDefinition
from gateway.creditfile.catalogue.parts import CataloguePart, Name


class Subject(CataloguePart):
    """A sensitive subject, and the words that indicate it."""

    subject: Name
    words: tuple[str, ...]

    def is_mentioned_in(self, field: FieldDefinition) -> bool:
        """True if a field's names contain one of the words; English ones as whole words."""
        english = set(re.split(r"[^a-z0-9]+", f"{field.name} {field.en}".lower()))
        return any(
            word in english or field.name == word if word.isascii() else word in field.zh
            for word in self.words
        )
