"""Every act of the office once: each tracked row that changed has its version, by whom, numbered.

The history itself is guarded row by row in ``test_history_of_services``. Here the acts are walked
as the office does them, with the person and the moment of each compared with what the versions say.
"""

import pytest

import letters.services as letter_services
from accounts.roles import Role
from deadlines.migration_operations import LOADED
from tests.every_row import tracked_models
from tests.factories import person
from tests.letters.factories import SHIPPED
from tests.test_services_shape import ALL as EVERY_SERVICE
from tests.test_services_shape import QUESTIONS
from tests.walk.correspondence import write_letters
from tests.walk.dates import after_the_determination, dates_move, more_time
from tests.walk.intake_desk import consolidate_cases, correct_slips, key_a_batch
from tests.walk.law import change_deadline_rules
from tests.walk.lists import keep_views, restrict_a_case, work_the_lists
from tests.walk.organization import (
    keep_guidelines,
    keep_the_panel,
    record_own_organization,
    resolve_own_conflict_of_staff,
)
from tests.walk.reviewed import check_and_issue, file_letters, review, to_records, to_review
from tests.walk.screened import (
    changes_after_acceptance,
    clear_at_once,
    ends_early,
    split_and_merge,
    waits_for_others,
)
from tests.walk.walking import Walk, services_called

pytestmark = pytest.mark.django_db


WALKED = ("cases", "reviewers", "records", "determinations", "guidelines", "letters")


# Acts that have their own tests and touch no tracked row of a journey.
NOT_HERE = {
    # Each stores the rows of one table of a batch; tests/intake/test_bulk_receiving.py compares
    # them with the rows and versions of applications that were received one by one.
    "cases/services/case_deadlines.py:start_deadlines_of_new_cases": "receives a batch",
    "cases/services/drafting.py:propose_letters_of_new_cases": "receives a batch",
    "cases/services/duplicates.py:store_keys_of_new_cases": "receives a batch",
    "cases/services/own_conflicts.py:store_checks_without_findings": "receives a batch",
    "cases/services/parties.py:store_parties_of_new_cases": "receives a batch",
    "cases/services/restrictions.py:restore_clearance": "repairs a list that nobody can keep",
    "determinations/services/published.py:load_published": "loads what others decided",
    "determinations/services/published.py:load_many_published": "loads what others decided",
    "records/services/reminders.py:send_reminder_letter": "needs records that are overdue",
    "letters/services.py:requeue_lost_letters": "brings back letters that got lost",
    "letters/services.py:record_heartbeat": "shows that a process works",
    "letters/services.py:claim_due_letters": "for the relay",
    "letters/services.py:publish_due_letters": "for the relay",
    "reviewers/services/review_notices.py:remind_due_reviews": "needs a review that is due",
    "letters/services.py:requeue_stuck_letter": "needs a letter that no worker took",
    "letters/services.py:retry_failed_letter": "needs a letter that cannot be typeset",
}


def test_no_action_changes_a_tracked_row_without_a_version():
    walk, called = Walk(), set()

    with services_called(called):
        run_all_services(walk)

    assert walk.missed == []
    acts = {
        f"{path}:{function.name}"
        for path, function in EVERY_SERVICE
        if path.split("/")[0] in WALKED and function.name not in QUESTIONS.get(path, ())
    }
    assert sorted(acts - called - NOT_HERE.keys()) == [], "these acts were not walked"
    assert NOT_HERE.keys() <= acts
    for model in tracked_models():
        assert_whole(model)


def assert_whole(model):
    """Each row's newest version is the row; versions count from one without a gap."""
    for row in model.objects.all():
        versions = list(row.history.order_by("history_id"))
        where = f"{model._meta.label} {row.pk}"
        assert [one.version for one in versions] == list(range(1, row.version + 1)), where
        assert [one.history_type for one in versions] == ["+"] + ["~"] * (row.version - 1), where
        # A migration stores what is shipped on the real day of the test, long after the walk.
        walked = [one for one in versions if one.history_change_reason != LOADED]
        dates = [one.history_date for one in walked]
        assert dates == sorted(dates), where
        for field in model._meta.concrete_fields:
            was, now = getattr(versions[-1], field.attname), getattr(row, field.attname)
            assert was == now, f"{where}: {field.name} is {now!r} and its version says {was!r}"
    kept = model.history.values_list(model._meta.pk.name, flat=True).distinct()
    assert set(kept) == set(model.objects.values_list("pk", flat=True)), "a row is gone"


def run_all_services(walk):
    """From an empty organization to two closed cases, by every act that there is."""
    people = {role: person(role) for role in Role}
    clerk, coordinator = people[Role.INTAKE], people[Role.COORDINATOR]
    keeper, director = people[Role.CREDENTIALING], people[Role.DIRECTOR]
    qa, clerk_of_mail = people[Role.QA], people[Role.MAILROOM]
    guideline_keeper = people[Role.GUIDELINE_ADMIN]

    keep_guidelines(walk, guideline_keeper)
    for path in sorted(SHIPPED.glob("*.toml")):
        made = walk.act(letter_services.import_wording, by=director, text=path.read_text())
        walk.act(letter_services.publish_wording, by=director, set_id=made.pk)
    again = (SHIPPED / "assignment-notice.toml").read_text().replace("plain words", "plain terms")
    newer = walk.act(
        letter_services.import_wording, by=director, text=again.replace("title = ", "title = ", 1)
    )
    if newer.state == "DRAFT":
        walk.act(letter_services.publish_wording, by=director, set_id=newer.pk)
    reviewer, reviewer_user = keep_the_panel(walk, keeper)

    record_own_organization(walk, keeper)

    change_deadline_rules(walk, director)
    supervisor = people[Role.SUPERVISOR]
    key_a_batch(walk, clerk, supervisor)
    correct_slips(walk, clerk)
    consolidate_cases(walk, clerk, coordinator)
    dates_move(walk, clerk, coordinator)
    work_the_lists(walk, clerk, coordinator)
    keep_views(walk, supervisor)
    restrict_a_case(walk, clerk, supervisor)
    write_letters(walk, clerk, coordinator, clerk_of_mail, file_letters)
    ends_early(walk, clerk, coordinator)
    changes_after_acceptance(walk, clerk, coordinator)
    waits_for_others(walk, clerk, coordinator)
    clear_at_once(walk, clerk, coordinator)
    split_and_merge(walk, clerk, coordinator)
    case = to_records(walk, clerk, coordinator, clerk_of_mail)
    more_time(walk, case, coordinator)
    held = to_review(walk, case, coordinator, reviewer, reviewer_user)
    review(walk, held, reviewer_user)
    check_and_issue(walk, held, reviewer_user, qa, director, clerk_of_mail)
    after_the_determination(walk, held.case_id, coordinator)
    resolve_own_conflict_of_staff(walk, clerk, keeper, director)
