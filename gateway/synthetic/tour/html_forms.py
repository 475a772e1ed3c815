"""HTML form parser: action, default field values and checkboxes of a page's forms."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

Attributes = list[tuple[str, str | None]]


@dataclass(slots=True)
class HtmlForm:
    """One form: action, default values, checkboxes and those ticked."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    boxes: dict[str, list[str]] = field(default_factory=dict)
    ticked: dict[str, list[str]] = field(default_factory=dict)

    def filled(self, **values: str | list[str]) -> dict[str, Any]:
        """The form data with these values; only offered checkboxes can be ticked."""
        for name, value in values.items():
            offered = self.boxes.get(name)
            missing = set(value) - set(offered) if offered is not None else set()
            if missing:
                raise ValueError(f"The page offers no {name}: {', '.join(sorted(missing))}.")
        return {**self.fields, **self.ticked, **values}


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[HtmlForm] = []

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and given.get("method", "get").lower() == "post":
            self.forms.append(HtmlForm(action=given.get("action", "")))
        elif tag == "input" and self.forms and given.get("name"):
            self._input(self.forms[-1], given, ticked="checked" in given)

    def _input(self, form: HtmlForm, given: dict[str, str], *, ticked: bool) -> None:
        name, value = given["name"], given.get("value", "")
        if given.get("type") != "checkbox":
            form.fields[name] = value
            return
        form.boxes.setdefault(name, []).append(value)
        if ticked:
            form.ticked.setdefault(name, []).append(value)


def forms_in(page: str) -> list[HtmlForm]:
    """The POST forms of a page, in order."""
    parser = _Forms()
    parser.feed(page)
    return parser.forms


def form_with(page: str, name: str) -> HtmlForm:
    """The first form with a field of this name."""
    for form in forms_in(page):
        if name in form.fields or name in form.boxes:
            return form
    raise LookupError(f"The page has no form with a field {name!r}.")
