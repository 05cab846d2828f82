"""Issuing: every fact behind a sentence, exactly the words that were read, and one letter."""

import html
import re
from datetime import date, timedelta

import pytest
from django.urls import reverse

import letters.services
import records.services.dispatch
import reviewers.services.assignment
from accounts.models import User
from accounts.refusals import NotAllowed
from accounts.roles import Role
from accounts.services import grant_role
from accounts.versions import Stale
from cases.lifecycle import Status
from cases.models import Case, DisputedItem, Event, Party
from cases.services import endings, parties
from determinations import composition
from determinations.facts import PROOFS
from determinations.models import CredentialStatement, Determination
from determinations.policies import live_determination
from determinations.services import issuing, quality, sending, writing
from intake.services.receiving import ItemOnForm
from letters.models import Letter, LetterFact, Service
from letters.services import LetterRefused
from records.services import reading
from reviewers import proofs
from reviewers.models import License
from reviewers.services import credentialing
from tests.every_row import everything_stored
from tests.factories import MONDAY, person
from tests.letters.factories import file_all_letters
from tests.records.factories import case_with_records, in_review, sign_attestation
from tests.reviewers import factories as panel

from .factories import (
    REVIEWED,
    make_approved_case,
    make_submitted_case,
    reviewer_of,
    save_draft_part,
)

pytestmark = pytest.mark.django_db

ISSUED = REVIEWED + timedelta(hours=2)
TODAY = date(2026, 3, 4)


@pytest.fixture(scope="module")
def ready(module_db):
    """A case of two items that waits for the director."""
    two = [ItemOnForm("Injection at C3-4"), ItemOnForm("Brace")]
    return make_approved_case(make_submitted_case(in_review(items=two)))


@pytest.fixture
def case(ready):
    return Case.objects.get(pk=ready.pk)


@pytest.fixture
def director():
    return person(Role.DIRECTOR)


def preview_determination(case, by, *, at=ISSUED):
    return issuing.preview_determination(case_id=case.pk, by=by, at=at)


def issue_determination(case, by, *, at=ISSUED, seen_version=None):
    return issuing.issue_determination(case_id=case.pk, seen_version=seen_version, by=by, at=at)


def determination_letters(case):
    return Letter.objects.filter(reference=case.number, kind="determination")


@pytest.fixture
def shown(case, director):
    """The case, after its letter was opened."""
    preview_determination(case, director)
    return case


# --- What the act does ----------------------------------------------------------------------------


def test_issuing_is_final_and_everything_follows_in_one_act(shown, director):
    determination = issue_determination(shown, director, seen_version=shown.version)

    case = Case.objects.get(pk=shown.pk)
    assert (case.stage, case.decided_on, case.next_role) == (Status.ISSUED, TODAY, "MAILROOM")
    assert determination.state == Determination.State.ISSUED
    assert (determination.issued_by, determination.issued_at) == (director, ISSUED)
    assert (determination.decided_on, determination.outcome) == (TODAY, "Uphold")
    assert set(case.items.values_list("ending", "outcome")) == {("DECIDED", "UPHELD")}
    letter = determination_letters(case).get()
    assert determination.letter == letter
    assert letter.state == Letter.State.QUEUED
    assert letter.created_by == director
    assert {one.recipient_role for one in letter.services.all()} == {
        "Claims administrator",
        "Injured worker",
        "Injured worker’s attorney",
        "Requesting physician",
    }
    statement = CredentialStatement.objects.get(determination=determination)
    assert statement.specialties == ["Physical Medicine & Rehabilitation"]
    assert statement.license_states == ["California"]
    assignment = case.assignments.get()
    assert (assignment.state, assignment.review.state) == ("FINISHED", "FINISHED")
    assert case.deadlines.get(deadline_kind="determination_regular").met_at == ISSUED
    event = case.events.latest("pk")
    assert (event.kind, event.letter, event.by) == (Event.Kind.ISSUED, letter, director)


def test_every_proof_stays_with_the_row_and_only_printed_facts_are_in_the_text(shown, director):
    letter = issue_determination(shown, director).letter

    stored = LetterFact.objects.filter(letter=letter)
    assert {one.name for one in PROOFS} <= set(stored.values_list("name", flat=True))
    for name in (one.name for one in PROOFS):
        assert name not in letter.words["facts"]
    reviewer = shown.assignments.get().reviewer
    for secret in (reviewer.last_name, reviewer.code, reviewer.email):
        assert secret not in str(letter.words)
        assert secret not in letter.file_name


