"""What a reader types into the filters of the desk."""

from django import forms

from cases.models import Event
from form_fields.fields import DatedForm, PaperDate

from .timeline import Filters


class TimelineForm(DatedForm):
    """Filters of the timeline, kept in the address. What cannot be read filters nothing."""

    kind = forms.ChoiceField(
        label="Kind of act", choices=[("", "All acts"), *Event.Kind.choices], required=False
    )
    person = forms.CharField(label="By whom", max_length=20, required=False)
    first_day = PaperDate(label="From", required=False)
    last_day = PaperDate(label="To", required=False)

    def filters(self, people: list[tuple[str, str]]) -> Filters:
        """What was asked for. Call it after ``is_valid``; a field in error filters nothing."""
        said = self.cleaned_data
        known = {value for value, _ in people}
        return Filters(
            kind=said.get("kind", ""),
            person=said.get("person", "") if said.get("person") in known else "",
            first_day=said.get("first_day"),
            last_day=said.get("last_day"),
        )
