"""The name of a saved view, and whether the office sees it."""

from django import forms

from form_fields.fields import Line


class ViewForm(forms.Form):
    """A view's name; sharing is offered to those who may."""

    name = Line(max_length=60, error_messages={"required": "Give the view a name."})
    shared = forms.BooleanField(label="Share it with the office", required=False)

    def __init__(self, *args: object, may_share: bool, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        if not may_share:
            del self.fields["shared"]
