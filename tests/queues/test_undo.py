"""The last action is taken back within ten seconds, a mark as sent on the same day, with proof."""

from datetime import timedelta
from unittest import mock

import pytest
from django.urls import reverse

from accounts.refusals import NotAllowed, TakenByAnother
from accounts.roles import Role
from cases.models import Case, CaseLetter, Deadline, DisputedItem, Event, UndoableAct
from cases.services import endings, notes, restrictions
from cases.services.undoing import FollowedBySomething
from correspondence.services import case_letters, notices
from determinations.services import issuing, sending
from eligibility.services import screening
from eligibility.services.findings import ItemAnswers
from intake.services.receiving import ItemOnForm
from letters import typesetting
from letters.kinds import LetterKind
from letters.models import Letter, ServiceEvent
from letters.services import LetterTaken, publish_due_letters, render_letter
from notices.models import Notice
from queues.services.undo import undo_act
from reviewers.matching.assignment_history import list_offers_between
from reviewers.models import ReviewerAssignment
from tests.determinations.factories import make_approved_case, make_issued_case
from tests.factories import MONDAY, SIX_YES, eligible_case, person, received_case
from tests.letters.factories import file_without_typesetting, publish_sample_wording, stand_in
from tests.reviewers.factories import offered_case, rank_panel

pytestmark = pytest.mark.django_db

NOON = MONDAY + timedelta(hours=3)
SOON = timedelta(seconds=9)


@pytest.fixture
def ada(db):
    return person(Role.COORDINATOR, name="Ada Clerk")


def look_at(case):
    """What an undo has to bring back: the stage, the dates and what is in force."""
    case = Case.objects.get(pk=case.pk)
    live = Deadline.objects.filter(case=case, replaced_at=None).order_by("deadline_kind", "pk")
    return {
        "stage": (case.status, case.is_open, case.next_role, case.queue, case.closed_at),
        "due": (case.due_on, case.due_deadline_kind, case.list_day, case.assigned_on),
        "deadlines": [(one.deadline_kind, one.due_on, one.met_at) for one in live],
        "items": list(case.items.values_list("ending", "ended_at", "ended_because")),
        "drafts": list(case.case_letters.filter(state="DRAFT").values_list("kind", "number")),
        "links": list(case.links.filter(ended_at=None).values_list("kind", "other")),
    }


def decide(case, by, at=NOON, **answers):
    return screening.decide_eligibility(
        case_id=case.pk, answers=SIX_YES | answers, notes={}, seen_version=None, by=by, at=at
    )


def undo_last(case, by, at):
    act = UndoableAct.objects.filter(case=case).latest("pk")
    undo_act(act_id=act.pk, by=by, at=at)
    return UndoableAct.objects.get(pk=act.pk)


def test_a_decision_is_undone_with_all_that_it_wrote_and_stays_on_record(ada):
    case = received_case()
    before = look_at(case)
    decision = decide(case, ada)
    assert look_at(case) != before

    act = undo_last(case, ada, NOON + SOON)

    assert look_at(case) == before
    decision.refresh_from_db()
    assert (decision.result, decision.undone_by) == ("ELIGIBLE", ada)
    assert (act.undone_at, act.undone_by) == (NOON + SOON, ada)
    event = Event.objects.filter(case=case).latest("pk")
    assert (event.kind, event.by) == ("UNDONE", ada)
    assert event.sentence == "Undone: found eligible."
    # Each step is on record, with who and why.
    versions = list(Case.objects.get(pk=case.pk).history.values_list("status", flat=True))
    assert "ELIGIBLE" in versions
    last = Case.objects.get(pk=case.pk).history.first()
    assert (last.history_user, last.history_change_reason) == (ada, "Undone")
    # And the case can be decided again.
    assert decide(case, ada, NOON + timedelta(minutes=1)).attempt == 2


