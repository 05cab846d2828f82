"""Every act of the office once: each tracked row that changed has its version, by whom, numbered.

The history itself is guarded row by row in ``test_history_of_services``. Here the acts are walked
as the office does them, with the person and the moment of each compared with what the versions say.
"""

import sys
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

import letters.services as letter_services
from accounts.roles import Role
from cases.models import Case, DisputedItem
from cases.models import Role as PartyRole
from cases.services import (
    information,
    intake,
    item_changes,
    items,
    notes,
    notices,
    organisations,
    parties,
    screening,
    ur_decision,
)
from cases.services.intake import ItemOnForm, PartyOnForm
from cases.services.people import find_organisation
from determinations.models import OpinionCitation
from determinations.services import issuing, quality, sending, writing
from files.services import store_bytes
from guidelines import services as guidelines
from guidelines.models import ApprovedParagraph, Edition, Recommendation
from letters.models import Delivery, Letter
from records.models import ReadMark
from records.services import chasing, dispatch, documents, reading
from reviewers.matching import LIMITS, WEIGHTS
from reviewers.models import AttestationWording, Licence, Reviewer
from reviewers.services import (
    assignment,
    conflicts,
    credentialing,
    limits,
    matching,
    reports,
    rules,
    seats,
)
from tests.determinations.factories import RATIONALE, SUMMARY
from tests.every_row import tracked_models
from tests.factories import MONDAY, SIX_YES, application, paper, person
from tests.letters.factories import SHIPPED
from tests.records.factories import keyed, upload
from tests.reviewers import factories as panel
from tests.test_services_shape import ALL as EVERY_SERVICE
from tests.test_services_shape import QUESTIONS

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parent.parent
WALKED = ("cases", "reviewers", "records", "determinations", "guidelines", "letters")

# Acts that have their own tests and touch no tracked row of a journey.
NOT_HERE = {
    "determinations/services/published.py:load_published": "loads what others decided",
    "letters/services.py:sweep": "brings back letters that got lost",
    "letters/services.py:beat": "shows that a process works",
    "letters/services.py:claim_due": "for the relay",
    "letters/services.py:publish_due": "for the relay",
    "letters/services.py:release_parked": "needs a letter that cannot be typeset",
}
# Acts by nobody: the system, and why.
BY_NOBODY = {
    guidelines.seed: "shipped with the product",
}


def newest(model):
    """The number of the newest version that a table holds."""
    found = model.history.order_by("-history_id").values_list("history_id", flat=True).first()
    return found or 0


class Walk:
    """Does acts, and compares the versions that each left with who did it and when."""

    def __init__(self):
        self.at = MONDAY
        self.last = {model: newest(model) for model in tracked_models()}
        self.missed = []

    def act(self, service, *, by, **named):
        """One act by one person, a minute after the one before."""
        self.at += timedelta(minutes=1)
        answer = service(by=by, at=self.at, **named)
        for model, last in self.last.items():
            for version in model.history.filter(history_id__gt=last).order_by("history_id"):
                self.last[model] = version.history_id
                if version.history_user != by or version.history_date != self.at:
                    self.missed.append(
                        f"{service.__name__}: {model._meta.label} {version.version} says "
                        f"{version.history_user} at {version.history_date}, not {by} at {self.at}"
                    )
        assert by is not None or service in BY_NOBODY, service
        return answer


@contextmanager
def services_called(called):
    """Note every function of a service module that runs."""
    modules = {str(ROOT / path): path for path, _ in EVERY_SERVICE}

    def note(frame, event, _):
        if event == "call" and frame.f_code.co_filename in modules:
            called.add(f"{modules[frame.f_code.co_filename]}:{frame.f_code.co_name}")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield
    finally:
        sys.setprofile(before)


