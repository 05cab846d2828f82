"""Who decided a case is hidden from everyone who may not know it: a canary in every field.

The pages are those of ``tests.crawl``; letters are read with other eyes than ours made them with.
"""

import io

import pikepdf
import pypdfium2
import pytest

from accounts.roles import Role

from .crawl import (
    ACTOR_CANARIES,
    CANARIES,
    FILE_CANARIES,
    NOBODY,
    NOTE_CANARIES,
    THE_REVIEWER,
    USER_CANARIES,
)

# By name, not from the table of permissions: widening that must fail here.
MAY_KNOW = {"COORDINATOR", "CREDENTIALING", "QA", "DIRECTOR"}
MAY_NOT = set(Role.values) - MAY_KNOW | {NOBODY}

# An administrator keeps the people who sign in. They read names and addresses there, and nothing
# that connects a person to a case or to the panel.
PEOPLE_PAGES = (
    "admin:accounts_user_",
    "admin:accounts_accountevent_",
    "admin:account_emailaddress_",
    "admin:mfa_authenticator_",
)


def in_text(text):
    return {canary for canary in CANARIES if canary in text.lower()}


def as_lines(visits):
    return [
        f"{visit.who}: {visit.url} ({visit.route}) says {sorted(visit.canaries)}"
        for visit in visits
    ]


def is_about_people(visit):
    return visit.who == "ADMINISTRATOR" and visit.route.startswith(PEOPLE_PAGES)


def test_no_page_names_the_reviewer_to_someone_who_may_not_know(office):
    leaks = [
        visit
        for visit in [
            *office.visits,
            *office.htmx_visits,
            *office.posts,
            *office.posts_without_token,
        ]
        if visit.who in MAY_NOT and visit.canaries and not is_about_people(visit)
    ]
    assert as_lines(leaks) == []


def test_the_pages_of_people_show_nothing_from_the_panel(office):
    leaks = [
        visit
        for visit in office.visits
        if is_about_people(visit) and visit.canaries & {*FILE_CANARIES}
    ]
    assert as_lines(leaks) == []


def test_no_http_header_names_the_reviewer(office):
    leaks = [
        visit for visit in [*office.visits, *office.htmx_visits, *office.posts] if visit.in_headers
    ]
    assert as_lines(leaks) == []


@pytest.mark.parametrize("role", sorted(MAY_KNOW))
def test_roles_that_may_know_the_reviewer_find_every_field(office, role):
    """The positive control: the canaries are where they should be, and the crawl finds them."""
    canaries = set().union(*(visit.canaries for visit in office.visits if visit.who == role))
    assert canaries >= {*FILE_CANARIES}


@pytest.mark.parametrize("role", sorted(MAY_KNOW))
def test_roles_that_may_know_the_reviewer_read_what_was_written_about_them(office, role):
    canaries = set().union(*(visit.canaries for visit in office.visits if visit.who == role))
    wanted = {*NOTE_CANARIES}
    # How a case was declined stands on the page of choosing, which is the coordinator's.
    wanted -= {"qvxdecline"} if role != "COORDINATOR" else set()
    wanted -= {"qvxfair"} if role not in {"COORDINATOR", "DIRECTOR"} else set()
    assert canaries >= wanted


@pytest.mark.capability("CO-6")
def test_the_pairs_of_a_bias_test_name_the_reviewer_only_to_roles_that_may_know(office):
    canaries = {
        visit.who: visit.canaries
        for visit in office.visits
        if visit.route == "reviewers:payer_bias_test" and visit.status == 200
    }
    assert canaries.keys() == {"COORDINATOR", "DIRECTOR", "AUDITOR"}
    assert canaries["COORDINATOR"] >= {"qvxlast", "qvxfair"}
    assert canaries["DIRECTOR"] >= {"qvxlast", "qvxfair"}
    assert canaries["AUDITOR"] == frozenset()


# Words that say nothing of a reviewer: the organization's own settings, or values of short lists.
OF_NOBODY = {
    "AttestationWording.text",
    "Condition.codes",
    "Condition.confirmed_by",
    "Condition.name",
    "Condition.words",
    "ConflictLimits.reason",
    "ConflictLimits.source",
    "ConflictResult.level_source",
    "CandidateList.digest",
    # A random value, and the name of the kind of row that changed.
    "ChangeMark.subject",
    "ChangeMark.token",
    "License.state",
    "MatchingRules.reason",
    "Reviewer.code",
    "SanctionCheck.register",
    "ScopeLimit.confirmed_by",
    "ScopeLimit.source",
    "Specialty.confirmed_by",
    "Specialty.name",
    "SpecialtyFit.body_part",
    "SpecialtyFit.reason",
    "Training.version_taught",
}


def test_every_text_field_of_the_panel_contains_a_canary(office):
    """A new field of words comes with a canary, or with a place on the list above."""
    kinds_of_fact = ("Leave", "Affiliation", "Certification", "PracticeFact", "Training",
                     "SanctionCheck", "FileProof", "TreatmentExperience")  # fmt: skip
    like_the_license = {f"{kind}.{name}" for kind in kinds_of_fact for name in
                        ("source", "verified_by")}  # fmt: skip
    of_the_case = {
        "ConflictResult.relation",
        "ConflictResult.sentence",
        "ConflictResult.note",
        "ReviewerAssignment.override_reason",
        "ReviewerBar.reason",
        "Attestation.voided_because",
        "ReportedChange.resolved_note",
        "SeatApproval.approved_by",
        "SeatApproval.reference",
        "SeatApproval.reason",
        "SeatApproval.ended_because",
    }
    assert office.without_canary - OF_NOBODY - like_the_license - of_the_case == set()


