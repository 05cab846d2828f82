"""Letters of a case: drafted, changed, approved and sent, or discarded."""

from datetime import date

from cases.models import CaseLetter
from cases.services import drafting
from correspondence.services import case_letters
from intake.services import receiving
from letters import services as letter_services
from letters.kinds import LetterKind
from tests.factories import MONDAY, application


def write_letters(walk, clerk, coordinator, clerk_of_mail, file_letters):
    """:param file_letters: what workers do with queued letters."""
    case = walk.act(
        receiving.receive_application, by=clerk, application=application(received_at=MONDAY)
    )
    draft = case.case_letters.get(kind=LetterKind.ACKNOWLEDGMENT)  # proposed by the act itself
    attorney = case.parties.get(role="EMPLOYEE_ATTORNEY")
    seen = {"letter_id": draft.pk, "seen_version": None}
    walk.act(
        case_letters.change_letter_draft,
        by=coordinator,
        particulars="Please call us.",
        left_out=[attorney.pk],
        **seen,
    )
    walk.act(case_letters.preview_letter, by=coordinator, letter_id=draft.pk)
    walk.act(case_letters.approve_letter, by=coordinator, **seen)
    walk.undo(case_letters.undo_approve_letter, by=coordinator, case=case)
    walk.act(case_letters.approve_letter, by=coordinator, **seen)
    file_letters(walk)
    letter = draft.current_copies().first().letter
    walk.act(letter_services.read_letter_file, by=coordinator, letter_id=letter.pk)
    walk.act(
        case_letters.mark_letter_sent,
        by=clerk_of_mail,
        letter_id=draft.pk,
        sent_on=date(2026, 3, 2),
    )
    walk.undo(case_letters.take_back_letter_sent, by=clerk_of_mail, case=case)
    other = walk.act(
        drafting.draft_letter, by=coordinator, case_id=case.pk, kind=LetterKind.CLOSURE
    )
    walk.act(
        case_letters.discard_letter_draft,
        by=coordinator,
        letter_id=other.pk,
        reason=CaseLetter.Discarded.MISTAKE,
    )
