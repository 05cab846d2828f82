"""The pages of reviewers: what each role sees and can do, refusals with the typed text kept."""

import re
from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import AccessLogEntry, User
from accounts.roles import PERMISSIONS, Role
from cases.lifecycle import Status
from reviewers.models import (
    Affiliation,
    Certification,
    License,
    PracticeFact,
    Reviewer,
    ReviewerAssignment,
)
from reviewers.services import credentialing
from tests.factories import MONDAY, person
from tests.reviewers.factories import (
    VERIFIED,
    accepted_case,
    answer_no_to_all,
    fit_reviewer,
    offered_case,
    ready_case,
    sign_attestation,
    with_evidence,
)

pytestmark = pytest.mark.django_db

# Planted in every field that could tell who a reviewer is.
CANARY = "Quetzalcoatl"


def fit_today(**changes):
    """A reviewer who is fit on the day on which the tests run, since pages read the clock."""
    today = timezone.localdate()
    now = timezone.now() - timedelta(minutes=5)
    facts = {
        "license": {"valid_to": today + timedelta(days=400)},
        "certification": {"valid_to": today + timedelta(days=400)},
        "hours": {
            "valid_from": today - timedelta(days=30),
            "valid_to": today + timedelta(days=300),
        },
    }
    return fit_reviewer(at=changes.pop("at", now), **facts | changes)


def canary_reviewer():
    """A reviewer with the canary in every field a page could show."""
    row = fit_today(
        first_name=CANARY,
        last_name=f"{CANARY}son",
        email=f"{CANARY}@example.org",
        license={
            "number": f"{CANARY}-1",
            "valid_to": timezone.localdate() + timedelta(days=400),
        },
    )
    credentialing.change_reviewer(
        reviewer_id=row.pk,
        first_name=row.first_name,
        last_name=row.last_name,
        email=row.email,
        phone=f"{CANARY} 12",
        capacity=4,
        seen_version=None,
        by=None,
        at=timezone.now(),
    )
    credentialing.add_affiliation(
        **with_evidence(
            reviewer_id=row.pk,
            relation="OTHER",
            organization_name=f"{CANARY} Clinic",
            note=CANARY,
            valid_from=None,
            by=None,
            at=timezone.now(),
            **VERIFIED | {"verified_by": CANARY, "source": CANARY},
        )
    )
    return Reviewer.objects.get(pk=row.pk)


