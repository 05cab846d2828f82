"""An act that waits for another judges what the other left behind, not what it read before."""

from datetime import timedelta

import pytest

import files.services
from accounts.roles import Role
from cases.models import PartyRole
from cases.services import duplicates, parties, restrictions
from cases.services.parties import PartyOnForm
from deadlines.days import local_day
from files.models import StoredFile
from intake.models import IntakeDraft, Scan
from intake.services import batches, corrections, receiving
from intake.services.receiving import ItemOnForm
from letters.models import WordingSet
from letters.services import import_wording, publish_wording
from queues.models import WorkClaim
from queues.services import claims, saved_views
from reviewers.models import Reviewer
from reviewers.services import credentialing
from tests.factories import (
    MONDAY,
    application,
    batch_of,
    begun_draft,
    person,
    received_case,
    scanned_file,
)
from tests.letters.factories import SHIPPED
from tests.races import answers_after

pytestmark = pytest.mark.postgres
LATER = MONDAY + timedelta(days=1)


NINE_DAYS = timedelta(days=9)


def test_an_action_that_waits_for_a_correction_uses_the_corrected_ur_decision(committed_db):
    clerk, coordinator = person(Role.INTAKE), person(Role.COORDINATOR)
    case = received_case(by=clerk, claim_number="06-2213-77")
    item, decided_on = case.items.get(), case.ur_decision.decided_on

    answers = answers_after(
        lambda: corrections.correct_application(
            case_id=case.pk,
            values={"claim_number": "06-2213-78"}
            | dict.fromkeys(("decided_on", "served_on", "signed_on"), decided_on + NINE_DAYS),
            items={item.pk: ItemOnForm(item.title)},
            why="",
            seen_version=None,
            by=clerk,
            at=LATER,
        ),
        {
            "receive": lambda: receiving.receive_application(
                application=application(claim_number="06-2213-77"), by=clerk, at=LATER
            ),
            "add": lambda: parties.add_party_to_case(
                case_id=case.pk,
                party=PartyOnForm(PartyRole.REPRESENTATIVE, "Sam Reed", address="1 Elm Street"),
                since=decided_on + timedelta(days=5),
                why="The designation came.",
                by=coordinator,
                at=LATER,
            ),
        },
    )

    received = answers["receive"]
    assert (received.duplicate_of, received.ur_decision_id == case.ur_decision_id) == (None, False)
    assert "is void: it was signed before the UR decision" in str(answers["add"])


def test_a_scan_claimed_by_someone_else_stays_with_them(committed_db):
    ada, ben = person(Role.INTAKE), person(Role.INTAKE)
    first, second = batch_of(scanned_file(), scanned_file(), by=ada).scans.order_by("pk")
    batches.claim_scan(scan_id=first.pk, by=ada, at=MONDAY)

    answers_after(
        lambda: batches.claim_scan(scan_id=first.pk, by=ben, at=LATER),
        {"claim": lambda: batches.claim_scan(scan_id=second.pk, by=ada, at=LATER)},
    )

    held = dict(Scan.objects.values_list("pk", "claimed_by"))
    assert held == {first.pk: ben.pk, second.pk: ada.pk}


def test_claiming_again_renews_no_claim_that_was_just_released(committed_db):
    ada, case = person(Role.COORDINATOR), received_case()
    claims.claim_case(case_id=case.pk, by=ada, at=MONDAY)
    soon = MONDAY + timedelta(hours=1)

    answers = answers_after(
        lambda: claims.release_case(case_id=case.pk, by=ada, at=soon),
        {"again": lambda: claims.claim_case(case_id=case.pk, by=ada, at=soon)},
    )

    assert list(WorkClaim.objects.live(at=soon)) == [answers["again"]]