def test_no_act_changes_a_tracked_row_without_a_version():
    walk, called = Walk(), set()

    with services_called(called):
        the_office_at_work(walk)

    assert walk.missed == []
    acts = {
        f"{path}:{function.name}"
        for path, function in EVERY_SERVICE
        if path.split("/")[0] in WALKED and function.name not in QUESTIONS.get(path, ())
    }
    assert acts - called - NOT_HERE.keys() == set(), "these acts were not walked"
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
        dates = [one.history_date for one in versions]
        assert dates == sorted(dates), where
        for field in model._meta.concrete_fields:
            was, now = getattr(versions[-1], field.attname), getattr(row, field.attname)
            assert was == now, f"{where}: {field.name} is {now!r} and its version says {was!r}"
    kept = model.history.values_list(model._meta.pk.name, flat=True).distinct()
    assert set(kept) == set(model.objects.values_list("pk", flat=True)), "a row is gone"


def the_office_at_work(walk):
    """From an empty house to two closed cases, by every act that there is."""
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

    ends_early(walk, clerk, coordinator)
    changes_after_acceptance(walk, clerk, coordinator)
    waits_for_others(walk, clerk, coordinator)
    case = to_records(walk, clerk, coordinator, clerk_of_mail)
    held = to_review(walk, case, coordinator, reviewer, reviewer_user)
    review(walk, held, reviewer_user)
    check_and_issue(walk, held, reviewer_user, qa, director, clerk_of_mail)


def keep_guidelines(walk, keeper):
    walk.act(guidelines.seed, by=None)
    edition = Edition.objects.filter(confirmed_by="").first()
    walk.act(guidelines.confirm_edition, by=keeper, edition_id=edition.pk, on=date(2026, 3, 2))
    fields = {
        field.name: "A paragraph of our own."
        for field in ApprovedParagraph._meta.concrete_fields
        if not (field.null or field.has_default() or field.primary_key or field.is_relation)
    }
    relations = {
        field.name: field.related_model.objects.first()
        for field in ApprovedParagraph._meta.concrete_fields
        if field.is_relation and not field.null
    }
    paragraph = ApprovedParagraph(**fields, **relations)
    walk.act(lambda *, by, at: paragraph.store(by=by, at=at), by=keeper)
    walk.act(guidelines.publish_paragraph, by=keeper, paragraph_id=paragraph.pk)


