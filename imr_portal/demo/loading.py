"""Loading the demonstration: the office first, then a case in every state."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from django.core.files.uploadedfile import SimpleUploadedFile

import cases.services.commitments
import cases.services.holds
import complaints.services
import determinations.services.sending
import reviewers.services.seats
from accounts.models import User
from cases.models import Case, Channel, PartyRole
from cases.services import consolidation, endings
from deadlines.days import local_day
from deadlines.models import rules_on_file
from determinations.services import quality
from eligibility.services import information
from intake.services import batches

from . import early_cases as early
from . import papers
from . import reviewed_cases as reviewed
from .office import (
    Demo,
    add_recommendations,
    create_panel,
    create_people,
    publish_wording,
    record_organization,
)
from .steps import DemoCase

# Left out of the first version, so that QA has a reason to return the review.
_LEFT_OUT_AT_FIRST = ", and that the second gave relief for about 9 days"


HISTORY = timedelta(days=75)  # the oldest fact is this much older than the demonstration


def is_loaded() -> bool:
    """Return whether the demonstration was loaded before."""
    return User.objects.filter(is_demo=True).exists()


def load_demonstration(
    *,
    now: datetime,
    wait_for_letters: Callable[[str], None],
    report: Callable[[str], None],
) -> Case:
    """Make everyone and everything; the answer is the case whose letter was issued first.

    :param wait_for_letters: called with a case number; returns when its letters are filed.
    :param report: called with a few words before each part.
    """
    # Before the first application, so that wording and credentials are older than every case.
    start = now - HISTORY
    report("People, roles and the panel")
    _, calendars = rules_on_file()
    demo = Demo(
        now=now,
        people=create_people(at=start),
        calendar=calendars.get("office"),
        wait_for_letters=wait_for_letters,
    )
    publish_wording(demo, at=start)
    add_recommendations(demo, at=start)
    create_panel(demo, at=start)
    record_organization(demo, at=start)
    report("The first case, from application to letter")
    first = issue_first_case(demo)
    report("Cases in every other state")
    for load_cases in (
        load_decided_cases,
        load_cases_in_review,
        load_cases_with_records,
        load_eligibility_cases,
        load_ended_cases,
        load_new_applications,
        load_complaints,
    ):
        load_cases(demo)
    return first


def issue_first_case(demo: Demo) -> Case:
    """Load a case that QA returned once; its determination was issued and waits to be sent."""
    demo_case = DemoCase(demo, reviewed.NECK_INJECTION, days_ago=34)
    demo_case.accept_case(34)
    demo_case.complete_records(25)
    writer = demo_case.assign_case(23, "reviewer")
    writer.write_review(10, without=_LEFT_OUT_AT_FIRST)
    ((item, _),) = demo_case.items
    visit = demo_case.dated.words["visit"]
    quality.return_review(
        case_id=demo_case.case.pk,
        comment=f"State how long the relief lasted; the report of {visit} gives it.",
        item_id=item.pk,
        seen_version=None,
        by=demo.people["qa"],
        at=demo_case.clock.find_moment(9),
    )
    writer.change_rationale(8)
    writer.submit_review(8)
    demo_case.approve_review(7)
    demo_case.issue_determination(0)
    # Read again, because the services have changed the row.
    return Case.objects.get(pk=demo_case.case.pk)


def load_decided_cases(demo: Demo) -> None:
    """Load a case that is decided, sent and closed, and one that is approved for issue."""
    closed = DemoCase(demo, reviewed.LIDOCAINE, days_ago=41)
    closed.accept_case(41)
    closed.complete_records(33)
    commitment = _add_commitment(
        closed,
        PartyRole.CLAIMS_ADMINISTRATOR,
        "Confirm that the pharmacy record was received",
        informed=33,
        due=29,
    )
    kept_at = closed.clock.find_moment(32)
    cases.services.commitments.keep_commitment(
        commitment_id=commitment,
        kept_on=local_day(kept_at),
        by=demo.people["coordinator"],
        at=kept_at,
    )
    closed.assign_case(31, "reviewer2").write_review(20)
    closed.approve_review(18)
    closed.issue_determination(15)
    sent = closed.clock.find_moment(14)
    determinations.services.sending.mark_determination_sent(
        case_id=closed.case.pk, sent_on=local_day(sent), by=demo.people["mailroom"], at=sent
    )
    approved = DemoCase(demo, reviewed.GYM_AND_IMAGING, days_ago=28)
    approved.accept_case(28)
    approved.complete_records(20)
    approved.assign_case(18, "reviewer").write_review(5)
    approved.approve_review(3)


def load_cases_in_review(demo: Demo) -> None:
    """Load cases at QA, with two reviewers, with an expedited limit, and offered to a reviewer."""
    cumulative = DemoCase(demo, reviewed.HAND_TESTS, days_ago=25)
    cumulative.accept_case(25)
    cumulative.complete_records(16)
    cumulative.assign_case(14, "reviewer4").write_review(2)

    two_seats = DemoCase(demo, reviewed.KNEE_SURGERY, days_ago=27)
    two_seats.accept_case(27)
    two_seats.complete_records(18)
    approved = two_seats.clock.find_moment(16)
    reviewers.services.seats.approve_reviewer_seats(
        case_id=two_seats.case.pk,
        seat_count=2,
        approved_by="R. Ishikawa, Division of Workers' Compensation",
        approved_on=local_day(approved),
        reference="AD-2-REV-0117",
        reason="The tear and its treatment fall into two specialties.",
        by=demo.people["coordinator"],
        at=approved,
    )
    first, second = (two_seats.assign_case(15, key) for key in ("reviewer4", "reviewer"))
    first.write_review(6)
    # The second review stays unfinished, so the case still waits for it.
    second.open_records(2)
    second.write_summary(2)

    # Everything within two days, because an expedited determination is due after 72 hours.
    expedited = DemoCase(demo, reviewed.HOME_NURSING, days_ago=2)
    expedited.read_ur_decision(2)
    expedited.decide_eligibility(2)
    expedited.send_notices(2)
    expedited.complete_records(1)
    expedited.assign_case(1, "reviewer")

    offered = DemoCase(demo, reviewed.NECK_FACET, days_ago=18)
    offered.accept_case(18)
    offered.complete_records(9)
    offered.offer_case(1, "reviewer2")


def load_cases_with_records(demo: Demo) -> None:
    """Load cases that are ready to assign, one of them on hold, and cases without records."""
    ready = DemoCase(demo, reviewed.SHOULDER_THERAPY, days_ago=16)
    ready.accept_case(16)
    ready.complete_records(6)

    no_dentist = DemoCase(demo, reviewed.DENTAL_CROWNS, days_ago=21)
    no_dentist.accept_case(21)
    no_dentist.complete_records(9)
    _begin_hold(no_dentist, "NO_REVIEWER", since=2, days=6, note="No dentist is on the panel.")
    commitment = _add_commitment(
        no_dentist, PartyRole.EMPLOYEE, "Call about the choice of a dentist", informed=6, due=2
    )
    cases.services.commitments.move_commitment(
        commitment_id=commitment,
        due_on=local_day(demo.now) + timedelta(days=3),
        informed_on=local_day(no_dentist.clock.find_moment(2)),
        letter_reference="Letter to the employee about the delay",
        why="A dentist is to be added to the panel first.",
        by=demo.people["coordinator"],
        at=no_dentist.clock.find_moment(2),
    )

    waiting = DemoCase(demo, early.RESTORATION, days_ago=13)
    waiting.accept_case(13)
    _begin_hold(
        waiting,
        "PARTY_ASKED",
        since=3,
        days=9,
        note="The attorney asked for time to send the psychological evaluation.",
    )
    _add_commitment(
        waiting,
        PartyRole.EMPLOYEE_ATTORNEY,
        "Send a list of the records on file",
        informed=3,
        due=-3,
    )
    DemoCase(demo, early.PSYCHOTHERAPY, days_ago=6).accept_case(6)


def load_eligibility_cases(demo: Demo) -> None:
    """Load cases in each state of the eligibility review."""
    lead = DemoCase(demo, early.STIMULATION, days_ago=3)
    follower = DemoCase(demo, early.AQUATIC_THERAPY, days_ago=3)
    for demo_case in (lead, follower):
        demo_case.read_ur_decision(1)
        demo_case.decide_eligibility(1)
    consolidation.consolidate_case(
        case_id=follower.case.pk,
        lead_id=lead.case.pk,
        reason="Same employee, physician and date of injury.",
        by=demo.people["coordinator"],
        at=follower.clock.find_moment(0),
    )

    deferred = DemoCase(demo, early.KNEE_BRACE, days_ago=5)
    deferred.read_ur_decision(4)
    deferred.decide_eligibility(4, {"LIABILITY_CLEAR": "NO"}, "The UR decision states it.")
    _begin_hold(deferred, "LIABILITY", since=4, days=90, note="The right knee is disputed.")

    asked_case = DemoCase(demo, early.TRACTION, days_ago=4)
    asked_case.read_ur_decision(3)
    asked_case.decide_eligibility(3, {"TIMELY": "UNKNOWN"}, "The UR decision states no service.")
    at = asked_case.clock.find_moment(3, 15)
    information.ask_information(
        case_id=asked_case.case.pk,
        party_id=_find_party(asked_case, PartyRole.CLAIMS_ADMINISTRATOR),
        facts=["TIMELY"],
        question="On which day, and by which means, was the UR decision served on the employee?",
        received_on=local_day(at),
        by=demo.people["coordinator"],
        at=at,
    )

    ineligible = DemoCase(demo, early.NECK_ACUPUNCTURE, days_ago=3)
    ineligible.read_ur_decision(2)
    ineligible.decide_eligibility(2, {"SIGNED": "NO"}, "The box for the signature is empty.")


def load_ended_cases(demo: Demo) -> None:
    """Load cases that ended without a determination: withdrawn, terminated, closed."""
    by = demo.people["coordinator"]
    late = DemoCase(demo, early.LATE_ULTRASOUND, days_ago=12)
    late.read_ur_decision(11)
    late.decide_eligibility(11, {"TIMELY": "NO"}, "Received after the last day to apply.")
    endings.close_case(
        case_id=late.case.pk,
        reason="The application was late, and no one objected.",
        by=by,
        at=late.clock.find_moment(4),
    )
    withdrawn = DemoCase(demo, early.CHIROPRACTIC, days_ago=10)
    withdrawn.accept_case(10)
    endings.withdraw_case(
        case_id=withdrawn.case.pk,
        reason="The employee wrote that the treatment is no longer wanted.",
        by=by,
        at=withdrawn.clock.find_moment(1),
    )
    terminated = DemoCase(demo, early.SHOULDER_IMAGING, days_ago=9)
    terminated.accept_case(9)
    endings.terminate_items(
        case_id=terminated.case.pk,
        item_ids=[item.pk for item, _ in terminated.items],
        reason="The claims administrator authorized the MRI.",
        by=by,
        at=terminated.clock.find_moment(2),
    )


def load_new_applications(demo: Demo) -> None:
    """Load new applications, a possible duplicate, and scans that no one has keyed."""
    DemoCase(demo, early.OPIOID, days_ago=1).receive_again(days_ago=0)
    DemoCase(demo, early.LUMBAR_IMAGING, days_ago=0)
    uploads = [
        SimpleUploadedFile(
            f"scan-{place}.pdf",
            papers.write_form("APPLICATION FOR INDEPENDENT MEDICAL REVIEW (DWC FORM IMR)", rows),
            content_type="application/pdf",
        )
        for place, rows in enumerate(_list_unkeyed_forms(), start=1)
    ]
    by = demo.people["intake"]
    batches.open_batch(
        channel=Channel.MAIL,
        received_on=local_day(demo.now),
        uploads=batches.check_uploads(uploads=uploads, by=by, at=demo.now),
        note="Morning mail",
        by=by,
        at=demo.now,
    )


def load_complaints(demo: Demo) -> None:
    """Load complaints: closed, answered with an open corrective action, overdue, and new."""
    overdue = _record_complaint(demo, 40, "CONDUCT", "The person on the phone was rude.", "PHONE")
    quality_of = _record_complaint(
        demo,
        25,
        "QUALITY",
        "The letter does not mention the report of the surgeon.",
        "MAIL",
        about=Case.objects.own().earliest("pk"),
    )
    late = _record_complaint(demo, 60, "TIMELINESS", "No answer for two weeks.", "EMAIL")
    _record_complaint(demo, 2, "COMMUNICATION", "The notice came in English only.", "PHONE")
    for complaint, days_ago, answer in (
        (quality_of, 18, "The report arrived after the determination."),
        (late, 20, "We apologized and sent the notice again."),
    ):
        at = demo.now - timedelta(days=days_ago)
        complaints.services.answer_complaint(
            complaint_id=complaint,
            answer=answer,
            answered_on=local_day(at),
            seen_version=None,
            by=demo.people["director"],
            at=at,
        )
    at = demo.now - timedelta(days=15)
    for complaint, description in (
        (overdue, "Listen to the call and speak with the person who took it"),
        (quality_of, "State in each letter until when records were considered"),
    ):
        complaints.services.add_corrective_action(
            complaint_id=complaint,
            description=description,
            responsible_id=demo.people["supervisor"].pk,
            due_on=local_day(at) + timedelta(days=10),
            by=demo.people["director"],
            at=at,
        )


def _record_complaint(
    demo: Demo, days_ago: int, category: str, text: str, channel: str, *, about: Case | None = None
) -> int:
    """Record a complaint of an injured worker, so many days before now."""
    employee = about.parties.current().get(role=PartyRole.EMPLOYEE) if about else None
    at = demo.now - timedelta(days=days_ago)
    complaint = complaints.services.record_complaint(
        values=complaints.services.ComplaintValues(
            received_on=local_day(at),
            channel=channel,
            party_kind="EMPLOYEE",
            party_name=employee.name if employee else "Francisco Ybarra",
            category=category,
            text=text,
            case_number=about.number if about else "",
        ),
        by=demo.people["coordinator"],
        at=at,
    )
    return complaint.pk


def _list_unkeyed_forms() -> Sequence[dict[str, str]]:
    return [
        {
            "Employee name, address and telephone": "Francisco Ybarra\n31 Cypress Row\n"
            "Santa Maria, CA 93454\n(805) 555-0196",
            "Date of birth": "02/19/1988",
            "Claim number": "CSR-7733016",
            "Disputed treatment 1": "Work conditioning, 10 visits",
        },
        {
            "Employee name, address and telephone": "Mei-Lin Zhao\n1400 Rosewood Court\n"
            "Milpitas, CA 95035\n(408) 555-0197",
            "Date of birth": "07/07/1991",
            "Claim number": "GA-4417755",
            "Disputed treatment 1": "Ergonomic chair, purchase",
        },
    ]


def _begin_hold(demo_case: DemoCase, reason: str, *, since: int, days: int, note: str) -> None:
    at = demo_case.clock.find_moment(since, 16)
    cases.services.holds.begin_hold(
        case_id=demo_case.case.pk,
        reason=reason,
        starts_on=local_day(at),
        planned_end=local_day(at) + timedelta(days=days),
        note=note,
        by=demo_case.demo.people["supervisor"],
        at=at,
    )


def _add_commitment(
    demo_case: DemoCase, role: PartyRole, description: str, *, informed: int, due: int
) -> int:
    """Add a commitment to a party.

    :param informed: days before now on which the party was informed.
    :param due: days before now, or after it where negative, on which it is due.
    """
    at = demo_case.clock.find_moment(informed, 16)
    added = cases.services.commitments.add_commitment(
        case_id=demo_case.case.pk,
        party_id=_find_party(demo_case, role),
        description=description,
        due_on=local_day(demo_case.demo.now) - timedelta(days=due),
        informed_on=local_day(at),
        letter_reference=f"Letter of {local_day(at):%m/%d/%Y}",
        why="Asked by telephone.",
        by=demo_case.demo.people["coordinator"],
        at=at,
    )
    return added.pk


def _find_party(demo_case: DemoCase, role: PartyRole) -> int:
    party = demo_case.case.parties.current().get(role=role)
    return party.pk
