"""Forms that change or add dates: holds, extensions, priority, commitments."""

from datetime import date, datetime, time
from typing import Any

from django import forms

from cases.forms.received_documents import WithDocument
from cases.hold_reasons import reasons_for
from cases.models import Case, Hold, Priority, ServiceMethod
from cases.services.holds import select_deadlines_to_hold
from cases.services.priority import needs_information_time, needs_notice_time
from deadlines.days import PACIFIC
from deadlines.kinds import DEADLINE_KINDS
from deadlines.rules import LIABILITY
from form_fields.fields import DatedForm, KeyedDate, LetterText
from letters.models import Letter

_TIME_MESSAGES = {"invalid": "Enter the time as in 14:30."}


def _text_options(max_length: int = 500) -> dict[str, Any]:
    """Build the options of a text field of several lines."""
    return {"max_length": max_length, "widget": forms.Textarea(attrs={"rows": 2})}


class HoldForm(WithDocument):
    """Begin a hold; the objection or letter that is its reason may come with it."""

    field_order = ("reason", "deadline_kind", "starts_on", "planned_end", "note")

    reason = forms.ChoiceField(label="Reason")
    deadline_kind = forms.ChoiceField(label="Applies to", required=False)
    starts_on = KeyedDate(
        label="From", starts_today=True, error_messages={"required": "Enter the first day."}
    )
    planned_end = KeyedDate(
        label="Planned end",
        help_text="The first day after the hold. The hold ends automatically.",
        error_messages={"required": "Enter the planned end."},
    )
    note = LetterText(label="Note", required=False, **_text_options())

    def __init__(self, *args: Any, case: Case, **options: Any) -> None:
        super().__init__(*args, **options)
        # Only reasons that fit now, so that nobody chooses one that is refused.
        reasons = reasons_for(case.priority, case.stage)
        self.fields["reason"].choices = [  # type: ignore[attr-defined]
            (reason.code, f"{reason.label} (up to {reason.most_days} days)") for reason in reasons
        ]
        can_be_held = select_deadlines_to_hold(case).values_list("deadline_kind", flat=True)
        self.fields["deadline_kind"].choices = [  # type: ignore[attr-defined]
            ("", "The whole case"),
            *(
                (deadline_kind, DEADLINE_KINDS[deadline_kind].label)
                for deadline_kind in can_be_held
                if deadline_kind in DEADLINE_KINDS
            ),
        ]


class EndHoldForm(WithDocument):
    """End a hold; the notice that ended it may come with it."""

    field_order = ("ended_on", "method", "reason")

    ended_on = KeyedDate(
        label="Ended on",
        help_text="The first day after the hold.",
        error_messages={"required": "Enter the first day after the hold."},
    )
    method = forms.ChoiceField(
        label="How the notice that ended it was served",
        choices=ServiceMethod,
        help_text="The time to apply starts again from that service.",
    )
    reason = LetterText(
        label="Reason", error_messages={"required": "Enter why the hold ends."}, **_text_options()
    )

    def __init__(self, *args: Any, hold: Hold, **options: Any) -> None:
        super().__init__(*args, **options)
        # Only the end of a liability dispute restarts a deadline, from service of the notice.
        if hold.reason != LIABILITY:
            del self.fields["method"]


class ExtensionForm(DatedForm):
    """Record an approved extension."""

    days = forms.IntegerField(
        label="Days", min_value=1, max_value=3, error_messages={"invalid": "Enter 1, 2 or 3."}
    )
    approved_by = LetterText(
        label="Approved for the Administrative Director by",
        max_length=200,
        error_messages={"required": "Enter who approved it."},
    )
    approved_on = KeyedDate(
        label="Approved on", error_messages={"required": "Enter the date of the approval."}
    )
    letter_reference = LetterText(
        label="Approval letter",
        max_length=120,
        help_text="The reference of the letter that approves it.",
        error_messages={"required": "Enter the reference of the letter."},
    )
    good_cause = LetterText(
        label="Good cause", error_messages={"required": "Enter the good cause."}, **_text_options()
    )