def keep_the_panel(walk, keeper):
    panel.panel_seeds()
    walk.last = {model: newest(model) for model in walk.last}  # shipped, by nobody
    made = walk.act(
        credentialing.create_reviewer,
        by=keeper,
        first_name="Given",
        last_name="Reviewerson",
        email="expert@example.org",
    )
    user = person(Role.REVIEWER, name="Given Reviewerson")
    walk.act(credentialing.link_user, by=keeper, reviewer_id=made.pk, user_id=user.pk)
    for name, fields in panel.reviewer_facts().items():
        walk.act(
            panel.FACT_BUILDERS[name],
            by=keeper,
            reviewer_id=made.pk,
            **panel.VERIFIED | fields,
        )
    walk.act(
        credentialing.add_leave,
        by=keeper,
        reviewer_id=made.pk,
        valid_from=date(2026, 7, 1),
        valid_to=date(2026, 7, 9),
        **panel.VERIFIED,
    )
    walk.act(
        credentialing.add_affiliation,
        by=keeper,
        reviewer_id=made.pk,
        relation="EMPLOYMENT",
        organisation_name="A hospital elsewhere",
        valid_from=date(2010, 1, 1),
        **panel.VERIFIED,
    )
    elsewhere = find_organisation("A hospital elsewhere")
    about = {"organisation_id": elsewhere.pk, "source": "Annual report"}
    owner = walk.act(
        organisations.record_parent,
        by=keeper,
        child_id=elsewhere.pk,
        parent_name="Far Holdings",
        source="Annual report",
    )
    walk.act(organisations.record_officer, by=keeper, person_name="A", title="Director", **about)
    walk.act(
        organisations.record_same,
        by=keeper,
        organisation_id=elsewhere.pk,
        same_as_name="Far Holdings",
        reason="One and the same",
    )
    walk.act(organisations.withdraw, by=keeper, kind="parent", fact_id=owner.pk, reason="A mistake")
    walk.act(
        limits.set_limits,
        by=person(Role.DIRECTOR),
        effective_from=walk.at.date(),
        holding_percent=5,
        kin=["SPOUSE"],
        reason="Counsel's reading",
    )
    report = walk.act(
        reports.report_change,
        by=user,
        subject="LICENCE",
        words="A new number",
        changed_on=walk.at.date(),
    )
    walk.act(reports.settle_report, by=keeper, report_id=report.pk, note="Read at the board")
    walk.act(
        rules.set_weights,
        by=person(Role.DIRECTOR),
        effective_from=walk.at.date(),
        weights=WEIGHTS,
        limits=LIMITS,
        reason="As before",
    )
    walk.act(
        rules.limit_offers,
        by=keeper,
        reviewer_id=made.pk,
        subjects=None,
        days_off=[6],
        reason="Sundays off",
    )
    walk.act(
        credentialing.correct_fact,
        by=keeper,
        kind="licence",
        fact_id=Licence.objects.get(reviewer=made).pk,
        changes={"number": "A77777"},
    )
    walk.act(
        credentialing.change_reviewer,
        by=keeper,
        reviewer_id=made.pk,
        first_name="Given",
        last_name="Reviewerson",
        email="expert@example.org",
        phone="916-555-0100",
        capacity=6,
        seen_version=None,
    )
    for status in ("SUSPENDED", "ACTIVE"):
        walk.act(
            credentialing.set_status,
            by=keeper,
            reviewer_id=made.pk,
            status=status,
            reason="A question of the board.",
            seen_version=None,
        )
    return Reviewer.objects.get(pk=made.pk), user


def ends_early(walk, clerk, coordinator):
    """Cases that never reach a reviewer."""

    def received(**changes):
        form = application(received_at=MONDAY, **changes)
        return walk.act(intake.receive, by=clerk, application=form)

    def decide(case, **answers):
        walk.act(
            screening.decide_eligibility,
            by=coordinator,
            case_id=case.pk,
            answers=SIX_YES | answers,
            notes=dict.fromkeys(answers, "Read on the paper."),
            seen_version=None,
        )

    lead = received(claim_number="06-1", items=[ItemOnForm("Brace"), ItemOnForm("Norco")])
    duplicate = received(claim_number="06-1")
    walk.act(
        screening.terminate,
        by=coordinator,
        case_id=lead.pk,
        item_ids=[lead.items.get(position=1).pk],
        reason="Authorised.",
    )
    walk.act(screening.withdraw, by=coordinator, case_id=lead.pk, reason="A letter.")
    walk.act(screening.close, by=coordinator, case_id=lead.pk, reason="Done.")
    walk.act(screening.screen_again, by=coordinator, case_id=duplicate.pk, reason="Lead closed.")
    decide(duplicate, TIMELY="UNKNOWN")
    decide(duplicate, SIGNED="NO")
    walk.act(screening.close, by=coordinator, case_id=duplicate.pk, reason="Done.")
    note = walk.act(notes.add_note, by=clerk, case_id=lead.pk, text="The adjuster called.")
    walk.act(notes.correct_note, by=clerk, event_id=note.pk, text="The attorney called.")