def test_an_item_authorized_after_the_review_is_not_decided(case, director):
    item = case.items.get(position=2)
    endings.terminate_items(
        case_id=case.pk,
        item_ids=[item.pk],
        reason="Authorized.",
        by=person(Role.COORDINATOR),
        at=REVIEWED + timedelta(minutes=90),
    )
    preview_determination(case, director)
    issue_determination(case, director)

    ended = case.items.order_by("position").values_list("ending", flat=True)
    assert list(ended) == [DisputedItem.Ending.DECIDED, DisputedItem.Ending.AUTHORIZED]


# --- The facts ------------------------------------------------------------------------------------


@pytest.mark.parametrize("fact", PROOFS, ids=lambda one: one.name)
def test_every_fact_about_the_reviewer_is_named_when_it_is_missing(
    shown, director, monkeypatch, fact
):
    from_reviewers = proofs.collect_reviewer_facts
    monkeypatch.setattr(
        proofs,
        "collect_reviewer_facts",
        lambda *args, **named: [
            one for one in from_reviewers(*args, **named) if one.name != fact.name
        ],
    )
    if fact.name == "case_file_dispatched":
        monkeypatch.setattr(records.services.dispatch, "dispatch_fact", lambda *args: None)
    if fact.name == "records_reviewed":
        monkeypatch.setattr(records.services.dispatch, "records_reviewed_fact", lambda *args: None)

    with pytest.raises(LetterRefused) as refused:
        issue_determination(shown, director)

    assert any(
        problem.startswith(f"{fact.label} ({fact.name})") and "is not on record" in problem
        for problem in refused.value.problems
    ), refused.value.problems
    assert issuing.check_readiness(shown, at=ISSUED).problems
    assert Case.objects.get(pk=shown.pk).stage == Status.APPROVED
    assert not determination_letters(shown).exists()


def ends_on(kind, day=date(2026, 3, 3)):
    """The fact of this kind turns out to have run out the day before."""

    def correct(case):
        reviewer = case.assignments.get().reviewer
        model = credentialing.FACT_KINDS[kind]
        for row in model.objects.filter(reviewer=reviewer):
            credentialing.correct_fact(
                kind=kind, fact_id=row.pk, changes={"valid_to": day}, by=None, at=REVIEWED
            )

    return correct


def found_sanction(case):
    credentialing.add_sanction_check(
        **panel.with_evidence(
            reviewer_id=case.assignments.get().reviewer_id,
            register="NPDB",
            found=True,
            valid_from=TODAY,
            by=None,
            at=REVIEWED,
            **panel.VERIFIED | {"verified_on": TODAY},
        )
    )


def tied_to(role):
    def conflict(case):
        party = case.parties.get(role=role)
        credentialing.add_affiliation(
            **panel.with_evidence(
                reviewer_id=case.assignments.get().reviewer_id,
                **(
                    {"organization_id": party.organization_id}
                    if party.organization_id
                    else {"person_id": party.person_id}
                ),
                relation="EMPLOYMENT",
                valid_from=date(2020, 1, 1),
                by=None,
                at=REVIEWED,
                **panel.VERIFIED,
            )
        )

    return conflict


def new_attorney(case):
    """A party comes on the list that no one has tested and the reviewer has not attested on."""
    case.party_list_version += 1
    case.store(by=None, at=REVIEWED, fields=["party_list_version"])
    parties.store_party(
        case=case,
        party=parties.PartyOnForm(role="DEFENSE_ATTORNEY", name="Otto Neumann"),
        by=None,
        at=REVIEWED,
    )