class TestChoosing:
    """P13: two clicks from the queue to an offer."""

    def page(self, case):
        return reverse("reviewers:assign", args=[case.number])

    def ranked(self, client, case):
        """The page of choosing, with the ranking that it asks for as it loads."""
        assert client.post(reverse("reviewers:rank", args=[case.number])).status_code == 302
        return client.get(self.page(case))

    def choice(self, page, reviewer, **changes):
        """What the button beside a reviewer sends."""
        text = page.content.decode()
        found = {
            name: re.search(rf'name="{name}" value="(\d+)"', text)[1]
            for name in ("version", "candidate_list")
        }
        return found | {"reviewer": reviewer.pk} | changes

    def test_three_are_shown_with_reasons_and_a_click_offers_the_case(self, signed_in):
        coordinator = person(Role.COORDINATOR)
        client = signed_in(user=coordinator)
        case, reviewers = ready_case(), [fit_today() for _ in range(4)]
        fit_today(hours=None)

        page = self.ranked(client, case)
        text = page.content.decode()

        assert text.count('data-key="') >= 3
        for key in "123":
            assert f'data-key="{key}"' in text
        assert "Board certified in Physical Medicine &amp; Rehabilitation." in text
        assert "1 more eligible reviewer" in text
        assert "1 reviewer not eligible: 1 without 24 attested hours a week" in text
        first = page.context["candidates"][0].reviewer
        answer = client.post(self.page(case), self.choice(page, first))
        assert answer.status_code == 302
        case.refresh_from_db()
        assert case.status == Status.REVIEWER_CHOSEN
        assert case.assignments.get().reviewer == first
        assert first in reviewers
        assert AccessLogEntry.objects.filter(user=coordinator, reference=case.number).exists()

    def test_the_next_case_comes_up_after_a_choice_and_the_list_after_the_last(self, signed_in):
        client, reviewer = signed_in(Role.COORDINATOR), fit_today()
        first, second, third = (ready_case() for _ in range(3))
        for case, then in (
            (second, self.page(third)),
            (third, self.page(first)),
            (first, reverse("desk:queue", args=["assign"])),
        ):
            page = self.ranked(client, case) if case == second else client.get(self.page(case))
            assert 'data-key="Shift 1"' in page.content.decode()  # ranked as the case came up
            answer = client.post(self.page(case), self.choice(page, reviewer, open_next="1"))
            assert (answer.status_code, answer.headers.get("Location")) == (302, then)

    def test_the_second_coordinator_on_the_page_sees_who_was_first(self, signed_in):
        case, reviewer = ready_case(), fit_today()
        client = signed_in(Role.COORDINATOR)
        choice = self.choice(self.ranked(client, case), reviewer, open_next="1")
        first = offered_case(case=case, reviewer=fit_today(), at=timezone.now())

        answer = client.post(self.page(case), choice)

        assert answer.status_code == 409
        assert f"{first.offered_by.name} has already offered" in answer.content.decode()
        assert case.assignments.count() == 1

    def test_a_choice_further_down_the_list_needs_a_reason_and_keeps_what_was_typed(
        self, signed_in
    ):
        client, case = signed_in(Role.COORDINATOR), ready_case()
        for _ in range(4):
            fit_today()
        page = self.ranked(client, case)
        fourth = page.context["further"][0].reviewer

        refused = client.post(self.page(case), self.choice(page, fourth))

        assert refused.status_code == 422
        assert "Choose why this reviewer" in refused.content.decode()
        again = self.choice(
            refused, fourth, override_code="OTHER", override_reason="Read the earlier films"
        )
        assert client.post(self.page(case), again).status_code == 302
        assert case.assignments.get().override_reason == "Read the earlier films"

    def test_the_second_coordinator_gets_409_and_sees_who_was_first(self, signed_in):
        client, case, reviewer = signed_in(Role.COORDINATOR), ready_case(), fit_today()
        page = self.ranked(client, case)
        choice = self.choice(page, reviewer)
        offered_case(
            case=case,
            reviewer=fit_today(),
            coordinator=person(Role.COORDINATOR, name="Ines Prior"),
            at=timezone.now(),
        )

        answer = client.post(self.page(case), choice)

        assert answer.status_code == 409
        assert "Ines Prior has already offered case" in answer.content.decode()
        assert case.assignments.count() == 1

    def test_a_stale_page_gets_409_and_the_new_list(self, signed_in):
        client, case, reviewer = signed_in(Role.COORDINATOR), ready_case(), fit_today()
        choice = self.choice(self.ranked(client, case), reviewer)
        case.refresh_from_db()
        case.store(by=None, at=timezone.now(), fields=[])

        answer = client.post(self.page(case), choice)

        assert answer.status_code == 409
        assert client.post(self.page(case), self.choice(answer, reviewer)).status_code == 302

    def test_a_double_click_offers_once(self, signed_in):
        client, case, reviewer = signed_in(Role.COORDINATOR), ready_case(), fit_today()
        choice = self.choice(self.ranked(client, case), reviewer)

        answers = [client.post(self.page(case), choice).status_code for _ in range(2)]

        assert answers == [302, 409]
        assert case.assignments.count() == 1

    def test_a_possible_conflict_is_resolved_on_the_page(self, signed_in):
        client, case = signed_in(Role.COORDINATOR), ready_case()
        reviewer = fit_today(first_name="Dana", last_name="Oyelaran")
        page = self.ranked(client, case)
        ((doubt, _),) = page.context["possible_conflicts"]
        resolve = reverse("reviewers:resolve", args=[case.number, doubt.pk])

        refused = client.post(resolve, {f"{doubt.pk}-result": "PASS"})
        assert refused.status_code == 422
        assert "Enter a note" in refused.content.decode()
        resolved = client.post(
            resolve, {f"{doubt.pk}-result": "PASS", f"{doubt.pk}-note": "Another NPI"}
        )

        assert resolved.status_code == 302
        page = self.ranked(client, case)
        assert page.context["candidates"][0].reviewer == reviewer
        assert page.context["possible_conflicts"] == []

    def test_an_offered_case_can_be_unassigned(self, signed_in):
        client = signed_in(Role.COORDINATOR)
        made = offered_case(reviewer=fit_today(), at=timezone.now())
        url = reverse("reviewers:remove_reviewer", args=[made.case.number, made.pk])

        assert client.post(url, {"reason": ""}).status_code == 422
        assert client.post(url, {"reason": "Away ill"}).status_code == 302

        made.refresh_from_db()
        assert made.state == "REMOVED"
        page = client.get(self.page(made.case)).content.decode()
        assert "Earlier reviewers" in page
        assert "Away ill" in page

    def test_an_empty_panel_and_a_case_elsewhere_say_so(self, signed_in):
        client = signed_in(Role.COORDINATOR)
        case = ready_case()
        assert "There are no reviewers yet" in self.ranked(client, case).content.decode()
        case.move_to(Status.NOTICE_SENT, by=None, at=MONDAY)
        assert "is in the “Awaiting records” stage" in client.get(self.page(case)).content.decode()

    def test_opening_the_page_stores_nothing_and_asks_for_the_ranking(self, signed_in):
        client, case = signed_in(Role.COORDINATOR), ready_case()
        fit_today()
        rank = reverse("reviewers:rank", args=[case.number])

        page = client.get(self.page(case)).content.decode()

        assert "Reviewers have not been ranked for this case." in page
        assert f'hx-post="{rank}"' in page
        assert f'action="{rank}"' in page  # a button, where no script runs
        assert not case.candidate_lists.exists()
        loaded = client.post(rank, headers={"HX-Request": "true"}).content.decode()
        assert 'data-key="1"' in loaded
        assert f'hx-post="{rank}"' not in loaded
        assert case.candidate_lists.count() == 1

    def test_a_refused_ranking_is_reported_on_the_page(self, signed_in):
        client, case = signed_in(Role.COORDINATOR), ready_case()
        case.move_to(Status.NOTICE_SENT, by=None, at=MONDAY)

        answer = client.post(reverse("reviewers:rank", args=[case.number]), follow=True)

        assert "is in the “Awaiting records” stage" in answer.content.decode()

    @pytest.mark.parametrize("role", [role for role in Role if role != Role.COORDINATOR])
    def test_other_roles_are_refused(self, signed_in, role):
        case = ready_case()
        client = signed_in(role)
        assert client.get(self.page(case)).status_code == 403
        assert client.post(self.page(case), {}).status_code == 403


