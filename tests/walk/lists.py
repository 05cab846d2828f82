"""What people do with their lists: take cases, do one act to many, keep views."""

from cases.services import restrictions
from intake.services import receiving
from queues.services import bulk, claims, saved_views
from tests.factories import MONDAY, application


def work_the_lists(walk, clerk, coordinator):
    cases = [
        walk.act(
            receiving.receive_application, by=clerk, application=application(received_at=MONDAY)
        )
        for _ in range(2)
    ]
    taken = walk.act(claims.claim_next_case, by=coordinator, queue="eligibility")
    walk.act(claims.release_case, by=coordinator, case_id=taken.case_id)
    walk.act(claims.claim_case, by=coordinator, case_id=cases[0].pk)
    walk.act(claims.skip_case, by=coordinator, case_id=cases[0].pk, reason="Waits for a call.")
    done = walk.act(
        bulk.run_bulk_action,
        by=coordinator,
        action="note",
        row_ids=[case.pk for case in cases],
        typed={"text": "Asked for by phone."},
    )
    assert [one.refusal for one in done] == ["", ""]


def keep_views(walk, supervisor):
    view = walk.act(
        saved_views.save_view,
        by=supervisor,
        name="Late ones",
        queue="eligibility",
        query="",
        today=MONDAY.date(),
    )
    walk.act(saved_views.rename_view, by=supervisor, view_id=view.pk, name="Overdue")
    walk.act(saved_views.share_view, by=supervisor, view_id=view.pk, shared=True)
    walk.act(saved_views.retire_view, by=supervisor, view_id=view.pk)


def restrict_a_case(walk, clerk, supervisor):
    """A case of an employee: restricted, a later one of the same worker too, and lifted.

    Meanwhile a clerk is cleared and no longer cleared.
    """
    case = walk.act(
        receiving.receive_application, by=clerk, application=application(received_at=MONDAY)
    )
    of_case = {"by": supervisor, "case_id": case.pk}
    walk.act(restrictions.restrict_case, ground="EMPLOYEE", reason="Works here.", **of_case)
    later = walk.act(
        receiving.receive_application, by=clerk, application=application(received_at=MONDAY)
    )
    walk.act(
        restrictions.restrict_related_cases, related=[later.pk], reason="Same worker.", **of_case
    )
    clearance = walk.act(
        restrictions.clear_person, user_id=clerk.pk, reason="Keys corrections.", **of_case
    )
    walk.act(
        restrictions.end_clearance, by=supervisor, clearance_id=clearance.pk, reason="Moved away."
    )
    walk.act(restrictions.lift_restriction, reason="Left us.", **of_case)
