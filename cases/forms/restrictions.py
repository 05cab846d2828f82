"""Forms of restricted cases: restrict a case, and clear a person for it."""

from collections.abc import Collection, Sequence
from typing import Any

from django import forms

from accounts.models import User
from accounts.names import name_actor
from accounts.roles import PERMISSIONS
from cases.models import CaseRestriction
from cases.related_cases import RelatedCase
from form_fields.fields import LetterText

_REASON = {"required": "Enter a reason."}
_NOT_RELATED = "The related cases have changed. Check the list, then save again."


class RestrictForm(forms.Form):
    """Why a case is restricted, and who is cleared for it at once."""

    ground = forms.ChoiceField(
        label="Why is the case restricted?",
        choices=CaseRestriction.Ground,
        error_messages={"required": "Choose why the case is restricted."},
    )
    reason = LetterText(label="Reason", max_length=500, error_messages=_REASON)
    cleared = forms.MultipleChoiceField(
        label="People to clear now",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": "Choose only people from this list."},
        help_text="You are cleared as well. The assigned reviewer keeps their own review.",
    )
    related = forms.TypedMultipleChoiceField(
        label="Cases to restrict as well",
        required=False,
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": _NOT_RELATED},
        help_text="Linked cases name each other, so they are restricted together. The same people "
        "are cleared for all of them, and all are lifted together.",
    )

    def __init__(
        self,
        *args: Any,
        people: list[tuple[str, str]],
        related: Sequence[RelatedCase],
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.fields["cleared"].choices = people  # type: ignore[attr-defined]
        _offer_related(self, related)


class RestrictRelatedForm(forms.Form):
    """Which more cases are restricted together with a restricted one, and why."""

    related = forms.TypedMultipleChoiceField(
        label="Cases to restrict as well",
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one case.", "invalid_choice": _NOT_RELATED},
    )
    reason = LetterText(label="Reason", max_length=500, error_messages=_REASON)

    def __init__(self, *args: Any, related: Sequence[RelatedCase], **options: Any) -> None:
        super().__init__(*args, **options)
        _offer_related(self, related)


class ClearForm(forms.Form):
    """The person to clear, and why."""

    person = forms.ChoiceField(label="Person", error_messages={"required": "Choose a person."})
    reason = LetterText(label="Reason", max_length=500, error_messages=_REASON)

    def __init__(
        self,
        *args: Any,
        people: list[tuple[str, str]],
        cleared: Collection[int] = (),
        **options: Any,
    ) -> None:
        """Offer people.

        :param cleared: ids of the people who are cleared already, for the sentence of a refusal.
        """
        super().__init__(*args, **options)
        field = self.fields["person"]
        field.choices = [("", "Choose a person"), *people]  # type: ignore[attr-defined]
        field.error_messages["invalid_choice"] = (
            "This person is already cleared for this case. Choose another person."
            if self.data.get("person") in {str(pk) for pk in cleared}
            else "This person cannot be cleared. Choose a person from the list."
        )


def _offer_related(form: forms.Form, related: Sequence[RelatedCase]) -> None:
    """Offer the related cases, all of them selected; leave the field out if there are none."""
    if not related:
        del form.fields["related"]
        return
    field = form.fields["related"]
    field.choices = [(one.case.pk, str(one)) for one in related]  # type: ignore[attr-defined]
    field.initial = [one.case.pk for one in related]


def list_people_to_clear(reader: User, *, without: set[int]) -> list[tuple[str, str]]:
    """List the people whose roles open cases, as values and names. One query."""
    roles = [role.value for role in PERMISSIONS["cases.view_case"]]
    people = User.objects.filter(is_active=True, groups__name__in=roles).exclude(pk__in=without)
    return sorted(
        {(str(one.pk), name_actor(one, reader=reader)) for one in people}, key=lambda one: one[1]
    )