def test_items_that_the_decision_ended_and_its_draft_letter_are_taken_back(ada):
    case = received_case(items=(ItemOnForm("MRI"), ItemOnForm("Physical therapy")))
    before = look_at(case)
    second = case.items.get(position=2)
    screening.decide_eligibility(
        case_id=case.pk,
        answers=SIX_YES,
        notes={},
        items={second.pk: ItemAnswers(necessity="NO", note="Read.")},
        seen_version=None,
        by=ada,
        at=NOON,
    )
    assert case.items.get(position=2).ending == DisputedItem.Ending.INELIGIBLE
    assert case.case_letters.filter(kind=LetterKind.INELIGIBILITY, state="DRAFT").exists()

    undo_last(case, ada, NOON + SOON)

    assert look_at(case) == before
    draft = case.case_letters.get(kind=LetterKind.INELIGIBILITY)
    assert (draft.state, draft.discarded_because, draft.discarded_by) == (
        "DISCARDED",
        "UNDONE",
        ada,
    )


def test_an_offer_to_a_reviewer_is_undone_and_is_no_choice(ada, settings):
    settings.MAIL_IS_CONFIGURED = True
    at = MONDAY + timedelta(hours=4)
    assignment = offered_case(coordinator=ada, at=at)
    case = assignment.case
    listed = assignment.candidate_list.find_candidate(assignment.reviewer_id)
    notice = Notice.objects.get(addressee=assignment.reviewer.user, kind="REVIEW_OFFERED")
    assert (notice.read_at, notice.mail_due_at) == (None, at + timedelta(seconds=10))

    undo_last(case, ada, at + SOON)

    assignment.refresh_from_db()
    assert assignment.state == ReviewerAssignment.State.UNDONE
    notice.refresh_from_db()
    assert (notice.read_at, notice.mail_state) == (at + SOON, "NONE")
    assert look_at(case)["stage"][0] == "RECORDS_COMPLETE"
    assert not list_offers_between(at.date(), at.date()).exists()
    assert rank_panel(case, by=ada, at=at + SOON).find_candidate(assignment.reviewer_id) == listed
    again = offered_case(
        case=Case.objects.get(pk=case.pk),
        reviewer=assignment.reviewer,
        coordinator=ada,
        at=at + timedelta(minutes=1),
    )
    assert again.seat == assignment.seat


def test_an_approval_for_issue_is_undone_before_it_is_issued():
    checker = person(Role.QA)
    case = make_approved_case(by=checker)
    reading = case.determinations.get().quality_reviews.get()

    undo_last(case, checker, reading.checked_at + SOON)

    determination = case.determinations.get()
    assert (determination.state, determination.approved_by) == ("IN_QA", None)
    assert determination.quality_reviews.get().voided_at == reading.checked_at + SOON
    assert Case.objects.get(pk=case.pk).status == "QA"
    with pytest.raises(NotAllowed):
        issuing.issue_determination(
            case_id=case.pk, seen_version=None, by=person(Role.DIRECTOR), at=reading.checked_at
        )


def test_a_closure_is_undone_to_the_state_before(ada):
    case = received_case()
    endings.withdraw_case(case_id=case.pk, reason="The worker asked.", by=ada, at=NOON)
    before = look_at(case)
    later = NOON + timedelta(minutes=1)
    endings.close_case(case_id=case.pk, reason="Done.", by=ada, at=later)

    undo_last(case, ada, later + SOON)

    assert look_at(case) == before
    assert before["stage"][0] == "WITHDRAWN"


def test_a_closure_is_not_undone_once_another_case_disputes_the_same_decision(ada):
    lead, duplicate = (received_case(claim_number="06-77") for _ in range(2))
    endings.withdraw_case(case_id=lead.pk, reason="A letter.", by=ada, at=NOON)
    endings.close_case(case_id=lead.pk, reason="Done.", by=ada, at=NOON)
    # The duplicate is now the open case of the UR decision.
    screening.screen_case_again(
        case_id=duplicate.pk, reason="The first is closed.", by=ada, at=NOON + SOON
    )

    with pytest.raises(TakenByAnother, match="Another case was opened for the UR decision"):
        undo_last(lead, ada, NOON + SOON)

    assert Case.objects.get(pk=lead.pk).status == "CLOSED"
    assert UndoableAct.objects.get(case=lead).undone_at is None


def make_letter(case, by, at=NOON, kind=LetterKind.ACKNOWLEDGMENT):
    letter = case.case_letters.get(kind=kind)
    with mock.patch.object(typesetting, "typeset_words", stand_in):
        case_letters.preview_letter(letter_id=letter.pk, by=by, at=at)
    return case_letters.approve_letter(letter_id=letter.pk, seen_version=None, by=by, at=at)