class PriorityForm(WithDocument):
    """Change the priority of a case; a certification of urgency may come with its document."""

    field_order = ("new", "certified_by", "certified_on", "support")

    new = forms.ChoiceField(label="New priority")
    certified_by = LetterText(
        label="Certifying physician",
        max_length=200,
        required=False,
        help_text="For expedited review: certifies an imminent and serious threat to health.",
    )
    certified_on = KeyedDate(label="Certified on", required=False)
    support = LetterText(label="Support for the certification", required=False, **_text_options())
    notice_on = KeyedDate(label="Claims administrator informed on", required=False)
    notice_time = forms.TimeField(
        label="Time (PT)",
        required=False,
        help_text="For expedited review: the 24 hours for records start then.",
        error_messages=_TIME_MESSAGES,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    complete_on = KeyedDate(label="Information complete on", required=False)
    complete_time = forms.TimeField(
        label="Time (PT)",
        required=False,
        help_text="For expedited review: the 72 hours to decide start then.",
        error_messages=_TIME_MESSAGES,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    why = LetterText(
        label="Reason",
        error_messages={"required": "Enter why the priority changes."},
        **_text_options(),
    )

    def __init__(self, *args: Any, case: Case, **options: Any) -> None:
        super().__init__(*args, **options)
        others = [choice for choice in Priority.choices if choice[0] != case.priority]
        self.fields["new"].choices = others  # type: ignore[attr-defined]
        # A time that starts no deadline is not asked for.
        for pair, needed in (
            (("notice_on", "notice_time"), needs_notice_time(case=case)),
            (("complete_on", "complete_time"), needs_information_time(case=case)),
        ):
            for name in pair:
                if not needed:
                    del self.fields[name]
        # Leaving expedited review needs no certification.
        if case.priority == Priority.EXPEDITED:
            for name in ("certified_by", "certified_on", "support", *WithDocument.base_fields):
                del self.fields[name]

    def service_arguments(self) -> dict[str, Any]:
        """Return the arguments of ``priority.change_priority``. Call it on a valid form."""
        values = self.cleaned_data
        # Fields that were removed get the defaults of the service.
        plain = ("new", "certified_by", "certified_on", "support", "why")
        return {name: values[name] for name in plain if name in values} | {
            "notice_received_at": _combine_day_and_time(
                values.get("notice_on"), values.get("notice_time")
            ),
            "information_complete_at": _combine_day_and_time(
                values.get("complete_on"), values.get("complete_time")
            ),
        }


def _combine_day_and_time(day: date | None, at: time | None) -> datetime | None:
    """Combine a date and a Pacific time; ``None`` if one is missing."""
    if day is None or at is None:
        return None
    return datetime.combine(day, at, tzinfo=PACIFIC)


class MoveCommitmentForm(DatedForm):
    """A later date for a commitment."""

    due_on = KeyedDate(
        label="Promised for", error_messages={"required": "Enter the promised date."}
    )
    informed_on = KeyedDate(
        label="Party informed on",
        error_messages={"required": "Enter the day on which the party was informed."},
    )
    letter = forms.ModelChoiceField(
        Letter.objects.none(), label="Letter", required=False, empty_label="Another letter"
    )
    letter_reference = LetterText(
        label="Reference of another letter", max_length=120, required=False
    )
    why = LetterText(
        label="Reason", error_messages={"required": "Enter the reason."}, **_text_options()
    )

    def __init__(self, *args: Any, case: Case, **options: Any) -> None:
        super().__init__(*args, **options)
        # Letters have no key to the case; their reference is its number.
        rows = Letter.objects.filter(reference=case.number).order_by("-created_at")
        self.fields["letter"].queryset = rows  # type: ignore[attr-defined]

    def service_arguments(self) -> dict[str, Any]:
        """Return the arguments of the services. Call it on a valid form."""
        values = dict(self.cleaned_data)
        letter = values.pop("letter")
        return values | {"letter_id": letter.pk if letter else None}


class AddCommitmentForm(MoveCommitmentForm):
    """A date promised to a party."""

    party = forms.ChoiceField(label="Party")
    description = LetterText(
        label="Commitment",
        max_length=200,
        error_messages={"required": "Enter what was promised."},
    )
    field_order = (
        "party",
        "description",
        "due_on",
        "informed_on",
        "letter",
        "letter_reference",
        "why",
    )

    def __init__(self, *args: Any, case: Case, **options: Any) -> None:
        super().__init__(*args, case=case, **options)
        # A date is promised to someone who is a party now.
        on_case = case.parties.current().true_on(self.today).order_by("role", "pk")
        self.fields["party"].choices = [  # type: ignore[attr-defined]
            (party.pk, f"{party.name} ({party.get_role_display()})") for party in on_case
        ]

    def service_arguments(self) -> dict[str, Any]:
        values = super().service_arguments()
        return values | {"party_id": int(values.pop("party"))}


class DayForm(DatedForm):
    """One date: when a commitment was kept, or a determination was received."""

    on = KeyedDate(label="Date", error_messages={"required": "Enter the date."})
