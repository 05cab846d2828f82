"""Writing a review: drafts that keep everything, versions at the right moments, signing."""

import html
import re
from datetime import date, timedelta

import pytest
from django.urls import reverse

from accounts.refusals import NotAllowed
from accounts.roles import Role
from cases.lifecycle import Status
from cases.models import Case, Event
from cases.services import endings
from determinations.models import DecidedItem, Determination, Draft, Opinion, OpinionCitation
from determinations.services import quality, writing
from intake.services.receiving import ItemOnForm
from reviewers.models import ReviewerAssignment
from reviewers.services import credentialing
from tests.factories import MONDAY, person
from tests.records.factories import (
    add_record,
    case_with_records,
    in_review,
    make_offered_case,
    sign_attestation,
)
from tests.reviewers import factories as panel

from .factories import (
    RATIONALE,
    REVIEWED,
    read_everything,
    reviewer_of,
    save_draft_part,
    write_review,
)

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
def opened(module_db):
    """A review of two items, opened and empty."""
    assignment = in_review(items=[ItemOnForm("Injection at C3-4"), ItemOnForm("Brace")])
    writing.open_review(assignment_id=assignment.pk, by=reviewer_of(assignment), at=REVIEWED)
    return assignment


@pytest.fixture
def assignment(opened):
    return ReviewerAssignment.objects.select_related("reviewer", "case").get(pk=opened.pk)


@pytest.fixture
def reviewer(assignment):
    return reviewer_of(assignment)


@pytest.fixture
def first(assignment):
    """The opinion on the first item."""
    return assignment.opinions.get(item__position=1)


def save_draft(assignment, content, *, part="summary", revision=0, at=REVIEWED, by=None):
    return writing.save_review_draft(
        assignment_id=assignment.pk,
        part=part,
        content=content,
        revision=revision,
        by=by or reviewer_of(assignment),
        at=at,
    )


def save_version(assignment, part="summary", *, at=REVIEWED, why="Left the part"):
    writing.save_version(
        assignment_id=assignment.pk, part=part, by=reviewer_of(assignment), at=at, why=why
    )


def add_citation(
    assignment, opinion, *, recommendation_id=None, as_printed="A study, 2024", at=REVIEWED
):
    return writing.add_citation(
        assignment_id=assignment.pk,
        item_id=opinion.item_id,
        recommendation_id=recommendation_id,
        as_printed=as_printed,
        by=reviewer_of(assignment),
        at=at,
    )


def submit_review(assignment, *, at=REVIEWED):
    return writing.submit_review(assignment_id=assignment.pk, by=reviewer_of(assignment), at=at)


# --- Opening --------------------------------------------------------------------------------------


def test_opening_sends_the_file_and_makes_room_for_every_item(assignment, reviewer):
    writing.open_review(assignment_id=assignment.pk, by=reviewer, at=REVIEWED + MINUTE)  # again

    assert assignment.opinions.count() == 2
    assert assignment.dispatches.count() == 1
    assert assignment.review.history.count() == 1


def test_a_review_is_not_open_before_its_reviewer_has_attested():
    assignment = make_offered_case(case_with_records())

    with pytest.raises(NotAllowed, match="Accept the case and attest"):
        writing.open_review(assignment_id=assignment.pk, by=reviewer_of(assignment), at=REVIEWED)


# --- Drafts ---------------------------------------------------------------------------------------


def test_typing_is_kept_without_making_a_version(assignment, first):
    draft = save_draft(assignment, {"rationale": "It"}, part=f"item-{first.item_id}")
    draft = save_draft(assignment, {"rationale": "It is"}, part=f"item-{first.item_id}", revision=1)

    assert (draft.revision, draft.content) == (2, {"rationale": "It is"})
    first.refresh_from_db()
    assert (first.rationale, first.version) == ("", 1)


def test_text_saved_in_another_window_is_not_overwritten(assignment):
    save_draft(assignment, {"summary": "From the first window."})

    with pytest.raises(writing.DraftConflict, match="changed in another window") as conflict:
        save_draft(assignment, {"summary": "From the second window."})

    assert conflict.value.theirs.content == {"summary": "From the first window."}
    assert conflict.value.mine == {"summary": "From the second window."}
    assert Draft.objects.get(assignment=assignment).content == {"summary": "From the first window."}


