"""Roles and permissions: one table, read by the sign-in backend, the services and the tests.

A role is a Django group of the same name. A permission is named ``app.action``. Permissions are not
stored in the database, so a deployment cannot have others than its code.
"""

from django.db import models


class Role(models.TextChoices):
    """What a user does. A user may have several roles."""

    ADMINISTRATOR = "ADMINISTRATOR", "Administrator"
    INTAKE = "INTAKE", "Intake"
    SUPERVISOR = "SUPERVISOR", "Intake supervisor"
    COORDINATOR = "COORDINATOR", "Coordinator"
    CREDENTIALING = "CREDENTIALING", "Credentialing"
    REVIEWER = "REVIEWER", "Reviewer"
    QA = "QA", "Quality assurance"
    DIRECTOR = "DIRECTOR", "Medical director"
    MAILROOM = "MAILROOM", "Mail room"
    GUIDELINE_ADMIN = "GUIDELINE_ADMIN", "Guideline administrator"
    AUDITOR = "AUDITOR", "Auditor"


_CASE_STAFF = {
    Role.INTAKE,
    Role.SUPERVISOR,
    Role.COORDINATOR,
    Role.CREDENTIALING,
    Role.QA,
    Role.DIRECTOR,
    Role.MAILROOM,
    Role.AUDITOR,
}

PERMISSIONS: dict[str, set[Role]] = {
    # seeing
    "cases.view_case": _CASE_STAFF,
    "records.view_document": {
        Role.INTAKE,
        Role.SUPERVISOR,
        Role.COORDINATOR,
        Role.QA,
        Role.DIRECTOR,
        Role.AUDITOR,
    },
    # Intake sees the list of documents, but opens only those of the application.
    "records.open_any_document": {Role.COORDINATOR, Role.QA, Role.DIRECTOR, Role.AUDITOR},
    "letters.view_letter": _CASE_STAFF,
    "determinations.view_determination": {
        Role.COORDINATOR,
        Role.QA,
        Role.DIRECTOR,
        Role.AUDITOR,
    },
    "reviewers.see_identity": {
        Role.COORDINATOR,
        Role.CREDENTIALING,
        Role.QA,
        Role.DIRECTOR,
    },
    # actions on a case, in the order of its stages
    "intake.enter_application": {Role.INTAKE, Role.SUPERVISOR},
    "intake.supervise_intake": {Role.SUPERVISOR},
    "eligibility.decide_eligibility": {Role.COORDINATOR},
    "cases.resolve_possible_duplicate": {Role.COORDINATOR, Role.SUPERVISOR},
    "cases.consolidate": {Role.COORDINATOR},
    "correspondence.make_notices": {Role.COORDINATOR},
    # Draft letters: review, approve or discard.
    "correspondence.write_letters": {Role.COORDINATOR, Role.SUPERVISOR},
    "letters.mark_sent": {Role.COORDINATOR, Role.MAILROOM},
    "records.add_document": {Role.COORDINATOR, Role.INTAKE},
    "records.chase": {Role.COORDINATOR},
    "records.mark_complete": {Role.COORDINATOR},
    "reviewers.assign": {Role.COORDINATOR},
    "determinations.review": {Role.REVIEWER},
    "determinations.check_quality": {Role.QA},
    "determinations.issue": {Role.DIRECTOR},
    "letters.retry_failed_letter": {Role.COORDINATOR, Role.DIRECTOR, Role.ADMINISTRATOR},
    "cases.end_early": {Role.COORDINATOR},
    "cases.add_note": _CASE_STAFF,
    "cases.change_parties": {Role.COORDINATOR, Role.SUPERVISOR},
    # extensions and commitments
    "cases.hold_case": {Role.COORDINATOR, Role.SUPERVISOR},
    "cases.extend_time": {Role.COORDINATOR, Role.DIRECTOR},
    "cases.convert_priority": {Role.COORDINATOR},
    "cases.commitment_date": {Role.COORDINATOR, Role.SUPERVISOR},
    # After acceptance an item changes only when a second person agrees.
    "cases.propose_item_change": {Role.INTAKE, Role.SUPERVISOR, Role.COORDINATOR},
    "cases.decide_item_change": {Role.SUPERVISOR, Role.COORDINATOR},
    "queues.share_view": {Role.SUPERVISOR, Role.COORDINATOR, Role.QA, Role.DIRECTOR},
    # administration
    "reviewers.manage_credentials": {Role.CREDENTIALING},
    "determinations.view_reviewer_record": {Role.COORDINATOR, Role.QA, Role.DIRECTOR},
    "reviewers.set_conflict_limits": {Role.DIRECTOR},
    "reviewers.manage_weights": {Role.DIRECTOR},
    # The attestation that reviewers sign: reading its wordings, publishing the next one.
    "reviewers.view_attestation": {
        Role.COORDINATOR,
        Role.CREDENTIALING,
        Role.QA,
        Role.DIRECTOR,
        Role.AUDITOR,
    },
    "reviewers.publish_attestation": {Role.DIRECTOR},
    # The payer-bias tests: reading them; running one and recording the follow-up.
    "reviewers.view_payer_bias": {Role.COORDINATOR, Role.DIRECTOR, Role.AUDITOR},
    "reviewers.check_payer_bias": {Role.DIRECTOR},
    "directory.keep_organizations": {Role.CREDENTIALING, Role.COORDINATOR},
    # Owners, officers and staff of this organization, and their affiliations.
    "cases.keep_own_organization": {Role.CREDENTIALING, Role.DIRECTOR},
    "cases.resolve_own_conflicts": {Role.DIRECTOR},
    "deadlines.manage_deadline_rules": {Role.ADMINISTRATOR, Role.DIRECTOR},
    "letters.manage_wording": {Role.DIRECTOR, Role.ADMINISTRATOR},
    "guidelines.manage": {Role.GUIDELINE_ADMIN},
    "accounts.manage_people": {Role.ADMINISTRATOR},
    "accounts.view_looks": {Role.AUDITOR},
}

# The apps whose admin pages each role may open.
ADMIN_PERMISSIONS: dict[str, set[Role]] = {
    "guidelines": {Role.GUIDELINE_ADMIN},
    "accounts": {Role.ADMINISTRATOR},
    "letters": {Role.ADMINISTRATOR, Role.DIRECTOR},
    "cases": {Role.ADMINISTRATOR, Role.AUDITOR},
    "reviewers": {Role.CREDENTIALING},
}


def permissions_of(roles: set[Role]) -> set[str]:
    """All permissions of these roles."""
    return {name for name, holders in PERMISSIONS.items() if holders & roles}
