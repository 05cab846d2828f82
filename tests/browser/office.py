"""An office for tests that drive a browser: people by role, one fit reviewer, cases.

The pages read the real deadline, so everything here happened shortly before now.
"""

import io
from datetime import timedelta
from types import SimpleNamespace

from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from cases.models import Case, TreatmentCategory
from correspondence.services import notices
from deadlines.days import local_day
from determinations.services import issuing, quality, writing
from eligibility.services import screening
from intake.services.receiving import ItemOnForm, URDecisionOnForm
from records.services import documents
from tests.determinations.factories import RATIONALE, SUMMARY, read_everything
from tests.factories import SIX_YES, person, received_case, state_citations
from tests.letters.factories import file_all_letters, publish_sample_wording
from tests.records.factories import add_record
from tests.reviewers.factories import fit_reviewer, offered_case, sign_attestation

PASSWORD = "correct horse battery staple"
TITLE = "Cervical epidural steroid injection at C3-4"
NAMES = {
    Role.INTAKE: "Rosa Okafor",
    Role.COORDINATOR: "Mina Petrov",
    Role.QA: "Maria Delgado",
    Role.DIRECTOR: "Ingrid Solberg",
    Role.MAILROOM: "Ben Akande",
    Role.CREDENTIALING: "Tomas Berg",
    Role.REVIEWER: "Alice Whitfield",
}


def open_office():
    """Everything that stands before the first application comes in."""
    now = timezone.now()
    entered = now - timedelta(days=40)
    today = local_day(now)
    call_command("seed_reference", verbosity=0, stdout=io.StringIO())
    people = {role: person(role, name=name) for role, name in NAMES.items()}
    publish_sample_wording(at=now)
    checked = {"verified_on": today - timedelta(days=40)}
    from_now = checked | {"valid_from": today - timedelta(days=40)}
    reviewer = fit_reviewer(
        first_name="Alice",
        last_name="Whitfield",
        user=people[Role.REVIEWER],
        at=entered,
        license=checked | {"valid_to": today + timedelta(days=700)},
        certification=checked | {"valid_to": today + timedelta(days=900)},
        start=checked,
        hours=from_now | {"valid_to": today + timedelta(days=300)},
        law=from_now,
        evidence=from_now,
        sanctions=from_now,
        capacity=40,
    )
    return SimpleNamespace(people=people, reviewer=reviewer, now=now)


def get_injection_category():
    """A category that the reviewer's specialty fits."""
    return TreatmentCategory.objects.get(name="Injection", parent__name="Injection")