def test_fields_that_a_save_does_not_carry_keep_their_text(assignment, first):
    part = f"item-{first.item_id}"
    save_draft(assignment, {"rationale": RATIONALE, "outcome": "UPHELD"}, part=part)
    draft = save_draft(assignment, {"basis": "C"}, part=part, revision=1)

    assert draft.content == {"rationale": RATIONALE, "outcome": "UPHELD", "basis": "C"}


def test_a_quarter_of_an_hour_of_typing_makes_a_version_by_itself(assignment, reviewer):
    review = assignment.review
    for number, minutes in enumerate((0, 5, 14, 15, 16, 31)):
        text = {"summary": f"Typed after {minutes} minutes."}
        save_draft(assignment, text, revision=number, at=REVIEWED + minutes * MINUTE)

    versions = review.history.order_by("version").values_list("version", "summary")
    assert list(versions) == [
        (1, ""),
        (2, "Typed after 15 minutes."),
        (3, "Typed after 31 minutes."),
    ]
    latest = review.history.latest("history_id")
    assert latest.history_user == reviewer
    assert latest.history_change_reason == "Saved after 15 minutes of editing"


def test_leaving_a_part_makes_a_version_once(assignment):
    save_draft(assignment, {"summary": "A worker fell."})
    save_version(assignment)
    save_version(assignment, at=REVIEWED + MINUTE)  # nothing new was typed

    assignment.review.refresh_from_db()
    assert assignment.review.summary == "A worker fell."
    assert list(
        assignment.review.history.order_by("version").values_list(
            "version", "history_change_reason"
        )
    ) == [(1, "Opened"), (2, "Left the part")]


def test_leaving_one_part_leaves_the_others_alone(assignment, first):
    save_draft(assignment, {"summary": "A worker fell."})
    save_draft(assignment, {"rationale": RATIONALE}, part=f"item-{first.item_id}")

    save_version(assignment)

    first.refresh_from_db()
    assert first.rationale == ""


def test_a_draft_continues_after_a_version(assignment):
    save_draft(assignment, {"summary": "One."})
    save_version(assignment)
    draft = save_draft(assignment, {"summary": "Two."}, revision=1, at=REVIEWED + MINUTE)
    save_version(assignment, at=REVIEWED + 2 * MINUTE)

    assert draft.started_at == REVIEWED + MINUTE
    assignment.review.refresh_from_db()
    assert (assignment.review.summary, assignment.review.version) == ("Two.", 3)


def test_word_processors_junk_is_normalized(assignment):
    draft = save_draft(assignment, {"summary": "\uf0b7 Neck\u00a0pain\r\n\uf0b7 worse\u200b"})

    assert draft.content["summary"] == "• Neck pain\n• worse"


@pytest.mark.parametrize(
    "text", ['#read("/etc/passwd")', "{{ x }} {% y %}", "<script>alert(1)</script>", "*b* _i_ $x$"]
)
def test_text_that_looks_like_code_is_only_text(assignment, text):
    assert save_draft(assignment, {"summary": text}).content["summary"] == text


@pytest.mark.parametrize(
    ("part", "content", "sentence"),
    [
        ("summary", {"summary": "x" * 50_001}, "50,001 characters. Shorten it to 50,000."),
        ("summary", {"party_term": "victim"}, "term for the injured worker"),
        ("item", {"outcome": "MAYBE"}, "Choose Overturned or Upheld."),
        ("item", {"basis": "G"}, "rank of evidence from A to F"),
        ("item-987654", {"rationale": "x"}, "not part of your case"),
        ("item-", {"rationale": "x"}, "not part of your case"),
        ("item-²", {"rationale": "x"}, "not part of your case"),
        ("item-" + "9" * 60, {"rationale": "x"}, "not part of your case"),
        ("opinion-1", {"rationale": "x"}, "not part of your case"),
    ],
)
def test_an_invalid_draft_is_refused_and_the_stored_one_is_kept(
    assignment, first, part, content, sentence
):
    part = f"item-{first.item_id}" if part == "item" else part
    save_draft(assignment, {"summary": "Kept."})
    save_draft(assignment, {"rationale": "Kept."}, part=f"item-{first.item_id}")

    with pytest.raises(NotAllowed, match=sentence):
        save_draft(assignment, content, part=part, revision=1)

    contents = Draft.objects.filter(assignment=assignment).values_list("content", flat=True)
    assert [list(content.values()) for content in contents] == [["Kept."], ["Kept."]]