def publish_letters(at):
    sent = []
    publish_due_letters(send=sent.extend, broker_error=OSError, at=at)
    return sent


def test_an_approved_letter_leaves_ten_seconds_later(ada):
    publish_sample_wording()
    letter = make_letter(received_case(), ada)
    ids = {copy.letter_id for copy in letter.current_copies()}

    assert publish_letters(NOON + SOON) == []
    assert set(publish_letters(NOON + timedelta(seconds=10))) == ids


def test_an_approval_that_is_undone_never_leaves_and_can_be_given_again(ada):
    publish_sample_wording()
    case = received_case()
    letter = make_letter(case, ada)
    first = [copy.letter_id for copy in letter.current_copies()]

    undo_last(case, ada, NOON + SOON)

    letter.refresh_from_db()
    assert (letter.state, letter.approved_by) == (CaseLetter.State.DRAFT, None)
    assert not letter.current_copies().exists()
    assert set(Letter.objects.filter(pk__in=first).values_list("state", flat=True)) == {"CANCELED"}
    with pytest.raises(LetterTaken):
        render_letter(letter_id=first[0], at=NOON, now=lambda: NOON)
    assert publish_letters(NOON + timedelta(hours=1)) == []
    again = make_letter(case, ada, NOON + timedelta(minutes=1))
    assert again.current_copies().count() == len(first)


def test_an_approval_is_not_undone_once_a_worker_has_the_letter(ada):
    publish_sample_wording()
    case = received_case()
    make_letter(case, ada)
    file_without_typesetting(at=NOON + timedelta(seconds=11))

    with pytest.raises(LetterTaken, match="has left already"):
        undo_last(case, ada, NOON + timedelta(seconds=12))


def test_notices_marked_as_sent_in_error_wait_to_be_sent_again(ada):
    publish_sample_wording()
    case = eligible_case()
    notices.make_notices(case_id=case.pk, by=ada, at=NOON)
    file_without_typesetting(at=NOON)
    before = look_at(case)
    notices.mark_notices_sent(case_id=case.pk, sent_on=NOON.date(), by=ada, at=NOON)
    notes.add_note(case_id=case.pk, text="Called.", by=ada, at=NOON)
    # A colleague of the mail room may correct it too.
    clerk = person(Role.MAILROOM)

    act = undo_last(case, clerk, NOON + timedelta(hours=8))

    assert look_at(case) == before
    assert act.undone_by == clerk
    assert set(case.notices.values_list("service__state", "service__served_on", "sent_on")) == {
        ("PREPARED", None, None)
    }
    assert ServiceEvent.objects.filter(kind="IN_ERROR").count() == case.notices.count()
    notices.mark_notices_sent(
        case_id=case.pk, sent_on=NOON.date(), by=ada, at=NOON + timedelta(hours=9)
    )
    assert look_at(case)["stage"][0] == "NOTICE_SENT"


def test_a_letter_marked_as_sent_in_error_starts_no_time_to_petition(ada):
    publish_sample_wording()
    case = received_case()
    screening.decide_eligibility(
        case_id=case.pk,
        answers=SIX_YES | {"SIGNED": "NO"},
        notes={"SIGNED": "Read."},
        seen_version=None,
        by=ada,
        at=NOON,
    )
    letter = make_letter(case, ada, kind=LetterKind.INELIGIBILITY)
    file_without_typesetting(at=NOON)
    before = look_at(case)
    case_letters.mark_letter_sent(letter_id=letter.pk, sent_on=NOON.date(), by=ada, at=NOON)
    petitions = case.deadlines.filter(deadline_kind="petition", replaced_at=None)
    assert petitions.exists()

    undo_last(case, ada, NOON + timedelta(hours=1))

    letter.refresh_from_db()
    assert (letter.state, letter.sent_on) == ("APPROVED", None)
    assert look_at(case) == before
    assert not petitions.exists()
    event = case.events.latest("pk")
    assert event.sentence == "Recorded in error: notice of ineligibility sent Mon, Mar 2, 2026."


