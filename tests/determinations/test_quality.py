"""Quality assurance: returned with words, approved, and an approval voided."""

import html
import re
from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.refusals import NotAllowed
from accounts.roles import Role
from accounts.services import grant_role
from accounts.versions import Stale
from cases.lifecycle import Status
from cases.models import Case, Event
from determinations.models import Determination, QualityReview
from determinations.policies import live_determination
from determinations.services import issuing, quality, writing
from tests.factories import person
from tests.records.factories import in_review

from .factories import REVIEWED, make_submitted_case, reviewer_of, save_draft_part

pytestmark = pytest.mark.django_db

READ = REVIEWED + timedelta(hours=1)
AGAIN = READ + timedelta(minutes=30)
WORDS = "Say how long the relief lasted."


@pytest.fixture(scope="module")
def submitted_once(module_db):
    return make_submitted_case(in_review())


@pytest.fixture
def case(submitted_once):
    return Case.objects.get(pk=submitted_once.pk)


@pytest.fixture
def checker():
    return person(Role.QA, name="Maria Delgado")


def return_review(case, by, *, comment=WORDS, item_id=None, seen_version=None, at=READ):
    return quality.return_review(
        case_id=case.pk, comment=comment, item_id=item_id, seen_version=seen_version, by=by, at=at
    )


def approve_review(case, by, *, comment="", seen_version=None, at=READ):
    return quality.approve_review(
        case_id=case.pk, comment=comment, seen_version=seen_version, by=by, at=at
    )


def reload_case(case):
    return Case.objects.get(pk=case.pk)


def test_a_review_is_returned_to_its_reviewer_with_a_comment(case, checker):
    item = case.items.get()

    reading = return_review(case, checker, item_id=item.pk, seen_version=case.version)

    assert reload_case(case).stage == Status.IN_REVIEW
    assert (reading.result, reading.comment, reading.item) == ("RETURNED", WORDS, item)
    assert (reading.number, reading.checked_by, reading.checked_at) == (1, checker, READ)
    assert live_determination(case).state == Determination.State.RETURNED
    assert case.assignments.get().review.state == "RETURNED"
    event = case.events.latest("pk")
    assert (event.kind, event.why, event.by) == (Event.Kind.QA_RETURNED, WORDS, checker)


def test_an_approved_review_waits_for_the_director(case, checker):
    approve_review(case, checker, comment="Clear.", seen_version=case.version)

    case = reload_case(case)
    determination = live_determination(case)
    assert (case.stage, case.next_role) == (Status.APPROVED, "DIRECTOR")
    assert determination.state == Determination.State.APPROVED
    assert (determination.approved_by, determination.approved_at) == (checker, READ)
    assert case.events.latest("pk").kind == Event.Kind.QA_APPROVED


def test_after_a_return_the_review_is_read_a_second_time(case, checker):
    return_review(case, checker)
    assignment = case.assignments.get()
    save_draft_part(assignment, "summary", {"summary": "Relief lasted nine days."}, at=AGAIN)
    writing.submit_review(assignment_id=assignment.pk, by=reviewer_of(assignment), at=AGAIN)

    (changed,) = issuing.list_changes_since_return(reload_case(case))
    assert (changed.part, changed.new) == ("summary", "Relief lasted nine days.")
    assert "neck pain after a lifting injury" in changed.old
    assert approve_review(case, checker, at=READ + timedelta(hours=1)).number == 2


@pytest.mark.parametrize("comment", ["", "  \n"])
def test_a_return_needs_a_comment(case, checker, comment):
    with pytest.raises(NotAllowed, match="Enter what to change"):
        return_review(case, checker, comment=comment)

    assert reload_case(case).stage == Status.QA
    assert not QualityReview.objects.filter(determination__case=case).exists()


def test_a_return_can_name_only_an_item_of_this_case(case, checker):
    with pytest.raises(NotAllowed, match="Choose an item of this case."):
        return_review(case, checker, item_id=987654)


@pytest.mark.parametrize("act", [return_review, approve_review])
@pytest.mark.parametrize("role", sorted(set(Role) - {Role.QA}))
def test_other_roles_cannot_check_a_review(case, act, role):
    with pytest.raises(NotAllowed, match="Your role does not let you review its quality"):
        act(case, person(role))

    assert reload_case(case).stage == Status.QA


@pytest.mark.capability("MC-6")
@pytest.mark.parametrize("act", [return_review, approve_review])
def test_no_one_checks_their_own_decision(case, act):
    reviewer = reviewer_of(case.assignments.get())
    grant_role(user_id=reviewer.pk, role=Role.QA, by=None, at=READ)

    with pytest.raises(NotAllowed, match="You decided this case, so another QA reviewer"):
        act(case, type(reviewer).objects.get(pk=reviewer.pk))

    assert reload_case(case).stage == Status.QA


@pytest.mark.parametrize("act", [return_review, approve_review])
def test_a_decision_from_an_old_page_is_refused(case, checker, act):
    with pytest.raises(Stale):
        act(case, checker, seen_version=case.version - 1)

    assert reload_case(case).stage == Status.QA


@pytest.mark.parametrize("first", [return_review, approve_review])
@pytest.mark.parametrize("second", [return_review, approve_review])
def test_a_double_click_is_refused_and_adds_nothing(case, checker, first, second):
    first(case, checker)

    with pytest.raises(NotAllowed, match="it must be in the “QA review” stage"):
        second(case, checker)

    assert QualityReview.objects.filter(determination__case=case).count() == 1