@pytest.mark.parametrize(
    ("happens", "named"),
    [
        (ends_on("license"), {"license": "expired on 03/03/2026"}),
        (found_sanction, {"license": "is not on record"}),
        (ends_on("certification"), {"board_certification": "expired on 03/03/2026"}),
        (ends_on("training"), {"training_law": "expired", "training_evidence": "expired"}),
        (ends_on("practice"), {"practice_hours": "expired on 03/03/2026"}),
        (tied_to("EMPLOYER"), {"no_affiliation_employer": "is not on record"}),
        (
            tied_to("CLAIMS_ADMINISTRATOR"),
            {"no_affiliation_claims_administrator": "is not on record"},
        ),
        (tied_to("REQUESTING_PHYSICIAN"), {"no_affiliation_providers": "is not on record"}),
        (tied_to("EMPLOYEE_ATTORNEY"), {"no_affiliation_employee": "is not on record"}),
        (
            new_attorney,
            {
                "no_affiliation_claims_administrator": "is not on record",
                "attestation_signed": "is not on record",
            },
        ),
    ],
    ids=lambda one: ",".join(one) if isinstance(one, dict) else "",
)
def test_a_change_between_signing_and_issue_stops_the_issue(shown, director, happens, named):
    happens(shown)

    with pytest.raises(LetterRefused) as refused:
        issue_determination(shown, director)

    for name, sentence in named.items():
        found = [one for one in refused.value.problems if f"({name})" in one]
        assert found, (name, refused.value.problems)
        assert sentence in found[0]
    assert not determination_letters(shown).exists()


def test_a_license_that_lapses_between_signing_and_issue_is_named_with_its_day(director):
    reviewer = panel.fit_reviewer(license={"valid_to": date(2026, 3, 5)})
    assignment = sign_attestation(
        panel.offered_case(
            case=case_with_records(), reviewer=reviewer, at=MONDAY + timedelta(days=1)
        )
    )
    case = make_approved_case(make_submitted_case(assignment))
    later = REVIEWED + timedelta(days=2)

    with pytest.raises(LetterRefused, match="expired on 03/05/2026"):
        preview_determination(case, director, at=later)
    with pytest.raises(LetterRefused, match="expired on 03/05/2026"):
        issue_determination(case, director, at=later)

    assert License.objects.get(reviewer=reviewer).valid_to == date(2026, 3, 5)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"date_of_injury": None}, "date of injury"),
        ({"assigned_on": None}, "date assigned"),
        ({"received_on": None, "received_at": None, "origin": "PUBLISHED"}, "received"),
    ],
)
def test_a_fact_of_the_case_that_the_letter_prints_is_named_when_missing(
    case, director, change, sentence
):
    for name, value in change.items():
        setattr(case, name, value)
    case.store(by=None, at=REVIEWED, fields=list(change))

    with pytest.raises(LetterRefused, match=sentence):
        preview_determination(case, director)
    with pytest.raises(LetterRefused, match=sentence):
        issue_determination(case, director)


# --- Exactly these words --------------------------------------------------------------------------


def test_a_text_that_no_one_has_opened_is_not_issued(case, director):
    with pytest.raises(LetterRefused, match="has not been shown in the preview"):
        issue_determination(case, director)


def test_text_that_changed_since_the_preview_is_not_issued(shown, director):
    quality.void_approval(case_id=shown.pk, reason="A word.", by=director, at=ISSUED)
    checker = person(Role.QA)
    quality.return_review(
        case_id=shown.pk, comment="A word.", item_id=None, seen_version=None, by=checker, at=ISSUED
    )
    assignment = shown.assignments.get()
    save_draft_part(assignment, "summary", {"summary": "Quite another summary."}, at=ISSUED)
    writing.submit_review(assignment_id=assignment.pk, by=reviewer_of(assignment), at=ISSUED)
    quality.approve_review(case_id=shown.pk, comment="", seen_version=None, by=checker, at=ISSUED)

    with pytest.raises(LetterRefused, match="has not been shown in the preview"):
        issue_determination(shown, director)
    preview_determination(shown, director)
    assert issue_determination(shown, director).letter.words["summary"] == "Quite another summary."


def test_on_another_day_the_letter_gets_a_new_date_and_must_be_opened_again(shown, director):
    with pytest.raises(LetterRefused, match="has not been shown in the preview"):
        issue_determination(shown, director, at=ISSUED + timedelta(days=1))


def test_the_filed_letter_equals_the_opened_preview(case, director):
    opened = preview_determination(case, director)
    issue_determination(case, director)

    (letter,) = file_all_letters(at=ISSUED)

    assert letter.sha256 == opened.file.sha256


