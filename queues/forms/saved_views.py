"""The form of a saved view: its name, and whether it is shared with the office."""

from django import forms

from form_fields.fields import LineField


class ViewForm(forms.Form):
    """The name of a view, and sharing for those who may share."""

    name = LineField(max_length=60, error_messages={"required": "Give the view a name."})
    shared = forms.BooleanField(label="Share with the office", required=False)

    def __init__(self, *args: object, may_share: bool, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        if not may_share:
            del self.fields["shared"]