def test_the_director_may_void_an_approval_with_a_reason(case, checker):
    approve_review(case, checker)
    director = person(Role.DIRECTOR)

    quality.void_approval(
        case_id=case.pk, reason="Item 1 cites the wrong year.", by=director, at=READ
    )

    case = reload_case(case)
    determination = live_determination(case)
    assert case.stage == Status.QA
    assert (determination.state, determination.approved_by) == ("IN_QA", None)
    assert determination.quality_reviews.get().voided_at == READ
    assert case.events.latest("pk").why == "Item 1 cites the wrong year."
    assert approve_review(case, checker).number == 2


def test_voiding_needs_a_reason_the_role_the_state_and_no_part_in_the_determination(case, checker):
    director = person(Role.DIRECTOR)

    def back(by, reason="Because."):
        quality.void_approval(case_id=case.pk, reason=reason, by=by, at=READ)

    with pytest.raises(NotAllowed, match="it must be in the “Ready to issue” stage"):
        back(director)
    approve_review(case, checker)
    with pytest.raises(NotAllowed, match="Enter why"):
        back(director, " ")
    with pytest.raises(NotAllowed, match="Your role does not let you"):
        back(checker)
    reviewer = reviewer_of(case.assignments.get())
    grant_role(user_id=reviewer.pk, role=Role.DIRECTOR, by=None, at=READ)
    with pytest.raises(NotAllowed, match="You decided this case"):
        back(type(reviewer).objects.get(pk=reviewer.pk))
    assert reload_case(case).stage == Status.APPROVED


# --- The page -------------------------------------------------------------------------------------


@pytest.fixture
def desk(client, checker, set_clock):
    set_clock(READ)
    client.force_login(checker)
    return client


def url(case, name="quality"):
    return reverse(f"determinations:{name}", args=[case.number])


def page_of(answer):
    return html.unescape(answer.content.decode())


def version_on(page):
    return re.search(r'name="version" value="(\d+)"', page).group(1)


def test_a_review_can_be_approved_from_the_page(desk, case):
    page = page_of(desk.get(url(case)))
    assert "The record shows nine days." in page
    assert case.assignments.get().reviewer.code in page

    answer = desk.post(url(case, "approve"), {"version": version_on(page), "comment": ""})

    assert (answer.status_code, answer.url) == (302, reverse("desk:queue", args=["qa"]))
    assert reload_case(case).stage == Status.APPROVED


def test_a_review_can_be_returned_from_the_page(desk, case):
    sent = {"version": version_on(page_of(desk.get(url(case)))), "comment": WORDS}
    sent["item"] = str(case.items.get().pk)

    assert desk.post(url(case, "return"), sent).status_code == 302
    assert reload_case(case).stage == Status.IN_REVIEW
    assignment = case.assignments.get()
    desk.force_login(reviewer_of(assignment))
    workspace = reverse("determinations:workspace", args=[assignment.pk])
    assert WORDS in page_of(desk.get(workspace))


def test_a_return_without_a_comment_is_refused_beside_its_field(desk, case):
    answer = desk.post(url(case, "return"), {"comment": " ", "version": case.version})

    assert answer.status_code == 422
    assert "Enter what to change" in str(answer.context["form"].errors["comment"])


@pytest.mark.parametrize(
    ("sent", "field", "sentence"),
    [
        ({"comment": "⚕"}, "comment", "A printed letter cannot contain"),
        ({"comment": "x" * 4001}, "comment", "Shorten it to 4000."),
        ({"comment": WORDS, "item": "987654"}, "item", "Select a valid choice"),
    ],
)
def test_a_comment_that_cannot_be_stored_is_shown_again(desk, case, sent, field, sentence):
    for name in ("return", "approve"):
        answer = desk.post(url(case, name), sent | {"version": case.version})
        assert answer.status_code == 422
        assert sentence in str(answer.context["form"].errors[field])
        assert sent["comment"] in page_of(answer)


@pytest.mark.parametrize("name", ["return", "approve"])
def test_an_old_page_is_refused_with_409_and_keeps_the_comment(desk, case, name):
    sent = {"version": str(case.version - 1), "comment": WORDS}

    answer = desk.post(url(case, name), sent)

    assert answer.status_code == 409
    assert WORDS in page_of(answer)
    assert "Someone else changed this" in page_of(answer)
    assert version_on(page_of(answer)) == str(case.version)


def test_a_second_click_shows_the_stage_of_the_case(desk, case):
    sent = {"version": str(case.version), "comment": ""}
    desk.post(url(case, "approve"), sent)

    answer = desk.post(url(case, "approve"), sent)

    assert answer.status_code == 422
    assert "it must be in the “QA review” stage" in page_of(answer)


def test_the_changes_since_the_return_are_marked_word_by_word(desk, case, checker):
    return_review(case, checker)
    assignment = case.assignments.get()
    old = assignment.review.summary
    save_draft_part(
        assignment, "summary", {"summary": old.replace("nine days", "nine weeks")}, at=AGAIN
    )
    writing.submit_review(assignment_id=assignment.pk, by=reviewer_of(assignment), at=AGAIN)

    page = page_of(desk.get(url(case)))

    assert "Changes since the last QA review" in page
    assert re.search(r"<del[^>]*>[^<]*days", page)
    assert re.search(r"<ins[^>]*>[^<]*weeks", page)
