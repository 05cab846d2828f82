"""What has to be there before the first case: guidelines, wording, the panel."""

from datetime import date

from accounts.roles import Role
from cases.services import organization, own_conflicts
from directory.services import organizations
from directory.services.people import find_organization
from guidelines import services as guidelines
from guidelines.models import ApprovedParagraph, Edition, ListedDrug
from intake.services import receiving
from reviewers.matching.candidacy import LIMITS, WEIGHTS
from reviewers.models import License, Reviewer
from reviewers.services import conflicts, credentialing, payer_bias, rules, wordings
from tests.factories import MONDAY, application, person
from tests.reviewers import factories as panel
from tests.walk.walking import newest


def keep_guidelines(walk, keeper):
    walk.act(guidelines.seed_guidelines, by=None)
    edition = Edition.objects.filter(confirmed_by=None).first()
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
    walk.act(guidelines.seed_drug_list, by=None)
    walk.act(
        guidelines.import_drug_list,
        by=keeper,
        content=b"Drug ingredient,Exempt / Non-exempt\nIbuprofen,Non-exempt\nSulindac,Exempt\n",
        label="v.2",
        starts_on=date(2019, 1, 1),
    )
    drug = ListedDrug.objects.get(ingredient="Sulindac")
    walk.act(guidelines.confirm_drug_list_row, by=keeper, row=drug, on=date(2026, 3, 2))


def record_own_organization(walk, keeper):
    """Who owns this organization, and their other affiliations."""
    about = {"by": keeper, "source": "Register of companies"}
    owner = walk.act(organization.record_member, kind="OWNER", name="Elin Marsh", **about)
    conflict = walk.act(
        organization.record_member_affiliation,
        member_id=owner.pk,
        relation="EMPLOYMENT",
        organization_name="A hospital elsewhere",
        **about,
    )
    walk.act(
        organization.correct_member_fact,
        by=keeper,
        kind="member",
        fact_id=owner.pk,
        changes={"valid_from": date(2010, 1, 1)},
    )
    walk.act(
        organization.withdraw_member_fact,
        by=keeper,
        kind="affiliation",
        fact_id=conflict.pk,
        reason="A mistake",
    )


def resolve_own_conflict_of_staff(walk, clerk, keeper, director):
    """A member of staff who is called like the employee; the director finds that it is another."""
    case = walk.act(
        receiving.receive_application, by=clerk, application=application(received_at=MONDAY)
    )
    namesake = person(Role.INTAKE, name="Marisol Quintanar")
    walk.act(
        organization.record_member,
        by=keeper,
        kind="STAFF",
        user_id=namesake.pk,
        source="Employment contract",
    )
    walk.act(own_conflicts.check_own_conflicts_of_case, by=clerk, case_id=case.pk)
    doubt = case.own_conflict_results.get(result="UNKNOWN")
    walk.act(
        own_conflicts.resolve_own_conflict,
        by=director,
        result_id=doubt.pk,
        result="PASS",
        note="Another Marisol",
    )
    walk.act(own_conflicts.check_outdated_cases, by=director)


def keep_the_panel(walk, keeper):
    panel.panel_seeds()
    walk.last = {model: newest(model) for model in walk.last}  # shipped, by no one
    made = walk.act(
        credentialing.create_reviewer,
        by=keeper,
        first_name="Given",
        last_name="Reviewerson",
        email="expert@example.org",
    )
    user = person(Role.REVIEWER, name="Given Reviewerson")
    walk.act(credentialing.link_user, by=keeper, reviewer_id=made.pk, user_id=user.pk)
    used = {"treatment": "Platelet-rich plasma", "valid_from": date(2015, 1, 1)}
    for name, fields in panel.reviewer_facts(experience=used).items():
        walk.act(
            panel.FACT_BUILDERS[name],
            by=keeper,
            reviewer_id=made.pk,
            **panel.with_evidence(**panel.VERIFIED | fields),
        )
    walk.act(
        credentialing.add_leave,
        by=keeper,
        reviewer_id=made.pk,
        **panel.with_evidence(
            valid_from=date(2026, 7, 1), valid_to=date(2026, 7, 9), **panel.VERIFIED
        ),
    )
    walk.act(
        credentialing.add_affiliation,
        by=keeper,
        reviewer_id=made.pk,
        relation="EMPLOYMENT",
        organization_name="A hospital elsewhere",
        **panel.with_evidence(valid_from=date(2010, 1, 1), **panel.VERIFIED),
    )
    elsewhere = find_organization("A hospital elsewhere")
    about = {"organization_id": elsewhere.pk, "source": "Annual report"}
    owner = walk.act(
        organizations.record_parent,
        by=keeper,
        child_id=elsewhere.pk,
        parent_name="Far Holdings",
        source="Annual report",
    )
    walk.act(organizations.record_officer, by=keeper, person_name="A", title="Director", **about)
    walk.act(
        organizations.record_same_organization,
        by=keeper,
        organization_id=elsewhere.pk,
        same_as_name="Far Holdings",
        reason="One and the same",
    )
    walk.act(
        organizations.withdraw_organization_fact,
        by=keeper,
        kind="parent",
        fact_id=owner.pk,
        reason="A mistake",
    )
    walk.act(
        conflicts.set_conflict_limits,
        by=person(Role.DIRECTOR),
        effective_from=walk.at.date(),
        holding_percent=5,
        kin=["SPOUSE"],
        reason="Counsel's reading",
    )
    report = walk.act(
        credentialing.report_change,
        by=user,
        subject="LICENSE",
        words="A new number",
        changed_on=walk.at.date(),
    )
    walk.act(credentialing.resolve_report, by=keeper, report_id=report.pk, note="Read at the board")
    walk.act(
        rules.set_matching_rules,
        by=person(Role.DIRECTOR),
        effective_from=walk.at.date(),
        weights=WEIGHTS,
        limits=LIMITS,
        reason="As before",
    )
    director = person(Role.DIRECTOR)
    walk.act(
        wordings.publish_attestation_wording,
        by=director,
        text="Each answer below is true.",
        questions=["Have you an affiliation to a party?"],
        surname="Are you related to a party who bears your surname?",
        effective_from=walk.at.date(),
        reason="Shorter",
        seen_number=1,
    )
    days = {"first": date(2026, 3, 1), "last": date(2026, 3, 2)}
    tests = walk.act(payer_bias.run_bias_tests, by=director, **days)
    walk.act(payer_bias.add_bias_note, by=director, test_id=tests[0].pk, words="Nothing yet")
    walk.by_itself(payer_bias.run_next_bias_test)
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
        kind="license",
        fact_id=License.objects.get(reviewer=made).pk,
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
            credentialing.set_reviewer_status,
            by=keeper,
            reviewer_id=made.pk,
            status=status,
            reason="A question of the board.",
            seen_version=None,
        )
    return Reviewer.objects.get(pk=made.pk), user