def test_a_file_that_the_virus_scanner_refused_at_the_same_time_stays_refused(
    committed_db, monkeypatch
):
    state = StoredFile.State

    def verdict(path, name):
        if name == "This file":  # as it is called where it is scanned again
            raise files.services.FileRefused("This file contains a virus.")
        return answer

    monkeypatch.setattr(files.services, "_scan_for_viruses", verdict)
    content = scanned_file().read()
    answer = (state.QUARANTINED, "It waits for the virus scanner.")
    kept = files.services.receive_upload(upload=scanned_file(content=content), at=MONDAY)
    answer = (state.CLEAN, "")

    answers = answers_after(
        lambda: files.services.release_quarantined(file_id=kept.pk, at=LATER),
        {
            "receive": lambda: files.services.receive_upload(
                upload=scanned_file(content=content), at=LATER
            )
        },
    )

    assert str(answers["receive"]) == "This file contains a virus."
    assert StoredFile.objects.get().state == state.REFUSED


def test_the_second_person_to_use_a_name_a_sign_in_or_a_wording_is_refused(committed_db):
    ada, keeper = person(Role.COORDINATOR), person(Role.CREDENTIALING)
    director, sign_in = person(Role.DIRECTOR), person(Role.REVIEWER)
    list_of = {"queue": "eligibility", "query": "", "today": local_day(MONDAY), "at": MONDAY}
    view = saved_views.save_view(name="Mine", by=ada, **list_of)
    one, other = (
        credentialing.create_reviewer(first_name="Ana", last_name=name, by=keeper, at=MONDAY)
        for name in ("Keller", "Roth")
    )
    text = (SHIPPED / "determination-today.toml").read_text()
    drafts = [
        import_wording(text=words, by=None, at=MONDAY)
        for words in (text, text.replace("complete case file", "case file"))
    ]

    def link(reviewer):
        return credentialing.link_user(
            reviewer_id=reviewer.pk, user_id=sign_in.pk, by=keeper, at=LATER
        )

    def publish(draft):
        return publish_wording(set_id=draft.pk, by=director, at=LATER)

    def act():
        saved_views.save_view(name="Urgent", by=ada, **list_of)
        link(one)
        publish(drafts[0])

    answers = answers_after(
        act,
        {
            "rename": lambda: saved_views.rename_view(
                view_id=view.pk, name="Urgent", by=ada, at=LATER
            ),
            "link": lambda: link(other),
            "publish": lambda: publish(drafts[1]),
        },
    )

    assert str(answers["rename"]) == "You have a view named “Urgent” already."
    assert "belongs to another reviewer" in str(answers["link"])
    assert Reviewer.objects.get(user=sign_in) == one
    states = dict(
        WordingSet.objects.filter(pk__in=[row.pk for row in drafts]).values_list("pk", "state")
    )
    assert states == {drafts[0].pk: "RETIRED", drafts[1].pk: "PUBLISHED"}


def test_accepting_a_form_locks_its_draft_before_the_scan(committed_db):
    clerk = person(Role.INTAKE)
    (scan,) = batch_of(scanned_file(), by=clerk).scans.all()
    form = application(scan_id=scan.pk)
    begun_draft(by=clerk, key=form.key, scan_id=scan.pk)

    # As when the page saves what is typed at the moment of Accept: first the draft, then the scan.
    answers = answers_after(
        lambda: IntakeDraft.objects.select_for_update().get(key=form.key),
        {"receive": lambda: receiving.receive_application(application=form, by=clerk, at=MONDAY)},
        meanwhile=lambda: Scan.objects.select_for_update(nowait=True).get(pk=scan.pk),
    )

    assert answers["receive"].application.idempotency_key == form.key


@pytest.mark.capability("RC-9")
def test_a_case_that_is_being_linked_is_not_restricted_without_the_other(committed_db):
    first, second = received_case(), received_case()
    (proposal,) = second.possible_duplicates.all()
    coordinator, director = person(Role.COORDINATOR), person(Role.DIRECTOR)

    answers = answers_after(
        lambda: duplicates.resolve_duplicate(
            proposal_id=proposal.pk,
            answer="DUPLICATE",
            reason="The same letter",
            item_ids=[second.items.get().pk],
            by=coordinator,
            at=MONDAY,
        ),
        {
            "restrict": lambda: restrictions.restrict_case(
                case_id=first.pk, ground="PUBLIC", reason="A senator", by=director, at=LATER
            )
        },
    )

    assert f"select {second.number} as well" in str(answers["restrict"])