class TestOwnReviews:
    """P15: a reviewer's own cases, the statement of independence, giving back."""

    def offered(self):
        return offered_case(reviewer=fit_today(), at=timezone.now())

    def user_of(self, made):
        return User.objects.get(pk=made.reviewer.user_id)

    def answers(self, made, **changes):
        wording_id, given = answer_no_to_all(timezone.now())
        fields = {f"answer_{code}": answer for code, answer in (given | changes).items()}
        return fields | {"wording": wording_id, "parties": made.case.party_list_version}

    def test_my_list_shows_my_cases_and_nothing_of_others(self, signed_in):
        mine, other = self.offered(), self.offered()
        client = signed_in(user=self.user_of(mine))

        text = client.get(reverse("determinations:my_reviews")).content.decode()

        assert mine.case.number in text
        assert other.case.number not in text
        assert "1 of 4 cases" in text

    def test_no_one_opens_another_reviewers_offer(self, signed_in):
        mine, other = self.offered(), self.offered()
        client = signed_in(user=self.user_of(mine))

        for name in ("attest", "decline"):
            url = reverse(f"reviewers:{name}", args=[other.pk])
            assert client.post(url, {"reason": "x"}).status_code == 404
        assert client.get(reverse("reviewers:attest", args=[other.pk])).status_code == 404
        assert client.get(reverse("reviewers:attest", args=[987654])).status_code == 404
        assert AccessLogEntry.objects.filter(user=self.user_of(mine), granted=False).count() == 4

    def test_no_answer_is_preselected_and_every_question_is_asked(self, signed_in):
        made = self.offered()
        client = signed_in(user=self.user_of(made))
        url = reverse("reviewers:attest", args=[made.pk])

        page = client.get(url).content.decode()
        assert "checked" not in page
        assert "Harbor Cold Storage" in page
        refused = client.post(
            url, {"wording": answer_no_to_all()[0], "parties": 1, "answer_employer": "no"}
        )

        assert refused.status_code == 422
        assert "Answer this question with yes or no." in refused.content.decode()
        assert 'value="no"' in refused.content.decode()
        assert re.search(r'name="answer_employer"[^>]*checked', refused.content.decode())

    def test_all_no_accepts_and_leads_into_the_review(self, signed_in):
        made = self.offered()
        client = signed_in(user=self.user_of(made))

        answer = client.post(reverse("reviewers:attest", args=[made.pk]), self.answers(made))

        assert answer.status_code == 302
        assert answer.url == reverse("determinations:workspace", args=[made.pk])
        made.refresh_from_db()
        assert made.state == "ACCEPTED"
        page = client.get(reverse("reviewers:attest", args=[made.pk])).content.decode()
        assert "You attested on" in page

    def test_a_yes_returns_the_case_with_thanks(self, signed_in):
        made = self.offered()
        client = signed_in(user=self.user_of(made))

        answer = client.post(
            reverse("reviewers:attest", args=[made.pk]), self.answers(made, employer="yes")
        )

        assert answer.url == reverse("determinations:my_reviews")
        made.case.refresh_from_db()
        assert made.case.status == Status.RECORDS_COMPLETE
        text = client.get(answer.url).content.decode()
        assert "Thank you." in text

    def test_a_changed_party_list_gives_409_and_keeps_the_answers(self, signed_in):
        made = self.offered()
        client = signed_in(user=self.user_of(made))
        given = self.answers(made)
        made.case.refresh_from_db()
        made.case.party_list_version += 1
        made.case.store(by=None, at=timezone.now(), fields=["party_list_version"])

        answer = client.post(reverse("reviewers:attest", args=[made.pk]), given)

        assert answer.status_code == 409
        text = answer.content.decode()
        assert "parties of the case changed while this page was open" in text
        assert re.search(r'name="answer_employer"[^>]*checked', text)
        assert f'name="parties" value="{made.case.party_list_version}"' in text

    def test_declining_needs_a_reason_that_is_not_on_the_timeline(self, signed_in):
        made = self.offered()
        client = signed_in(user=self.user_of(made))
        url = reverse("reviewers:decline", args=[made.pk])

        assert client.post(url, {"reason": " "}).status_code == 422
        assert client.post(url, {"reason": f"{CANARY} is my hospital"}).status_code == 302

        made.refresh_from_db()
        assert made.state == "DECLINED"
        client.force_login(person(Role.AUDITOR))
        timeline = client.get(reverse("desk:timeline", args=[made.case.number])).content.decode()
        assert "declined the case" in timeline
        assert CANARY not in timeline

    def test_a_changed_party_list_asks_to_attest_again(self, signed_in):
        made = sign_attestation(self.offered(), at=timezone.now())
        client = signed_in(user=self.user_of(made))
        made.case.refresh_from_db()
        made.case.party_list_version += 1
        made.case.store(by=None, at=timezone.now(), fields=["party_list_version"])

        assert "Attest again" in client.get(reverse("determinations:my_reviews")).content.decode()
        page = client.get(reverse("reviewers:attest", args=[made.pk])).content.decode()
        assert "have changed since you attested" in page

    def test_a_sign_in_without_a_reviewer_gets_an_explanation(self, signed_in):
        text = signed_in(Role.REVIEWER).get(reverse("determinations:my_reviews")).content.decode()
        assert "not linked to a reviewer yet" in text

    def test_a_shared_surname_is_pointed_out_to_the_reviewer(self, signed_in):
        made = offered_case(
            reviewer=fit_today(first_name="Peter", last_name="Quintanar"), at=timezone.now()
        )
        client = signed_in(user=self.user_of(made))
        text = client.get(reverse("reviewers:attest", args=[made.pk])).content.decode()
        assert "You share a surname with a party. Injured worker: Marisol Quintanar." in text


