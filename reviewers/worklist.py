"""The credentialing worklist, computed from the files when the page is opened."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from accounts.models import User
from cases.models.restrictions import select_visible
from reviewers.matching.candidacy import CandidateData, Reason
from reviewers.matching.track_record import WITH_REVIEWER

from .facts import Profile
from .matching import ranking
from .models import ReportedChange, Reviewer, ReviewerAssignment
from .panel import list_expiring_facts
from .profiles import load_profiles
from .verification import Verification, list_missing_facts, list_verifications

AHEAD = timedelta(days=90)  # how long before its due date a verification is listed

# Reasons that block new cases but are no defect of the file.
_NOT_OF_THE_FILE = {"LEAVE", "WORKLOAD", "SIGN_IN"}


@dataclass(frozen=True)
class DueLine:
    """A fact due for re-verification."""

    reviewer: Reviewer
    verification: Verification
    is_overdue: bool


@dataclass(frozen=True)
class LapsingLine:
    """A fact whose last day is near, such as a license."""

    reviewer: Reviewer
    fact: str
    last_day: date


@dataclass(frozen=True)
class Lapse:
    """A reviewer who cannot be offered cases, with their open cases."""

    reviewer: Reviewer
    reasons: Sequence[Reason]
    open_work: Sequence[ReviewerAssignment]


@dataclass(frozen=True)
class Worklist:
    """All open work of credentialing."""

    reports: Sequence[ReportedChange]
    lapses: Sequence[Lapse]  # those with open work first
    lapsing: Sequence[LapsingLine]  # by their last day
    due: Sequence[DueLine]
    incomplete: Sequence[tuple[Reviewer, Sequence[str]]]


def build_worklist(*, on: date, known_at: datetime, reader: User) -> Worklist:
    """Build the worklist of a day. Five queries for any size of panel."""
    # Inactive reviewers get no cases, so no one has to keep their files complete.
    people = list(Reviewer.objects.exclude(status=Reviewer.Status.INACTIVE).order_by("code"))
    profiles = load_profiles(
        Reviewer.objects.exclude(status=Reviewer.Status.INACTIVE), on=on, known_at=known_at
    )
    work: dict[int, list[ReviewerAssignment]] = {}
    open_now = select_visible(
        ReviewerAssignment.objects.filter(
            state__in=ReviewerAssignment.LIVE, case__status__in=WITH_REVIEWER
        ).select_related("case"),
        reader,
    )
    for assignment in open_now.order_by("case__urgency", "case__due_on", "pk"):
        if assignment.reviewer_id is not None:
            work.setdefault(assignment.reviewer_id, []).append(assignment)
    lapses = [
        Lapse(person, reasons, work.get(person.pk, []))
        for person in people
        if (reasons := list_stopping_reasons(profiles[person.pk]))
    ]
    due = [
        DueLine(person, one, one.is_overdue(on))
        for person in people
        for one in list_verifications(profiles[person.pk])
        if one.due_on <= on + AHEAD
    ]
    lapsing = [
        LapsingLine(person, fact, last_day)
        for person in people
        for fact, last_day in list_expiring_facts(profiles[person.pk])
    ]
    return Worklist(
        lapsing=sorted(lapsing, key=lambda line: (line.last_day, line.reviewer.code)),
        reports=list(
            ReportedChange.objects.filter(resolved_at=None)
            .select_related("reviewer")
            .order_by("reported_at", "pk")
        ),
        # Open cases of a blocked reviewer may have to be moved. The sort keeps the order by code.
        lapses=sorted(lapses, key=lambda lapse: not lapse.open_work),
        due=sorted(due, key=lambda line: (line.verification.due_on, line.reviewer.code)),
        incomplete=[
            (person, missing)
            for person in people
            if (missing := list_missing_facts(profiles[person.pk]))
        ],
    )


def list_stopping_reasons(profile: Profile) -> list[Reason]:
    """Return the defects of a file that block all new cases on the profile's day."""
    return [
        reason
        # Without open cases and days off, only the file itself can refuse.
        for reason in ranking.check_general_requirements(CandidateData(profile, workload=0))
        if not reason.is_met and reason.requirement not in _NOT_OF_THE_FILE
    ]