def test_only_the_assigned_reviewer_writes_the_review(assignment):
    for stranger in (person(Role.REVIEWER), person(Role.COORDINATOR), person(Role.DIRECTOR)):
        with pytest.raises(NotAllowed, match="not assigned to you"):
            save_draft(assignment, {"summary": "Mine."}, by=stranger)

    assert not Draft.objects.filter(assignment=assignment).exists()


# --- Authorities ----------------------------------------------------------------------------------


def test_an_authority_in_free_text_is_printed_as_written(assignment, first):
    cited = add_citation(assignment, first, as_printed="  North American Spine Society, 2020 ")

    assert (cited.as_printed, cited.position, cited.mtus) == (
        "North American Spine Society, 2020",
        1,
        False,
    )


def test_removing_a_citation_keeps_its_history(assignment, first, reviewer):
    one, two = (
        add_citation(assignment, first),
        add_citation(assignment, first, as_printed="Another"),
    )

    for _ in range(2):  # a double click
        writing.remove_citation(
            assignment_id=assignment.pk, citation_id=one.pk, by=reviewer, at=REVIEWED + MINUTE
        )
    three = add_citation(assignment, first, as_printed="A third")

    one.refresh_from_db()
    assert one.removed_at == REVIEWED + MINUTE
    assert list(
        one.history.order_by("version").values_list("history_change_reason", flat=True)
    ) == [
        "Cited",
        "Citation removed",
    ]
    assert [two.position, three.position] == [2, 3]
    assert first.citations.filter(removed_at=None).count() == 2


def test_the_same_source_is_cited_once_and_can_be_cited_again_after_its_removal(
    assignment, first, reviewer
):
    one = add_citation(assignment, first)
    with pytest.raises(NotAllowed, match="already cited"):
        add_citation(assignment, first, as_printed=" A study, 2024 ")
    add_citation(assignment, first, as_printed="Another one")
    writing.remove_citation(
        assignment_id=assignment.pk, citation_id=one.pk, by=reviewer, at=REVIEWED
    )

    assert add_citation(assignment, first).pk != one.pk
    assert first.citations.filter(removed_at=None).count() == 2


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ({"as_printed": "  "}, "Choose a guideline from the list, or enter the source"),
        ({"recommendation_id": 987654}, "Choose a guideline from the list."),
        ({"as_printed": "Study ⚕"}, "staff of aesculapius"),
    ],
)
def test_an_authority_that_cannot_be_printed_is_refused(assignment, first, source, sentence):
    with pytest.raises(NotAllowed, match=sentence):
        add_citation(assignment, first, **source)

    assert not first.citations.exists()


# --- Signing --------------------------------------------------------------------------------------


def test_an_empty_review_lists_everything_that_is_missing(assignment):
    with pytest.raises(writing.ReviewUnfinished) as unfinished:
        submit_review(assignment)

    codes = [finding.code for finding in unfinished.value.findings]
    assert codes.count("outcome-missing") == codes.count("rationale-missing") == 2
    assert codes.count("record-unopened") == assignment.case.documents.count()
    assert "summary-empty" in codes
    assert assignment.review.times_submitted == 0


