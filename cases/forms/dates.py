"""Forms that change or add dates: holds, extensions, priority, commitments."""

from datetime import date, datetime, time
from typing import Any

from django import forms

from cases.hold_reasons import reasons_for
from cases.models import Case, Hold, Priority, ServiceMethod
from cases.services.priority import needs_hour_of_information, needs_hour_of_notice
from deadlines.days import PACIFIC
from deadlines.kinds import DEADLINE_KINDS
from deadlines.rules import LIABILITY
from form_fields.fields import DatedForm, PaperDate, PaperText
from letters.models import Letter

_HOUR = {"invalid": "Enter the time as in 14:30."}


def _text_options(max_length: int = 500) -> dict[str, Any]:
    """Build the options of a text field of several lines."""
    return {"max_length": max_length, "widget": forms.Textarea(attrs={"rows": 2})}


class HoldForm(DatedForm):
    """Begin a hold."""

    reason = forms.ChoiceField(label="Reason")
    deadline_kind = forms.ChoiceField(label="Hold", required=False)
    starts_on = PaperDate(label="From", error_messages={"required": "Enter the first day."})
    planned_end = PaperDate(
        label="Planned end",
        help_text="The first day after the hold. The hold then ends by itself.",
        error_messages={"required": "Enter the planned end."},
    )
    note = PaperText(label="Note", required=False, **_text_options())

    def __init__(self, *args: Any, case: Case, **options: Any) -> None:
        super().__init__(*args, **options)
        # Only reasons that fit now, so that nobody chooses one that is refused.
        reasons = reasons_for(case.priority, case.stage)
        self.fields["reason"].choices = [  # type: ignore[attr-defined]
            (reason.code, f"{reason.label} (up to {reason.most_days} days)") for reason in reasons
        ]
        # A hold does not move a deadline that is satisfied.
        running = case.deadlines.filter(
            round=case.round, met_at__isnull=True, replaced_at__isnull=True
        ).values_list("deadline_kind", flat=True)
        self.fields["deadline_kind"].choices = [  # type: ignore[attr-defined]
            ("", "The whole case"),
            *(
                (deadline_kind, DEADLINE_KINDS[deadline_kind].label)
                for deadline_kind in running
                if deadline_kind in DEADLINE_KINDS
            ),
        ]


class EndHoldForm(DatedForm):
    """End a hold."""

    ended_on = PaperDate(
        label="Ended on",
        help_text="The first day after the hold.",
        error_messages={"required": "Enter the first day after the hold."},
    )
    method = forms.ChoiceField(
        label="How the notice that ended it was served",
        choices=ServiceMethod,
        help_text="The time to apply starts again from that service.",
    )
    because = PaperText(
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
    approved_by = PaperText(
        label="Approved for the Administrative Director by",
        max_length=200,
        error_messages={"required": "Enter who approved it."},
    )
    approved_on = PaperDate(
        label="Approved on", error_messages={"required": "Enter the date of the approval."}
    )
    letter_reference = PaperText(
        label="Approval letter",
        max_length=120,
        help_text="The reference of the letter that approves it.",
        error_messages={"required": "Enter the reference of the letter."},
    )
    good_cause = PaperText(
        label="Good cause", error_messages={"required": "Enter the good cause."}, **_text_options()
    )


class PriorityForm(DatedForm):
    """Change the priority of a case."""

    new = forms.ChoiceField(label="New priority")
    certified_by = PaperText(
        label="Certifying physician",
        max_length=200,
        required=False,
        help_text="For expedited review: certifies an imminent and serious threat to health.",
    )
    certified_on = PaperDate(label="Certified on", required=False)
    support = PaperText(label="Support for the certification", required=False, **_text_options())
    notice_on = PaperDate(label="Claims administrator informed on", required=False)
    notice_hour = forms.TimeField(
        label="Time (PT)",
        required=False,
        help_text="For expedited review: the 24 hours for records start then.",
        error_messages=_HOUR,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    complete_on = PaperDate(label="Information complete on", required=False)
    complete_hour = forms.TimeField(
        label="Time (PT)",
        required=False,
        help_text="For expedited review: the 72 hours to decide start then.",
        error_messages=_HOUR,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    why = PaperText(
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
            (("notice_on", "notice_hour"), needs_hour_of_notice(case=case)),
            (("complete_on", "complete_hour"), needs_hour_of_information(case=case)),
        ):
            for name in pair:
                if not needed:
                    del self.fields[name]
        # Leaving expedited review needs no certification.
        if case.priority == Priority.EXPEDITED:
            for name in ("certified_by", "certified_on", "support"):
                del self.fields[name]

    def facts(self) -> dict[str, Any]:
        """Return the arguments of ``priority.change_priority``. Call it on a valid form."""
        values = self.cleaned_data
        # Fields that were removed get the defaults of the service.
        plain = ("new", "certified_by", "certified_on", "support", "why")
        return {name: values[name] for name in plain if name in values} | {
            "notice_received_at": _combine_day_hour(
                values.get("notice_on"), values.get("notice_hour")
            ),
            "information_complete_at": _combine_day_hour(
                values.get("complete_on"), values.get("complete_hour")
            ),
        }


def _combine_day_hour(day: date | None, hour: time | None) -> datetime | None:
    """Combine a date and a Pacific time; ``None`` if one is missing."""
    if day is None or hour is None:
        return None
    return datetime.combine(day, hour, tzinfo=PACIFIC)


class MovedCommitmentForm(DatedForm):
    """A later date for a commitment."""

    due_on = PaperDate(
        label="Promised for", error_messages={"required": "Enter the promised date."}
    )
    informed_on = PaperDate(
        label="Party informed on",
        error_messages={"required": "Enter the day on which the party was informed."},
    )
    letter = forms.ModelChoiceField(
        Letter.objects.none(), label="Letter", required=False, empty_label="Another letter"
    )
    letter_reference = PaperText(
        label="Reference of another letter", max_length=120, required=False
    )
    why = PaperText(
        label="Reason", error_messages={"required": "Enter the reason."}, **_text_options()
    )

    def __init__(self, *args: Any, case: Case, **options: Any) -> None:
        super().__init__(*args, **options)
        # Letters have no key to the case; their reference is its number.
        rows = Letter.objects.filter(reference=case.number).order_by("-created_at")
        self.fields["letter"].queryset = rows  # type: ignore[attr-defined]

    def facts(self) -> dict[str, Any]:
        """Return the arguments of the services. Call it on a valid form."""
        values = dict(self.cleaned_data)
        letter = values.pop("letter")
        return values | {"letter_id": letter.pk if letter else None}


class CommitmentForm(MovedCommitmentForm):
    """A date promised to a party."""

    party = forms.ChoiceField(label="Party")
    what = PaperText(
        label="Commitment",
        max_length=200,
        error_messages={"required": "Enter what was promised."},
    )
    field_order = ("party", "what", "due_on", "informed_on", "letter", "letter_reference", "why")

    def __init__(self, *args: Any, case: Case, **options: Any) -> None:
        super().__init__(*args, case=case, **options)
        # A date is promised to someone who is a party now.
        on_case = case.parties.current().on(self.today).order_by("role", "pk")
        self.fields["party"].choices = [  # type: ignore[attr-defined]
            (party.pk, f"{party.name} ({party.get_role_display()})") for party in on_case
        ]

    def facts(self) -> dict[str, Any]:
        values = super().facts()
        return values | {"party_id": int(values.pop("party"))}


class DayForm(DatedForm):
    """One date: when a commitment was kept, or a determination was received."""

    on = PaperDate(label="Date", error_messages={"required": "Enter the date."})
