"""What people do with their lists: take cases, do one act to many, keep views."""

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
    done = walk.act(
        bulk.run_bulk_action,
        by=coordinator,
        act="note",
        case_ids=[case.pk for case in cases],
        text="Asked for by phone.",
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