def test_signing_makes_a_version_of_everything_and_derives_the_determination(assignment, reviewer):
    write_review(assignment)
    one, two = assignment.opinions.order_by("item__position")
    save_draft_part(assignment, f"item-{two.item_id}", {"outcome": "OVERTURNED"}, at=REVIEWED)

    determination = submit_review(assignment)

    case = Case.objects.get(pk=assignment.case_id)
    assert case.stage == Status.QA
    assert determination.state == Determination.State.IN_QA
    decided = DecidedItem.objects.filter(determination=determination).order_by("item__position")
    assert list(decided.values_list("outcome", "how")) == [
        ("UPHELD", "ONE_REVIEWER"),
        ("OVERTURNED", "ONE_REVIEWER"),
    ]
    assignment.review.refresh_from_db()
    assert (assignment.review.state, assignment.review.times_submitted) == ("SUBMITTED", 1)
    for row in (assignment.review, *assignment.opinions.all()):
        latest = row.history.latest("history_id")
        assert latest.history_change_reason == "Submission 1"
        assert latest.history_user == reviewer
    one.refresh_from_db()
    assert one.rationale == RATIONALE
    event = case.events.latest("pk")
    assert (event.kind, event.by, event.by_reviewer_seat) == (Event.Kind.SUBMITTED, reviewer, 1)
    assert reviewer.name not in event.sentence


def test_a_double_click_signs_once(assignment):
    write_review(assignment)
    submit_review(assignment)

    with pytest.raises(NotAllowed, match="in the “QA review” stage. The review cannot be changed"):
        submit_review(assignment)

    assert Event.objects.filter(case=assignment.case, kind=Event.Kind.SUBMITTED).count() == 1


def test_a_character_that_letters_lack_stops_the_signing_at_its_place(assignment, first):
    write_review(assignment)
    part = f"item-{first.item_id}"
    save_draft_part(assignment, part, {"rationale": "It works ⚕."}, at=REVIEWED)
    save_draft_part(assignment, "summary", {"summary": "Seen ⚕."}, at=REVIEWED)

    with pytest.raises(writing.ReviewUnfinished) as unfinished:
        submit_review(assignment)

    found = [(one.code, one.part) for one in unfinished.value.findings]
    assert found == [("glyph", "summary"), ("glyph", part)]
    assert "staff of aesculapius, U+2695" in unfinished.value.findings[0].sentence
    assert Draft.objects.get(assignment=assignment, part=part).content["rationale"] == "It works ⚕."


def test_a_ballot_box_and_a_words_bullet_can_be_signed(assignment, first):
    write_review(assignment)
    part = f"item-{first.item_id}"
    save_draft_part(assignment, part, {"rationale": "☐ no relief \uf0b7 nine days"}, at=REVIEWED)

    submit_review(assignment)

    first.refresh_from_db()
    assert first.rationale == "☐ no relief • nine days"


def test_a_new_record_stops_the_signing_until_it_is_read(assignment, reviewer):
    write_review(assignment)
    add_record(assignment.case, at=REVIEWED)

    with pytest.raises(writing.ReviewUnfinished) as unfinished:
        submit_review(assignment)
    assert {one.code for one in unfinished.value.findings} >= {"record-unopened"}

    writing.open_review(assignment_id=assignment.pk, by=reviewer, at=REVIEWED + MINUTE)
    read_everything(assignment, at=REVIEWED + MINUTE)
    submit_review(assignment, at=REVIEWED + 2 * MINUTE)


def test_an_item_authorized_during_the_review_needs_no_opinion(assignment, first):
    write_review(assignment)
    save_draft_part(
        assignment, f"item-{first.item_id}", {"outcome": "", "rationale": ""}, at=REVIEWED
    )
    endings.terminate_items(
        case_id=assignment.case_id,
        item_ids=[first.item_id],
        reason="Authorized.",
        by=person(Role.COORDINATOR),
        at=REVIEWED,
    )

    determination = submit_review(assignment)

    assert determination.decided_items.get().item.position == 2


