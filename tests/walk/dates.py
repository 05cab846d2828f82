"""What moves the dates of a case: holds, another priority, more time, dates promised to a party."""

from datetime import date, timedelta

from cases.models import Case, Priority
from cases.services import (
    commitments,
    extensions,
    holds,
    post_determination,
    priority,
    service_corrections,
)
from eligibility.services import screening
from intake.services import receiving
from letters.models import Service
from queues.services import stage_durations
from tests.factories import MONDAY, SIX_YES, application

TODAY = date(2026, 3, 2)


def dates_move(walk, clerk, coordinator):
    """A case that waits, is promised a date, and becomes expedited."""
    case = walk.act(
        receiving.receive_application, by=clerk, application=application(received_at=MONDAY)
    )
    hold = walk.act(
        holds.begin_hold,
        by=coordinator,
        case_id=case.pk,
        reason="INFORMATION",
        starts_on=TODAY,
        planned_end=TODAY + timedelta(days=7),
    )
    walk.act(holds.end_hold, by=coordinator, hold_id=hold.pk, ended_on=TODAY, reason="It came.")
    walk.act(
        screening.decide_eligibility,
        by=coordinator,
        case_id=case.pk,
        answers=SIX_YES,
        notes={},
        seen_version=None,
    )
    fields = {"informed_on": TODAY, "letter_reference": "Letter of 2 March", "why": "They called."}
    commitment = walk.act(
        commitments.add_commitment,
        by=coordinator,
        case_id=case.pk,
        party_id=case.parties.get(role="EMPLOYEE").pk,
        description="The notice",
        due_on=TODAY + timedelta(days=3),
        **fields,
    )
    moved = walk.act(
        commitments.move_commitment,
        by=coordinator,
        commitment_id=commitment.pk,
        due_on=TODAY + timedelta(days=5),
        **fields,
    )
    walk.act(commitments.keep_commitment, by=coordinator, commitment_id=moved.pk, kept_on=TODAY)
    walk.act(
        priority.change_priority,
        by=coordinator,
        case_id=case.pk,
        new=Priority.EXPEDITED,
        why="Certified.",
        certified_by="Dana Oyelaran MD",
        certified_on=TODAY,
        support="Loss of motor function.",
    )


def more_time(walk, case, coordinator):
    """An approved extension while the determination is due."""
    walk.act(
        extensions.extend_determination,
        by=coordinator,
        case_id=case.pk,
        days=2,
        approved_by="J. Alvarado",
        approved_on=TODAY,
        letter_reference="DWC-2026-118",
        good_cause="The reviewer fell ill.",
    )


def after_the_determination(walk, case_id, coordinator):
    """The parties' own time, and what the office learns from the case for the next ones."""
    number = Case.objects.get(pk=case_id).number
    service = Service.objects.filter(letter__kind="determination", letter__reference=number).first()
    walk.act(
        service_corrections.correct_service_of_letter,
        by=coordinator,
        case_id=case_id,
        service_id=service.pk,
        on=TODAY,
        method="FAX",
        address="775-555-0111",
        state="NV",
        why="The fax came first.",
        seen_version=service.version,
    )
    notice = Service.objects.get(
        letter__kind="assignment_notice",
        letter__reference=number,
        recipient_role="Claims administrator",
    )
    walk.act(
        service_corrections.correct_service_of_letter,
        by=coordinator,
        case_id=case_id,
        service_id=notice.pk,
        on=TODAY,
        method="FAX",
        address="916-555-0100",
        state="CA",
        why="It went by fax.",
        seen_version=notice.version,
    )
    walk.act(
        service_corrections.record_outcome_of_service,
        by=coordinator,
        case_id=case_id,
        service_id=service.pk,
        kind="DELIVERED",
        on=TODAY,
        why="",
    )
    walk.act(
        post_determination.record_determination_receipt,
        by=coordinator,
        case_id=case_id,
        received_on=TODAY,
    )
    walk.by_itself(stage_durations.measure_stage_durations)
