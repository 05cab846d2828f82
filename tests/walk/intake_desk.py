"""What clerks do before a case is screened: scans of a batch, unfinished forms, slips, twins."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from cases.models import Channel
from cases.services import consolidation, duplicate_outcomes, duplicates, endings
from eligibility.services import screening
from intake.models import DRAFT_DAYS, CancelReason
from intake.services import batches, bulk_receiving, corrections, drafts, receiving
from intake.services.receiving import ItemOnForm
from tests.factories import MONDAY, SIX_YES, application, parties, scanned_file


def key_a_batch(walk, clerk, supervisor):
    """Four scans: one entered, one skipped and taken up, two whose forms end without a case."""
    scanned = [scanned_file(f"{number}.pdf") for number in range(4)]
    batch = walk.act(
        batches.open_batch,
        by=clerk,
        channel=Channel.MAIL,
        received_on=MONDAY.date(),
        uploads=walk.act(batches.check_uploads, by=clerk, uploads=scanned),
    )
    first, second, third, fourth = batch.scans.order_by("position")

    def keyed(scan):
        key = uuid4()
        form = {"key": key, "typed": {"last_name": ["Q"]}, "scan_id": scan.pk}
        walk.act(drafts.save_intake_draft, by=clerk, revision=None, **form)
        return key

    assert walk.act(batches.claim_next_scan, by=clerk) == first
    form = application(key=keyed(first), received_at=MONDAY, scan_id=first.pk)
    walk.act(receiving.receive_application, by=clerk, application=form)
    walk.act(batches.claim_scan, by=clerk, scan_id=third.pk)
    walk.act(batches.release_scan, by=clerk, scan_id=third.pk)
    walk.act(
        batches.skip_scan, by=clerk, scan_id=second.pk, reason=CancelReason.OTHER, note="Torn."
    )
    walk.act(batches.return_scan_to_queue, by=supervisor, scan_id=second.pk)
    key = keyed(third)
    walk.act(
        drafts.cancel_intake_draft,
        by=clerk,
        key=key,
        reason=CancelReason.QUESTION,
        note="Whose claim?",
    )
    keyed(fourth)
    now, walk.at = walk.at, walk.at + timedelta(days=DRAFT_DAYS)
    assert walk.by_itself(drafts.close_lapsed_drafts) == 1
    walk.at = now


def correct_slips(walk, clerk):
    many = [
        application(
            received_at=MONDAY,
            parties=parties(EMPLOYEE=name, EMPLOYER=f"{name} Works"),
            date_of_injury=MONDAY.date(),
        )
        for name in ("Tanaka", "Oduya")
    ]
    walk.act(bulk_receiving.receive_many_applications, by=clerk, applications=many)
    case = walk.act(
        receiving.receive_application, by=clerk, application=application(received_at=MONDAY)
    )
    fields = {"case_id": case.pk, "seen_version": None}
    walk.act(
        corrections.correct_received_date,
        by=clerk,
        received_at=MONDAY - timedelta(days=3),
        why="The stamp says Friday.",
        **fields,
    )
    signed = MONDAY.date() - timedelta(days=4)
    walk.act(
        corrections.correct_application,
        by=clerk,
        values={"eams_number": "ADJ1234567", "reference": "UR-1", "signed_on": signed},
        items={case.items.get().pk: ItemOnForm("Brace")},
        added=[ItemOnForm("Norco")],
        why="",
        **fields,
    )


def consolidate_cases(walk, clerk, coordinator):
    """Cases of one injury that look alike: compared, consolidated, separated, released."""

    def eligible(title):
        usual = application(received_at=MONDAY, claim_number="06-77", items=[ItemOnForm(title)])
        form = replace(usual, ur_decision=replace(usual.ur_decision, reference=f"UR {title}"))
        case = walk.act(receiving.receive_application, by=clerk, application=form)
        for found in case.possible_duplicates.filter(answer=""):
            walk.act(
                duplicate_outcomes.decide_duplicate,
                by=coordinator,
                proposal_id=found.pk,
                answer="DIFFERENT",
                reason="Another treatment.",
            )
        walk.act(duplicates.search_duplicates_again, by=coordinator, case_id=case.pk)
        walk.act(
            screening.decide_eligibility,
            by=coordinator,
            case_id=case.pk,
            answers=SIX_YES,
            notes=dict.fromkeys(SIX_YES, "Compared on the paper."),
            seen_version=None,
        )
        return case

    lead, second, third = (eligible(title) for title in ("Massage", "Acupuncture", "Aquatics"))
    for case in (second, third):
        walk.act(
            consolidation.consolidate_case,
            by=coordinator,
            case_id=case.pk,
            lead_id=lead.pk,
            reason="One injury.",
        )
    walk.act(consolidation.separate_case, by=coordinator, case_id=second.pk, reason="By mistake.")
    walk.act(endings.withdraw_case, by=coordinator, case_id=lead.pk, reason="A letter.")
    third.refresh_from_db()
    assert third.status == "ELIGIBLE"
