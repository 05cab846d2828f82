"""What is keyed about tests of fairness: the days to test, and what came of looking into one."""

from django import forms

from form_fields.fields import DatedForm, Line, PaperDate


class PeriodForm(DatedForm):
    """The days whose choices are tested, both included."""

    first = PaperDate(label="First day", error_messages={"required": "Enter the first day."})
    last = PaperDate(label="Last day", error_messages={"required": "Enter the last day."})

    def clean_last(self) -> object:
        """:raises ValidationError: the day is to come, or before the first."""
        last, first = self.cleaned_data["last"], self.cleaned_data.get("first")
        if last > self.today:
            raise forms.ValidationError("This day is in the future. Enter today or earlier.")
        if first and last < first:
            raise forms.ValidationError("This day is before the first. Turn the two round.")
        return last


class LookedIntoForm(forms.Form):
    """What somebody who looked into a test found."""

    words = Line(
        label="What you looked at, and what you found",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": "Say what you looked at and what you found."},
    )