def changes_after_acceptance(walk, clerk, coordinator):
    """Parties and items of a case that was found eligible."""
    form = application(received_at=MONDAY, items=[ItemOnForm("Brace"), ItemOnForm("Norco")])
    case = walk.act(intake.receive, by=clerk, application=form)
    walk.act(
        screening.decide_eligibility,
        by=coordinator,
        case_id=case.pk,
        answers=SIX_YES,
        notes={},
        seen_version=None,
    )
    said = {"case_id": case.pk, "why": "A letter.", "by": coordinator}
    maker = PartyOnForm(role=PartyRole.MANUFACTURER, name="Helix Devices")
    joined = walk.act(parties.add, party=maker, since=None, item_id=case.items.first().pk, **said)
    moved = walk.act(
        parties.change,
        party_id=joined.pk,
        details=parties.PartyDetails(name="Helix Devices Inc", address="1 Quay St"),
        since=date(2026, 3, 2),
        **said,
    )
    walk.act(parties.end, party_id=moved.pk, last_day=date(2026, 3, 2), **said)
    brace, norco = case.items.order_by("position")
    asked = [
        walk.act(item_changes.propose_item, facts=item_changes.ItemFacts("Massage"), **said),
        walk.act(
            item_changes.propose_change,
            by=clerk,
            item_id=brace.pk,
            facts=item_changes.ItemFacts("Lumbar brace"),
            seen_version=None,
            why="A letter.",
        ),
        walk.act(
            item_changes.propose_withdrawal,
            by=clerk,
            item_id=norco.pk,
            seen_version=None,
            why="A letter.",
        ),
    ]
    supervisor = person(Role.SUPERVISOR)
    walk.act(item_changes.refuse, by=supervisor, change_id=asked[0].pk, because="Not on the form.")
    for change in asked[1:]:
        walk.act(item_changes.accept, by=coordinator, change_id=change.pk)


def waits_for_others(walk, clerk, coordinator):
    """A case that is compared with its UR decision, asked about, deferred and taken up again."""
    case = walk.act(intake.receive, by=clerk, application=application(received_at=MONDAY))
    item = case.items.get()
    as_read = ur_decision.AsRead(employee="Marisol Quintana", items=["Norco"])
    walk.act(
        ur_decision.record_ur_reading,
        by=coordinator,
        case_id=case.pk,
        as_read=as_read,
        outcomes={item.pk: "DENIED"},
    )
    listed = [one.difference.key for one in ur_decision.differences_of(case)]
    walk.act(
        ur_decision.answer_differences,
        by=coordinator,
        case_id=case.pk,
        answers=dict.fromkeys(listed, "TYPING_ERROR"),
        notes={},
    )
    asked = walk.act(
        information.ask_information,
        by=coordinator,
        case_id=case.pk,
        party_id=case.parties.get(role="EMPLOYEE").pk,
        facts=["SIGNED"],
        question="Who signed?",
        received_on=MONDAY.date(),
    )
    walk.act(
        information.record_answer,
        by=coordinator,
        request_id=asked.pk,
        answer="I did.",
        answered_on=MONDAY.date(),
    )
    walk.act(
        screening.decide_eligibility,
        by=coordinator,
        case_id=case.pk,
        answers=SIX_YES | {"LIABILITY_CLEAR": "NO"},
        notes={"LIABILITY_CLEAR": "A letter of the administrator."},
        seen_version=None,
    )
    walk.act(
        information.resolve_liability,
        by=coordinator,
        case_id=case.pk,
        notice_on=MONDAY.date(),
        method="mail_ca",
        how="Accepted.",
    )