@pytest.mark.parametrize("command", ["export_case_facts", "rank_reviewers", "check_heartbeat"])
def test_no_command_prints_more_than_the_reviewers_code(office, command):
    assert in_text(office.printed[command]) == set()
    assert office.code in office.printed["rank_reviewers"]


def test_no_email_and_no_file_name_contains_the_reviewer(office):
    assert [text for text in office.mails if in_text(text)] == []
    assert office.stored_names
    assert [name for name in office.stored_names if in_text(name)] == []


def test_actions_name_the_reviewer_to_roles_that_may_know(office):
    for role in ("COORDINATOR", "QA", "DIRECTOR"):
        timelines = [
            visit for visit in office.visits if visit.who == role and visit.route == "desk:timeline"
        ]
        assert any("qvxuser" in visit.canaries for visit in timelines), role


def test_reviewers_read_their_own_name_and_nothing_of_their_file_but_that(office):
    own = [visit for visit in office.visits if visit.who == THE_REVIEWER]
    canaries = set().union(*(visit.canaries for visit in own))
    assert canaries & {*USER_CANARIES}
    assert canaries.isdisjoint({"qvxlicense", "qvxphone"})


# Pages that show who acted, each with an act of someone who was a reviewer once.
SHOW_WHO_ACTED = [
    "cases:deadlines",
    "cases:deadline_rules",
    "correspondence:letter",
    "eligibility:eligibility",
    "cases:item_changes",
    "desk:case",
    "desk:peek",
    "desk:queue",
    "desk:timeline",
    "determinations:quality",
    "determinations:versions",
    "letters:wording",
    "reviewers:assign",
]


@pytest.mark.parametrize("route", SHOW_WHO_ACTED)
def test_the_person_who_acted_is_named_to_roles_that_may_know(office, route):
    """The positive control of those who hold, extend, commitment, offer and approve."""
    shown = [visit for visit in office.visits if visit.route == route and visit.who in MAY_KNOW]
    assert any("qvxactor" in visit.canaries for visit in shown)


def test_a_reviewer_reads_the_name_of_no_other_reviewer(office):
    leaks = [
        visit
        for visit in office.visits
        if visit.who == THE_REVIEWER and visit.canaries & {*ACTOR_CANARIES}
    ]
    assert as_lines(leaks) == []


def test_a_search_finds_a_reviewer_only_for_roles_that_may_know(office):
    jumps = [
        visit for visit in office.visits if visit.route == "desk:jump" and "q=qvx" in visit.url
    ]
    others = [visit for visit in jumps if visit.who != THE_REVIEWER]  # theirs has their name on top
    assert {visit.who for visit in others} == set(Role.values)
    named = {visit.who for visit in others if visit.canaries}
    assert named == MAY_KNOW & {visit.who for visit in others}


def test_no_letter_contains_the_reviewer(office):
    kinds = {name.split("-")[2] for name, _ in office.letters}
    assert kinds == {"assignment", "determination"}
    for name, content in office.letters:
        assert in_text(name) == set()
        assert in_text(words_of(content)) == set(), name
        assert in_text(everything_in(content)) == set(), name
        assert office.code.lower() not in words_of(content).lower()
        assert office.code.lower() not in everything_in(content).lower()
    for row in office.letter_rows:
        assert in_text(row) == set()
        assert office.code not in row


def test_the_reader_of_letters_finds_a_planted_canary():
    made = pikepdf.Pdf.new()
    made.add_blank_page()
    with made.open_metadata() as metadata:
        metadata["dc:creator"] = ["Qvxlast"]
    made.attachments["facts.json"] = pikepdf.AttachedFileSpec(made, b'{"by": "qvxphone"}')
    made.docinfo["/Author"] = "Qvxuser"
    out = io.BytesIO()
    made.save(out, compress_streams=True)

    assert in_text(everything_in(out.getvalue())) == {"qvxlast", "qvxphone", "qvxuser"}


def words_of(content):
    document = pypdfium2.PdfDocument(content)
    return " ".join(document[n].get_textpage().get_text_bounded() for n in range(len(document)))


def everything_in(content):
    """Every object of a PDF, every stream unpacked: page, metadata, XMP, attachment and name."""
    found = []
    with pikepdf.open(io.BytesIO(content)) as document:
        for thing in document.objects:
            found += strings_of(thing)
            if isinstance(thing, pikepdf.Stream):
                found.append(thing.read_bytes().decode("utf-8", "replace"))
        found += strings_of(document.trailer, deep=False)
    return "\n".join(found)


def strings_of(thing, *, deep=True):
    """The names and strings of an object, in whatever encoding; what it points at comes anyway."""
    if isinstance(thing, pikepdf.String | pikepdf.Name):
        yield str(thing)
    elif isinstance(thing, pikepdf.Array):
        for value in thing:
            if not getattr(value, "is_indirect", False):
                yield from strings_of(value)
    elif isinstance(thing, pikepdf.Dictionary | pikepdf.Stream):
        for name in thing.keys():  # noqa: SIM118 - a PDF's dictionary is no Python dict
            yield str(name)
            value = thing[name]
            if deep and not getattr(value, "is_indirect", False):
                yield from strings_of(value)


def test_no_line_of_the_log_names_the_reviewer(office):
    assert len(office.logged) > 100
    assert [line for line in office.logged if in_text(line)] == []


def test_a_message_to_the_workers_contains_only_an_id(office):
    assert office.messages
    assert [message for message in office.messages if in_text(message)] == []
    assert all(
        "letters.render" in message and "letter_ids" in message for message in office.messages
    )
    assert not any("CM26-" in message for message in office.messages)
