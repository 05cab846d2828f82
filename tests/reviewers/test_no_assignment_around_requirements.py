"""No assignment reaches a reviewer who fails a requirement, whatever the panel looks like."""

import ast
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.contrib import admin
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.refusals import NotAllowed
from accounts.roles import Role
from reviewers.models import ReviewerAssignment
from reviewers.services import assignment as assignments
from reviewers.services import planning, rules
from tests.factories import MONDAY, person
from tests.reviewers.factories import fit_reviewer, rank_panel, ready_case

pytestmark = pytest.mark.django_db
NOON = MONDAY + timedelta(hours=4)

# What each lack leaves out of, or puts wrong in, a file that is otherwise whole.
LACKS = {
    "license": {"license": None},
    "lapsed": {"license": {"valid_to": date(2026, 3, 1)}},
    "restricted": {"license": {"standing": "RESTRICTED"}},
    "certificate": {"certification": None},
    "years": {"start": {"valid_from": date(2024, 1, 1)}},
    "hours": {"hours": None},
    "law": {"law": None},
    "evidence": {"evidence": None},
    "sanction": {"sanctions": {"found": True}},
    "sign_in": {"sign_in": False},
    "no_room": {"capacity": 0},
    "day_off": {},
    "no_subjects": {},
}


def make_reviewer_with_fault(lack):
    """A reviewer with one thing wrong, or with none."""
    made = fit_reviewer(**LACKS.get(lack, {}))
    if lack in {"day_off", "no_subjects"}:
        rules.limit_offers(
            reviewer_id=made.pk,
            subjects=[] if lack == "no_subjects" else None,
            days_off=[0] if lack == "day_off" else [],
            reason="Asked to",
            by=None,
            at=MONDAY,
        )
    return made


@pytest.mark.capability("MC-1")
@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.sampled_from([*LACKS, "nothing"]), min_size=1, max_size=4))
def test_no_kind_of_assignment_reaches_a_reviewer_who_fails_a_requirement(db, lacks):
    coordinator = person(Role.COORDINATOR)
    panel = {make_reviewer_with_fault(lack).pk: lack for lack in lacks}
    single, planned = ready_case(), ready_case()
    listed = rank_panel(single, by=coordinator)
    refused = {one.reviewer_id for one in listed.candidates if one.rank is None}
    assert {pk for pk, lack in panel.items() if lack != "nothing"} <= refused

    for reviewer_id, lack in panel.items():
        if lack == "nothing":
            continue
        with pytest.raises(NotAllowed, match="cannot be assigned"):
            assignments.assign_reviewer(
                case_id=single.pk,
                reviewer_id=reviewer_id,
                candidate_list_id=listed.pk,
                seen_version=None,
                override_code="DIRECTOR",
                by=coordinator,
                at=NOON,
            )
    forged = [(planned.pk, planned.version, pk) for pk in panel]
    planning.execute_plan(choices=forged, by=coordinator, at=NOON)

    given_to = ReviewerAssignment.objects.filter(case__in=[single, planned])
    assert {panel[row.reviewer_id] for row in given_to} <= {"nothing"}


@pytest.mark.capability("AC-7")
def test_only_the_named_services_create_an_assignment():
    """No command, admin page or import writes the row.

    Whoever could, would go round the requirements.
    """
    root = Path(__file__).resolve().parent.parent.parent
    apps = [path.parent for path in root.glob("*/apps.py")]
    makers = {
        str(path.relative_to(root))
        for app in apps
        for path in app.rglob("*.py")
        if "migrations" not in path.parts
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "ReviewerAssignment"
    }
    assert makers == {
        "reviewers/services/assignment.py",
        "determinations/services/published.py",  # what others decided, without a reviewer of ours
    }
    assert ReviewerAssignment not in admin.site._registry