class TestThePanel:
    """P14: credentialing keeps it; those who may know a reviewer read it."""

    def test_the_roster_shows_who_can_be_offered_cases_and_why_others_cannot(self, signed_in):
        fit = fit_today()
        lapsed = fit_today(license={"valid_to": timezone.localdate() - timedelta(days=1)})

        text = signed_in(Role.COORDINATOR).get(reverse("reviewers:panel")).content.decode()

        assert fit.full_name in text
        assert "Available" in text
        assert lapsed.full_name in text
        assert "No active, unrestricted license on" in text

    def test_the_roster_is_found_by_name_code_and_specialty(self, signed_in):
        client = signed_in(Role.CREDENTIALING)
        one, other = fit_today(first_name="Ana"), fit_today(first_name="Zoe")
        for find in ("Ana", one.code, "ana rehabilitation"):
            text = client.get(reverse("reviewers:panel"), {"find": find}).content.decode()
            assert one.full_name in text
            assert other.full_name not in text
        nobody = client.get(reverse("reviewers:panel"), {"find": "No one"}).content.decode()
        assert "No reviewer matches “No one”." in nobody

    def test_the_roster_costs_the_same_for_many(self, signed_in, django_assert_max_num_queries):
        client = signed_in(Role.CREDENTIALING)
        for _ in range(6):
            fit_today()
        with django_assert_max_num_queries(12):
            client.get(reverse("reviewers:panel"))

    def test_a_new_reviewer_is_entered_until_all_requirements_are_met(self, signed_in):
        client = signed_in(Role.CREDENTIALING)
        fit_reviewer()  # brings the seeds
        rehabilitation = Certification.objects.get().specialty_id
        answer = client.post(
            reverse("reviewers:add"),
            {"first_name": "Ana", "last_name": "Keller", "email": "ana@example.org", "capacity": 3},
        )
        assert answer.status_code == 302
        row = Reviewer.objects.get(last_name="Keller")
        assert answer.url == reverse("reviewers:reviewer", args=[row.code])
        user = person(Role.REVIEWER, email="ana@example.org")
        client.post(reverse("reviewers:sign_in", args=[row.code]), {"email": user.email})
        common = {
            "verified_on": "t",
            "verified_by": "C. Keeper",
            "source": "Board’s register",
            "valid_from": "1/1/2015",
        }
        later = f"{timezone.localdate() + timedelta(days=300):%m/%d/%Y}"
        for kind, fields in (
            (
                "license",
                {"state": "California", "number": "A1", "kind": "MD", "standing": "ACTIVE"},
            ),
            (
                "certification",
                {"board": "A board", "specialty": rehabilitation, "standing": "CERTIFIED"},
            ),
            ("practice", {"kind": "START"}),
            ("practice", {"kind": "HOURS", "weekly_hours": "30"}),
            ("training", {"topic": "LAW", "version_taught": "2026"}),
            ("training", {"topic": "EVIDENCE", "version_taught": "2026"}),
            ("sanction-check", {"register": "NPDB", "found": "no"}),
        ):
            until = {} if fields.get("kind") == "START" else {"valid_to": later}
            answer = client.post(
                reverse("reviewers:add_fact", args=[row.code, kind]), common | fields | until
            )
            assert answer.status_code == 302, (kind, answer.context["form"].errors)

        text = client.get(reverse("reviewers:reviewer", args=[row.code])).content.decode()
        assert "Can be offered cases today." in text
        assert License.objects.get(reviewer=row).verified_on == timezone.localdate()

    REFUSED = {
        "license": (
            {"state": "California", "number": "A1", "kind": "MD", "standing": "ACTIVE"},
            "Enter the last valid day of the license.",
        ),
        "certification": (
            {"board": "Board eligible", "standing": "CERTIFIED", "valid_from": "1/1/2015"},
            "“Board eligible” is not a certification.",
        ),
        "practice": (
            {"kind": "HOURS", "weekly_hours": "170", "valid_from": "1/1/2026"},
            "Enter 0 to 100 hours a week.",
        ),
        "training": ({"topic": "LAW", "version_taught": "2026"}, "Enter the day of the training."),
        "leave": ({"valid_from": "1/1/2026"}, "Enter the first and last day of leave."),
        "affiliation": ({"relation": "CONTRACT"}, "Enter the organization or the person."),
    }

    @pytest.mark.parametrize("kind", REFUSED)
    def test_an_impossible_value_is_refused_and_the_typed_text_is_kept(self, signed_in, kind):
        client, row = signed_in(Role.CREDENTIALING), fit_today()
        fields, sentence = self.REFUSED[kind]
        if kind == "certification":
            fields = fields | {"specialty": Certification.objects.first().specialty_id}
        counts = {model: model.objects.count() for model in (License, PracticeFact, Affiliation)}

        answer = client.post(
            reverse("reviewers:add_fact", args=[row.code, kind]),
            {"verified_on": "t", "verified_by": "C. Keeper", "source": f"{CANARY} register"}
            | fields,
        )

        assert answer.status_code == 422
        text = answer.content.decode()
        assert sentence in text
        assert f'value="{CANARY} register"' in text
        assert counts == {model: model.objects.count() for model in counts}

    @pytest.mark.parametrize(
        ("fields", "sentence"),
        [
            ({"verified_on": "12/31/2090"}, "The day of verification is in the future."),
            (
                {"valid_from": "1/2/2026", "valid_to": "1/1/2026"},
                "The last day is before the first.",
            ),
            ({"verified_on": "13/45/2020"}, "does not exist in the calendar"),
            ({"number": "x" * 41}, "Shorten it to 40"),
            ({"number": "A\x001"}, "cannot be stored"),
            ({"source": ""}, "Enter the source."),
        ],
    )
    def test_every_fact_needs_a_person_a_date_and_a_source(self, signed_in, fields, sentence):
        client, row = signed_in(Role.CREDENTIALING), fit_today()
        whole = {
            "state": "California",
            "number": "A1",
            "kind": "MD",
            "standing": "ACTIVE",
            "valid_to": "1/1/2090",
            "verified_on": "t",
            "verified_by": "C. Keeper",
            "source": "Register",
        }
        answer = client.post(
            reverse("reviewers:add_fact", args=[row.code, "license"]), whole | fields
        )
        assert answer.status_code == 422
        assert sentence in answer.content.decode()
        assert row.licenses.count() == 1

    def test_a_correction_is_shown_beside_the_wrong_row(self, signed_in):
        client, row = signed_in(Role.CREDENTIALING), fit_today()
        wrong = row.licenses.get()
        url = reverse("reviewers:correct_fact", args=[row.code, "license", wrong.pk])
        fields = {
            name: value
            for name, value in client.get(url).context["form"].initial.items()
            if value is not None
        }
        fields = {
            name: f"{value:%m/%d/%Y}" if isinstance(value, date) else value
            for name, value in fields.items()
        }

        answer = client.post(url, fields | {"state": "Nevada"})

        assert answer.status_code == 302
        right = row.licenses.get(corrects=wrong)
        assert (right.state, wrong.state) == ("Nevada", "California")
        again = client.post(url, fields | {"state": "Oregon"})
        assert again.status_code == 422
        assert "already corrected this row" in again.content.decode()

    def test_a_row_that_was_never_true_is_withdrawn_and_no_longer_counts(self, signed_in):
        client, row = signed_in(Role.CREDENTIALING), fit_today()
        wrong = row.certifications.get()
        url = reverse("reviewers:correct_fact", args=[row.code, "certification", wrong.pk])
        client.post(
            url,
            {
                "board": wrong.board,
                "standing": wrong.standing,
                "specialty": wrong.specialty_id,
                "valid_from": "1/1/2008",
                "verified_on": "t",
                "verified_by": "C. Keeper",
                "source": "Letter of the board",
                "withdrawn": "on",
            },
        )
        text = client.get(reverse("reviewers:reviewer", args=[row.code])).content.decode()
        assert "No board certification in force" in text

    def test_the_file_as_of_a_day_shows_what_was_known_then(self, signed_in):
        client, row = signed_in(Role.COORDINATOR), fit_reviewer()
        yesterday = timezone.localdate() - timedelta(days=1)
        credentialing.correct_fact(
            kind="license",
            fact_id=row.licenses.get().pk,
            changes={"state": "Nevada"},
            by=None,
            at=timezone.now(),
        )
        url = reverse("reviewers:reviewer", args=[row.code])

        now = client.get(url, {"on": "3/2/2026"}).content.decode()
        then = client.get(url, {"on": "3/2/2026", "known": f"{yesterday:%m/%d/%Y}"})

        assert "Nevada" in now
        assert "California" in then.content.decode()
        assert "Nevada" not in then.content.decode()
        assert client.get(url, {"on": "never"}).status_code == 422

    def test_suspending_asks_why_and_blocks_at_once(self, signed_in):
        client, row = signed_in(Role.CREDENTIALING), fit_today()
        url = reverse("reviewers:status", args=[row.code])

        sent = {"status": "SUSPENDED", "reason": "Board", "version": row.version}

        assert client.post(url, sent | {"reason": ""}).status_code == 422
        assert client.post(url, sent).status_code == 302

        text = client.get(reverse("reviewers:reviewer", args=[row.code])).content.decode()
        assert "Suspended from the panel." in text
        assert row.history.latest("history_id").history_change_reason == "Board"

    def test_details_changed_by_two_at_once_are_both_shown(self, signed_in):
        client, row = signed_in(Role.CREDENTIALING), fit_today()
        url = reverse("reviewers:change", args=[row.code])
        seen = row.version
        credentialing.change_reviewer(
            reviewer_id=row.pk,
            first_name=row.first_name,
            last_name="Theirs",
            email=row.email,
            phone="",
            capacity=4,
            seen_version=seen,
            by=None,
            at=timezone.now(),
        )
        mine = {
            "first_name": row.first_name,
            "last_name": "Mine",
            "email": row.email,
            "capacity": 4,
            "version": seen,
        }

        answer = client.post(url, mine)

        assert answer.status_code == 409
        text = answer.content.decode()
        assert "Mine" in text
        assert "Theirs" in text
        assert client.post(url, mine | {"version": seen + 1}).status_code == 302

    def test_a_sign_in_is_linked_once_and_only_to_a_reviewer(self, signed_in):
        client, row, other = signed_in(Role.CREDENTIALING), fit_today(sign_in=False), fit_today()
        url = reverse("reviewers:sign_in", args=[row.code])
        taken = User.objects.get(pk=other.user_id).email
        for email, sentence in (
            ("nobody@example.org", "No account has this email address."),
            (taken, "belongs to another reviewer"),
            (person(Role.QA).email, "has no reviewer role"),
        ):
            answer = client.post(url, {"email": email})
            assert answer.status_code == 422
            assert sentence in answer.content.decode()
        assert client.post(url, {"email": person(Role.REVIEWER).email}).status_code == 302

    def test_the_pages_of_credentialing_refuse_other_roles(self, signed_in):
        row = fit_today()
        fact = row.licenses.get()
        pages = [
            reverse("reviewers:add"),
            reverse("reviewers:change", args=[row.code]),
            reverse("reviewers:status", args=[row.code]),
            reverse("reviewers:sign_in", args=[row.code]),
            reverse("reviewers:add_fact", args=[row.code, "license"]),
            reverse("reviewers:correct_fact", args=[row.code, "license", fact.pk]),
        ]
        for role in Role:
            client = signed_in(role)
            for page in pages:
                answer = client.post(page, {})
                # Without its version a form is stale; the others lack what has to be typed.
                expected = {409, 422} if role == Role.CREDENTIALING else {403}
                assert answer.status_code in expected, (role, page)


