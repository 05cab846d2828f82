"""Forms of actions on many cases."""

from collections.abc import Sequence
from typing import Any

from django import forms

from accounts.models import User
from accounts.names import name_actor


class AssignForm(forms.Form):
    """The person who gets the cases."""

    person = forms.TypedChoiceField(
        label="Assign to",
        coerce=int,
        error_messages={
            "required": "Choose a person.",
            "invalid_choice": "Choose a person whose role acts next on one of these cases.",
        },
    )

    def __init__(self, *args: Any, people: Sequence[User], reader: User, **options: Any) -> None:
        super().__init__(*args, **options)
        choices = [("", "Choose"), *((one.pk, name_actor(one, reader=reader)) for one in people)]
        self.fields["person"].choices = choices  # type: ignore[attr-defined]

    def typed(self) -> dict[str, Any]:
        """Return the person as the service takes it. Call this on a valid form."""
        return {"person_id": self.cleaned_data["person"]}