def test_a_determination_marked_as_sent_in_error_is_to_be_sent_again():
    case = make_issued_case()
    clerk = person(Role.MAILROOM)
    issued_at = case.determinations.get().issued_at
    file_without_typesetting(at=issued_at)
    before = look_at(case)
    day = issued_at.date()
    sending.mark_determination_sent(case_id=case.pk, sent_on=day, by=clerk, at=issued_at)
    assert look_at(case)["stage"][0] == "CLOSED"

    undo_last(case, clerk, issued_at + timedelta(minutes=30))

    assert look_at(case) == before
    assert before["stage"][0] == "ISSUED"


def test_a_mark_as_sent_is_final_after_midnight_in_california(ada):
    publish_sample_wording()
    case = eligible_case()
    notices.make_notices(case_id=case.pk, by=ada, at=NOON)
    file_without_typesetting(at=NOON)
    notices.mark_notices_sent(case_id=case.pk, sent_on=NOON.date(), by=ada, at=NOON)
    act = UndoableAct.objects.get(case=case, kind="NOTICES_SENT")

    # Midnight in Los Angeles is eight in the morning in UTC.
    with pytest.raises(NotAllowed, match="only on the day"):
        undo_act(act_id=act.pk, by=ada, at=act.until)
    assert act.until.isoformat() == "2026-03-03T00:00:00-08:00" or act.until.hour == 8
    undo_act(act_id=act.pk, by=ada, at=act.until - timedelta(seconds=1))


def test_undo_is_refused_in_words_when_it_is_late_another_persons_or_was_followed(ada):
    case = received_case()
    decide(case, ada)

    with pytest.raises(NotAllowed, match="ten seconds to undo this have passed"):
        undo_last(case, ada, NOON + timedelta(seconds=16))
    with pytest.raises(NotAllowed, match="Only the person who did this"):
        undo_last(case, person(Role.COORDINATOR), NOON + SOON)
    notes.add_note(case_id=case.pk, text="They called.", by=ada, at=NOON + timedelta(seconds=1))
    with pytest.raises(FollowedBySomething, match="Something was done on this case since"):
        undo_last(case, ada, NOON + SOON)
    assert Case.objects.get(pk=case.pk).status == "ELIGIBLE"


def test_undo_is_done_once(ada):
    case = received_case()
    decide(case, ada)
    undo_last(case, ada, NOON + SOON)

    with pytest.raises(NotAllowed, match="already taken back"):
        undo_last(case, ada, NOON + SOON)


def test_issuing_offers_no_undo():
    case = make_issued_case()

    acts = UndoableAct.objects.filter(case=case).order_by("-pk")
    assert acts.first().kind == "QA_APPROVED"
    with pytest.raises(FollowedBySomething):
        undo_act(act_id=acts.first().pk, by=acts.first().done_by, at=acts.first().done_at)


def test_the_page_offers_undo_beside_its_message_and_says_what_was_undone(client, ada, set_clock):
    case = received_case()
    endings.withdraw_case(case_id=case.pk, reason="The worker asked.", by=ada, at=NOON)
    set_clock(NOON)
    client.force_login(ada)

    page = client.post(
        reverse("cases:close", args=[case.number]), {"reason": "Done."}, follow=True
    ).content.decode()
    act = UndoableAct.objects.get(case=case)
    address = reverse("queues:undo", args=[case.number, act.pk])
    assert f'action="{address}"' in page
    assert "Undo</button>" in page
    assert address not in client.get(case.get_absolute_url()).content.decode()

    set_clock(NOON + SOON)
    done = client.post(address, follow=True).content.decode()
    assert f"{case.number}: Undone: closed." in done
    assert Case.objects.get(pk=case.pk).status == "WITHDRAWN"

    late = client.post(address)
    assert late.status_code == 422
    assert "already taken back" in late.content.decode()


def test_nobody_undoes_on_a_case_that_is_hidden_from_them(client, ada, set_clock):
    case = received_case()
    decide(case, ada)
    act = UndoableAct.objects.get(case=case)
    restrictions.restrict_case(
        case_id=case.pk, ground="PUBLIC", reason="Known.", by=person(Role.DIRECTOR), at=NOON
    )
    set_clock(NOON + SOON)
    client.force_login(ada)

    assert client.post(reverse("queues:undo", args=[case.number, act.pk])).status_code == 404