class TestSecrecy:
    """Who a reviewer is stays with those who may know."""

    def pages(self, made):
        code, number = made.reviewer.code, made.case.number
        return [
            reverse("reviewers:assign", args=[number]),
            reverse("determinations:my_reviews"),
            reverse("reviewers:attest", args=[made.pk]),
            reverse("reviewers:panel"),
            reverse("reviewers:panel") + f"?find={CANARY}",
            reverse("reviewers:reviewer", args=[code]),
            reverse("reviewers:change", args=[code]),
            reverse(
                "reviewers:correct_fact", args=[code, "license", made.reviewer.licenses.get().pk]
            ),
            reverse("desk:case", args=[number]),
            reverse("desk:timeline", args=[number]),
        ]

    @pytest.mark.parametrize(
        "role", [role for role in Role if role not in PERMISSIONS["reviewers.view_identity"]]
    )
    def test_no_page_names_the_reviewer_to_a_role_without_the_permission(self, signed_in, role):
        made = accepted_case(reviewer=canary_reviewer(), at=timezone.now())
        client = signed_in(role)
        for page in self.pages(made):
            answer = client.get(page, follow=True)
            result = answer.content.decode() + str(answer.headers) + str(client.cookies)
            assert CANARY not in result, page
            assert made.reviewer.code not in result, page

    def test_roles_with_the_permission_see_the_reviewer(self, signed_in):
        made = accepted_case(reviewer=canary_reviewer(), at=timezone.now())
        text = signed_in(Role.COORDINATOR).get(reverse("reviewers:assign", args=[made.case.number]))
        assert CANARY in text.content.decode()

    def test_rows_for_other_roles_do_not_contain_the_reviewer(self):
        made = accepted_case(reviewer=canary_reviewer(), at=timezone.now())
        stored_events = str(list(made.case.events.values())) + str(
            list(made.case.history.values_list("history_change_reason", flat=True))
        )
        assert CANARY not in stored_events
        assert made.reviewer.code not in stored_events
        assert isinstance(made, ReviewerAssignment)