def test_a_license_that_lapsed_between_assignment_and_signing_stops_the_signing():
    reviewer = panel.fit_reviewer(license={"valid_to": date(2026, 3, 3)})
    assignment = sign_attestation(
        panel.offered_case(
            case=case_with_records(), reviewer=reviewer, at=MONDAY + timedelta(days=1)
        )
    )
    write_review(assignment)

    with pytest.raises(NotAllowed, match=r"[Ll]icense.*03/03/2026"):
        submit_review(assignment)

    assert Case.objects.get(pk=assignment.case_id).stage == Status.IN_REVIEW
    assert Opinion.objects.filter(assignment=assignment).exclude(rationale="").count() == 0
    assert Draft.objects.filter(assignment=assignment).count() == 2  # nothing typed is lost

    credentialing.add_license(
        **panel.with_evidence(
            reviewer_id=reviewer.pk,
            state="California",
            number="A99999",
            kind="MD",
            valid_from=date(2026, 3, 4),
            valid_to=date(2028, 3, 3),
            by=None,
            at=REVIEWED,
            **panel.VERIFIED | {"verified_on": date(2026, 3, 4)},
        )
    )
    assert submit_review(assignment).state == Determination.State.IN_QA


def test_a_returned_review_is_signed_a_second_time(assignment):
    write_review(assignment)
    determination = submit_review(assignment)
    quality.return_review(
        case_id=assignment.case_id,
        comment="Say how long the relief lasted.",
        item_id=None,
        seen_version=None,
        by=person(Role.QA),
        at=REVIEWED + MINUTE,
    )
    assignment.refresh_from_db()
    save_draft_part(
        assignment, "summary", {"summary": "Relief lasted nine days."}, at=REVIEWED + 2 * MINUTE
    )

    again = submit_review(assignment, at=REVIEWED + 3 * MINUTE)

    assert again == determination
    assert again.state == Determination.State.IN_QA
    assert assignment.review.times_submitted == 2
    assert again.decided_items.count() == 2


# --- The pages ------------------------------------------------------------------------------------


@pytest.fixture
def desk(client, reviewer, set_clock):
    """The reviewer, signed in."""
    set_clock(REVIEWED)
    client.force_login(reviewer)
    return client


def url(name, assignment, *more):
    return reverse(f"determinations:{name}", args=[assignment.pk, *more])


JSON = {"HTTP_ACCEPT": "application/json"}


def test_autosave_answers_the_new_revision(desk, assignment):
    sent = {"summary": "A worker fell.", "revision": "0"}

    answer = desk.post(url("draft", assignment, "summary"), sent, **JSON)

    assert answer.json() == {"revision": 1, "saved_at": "9:00 AM PT"}


def test_autosave_upon_an_old_revision_answers_both_texts(desk, assignment):
    save_draft(assignment, {"summary": "Theirs."})

    answer = desk.post(
        url("draft", assignment, "summary"), {"summary": "Mine.", "revision": "0"}, **JSON
    )

    assert answer.status_code == 409
    data = answer.json()
    assert (data["theirs"], data["yours"]) == ({"summary": "Theirs."}, {"summary": "Mine."})
    assert data["revision"] == 1
    assert "changed in another window" in data["error"]


def test_saving_without_javascript_upon_an_old_revision_shows_both_texts(desk, assignment):
    save_draft(assignment, {"summary": "Theirs, typed at home."})

    answer = desk.post(
        url("draft", assignment, "summary"), {"summary": "Mine, typed here.", "revision": "0"}
    )

    assert answer.status_code == 409
    page = answer.content.decode()
    assert "Theirs, typed at home." in page
    assert "Mine, typed here." in page


def test_saving_without_javascript_comes_back_to_the_part(desk, assignment, first):
    part = f"item-{first.item_id}"
    sent = {"rationale": RATIONALE, "outcome": "UPHELD", "revision": "0"}

    answer = desk.post(url("draft", assignment, part), sent)

    assert answer.url == f"{url('workspace', assignment)}?part={part}"
    assert RATIONALE in html.unescape(desk.get(answer.url).content.decode())


@pytest.mark.parametrize("length", [50_001, 1_000_000])
def test_a_text_that_is_too_long_comes_back_whole(desk, assignment, length):
    sent = {"summary": "a" * length, "revision": "0"}

    page = desk.post(url("draft", assignment, "summary"), sent)
    response = desk.post(url("draft", assignment, "summary"), sent, **JSON)

    assert (page.status_code, response.status_code) == (422, 422)
    assert "a" * length in page.content.decode()
    assert f"{length:,} characters" in response.json()["error"]