# --- Refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.DIRECTOR}))
def test_another_role_issues_nothing(shown, role):
    with pytest.raises(NotAllowed, match="Your role does not let you issue"):
        issue_determination(shown, person(role))

    assert not determination_letters(shown).exists()


def test_a_director_who_reviewed_the_case_does_not_issue_it(shown):
    reviewer = reviewer_of(shown.assignments.get())
    grant_role(user_id=reviewer.pk, role=Role.DIRECTOR, by=None, at=ISSUED)

    with pytest.raises(NotAllowed, match="another medical director has to issue it"):
        issue_determination(shown, User.objects.get(pk=reviewer.pk))


def test_a_case_in_quality_check_is_not_issued(shown, director):
    quality.void_approval(case_id=shown.pk, reason="Wait.", by=director, at=ISSUED)

    with pytest.raises(NotAllowed, match="it must be in the “Ready to issue” stage"):
        issue_determination(shown, director)


def test_issuing_from_an_old_page_is_refused(shown, director):
    with pytest.raises(Stale):
        issue_determination(shown, director, seen_version=shown.version - 1)

    assert not determination_letters(shown).exists()


def test_a_double_click_issues_once(shown, director):
    issue_determination(shown, director)

    with pytest.raises(NotAllowed, match="is in the “Determination issued” stage"):
        issue_determination(shown, director)

    assert determination_letters(shown).count() == 1


@pytest.mark.parametrize(
    "place",
    [
        (letters.services, "enqueue_letter"),
        (issuing, "_freeze_credentials"),
        (reviewers.services.assignment, "finish_assignment"),
        (issuing.case_deadlines, "satisfy_deadline"),
    ],
    ids=lambda one: one[1],
)
def test_a_fault_anywhere_in_the_act_leaves_nothing(shown, director, monkeypatch, place):
    module, name = place
    whole = getattr(module, name)

    def breaks(*args, **named):
        whole(*args, **named)
        raise RuntimeError("the power fails")

    monkeypatch.setattr(module, name, breaks)
    before = everything_stored()

    with pytest.raises(RuntimeError):
        issue_determination(shown, director)

    assert everything_stored() == before
    monkeypatch.undo()
    assert issue_determination(shown, director).state == Determination.State.ISSUED


# --- Sending --------------------------------------------------------------------------------------


def mark_sent(case, by, *, sent_on=TODAY, at=ISSUED):
    return sending.mark_determination_sent(case_id=case.pk, sent_on=sent_on, by=by, at=at)


def test_the_filed_letter_is_sent_to_everyone_and_the_case_closed(shown, director):
    issue_determination(shown, director)
    clerk = person(Role.MAILROOM)

    with pytest.raises(NotAllowed, match="not ready yet"):
        mark_sent(shown, clerk)
    file_all_letters(at=ISSUED)
    for day, sentence in (
        (TODAY + timedelta(days=1), "in the future"),
        (TODAY - timedelta(days=1), "dated 03/04/2026"),
    ):
        with pytest.raises(NotAllowed, match=sentence):
            mark_sent(shown, clerk, sent_on=day)
    with pytest.raises(NotAllowed, match="Your role does not let you"):
        mark_sent(shown, director)

    case = mark_sent(shown, clerk)

    assert (case.stage, case.is_open, case.closed_at) == (Status.CLOSED, False, ISSUED)
    sent = Service.objects.filter(letter__kind="determination", letter__reference=case.number)
    assert {(one.state, one.served_on, one.served_by) for one in sent} == {("SERVED", TODAY, clerk)}
    with pytest.raises(NotAllowed, match="is in the “Closed” stage"):
        mark_sent(shown, clerk)


# --- The pages ------------------------------------------------------------------------------------


@pytest.fixture
def desk(client, director, set_clock):
    set_clock(ISSUED)
    client.force_login(director)
    return client


def url(case, name="issue"):
    return reverse(f"determinations:{name}", args=[case.number])


def page_of(answer):
    return html.unescape(answer.content.decode())