def to_records(walk, clerk, coordinator, clerk_of_mail):
    scan = store_bytes(
        content=b"%PDF-1.4 a sheet", media_type="application/pdf", at=MONDAY, pages=1
    )
    form = application(
        received_at=MONDAY,
        papers=[paper(scan, "UR_DECISION")],
        items=[ItemOnForm("Cervical epidural injection", quantity=Decimal(1)), ItemOnForm("Brace")],
    )
    case = walk.act(intake.receive, by=clerk, application=form)
    walk.act(
        screening.decide_eligibility,
        by=coordinator,
        case_id=case.pk,
        answers=SIX_YES,
        notes={"TIMELY": "Page 1."},
        seen_version=None,
    )
    for nothing in (True, False):
        cited = items.AdministratorCited(
            [] if nothing else [_citation()],
            nothing,
        )
        for item in case.items.all():
            walk.act(
                items.record_administrator_citations, by=coordinator, item_id=item.pk, cited=cited
            )
    walk.act(notices.make_notices, by=coordinator, case_id=case.pk)
    _file(walk)
    walk.act(notices.mark_notices_sent, by=clerk_of_mail, case_id=case.pk, sent_on=date(2026, 3, 2))
    walk.act(
        chasing.log_contact,
        by=coordinator,
        case_id=case.pk,
        party_id=case.parties.get(role="CLAIMS_ADMINISTRATOR").pk,
        way="CALL",
        spoke_to="J. Merriweather",
        said="In the post.",
    )
    sent = Delivery.objects.filter(letter__reference=case.number).first()
    walk.act(letter_services.mark_returned, by=clerk_of_mail, delivery_id=sent.pk, why="Moved")
    walk.act(documents.take_in_application_papers, by=coordinator, case_id=case.pk)
    for _ in range(2):
        walk.act(
            documents.add_document, by=coordinator, case_id=case.pk, upload=upload(), **keyed()
        )
    for completing in (True, False, True):
        if completing:
            walk.act(
                documents.mark_complete,
                by=coordinator,
                case_id=case.pk,
                received_on=date(2026, 3, 2),
                basis="COMPLETE",
                seen_version=None,
            )
        else:
            walk.act(
                documents.reopen_records,
                by=coordinator,
                case_id=case.pk,
                reason="A page is missing.",
                seen_version=None,
            )
    return Case.objects.get(pk=case.pk)


def _citation():
    from guidelines.citations import Citation

    return Citation(source="MTUS", mtus=True, chapter="Chronic Pain", sections=("Opioids",))


def _file(walk):
    """Workers file what is queued; nobody acts."""
    walk.at += timedelta(minutes=1)
    for letter in Letter.objects.filter(state=Letter.State.QUEUED):
        letter_services.render(letter_id=letter.pk, at=walk.at, now=lambda: walk.at)


def to_review(walk, case, coordinator, reviewer, user):
    def offer():
        listed = walk.act(matching.rank, by=coordinator, case_id=case.pk)
        walk.act(conflicts.test_conflicts, by=coordinator, case_id=case.pk, reviewer_id=reviewer.pk)
        return walk.act(
            assignment.assign,
            by=coordinator,
            case_id=case.pk,
            reviewer_id=reviewer.pk,
            candidate_list_id=listed.pk,
            seen_version=None,
            override_code="OTHER",
            override_reason="Asked for",
        )

    walk.act(
        seats.approve,
        by=coordinator,
        case_id=case.pk,
        seat_count=2,
        approved_by="R. Alvarado",
        approved_on=walk.at.date(),
        reference="DWC 26-0114",
        reason="Two bodies of knowledge are needed",
    )
    walk.act(seats.end_approval, by=coordinator, case_id=case.pk, reason="The second is not found")
    held = offer()
    walk.act(assignment.decline, by=user, assignment_id=held.pk, reason="No time.")
    held = offer()
    walk.act(assignment.remove, by=coordinator, assignment_id=held.pk, reason="Too slow.")
    held = offer()
    wording = AttestationWording.objects.latest("number")
    walk.act(
        assignment.attest,
        by=user,
        assignment_id=held.pk,
        answers={question["code"]: "no" for question in wording.questions},
        wording_id=wording.pk,
    )
    _settle_a_doubt(walk, case, coordinator)
    return type(held).objects.select_related("reviewer", "case").get(pk=held.pk)


