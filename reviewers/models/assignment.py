"""Reviewers on cases: candidate lists, conflict results, assignments and attestations."""

from dataclasses import dataclass
from functools import cached_property

from django.conf import settings
from django.db import models

from accounts.versions import Versioned
from cases.models import Case, Origin, Party
from directory.affiliations import ConflictLevel
from reviewers.stored_lists import StoredCandidate, unpack_candidates

from .panel import Reviewer


class CandidateList(models.Model):
    """A ranking of the panel for a case: who was eligible, who was not, and why. Append-only."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="candidate_lists")
    round = models.PositiveSmallIntegerField()
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    # The facts of this day counted, as they were known at ``made_at``.
    on_day = models.DateField()
    # The parties that were checked. A list of an earlier version cannot be used to assign.
    party_list_version = models.PositiveIntegerField()
    weights = models.JSONField(default=dict)  # the values that this ranking used
    digest = models.CharField(max_length=64)  # of all ranks and reasons
    # Every reviewer with rank and reasons, as ``pack_candidates`` writes it. In one value and not
    # in rows, because thousands of reviewers share a few reasons.
    content = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"Candidates for {self.case}"

    @cached_property
    def candidates(self) -> tuple[StoredCandidate, ...]:
        """The reviewers of the list, the eligible ones by rank and then the others by code."""
        return unpack_candidates(self.content)

    def find_candidate(self, reviewer_id: int) -> StoredCandidate | None:
        """Return one reviewer of the list, or ``None`` if the reviewer is not on it."""
        return next((one for one in self.candidates if one.reviewer_id == reviewer_id), None)


class ConflictResult(models.Model):
    """The result of checking a reviewer against a party of a case. Append-only.

    When a person resolves a possible conflict, a new row points at the open one by ``resolves``.
    """

    class Result(models.TextChoices):
        PASS = "PASS", "No affiliation"
        FAIL = "FAIL", "Conflict"
        UNKNOWN = "UNKNOWN", "To be resolved"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="conflict_results")
    reviewer = models.ForeignKey(Reviewer, on_delete=models.PROTECT, related_name="+")
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+")
    party_list_version = models.PositiveIntegerField()
    relation = models.CharField(max_length=16)
    result = models.CharField(max_length=8, choices=Result)
    tested = models.JSONField(default=list)  # relations that were checked
    sentence = models.CharField(max_length=400)
    # Who forbids the affiliation, and where. Empty if there is no conflict.
    level = models.CharField(max_length=12, choices=ConflictLevel, blank=True)
    level_source = models.CharField(max_length=200, blank=True)
    note = models.CharField(max_length=300, blank=True)  # by the person who resolved it
    tested_at = models.DateTimeField()
    tested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    # One to one: a possible conflict is resolved once, and the open row stays as it was.
    resolves = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, related_name="resolved_by"
    )

    class Meta:
        indexes = [
            # Letters and open questions read the results of one reviewer on one case.
            models.Index(fields=["case", "reviewer", "party_list_version"], name="conflict_of")
        ]

    def __str__(self) -> str:
        return f"{self.reviewer} and {self.party}: {self.get_result_display()}"


class ReviewerAssignment(Versioned):
    """A case offered to, and worked on by, one reviewer in one seat of one round."""

    class State(models.TextChoices):
        OFFERED = "OFFERED", "Offered"
        ACCEPTED = "ACCEPTED", "Accepted, no conflict"
        DECLINED = "DECLINED", "Declined"
        REMOVED = "REMOVED", "Removed"
        FINISHED = "FINISHED", "Finished"
        UNDONE = "UNDONE", "Offer undone"

    class Override(models.TextChoices):
        """Reasons to choose a reviewer other than the first three. They do not identify anyone."""

        EXPERIENCE = "EXPERIENCE", "Experience with this treatment"
        KNOWS_CASE = "KNOWS_CASE", "Knows the case or its records"
        TIME = "TIME", "The first three cannot meet the deadline"
        SHARE = "SHARE", "To share the work more evenly"
        DIRECTOR = "DIRECTOR", "Requested by the medical director"
        OTHER = "OTHER", "Other reason (see note)"

    LIVE = [State.OFFERED, State.ACCEPTED]
    DECIDING = [State.ACCEPTED, State.FINISHED]  # reviewers who write, or wrote, an opinion

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="assignments")
    round = models.PositiveSmallIntegerField()
    seat = models.PositiveSmallIntegerField(default=1)
    origin = models.CharField(max_length=12, choices=Origin, default=Origin.OWN)
    # NULL only for cases loaded from published letters, which name no reviewer.
    reviewer = models.ForeignKey(
        Reviewer, on_delete=models.PROTECT, null=True, related_name="assignments"
    )
    state = models.CharField(max_length=12, choices=State, default=State.OFFERED)
    candidate_list = models.ForeignKey(
        CandidateList, on_delete=models.PROTECT, null=True, related_name="assignments"
    )
    match_reasons = models.JSONField(default=list)  # item, specialty and why, as matched
    override_code = models.CharField(max_length=12, choices=Override, blank=True)
    override_reason = models.CharField(max_length=300, blank=True)  # note for the code
    offered_at = models.DateTimeField(null=True)
    offered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    accepted_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_because = models.CharField(max_length=300, blank=True)

    class Meta(Versioned.Meta):
        indexes = [
            # The payer-bias test reads the offers of a period.
            models.Index(fields=["offered_at"], name="assignment_offered"),
            # Open work and the reviews issued in a year are a small part of many rows.
            models.Index(fields=["state", "ended_at"], name="assignment_in_state"),
        ]
        constraints = [
            models.UniqueConstraint(
                name="assignment_one_live_per_seat",
                fields=["case", "round", "seat"],
                # FINISHED keeps the seat: its opinion is issued and it is not offered again.
                condition=models.Q(state__in=["OFFERED", "ACCEPTED", "FINISHED"]),
            ),
            models.CheckConstraint(
                name="assignment_own_names_reviewer",
                # Published letters do not state who reviewed the case or when it was offered.
                condition=models.Q(origin=Origin.PUBLISHED)
                | models.Q(reviewer__isnull=False, offered_at__isnull=False),
            ),
            models.CheckConstraint(
                name="assignment_ended_iff_over",
                condition=models.Q(origin=Origin.PUBLISHED)
                | models.Q(state__in=["OFFERED", "ACCEPTED"], ended_at__isnull=True)
                | models.Q(
                    state__in=["DECLINED", "REMOVED", "FINISHED", "UNDONE"],
                    ended_at__isnull=False,
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case}, seat {self.seat}"

    @property
    def is_live(self) -> bool:
        return self.state in self.LIVE

    @property
    def takes_seat(self) -> bool:
        """Whether nobody else can be offered its seat in its round."""
        return self.is_live or self.state == self.State.FINISHED

    @property
    def reviewer_label(self) -> str:
        """The reviewer's name and code, for people with ``reviewers.view_identity`` only."""
        return "" if self.reviewer is None else f"{self.reviewer.full_name} ({self.reviewer.code})"