def test_the_director_opens_the_letter_and_then_issues_by_the_page(desk, case):
    page = page_of(desk.get(url(case)))
    assert "Open the letter before you issue it" in page
    sent = {"version": re.search(r'name="version" value="(\d+)"', page).group(1)}

    early = desk.post(url(case), sent)
    assert early.status_code == 422
    assert "has not been shown in the preview" in page_of(early)

    letter = desk.post(url(case, "preview"))
    assert letter.headers["Content-Type"] == "application/pdf"
    assert letter.content.startswith(b"%PDF-")
    assert "The letter was opened in its current form" in page_of(desk.get(url(case)))

    done = desk.post(url(case), sent)
    assert (done.status_code, done.url) == (302, reverse("desk:letters", args=[case.number]))
    again = desk.post(url(case), sent)
    assert again.status_code == 422
    assert "is in the “Determination issued” stage" in page_of(again)
    assert desk.get(done.url).status_code == 200


def test_an_old_page_is_409(desk, shown):
    answer = desk.post(url(shown), {"version": str(shown.version - 1)})

    assert answer.status_code == 409
    assert "Someone else changed this" in page_of(answer)


def test_a_missing_fact_is_named_on_the_page_and_no_preview_opens(desk, case):
    ends_on("license")(case)

    assert "expired on 03/03/2026" in page_of(desk.get(url(case)))
    refused = desk.post(url(case, "preview"))
    assert refused.status_code == 422
    assert "expired on 03/03/2026" in page_of(refused)


def test_the_page_voids_an_approval(desk, case):
    assert desk.post(url(case, "send_back"), {"reason": ""}).status_code == 422
    assert desk.post(url(case, "send_back"), {"reason": "The year."}).status_code == 302
    assert Case.objects.get(pk=case.pk).stage == Status.QA
    again = desk.post(url(case, "send_back"), {"reason": "The year."})
    assert again.status_code == 422
    assert "The year." in page_of(again)


def test_the_page_marks_the_determination_as_sent(desk, shown, director):
    issue_determination(shown, director)
    file_all_letters(at=ISSUED)
    desk.force_login(person(Role.MAILROOM))

    for keyed, sentence in (
        ("", "Enter the date"),
        ("3/5/26", "in the future"),
        ("x", "not a date"),
    ):
        answer = desk.post(url(shown, "send"), {"sent_on": keyed})
        assert answer.status_code == 422
        assert sentence in page_of(answer)
    assert desk.post(url(shown, "send"), {"sent_on": "t"}).status_code == 302
    assert Case.objects.get(pk=shown.pk).stage == Status.CLOSED
    assert desk.post(url(shown, "send"), {"sent_on": "t"}).status_code == 422


def test_the_letter_lists_the_records_read_and_not_those_marked_as_not_relevant():
    """8 CCR 9792.10.6(d): the documents that were reviewed, each with its author and dates."""
    held = in_review(pages=(3, 2, 1))
    opened, reviewed, left_out, *others = held.case.documents.order_by("number")
    by = reviewer_of(held)
    for document, mark in [
        (opened, "OPENED"),
        (reviewed, "REVIEWED"),
        (left_out, "NOT_RELEVANT"),
        *((other, "NOT_RELEVANT") for other in others),
    ]:
        reading.mark_document(
            assignment_id=held.pk, document_id=document.pk, mark=mark, by=by, at=REVIEWED
        )

    listed = composition.compose_determination(
        make_approved_case(make_submitted_case(held)), at=ISSUED
    ).document.documents_reviewed

    assert listed == (
        "Report 1, Dana Oyelaran, M.D., 01/31/2026, 3 pages",
        "Report 2, Dana Oyelaran, M.D., 01/31/2026, 2 pages",
    )


def test_text_that_looks_like_code_is_printed_as_typed():
    """Composing only carries text; the typesetting tests print it."""
    assignment = in_review()
    odd = '#read("/etc/passwd") {{ x }} <script>alert(1)</script>'
    case = make_approved_case(make_submitted_case(assignment, rationale=odd))

    made = composition.compose_determination(case, at=ISSUED)

    assert made.document.items[0].analyses[0].rationale == odd


def test_there_is_one_live_determination_and_it_names_no_party_twice(shown, director):
    issue_determination(shown, director)

    assert live_determination(shown).round == 1
    roles = Party.objects.filter(case=shown).values_list("role", flat=True)
    assert len(roles) == len(set(roles))
