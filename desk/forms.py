"""The form of the timeline's filters."""

from django import forms

from cases.models import Event
from form_fields.fields import DatedForm, PaperDate

from .timeline import Filters


class TimelineForm(DatedForm):
    """Filters of the timeline, kept in the address. Invalid fields are ignored."""

    kind = forms.ChoiceField(
        label="Kind of event", choices=[("", "All events"), *Event.Kind.choices], required=False
    )
    person = forms.CharField(label="By whom", max_length=20, required=False)
    first_day = PaperDate(label="From", required=False)
    last_day = PaperDate(label="To", required=False)

    def filters(self, people: list[tuple[str, str]]) -> Filters:
        """The filters that were entered. Call it after ``is_valid``; invalid fields are ignored."""
        entered = self.cleaned_data
        # Only those who acted on this case: an id in the address must not reveal a reviewer.
        known = {value for value, _ in people}
        return Filters(
            kind=entered.get("kind", ""),
            person=entered.get("person", "") if entered.get("person") in known else "",
            first_day=entered.get("first_day"),
            last_day=entered.get("last_day"),
        )