class Work:
    """Brings cases to where a test begins, by the services that lead there."""

    def __init__(self, set_up):
        self.people, self.reviewer, self.now = set_up.people, set_up.reviewer, set_up.now
        self.start = self.now - timedelta(days=6)

    def received(self, *, title=TITLE, items=1, **changes):
        day = local_day(self.start)
        names = [title] + [f"{title}, part {number}" for number in range(2, items + 1)]
        return received_case(
            at=self.start,
            by=self.people[Role.INTAKE],
            signed_on=day - timedelta(days=2),
            consent_on=day - timedelta(days=2),
            items=[
                ItemOnForm(title=name, category_id=get_injection_category().pk) for name in names
            ],
            items_on_form=items,
            ur_decision=URDecisionOnForm(
                decided_on=day - timedelta(days=10),
                served_on=day - timedelta(days=10),
                service_method="mail_ca",
                requested_on=day - timedelta(days=14),
                liability_disputed=False,
            ),
            **changes,
        )

    def eligible(self, **changes):
        case = self.received(**changes)
        coordinator, at = self.people[Role.COORDINATOR], self.start + timedelta(hours=1)
        state_citations(case, by=coordinator, at=at)
        screening.decide_eligibility(
            case_id=case.pk, answers=SIX_YES, notes={}, seen_version=None, by=coordinator, at=at
        )
        return Case.objects.get(pk=case.pk)

    def noticed(self, **changes):
        case = self.eligible(**changes)
        coordinator, at = self.people[Role.COORDINATOR], self.start + timedelta(hours=2)
        notices.make_notices(case_id=case.pk, by=coordinator, at=at)
        file_all_letters(at=at)
        notices.mark_notices_sent(
            case_id=case.pk, sent_on=local_day(at), by=coordinator, at=at + timedelta(hours=1)
        )
        return Case.objects.get(pk=case.pk)

    def complete(self, **changes):
        case = self.noticed(**changes)
        coordinator, at = self.people[Role.COORDINATOR], self.start + timedelta(days=1)
        for number, pages in enumerate((2, 1), start=1):
            add_record(
                case,
                by=coordinator,
                at=at,
                pages=pages,
                title=f"Report {number}",
                dated_from=local_day(at) - timedelta(days=30),
                received_on=local_day(at),
            )
        documents.mark_records_complete(
            case_id=case.pk,
            received_on=local_day(at),
            basis="COMPLETE",
            seen_version=None,
            by=coordinator,
            at=at,
        )
        return Case.objects.get(pk=case.pk)

    def offered(self, **changes):
        return offered_case(
            case=self.complete(**changes),
            reviewer=self.reviewer,
            coordinator=self.people[Role.COORDINATOR],
            at=self.start + timedelta(days=2),
        )

    def in_review(self, **changes):
        return sign_attestation(self.offered(**changes), at=self.start + timedelta(days=2, hours=1))

    def written(self, **changes):
        """A review that lacks nothing but its submission."""
        assignment = self.in_review(**changes)
        by, at = self.people[Role.REVIEWER], self.start + timedelta(days=3)
        writing.open_review(assignment_id=assignment.pk, by=by, at=at)
        read_everything(assignment, at=at)
        self.type(assignment, "summary", {"summary": SUMMARY}, at)
        for opinion in assignment.opinions.all():
            fields = {"outcome": "UPHELD", "rationale": RATIONALE, "basis": "C"}
            fields["why_not_higher"] = "The schedule does not address this treatment."
            self.type(assignment, f"item-{opinion.item_id}", fields, at)
            writing.add_citation(
                assignment_id=assignment.pk,
                item_id=opinion.item_id,
                recommendation_id=None,
                as_printed="A society's guideline on injections, 2024",
                by=by,
                at=at,
            )
        return assignment

    def type(self, assignment, part, content, at):
        draft = assignment.drafts.filter(part=part).first()
        writing.save_review_draft(
            assignment_id=assignment.pk,
            part=part,
            content=content,
            revision=draft.revision if draft else 0,
            by=self.people[Role.REVIEWER],
            at=at,
        )

    def submitted(self, **changes):
        assignment = self.written(**changes)
        at = self.start + timedelta(days=3, hours=1)
        writing.submit_review(assignment_id=assignment.pk, by=self.people[Role.REVIEWER], at=at)
        return Case.objects.get(pk=assignment.case_id)

    def returned(self, **changes):
        """Back with its reviewer, and changed since, but not submitted again."""
        case = self.submitted(**changes)
        at = self.start + timedelta(days=3, hours=2)
        quality.return_review(
            case_id=case.pk,
            comment="Say how long the relief lasted.",
            item_id=None,
            seen_version=None,
            by=self.people[Role.QA],
            at=at,
        )
        assignment = case.assignments.get()
        for opinion in assignment.opinions.all():
            fields = {"outcome": "UPHELD", "rationale": f"{RATIONALE} That is too short."}
            self.type(assignment, f"item-{opinion.item_id}", fields, at + timedelta(hours=1))
        return assignment

    def approved(self, **changes):
        case = self.submitted(**changes)
        at = self.start + timedelta(days=3, hours=2)
        quality.approve_review(
            case_id=case.pk, comment="", seen_version=None, by=self.people[Role.QA], at=at
        )
        return Case.objects.get(pk=case.pk)

    def issued(self, **changes):
        case = self.approved(**changes)
        director, at = self.people[Role.DIRECTOR], timezone.now()
        issuing.preview_determination(case_id=case.pk, by=director, at=at)
        issuing.issue_determination(case_id=case.pk, seen_version=None, by=director, at=at)
        file_all_letters(at=at)
        return Case.objects.get(pk=case.pk)


def sign_in(page, user, *, url):
    """Give the page's browser this person's session, without the sign-in page."""
    client = Client()
    client.force_login(User.objects.get(pk=user.pk), backend="accounts.backends.SignInBackend")
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": url}]
    )