def _settle_a_doubt(walk, case, coordinator):
    """Someone on the panel who is called like the employee: a question for a person."""
    namesake = panel.fit_reviewer(sign_in=False)
    walk.last = {model: newest(model) for model in walk.last}  # put there by a factory
    employee = case.parties.get(role="EMPLOYEE")
    walk.act(
        credentialing.add_affiliation,
        by=_keeper(),
        reviewer_id=namesake.pk,
        relation="FAMILY",
        person_name=employee.name,
        valid_from=date(1990, 1, 1),
        **panel.VERIFIED,
    )
    found = walk.act(
        conflicts.test_conflicts, by=coordinator, case_id=case.pk, reviewer_id=namesake.pk
    )
    doubt = next(one for one in found if one.result == "UNKNOWN")
    walk.act(
        conflicts.settle,
        by=coordinator,
        result_id=doubt.pk,
        result="PASS",
        note="Born in another year.",
    )


def _keeper():
    return person(Role.CREDENTIALING)


def review(walk, held, user):
    walk.act(writing.open_review, by=user, assignment_id=held.pk)
    walk.act(dispatch.dispatch, by=person(Role.COORDINATOR), assignment_id=held.pk)
    walk.act(reading.open_list, by=user, case=held.case)
    first = held.case.documents.first()
    walk.act(reading.open_document, by=user, document_id=first.pk)
    walk.act(reading.page_image, by=user, document_id=held.case.documents.last().pk, page=1)
    walk.act(reading.page_text, by=user, document_id=held.case.documents.last().pk, page=1)
    for document in held.case.documents.all():
        walk.act(
            reading.mark,
            by=user,
            assignment_id=held.pk,
            document_id=document.pk,
            mark=ReadMark.Mark.REVIEWED,
        )

    def save(part, content, revision=0):
        walk.act(
            writing.save_draft,
            by=user,
            assignment_id=held.pk,
            part=part,
            content=content,
            revision=revision,
        )

    save("summary", {"summary": "Draft."})
    save("summary", {"summary": SUMMARY, "party_term": "patient"}, 1)
    walk.act(writing.settle, by=user, assignment_id=held.pk, part="summary", why="Left the part")
    for opinion in held.opinions.all():
        save(
            f"item-{opinion.item_id}",
            {
                "outcome": "UPHELD",
                "rationale": RATIONALE,
                "basis": "C",
                "why_not_higher": "The schedule is silent.",
            },
        )
        for source in ({"recommendation_id": Recommendation.objects.first().pk}, {}):
            walk.act(
                writing.cite,
                by=user,
                assignment_id=held.pk,
                item_id=opinion.item_id,
                **{"recommendation_id": None, "as_printed": "A study, 2024"} | source,
            )
    walk.act(
        writing.uncite,
        by=user,
        assignment_id=held.pk,
        citation_id=OpinionCitation.objects.first().pk,
    )
    walk.act(writing.submit, by=user, assignment_id=held.pk)


def check_and_issue(walk, held, user, qa, director, clerk_of_mail):
    case = {"case_id": held.case_id}
    seen = {"seen_version": None}
    walk.act(quality.return_for_changes, by=qa, **case, **seen, comment="How long?", item_id=None)
    walk.act(
        writing.save_draft,
        by=user,
        assignment_id=held.pk,
        part="summary",
        content={"summary": f"{SUMMARY} Nine days."},
        revision=2,
    )
    walk.act(writing.submit, by=user, assignment_id=held.pk)
    walk.act(quality.approve, by=qa, **case, **seen, comment="Clear.")
    walk.act(quality.send_back, by=director, **case, reason="The year.")
    walk.act(quality.approve, by=qa, **case, **seen, comment="")
    walk.act(issuing.preview, by=director, **case)
    walk.act(issuing.issue, by=director, **case, **seen)
    _file(walk)
    walk.act(sending.mark_determination_sent, by=clerk_of_mail, **case, sent_on=date(2026, 3, 2))
    assert Case.objects.get(pk=held.case_id).status == "CLOSED"
    assert DisputedItem.objects.filter(case=held.case_id, ending="DECIDED").count() == 2