@pytest.mark.parametrize("revision", ["", "x", "²", "-1", "9" * 5000])
def test_a_revision_that_is_none_of_ours_is_a_conflict_at_worst(desk, assignment, revision):
    save_draft(assignment, {"summary": "Kept."})

    answer = desk.post(
        url("draft", assignment, "summary"), {"summary": "New.", "revision": revision}, **JSON
    )

    assert answer.status_code == 409
    assert Draft.objects.get(assignment=assignment).content == {"summary": "Kept."}


@pytest.mark.parametrize("part", ["item-²", "item-987654", "nonsense"])
def test_a_part_that_is_not_there_is_refused(desk, assignment, part):
    sent = {"rationale": "x", "revision": "0"}
    assert desk.post(url("draft", assignment, part), sent, **JSON).status_code == 422
    assert desk.post(url("draft", assignment, part), sent).status_code == 422
    assert desk.post(url("leave", assignment, part), {}, **JSON).status_code == 204


def test_leaving_makes_a_version_and_opens_the_next_part(desk, assignment, first):
    save_draft(assignment, {"summary": "A worker fell."})

    answer = desk.post(url("leave", assignment, "summary"), {"to": f"item-{first.item_id}"})

    assert answer.url.endswith(f"?part=item-{first.item_id}")
    assert assignment.review.history.count() == 2


def test_typed_text_is_kept_when_the_reviewer_leaves_the_page_without_javascript(
    desk, assignment, first
):
    """The same button carries the text: leaving may not drop what was typed since the last save."""
    answer = desk.post(
        url("leave", assignment, "summary"),
        {"summary": "Typed just now.", "revision": "0", "to": f"item-{first.item_id}"},
    )

    assert answer.status_code == 302
    assignment.review.refresh_from_db()
    assert assignment.review.summary == "Typed just now."


def test_leaving_upon_an_old_revision_shows_both_texts(desk, assignment):
    save_draft(assignment, {"summary": "Theirs, typed at home."})

    answer = desk.post(
        url("leave", assignment, "summary"), {"summary": "Mine, typed here.", "revision": "0"}
    )

    assert answer.status_code == 409
    assert "Mine, typed here." in answer.content.decode()


def test_authorities_are_added_and_taken_out_by_the_page(desk, assignment, first):
    htmx = {"HTTP_HX_REQUEST": "true"}
    to_cite = url("cite", assignment, first.item_id)

    added = desk.post(to_cite, {"as_printed": "A study of 2024"}, **htmx)
    assert "A study of 2024" in added.content.decode()
    for sent in ({}, {"as_printed": "⚕"}, {"recommendation": "987654"}, {"recommendation": "x"}):
        refused = desk.post(to_cite, sent, **htmx)
        assert refused.status_code == 422
        assert 'role="alert"' in refused.content.decode()
    cited = OpinionCitation.objects.get(opinion=first)
    removed = desk.post(url("uncite", assignment, cited.pk), **htmx)
    assert "A study of 2024" not in removed.content.decode()
    plain = desk.post(to_cite, {"as_printed": "Another study"})
    assert plain.url.endswith(f"?part=item-{first.item_id}")
    assert desk.post(to_cite, {"as_printed": "⚕"}).status_code == 422
    assert desk.post(url("cite", assignment, 987654), {"as_printed": "x"}).status_code == 404
    assert desk.post(url("uncite", assignment, 987654)).status_code == 404


