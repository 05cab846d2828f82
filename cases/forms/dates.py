"""Forms of what changes or adds dates: holds, extensions, priority, commitments."""

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

_HOUR = {"invalid": "Write the hour as in 14:30."}


def _words(max_length: int = 500) -> dict[str, Any]:
    return {"max_length": max_length, "widget": forms.Textarea(attrs={"rows": 2})}


class HoldForm(DatedForm):
    """Begin a hold."""

    reason = forms.ChoiceField(label="Reason")
    deadline_kind = forms.ChoiceField(label="What is held", required=False)
    starts_on = PaperDate(label="From", error_messages={"required": "Enter the first day."})
    planned_end = PaperDate(
        label="Until, by plan",
        help_text="The first day on which work goes on. No one has to do anything then.",
        error_messages={"required": "Enter the day on which work goes on."},
    )
    note = PaperText(label="Note", required=False, **_words())

    def __init__(self, *args: Any, case: Case, **options: Any) -> None:
        super().__init__(*args, **options)
        reasons = reasons_for(case.priority, case.stage)
        self.fields["reason"].choices = [  # type: ignore[attr-defined]
            (reason.code, f"{reason.label} (up to {reason.most_days} days)") for reason in reasons
        ]
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
        label="Work went on",
        help_text="The first day that is no longer held.",
        error_messages={"required": "Enter the day on which work went on."},
    )
    method = forms.ChoiceField(
        label="How the notice that ended it was served",
        choices=ServiceMethod,
        help_text="The time to apply begins again from that service.",
    )
    because = PaperText(
        label="Why", error_messages={"required": "Say why the hold ends."}, **_words()
    )

    def __init__(self, *args: Any, hold: Hold, **options: Any) -> None:
        super().__init__(*args, **options)
        if hold.reason != LIABILITY:
            del self.fields["method"]


class ExtensionForm(DatedForm):
    """Put an approved extension on file."""

    days = forms.IntegerField(
        label="Days", min_value=1, max_value=3, error_messages={"invalid": "Enter 1, 2 or 3."}
    )
    approved_by = PaperText(
        label="Approved for the Administrative Director by",
        max_length=200,
        error_messages={"required": "Enter who approved it."},
    )
    approved_on = PaperDate(
        label="Approved on", error_messages={"required": "Enter the day of the approval."}
    )
    letter_reference = PaperText(
        label="Letter",
        max_length=120,
        help_text="The reference of the letter that approves it.",
        error_messages={"required": "Enter the reference of the letter."},
    )
    good_cause = PaperText(
        label="Good cause", error_messages={"required": "Say what the good cause is."}, **_words()
    )


class PriorityForm(DatedForm):
    """Make a case expedited, formulary or regular."""

    new = forms.ChoiceField(label="New priority")
    certified_by = PaperText(
        label="Physician who certified it",
        max_length=200,
        required=False,
        help_text="For an expedited case: an imminent and serious threat to health.",
    )
    certified_on = PaperDate(label="Certified on", required=False)
    support = PaperText(label="What supports the certification", required=False, **_words())
    notice_on = PaperDate(label="The administrator was told on", required=False)
    notice_hour = forms.TimeField(
        label="At (Pacific time)",
        required=False,
        help_text="For an expedited case: the 24 hours for the records run from it.",
        error_messages=_HOUR,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    complete_on = PaperDate(label="The information was complete on", required=False)
    complete_hour = forms.TimeField(
        label="At (Pacific time)",
        required=False,
        help_text="For an expedited case: the 72 hours to decide run from it.",
        error_messages=_HOUR,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    why = PaperText(
        label="Why", error_messages={"required": "Say why the priority changes."}, **_words()
    )

    def __init__(self, *args: Any, case: Case, **options: Any) -> None:
        super().__init__(*args, **options)
        others = [choice for choice in Priority.choices if choice[0] != case.priority]
        self.fields["new"].choices = others  # type: ignore[attr-defined]
        for pair, needed in (
            (("notice_on", "notice_hour"), needs_hour_of_notice(case=case)),
            (("complete_on", "complete_hour"), needs_hour_of_information(case=case)),
        ):
            for name in pair:
                if not needed:
                    del self.fields[name]
        if case.priority == Priority.EXPEDITED:
            for name in ("certified_by", "certified_on", "support"):
                del self.fields[name]

    def facts(self) -> dict[str, Any]:
        """What ``priority.convert`` takes. Call it on a valid form."""
        said = self.cleaned_data
        plain = ("new", "certified_by", "certified_on", "support", "why")
        return {name: said[name] for name in plain if name in said} | {
            "notice_received_at": _moment(said.get("notice_on"), said.get("notice_hour")),
            "information_complete_at": _moment(said.get("complete_on"), said.get("complete_hour")),
        }


def _moment(day: date | None, hour: time | None) -> datetime | None:
    if day is None or hour is None:
        return None
    return datetime.combine(day, hour, tzinfo=PACIFIC)


class MovedCommitmentForm(DatedForm):
    """A later date for what was promised."""

    due_on = PaperDate(label="By", error_messages={"required": "Enter the promised day."})
    told_on = PaperDate(
        label="Told on", error_messages={"required": "Enter the day on which the party was told."}
    )
    letter = forms.ModelChoiceField(
        Letter.objects.none(), label="Letter", required=False, empty_label="Another letter"
    )
    letter_reference = PaperText(
        label="Reference of another letter", max_length=120, required=False
    )
    why = PaperText(label="Why", error_messages={"required": "Say why."}, **_words())

    def __init__(self, *args: Any, case: Case, **options: Any) -> None:
        super().__init__(*args, **options)
        rows = Letter.objects.filter(reference=case.number).order_by("-created_at")
        self.fields["letter"].queryset = rows  # type: ignore[attr-defined]

    def facts(self) -> dict[str, Any]:
        """What the services take. Call it on a valid form."""
        said = dict(self.cleaned_data)
        letter = said.pop("letter")
        return said | {"letter_id": letter.pk if letter else None}


class CommitmentForm(MovedCommitmentForm):
    """A date that a party was told."""

    party = forms.ChoiceField(label="Party")
    what = PaperText(
        label="What was promised",
        max_length=200,
        error_messages={"required": "Say what was promised."},
    )
    field_order = ("party", "what", "due_on", "told_on", "letter", "letter_reference", "why")

    def __init__(self, *args: Any, case: Case, **options: Any) -> None:
        super().__init__(*args, case=case, **options)
        on_case = case.parties.current().on(self.today).order_by("role", "pk")
        self.fields["party"].choices = [  # type: ignore[attr-defined]
            (party.pk, f"{party.name} ({party.get_role_display()})") for party in on_case
        ]

    def facts(self) -> dict[str, Any]:
        said = super().facts()
        return said | {"party_id": int(said.pop("party"))}


class DayForm(DatedForm):
    """One day: when a commitment was kept, when a determination was received."""

    on = PaperDate(label="Day", error_messages={"required": "Enter the day."})
