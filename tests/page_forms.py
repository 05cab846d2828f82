"""The forms of a page, as a browser would send them."""

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Form:
    """A form of a page as a browser would send it."""

    action: str
    name: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    free_text: set[str] = field(default_factory=set)  # fields that a person fills with words
    buttons: list[tuple[str, str, str]] = field(default_factory=list)  # address, name, value


class FormReader(HTMLParser):
    """Reads the forms of a page."""

    def __init__(self):
        super().__init__()
        self.forms = []
        self._elsewhere = []
        self._form = self._select = self._text = None

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag == "form":
            self._form = Form(attributes.get("action", ""), attributes.get("id", ""))
            self.forms.append(self._form)
        if "disabled" in attributes:
            return
        name, value = attributes.get("name", ""), attributes.get("value") or ""
        if tag == "button" and "form" in attributes:  # it stands elsewhere and names its form
            button = (attributes.get("formaction", ""), name, value)
            self._elsewhere.append((attributes["form"], button))
            return
        if self._form is None:
            return
        if tag == "input":
            self._input(attributes.get("type", "text"), name, value, attributes)
        elif tag == "button" and attributes.get("type", "submit") == "submit":
            self._form.buttons.append((attributes.get("formaction", ""), name, value))
        elif tag == "textarea":
            self._text = name
            self._form.fields.append((name, ""))
            self._form.free_text.add(name)
        elif tag == "select":
            self._select = name
        elif tag == "option" and "selected" in attributes and self._select:
            self._form.fields.append((self._select, value))

    def give_buttons_to_their_forms(self):
        for name, button in self._elsewhere:
            for form in self.forms:
                if form.name == name:
                    form.buttons.append(button)

    def _input(self, kind, name, value, attributes):
        if kind in {"checkbox", "radio"}:
            if "checked" in attributes:
                self._form.fields.append((name, value or "on"))
            return
        self._form.fields.append((name, value))
        if kind == "text" and "data-reads" not in attributes:
            self._form.free_text.add(name)

    def handle_data(self, data):
        if self._text:
            name, before = self._form.fields[-1]
            self._form.fields[-1] = (name, before + data)

    def handle_endtag(self, tag):
        if tag == "form":
            self._form = None
        elif tag == "textarea":
            self._text = None
        elif tag == "select":
            self._select = None