class SeatApproval(Versioned):
    """The Administrative Director's approval of more than one reviewer on a case.

    Without it a case has one seat (8 CCR 9792.10.6(c)). Seats count from 1.
    """

    # The constraint ``seat_approval_of_several`` has the same number.
    MOST = 5

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="seat_approvals")
    round = models.PositiveSmallIntegerField()
    seats = models.PositiveSmallIntegerField()
    approved_by = models.CharField(max_length=120)  # who signed for the Administrative Director
    approved_on = models.DateField()
    reference = models.CharField(max_length=120)  # of the approval letter
    reason = models.CharField(max_length=500)  # why one reviewer is not enough
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    ended_at = models.DateTimeField(null=True)
    ended_because = models.CharField(max_length=300, blank=True)

    class Meta(Versioned.Meta):
        constraints = [
            models.UniqueConstraint(
                name="seat_approval_one_live",
                # Ended approvals are kept, so only the one in force is unique.
                fields=["case", "round"],
                condition=models.Q(ended_at__isnull=True),
            ),
            models.CheckConstraint(
                name="seat_approval_of_several", condition=models.Q(seats__gte=2, seats__lte=5)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.seats} seats on {self.case}"


class AttestationWording(Versioned):
    """A numbered text that reviewers sign before the records open. Append-only."""

    number = models.PositiveSmallIntegerField(unique=True)
    text = models.TextField()
    questions = models.JSONField(default=list)  # [{"code": "employer", "text": "…"}]
    effective_from = models.DateField()

    class Meta(Versioned.Meta):
        pass

    def __str__(self) -> str:
        return f"Attestation wording {self.number}"


class Attestation(Versioned):
    """A reviewer's signed answers for one case. A new party voids it, but the row is kept."""

    assignment = models.ForeignKey(
        ReviewerAssignment, on_delete=models.PROTECT, related_name="attestations"
    )
    wording = models.ForeignKey(AttestationWording, on_delete=models.PROTECT, related_name="+")
    answers = models.JSONField(default=dict)
    # The records are open only while this is the current version of the party list.
    party_list_version = models.PositiveIntegerField()
    signed_at = models.DateTimeField()
    signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    voided_at = models.DateTimeField(null=True)
    voided_because = models.CharField(max_length=300, blank=True)

    class Meta(Versioned.Meta):
        constraints = [
            models.UniqueConstraint(
                name="attestation_one_live",
                fields=["assignment"],
                condition=models.Q(voided_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"Attestation for {self.assignment}"


class ReviewerBar(models.Model):
    """A reviewer who is barred from a case, with the reason. Append-only."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="reviewer_bars")
    reviewer = models.ForeignKey(Reviewer, on_delete=models.PROTECT, related_name="bars")
    reason = models.CharField(max_length=300)
    barred_at = models.DateTimeField()
    barred_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(name="reviewer_bar_once", fields=["case", "reviewer"])
        ]

    def __str__(self) -> str:
        return f"{self.reviewer} barred from {self.case}"


def get_seat_approval(case: Case) -> SeatApproval | None:
    """Return the approval of several reviewers in the current round, if any. One query."""
    return case.seat_approvals.filter(round=case.round, ended_at__isnull=True).first()


def count_seats(case: Case) -> int:
    """Return how many reviewers decide the case in its current round. One query."""
    approval = get_seat_approval(case)
    return approval.seats if approval else 1


def list_taken_seats(case: Case) -> set[int]:
    """Return the seats offered, accepted or finished in the current round. One query."""
    assignments = case.assignments.filter(
        round=case.round, state__in=[*ReviewerAssignment.LIVE, ReviewerAssignment.State.FINISHED]
    )
    return set(assignments.values_list("seat", flat=True))


@dataclass(frozen=True)
class SeatState:
    """The seats of a case in its current round: how many are approved, and which are taken."""

    approval: SeatApproval | None
    taken: frozenset[int]

    @property
    def free(self) -> list[int]:
        """The seats without a reviewer, lowest first."""
        seats = self.approval.seats if self.approval else 1
        return [seat for seat in range(1, seats + 1) if seat not in self.taken]


def read_seat_state(case: Case) -> SeatState:
    """Read the seats of a case. Two queries."""
    return SeatState(get_seat_approval(case), frozenset(list_taken_seats(case)))


def list_free_seats(case: Case) -> list[int]:
    """Return the seats without a reviewer, lowest first. Two queries."""
    return read_seat_state(case).free