def test_submitting_too_early_shows_every_finding_with_its_link_and_loses_nothing(desk, assignment):
    save_draft(assignment, {"summary": "A worker fell."})
    with pytest.raises(writing.ReviewUnfinished) as unfinished:
        submit_review(assignment)
    findings = unfinished.value.findings
    assert len(findings) == 8 + assignment.case.documents.count()  # four of each item

    answer = desk.post(url("submit", assignment), {"part": "summary"})

    assert answer.status_code == 422
    page = html.unescape(answer.content.decode())
    alert = page[page.index("Not submitted yet") :]
    shown = re.findall(
        r'<li>\s*<a href="([^"]+)">([^<]+)</a>\s*</li>', alert[: alert.index("</ul>")]
    )
    expected = [
        ("#record-rail" if one.part == "records" else f"?part={one.part}", one.sentence)
        for one in findings
    ]
    assert shown == expected
    for link in {link for link, _ in shown if link.startswith("?")}:
        assert desk.get(url("workspace", assignment) + link).status_code == 200
    assert 'id="record-rail"' in page
    assert "A worker fell." in page


def test_submitting_a_whole_review_hands_it_on(desk, assignment):
    write_review(assignment)

    answer = desk.post(url("submit", assignment))

    assert answer.url == reverse("determinations:my_reviews")
    again = desk.post(url("submit", assignment))
    assert again.status_code in {302, 422}
    assert Event.objects.filter(case=assignment.case, kind=Event.Kind.SUBMITTED).count() == 1


def test_another_reviewers_review_looks_as_if_it_were_not_there(client, assignment, first):
    cited = add_citation(assignment, first)
    client.force_login(reviewer_of(in_review()))

    for number in (assignment.pk, 987654):
        for name, more in (("workspace", ()), ("checks", ())):
            answer = client.get(reverse(f"determinations:{name}", args=[number, *more]))
            assert answer.status_code == 404, name
        for name, more in (
            ("draft", ("summary",)),
            ("leave", ("summary",)),
            ("cite", (first.item_id,)),
            ("uncite", (cited.pk,)),
            ("submit", ()),
            ("review_preview", ()),
        ):
            answer = client.post(reverse(f"determinations:{name}", args=[number, *more]))
            assert answer.status_code == 404, name


def test_the_workspace_shows_every_part_and_the_missing_ones(desk, assignment, first):
    page = html.unescape(desk.get(url("workspace", assignment)).content.decode())
    item = html.unescape(
        desk.get(f"{url('workspace', assignment)}?part=item-{first.item_id}").content.decode()
    )

    assert "Clinical case summary" in page
    assert "Write the clinical case summary." in page
    assert "Injection at C3-4" in item
    assert desk.get(url("checks", assignment)).status_code == 200


@pytest.mark.parametrize("revision", ["x", "-1", ""])
@pytest.mark.parametrize("action", ["draft", "leave"])
def test_an_invalid_revision_keeps_the_typed_text_beside_the_stored_text(
    desk, assignment, action, revision
):
    answer = desk.post(
        url(action, assignment, "summary"), {"revision": revision, "summary": "Typed by me."}
    )

    assert answer.status_code == 409
    assert "Typed by me." in answer.content.decode()


def test_a_review_that_is_unassigned_while_opening_redirects_to_the_list(
    desk, assignment, monkeypatch
):
    def taken_back(**_):
        raise NotAllowed("The case was taken back.")

    monkeypatch.setattr(writing, "open_review", taken_back)

    answer = desk.post(url("open_review", assignment), follow=True)

    assert answer.redirect_chain == [(reverse("determinations:my_reviews"), 302)]
    assert "The case was taken back." in answer.content.decode()


def test_the_first_page_of_a_review_stores_nothing_and_asks_to_be_opened(client, set_clock):
    set_clock(REVIEWED)
    fresh = in_review()
    client.force_login(reviewer_of(fresh))

    page = client.get(url("workspace", fresh)).content.decode()

    assert f'hx-post="{url("open_review", fresh)}" hx-trigger="load, submit"' in page
    assert not fresh.opinions.exists()
    assert not fresh.dispatches.exists()
    assert client.post(url("open_review", fresh)).url == url("workspace", fresh)
    by_script = client.post(url("open_review", fresh), headers={"HX-Request": "true"})
    assert by_script.headers["HX-Redirect"] == url("workspace", fresh)
    assert fresh.opinions.count() == fresh.case.items.count()
    assert fresh.dispatches.count() == 1
    assert "Clinical case summary" in client.get(url("workspace", fresh)).content.decode()
