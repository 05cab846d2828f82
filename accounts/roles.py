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


# What each role is for, shown where an administrator grants roles.
ROLE_NOTES: dict[Role, str] = {
    Role.ADMINISTRATOR: "Manages users, fees, wording and scheduled jobs. Opens no cases.",
    Role.INTAKE: "Enters applications and adds documents.",
    Role.SUPERVISOR: "Supervises intake, resolves possible duplicates, corrects parties.",
    Role.COORDINATOR: "Decides eligibility, sends notices, collects records, assigns reviewers.",
    Role.CREDENTIALING: "Keeps the credentials, availability and affiliations of reviewers.",
    Role.REVIEWER: "Reads the records of assigned cases and writes reviews.",
    Role.QA: "Approves reviews or returns them for changes.",
    Role.DIRECTOR: "Issues determinations; sets conflict limits and matching rules.",
    Role.MAILROOM: "Sends letters and records how and when they were served.",
    Role.GUIDELINE_ADMIN: "Keeps guideline sources, editions and citations.",
    Role.AUDITOR: "Reads cases, letters, history and the access log.",
}

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

_RECORD_COMPLAINTS = {
    Role.INTAKE,
    Role.SUPERVISOR,
    Role.COORDINATOR,
    Role.QA,
    Role.DIRECTOR,
    Role.MAILROOM,
}

PERMISSIONS: dict[str, set[Role]] = {
    # What a user may view.
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
    "reviewers.view_identity": {
        Role.COORDINATOR,
        Role.CREDENTIALING,
        Role.QA,
        Role.DIRECTOR,
    },
    # Actions on a case, in the order of its stages.
    "intake.enter_application": {Role.INTAKE, Role.SUPERVISOR},
    "intake.supervise_intake": {Role.SUPERVISOR},
    "eligibility.decide_eligibility": {Role.COORDINATOR},
    # Split items with a liability dispute into a deferred case of their own, and merge them back.
    "cases.split_case": {Role.COORDINATOR, Role.SUPERVISOR},
    "cases.resolve_possible_duplicate": {Role.COORDINATOR, Role.SUPERVISOR},
    "cases.consolidate_cases": {Role.COORDINATOR},
    "correspondence.create_notices": {Role.COORDINATOR},
    # Approve or discard draft letters. ``letters`` mails them after that.
    "correspondence.review_drafts": {Role.COORDINATOR, Role.SUPERVISOR},
    "letters.mark_sent": {Role.COORDINATOR, Role.MAILROOM},
    "cases.correct_letter_service": {Role.COORDINATOR, Role.MAILROOM, Role.SUPERVISOR},
    # Documents received at any stage, and their pages; medical records open for those above.
    "cases.view_received_document": {
        Role.INTAKE,
        Role.SUPERVISOR,
        Role.COORDINATOR,
        Role.QA,
        Role.DIRECTOR,
        Role.MAILROOM,
        Role.AUDITOR,
    },
    "cases.add_received_document": {
        Role.INTAKE,
        Role.SUPERVISOR,
        Role.COORDINATOR,
        Role.MAILROOM,
    },
    "records.add_document": {Role.COORDINATOR, Role.INTAKE},
    "records.log_reminder": {Role.COORDINATOR},
    "records.mark_complete": {Role.COORDINATOR},
    "reviewers.assign_reviewer": {Role.COORDINATOR},
    "determinations.write_review": {Role.REVIEWER},
    "determinations.review_quality": {Role.QA},
    "determinations.issue_determination": {Role.DIRECTOR},
    "letters.retry_failed_letter": {Role.COORDINATOR, Role.DIRECTOR, Role.ADMINISTRATOR},
    "cases.withdraw_or_terminate": {Role.COORDINATOR},
    "cases.add_note": _CASE_STAFF,
    # Auditors read; credentialing speaks with reviewers, not about cases.
    "cases.log_call": _CASE_STAFF - {Role.AUDITOR, Role.CREDENTIALING},
    # Intake staff only those of applications that they entered.
    "cases.change_parties": {Role.INTAKE, Role.COORDINATOR, Role.SUPERVISOR},
    "cases.change_all_parties": {Role.COORDINATOR, Role.SUPERVISOR},
    # Restrict a case and choose who may open it.
    "cases.restrict_case": {Role.DIRECTOR, Role.SUPERVISOR},
    "cases.hold_case": {Role.COORDINATOR, Role.SUPERVISOR},
    "cases.extend_deadline": {Role.COORDINATOR, Role.DIRECTOR},
    "cases.change_priority": {Role.COORDINATOR},
    "cases.manage_commitments": {Role.COORDINATOR, Role.SUPERVISOR},
    # Once a case is eligible, a disputed item changes only when a second person agrees.
    "cases.propose_item_change": {Role.INTAKE, Role.SUPERVISOR, Role.COORDINATOR},
    "cases.decide_item_change": {Role.SUPERVISOR, Role.COORDINATOR},
    "queues.assign_case": {Role.SUPERVISOR, Role.COORDINATOR},
    # Complaints: whoever speaks with parties records them and reads those they recorded.
    "complaints.view_complaint": {*_RECORD_COMPLAINTS, Role.AUDITOR},
    "complaints.record_complaint": _RECORD_COMPLAINTS,
    "complaints.view_all_complaints": {Role.SUPERVISOR, Role.DIRECTOR, Role.AUDITOR},
    # Answer them, and keep the corrective actions.
    "complaints.answer_complaint": {Role.SUPERVISOR, Role.DIRECTOR},
    "queues.view_skips": {Role.SUPERVISOR, Role.DIRECTOR},
    "queues.share_view": {Role.SUPERVISOR, Role.COORDINATOR, Role.QA, Role.DIRECTOR},
    # Administration.
    "reviewers.manage_credentials": {Role.CREDENTIALING},
    # The rule texts shown beside the checks of a review.
    "determinations.manage_rule_texts": {Role.DIRECTOR},
    "determinations.view_track_record": {Role.COORDINATOR, Role.QA, Role.DIRECTOR},
    "reviewers.manage_conflict_limits": {Role.DIRECTOR},
    "reviewers.manage_matching_rules": {Role.DIRECTOR},
    # The attestation that reviewers sign: view its versions, publish the next one.
    "reviewers.view_attestation": {
        Role.COORDINATOR,
        Role.CREDENTIALING,
        Role.QA,
        Role.DIRECTOR,
        Role.AUDITOR,
    },
    "reviewers.publish_attestation": {Role.DIRECTOR},
    # Payer-bias tests: view their results; run one and record the follow-up.
    "reviewers.view_payer_bias_tests": {Role.COORDINATOR, Role.DIRECTOR, Role.AUDITOR},
    "reviewers.run_payer_bias_test": {Role.DIRECTOR},
    "directory.manage_organizations": {Role.CREDENTIALING, Role.COORDINATOR},
    # Owners, officers and staff of this organization, and their affiliations.
    "cases.manage_own_organization": {Role.CREDENTIALING, Role.DIRECTOR},
    "cases.resolve_own_conflicts": {Role.DIRECTOR},
    "deadlines.manage_deadline_rules": {Role.ADMINISTRATOR, Role.DIRECTOR},
    "billing.manage_fees": {Role.ADMINISTRATOR, Role.DIRECTOR},
    "letters.manage_wording": {Role.DIRECTOR, Role.ADMINISTRATOR},
    "guidelines.manage_guidelines": {Role.GUIDELINE_ADMIN},
    "accounts.manage_users": {Role.ADMINISTRATOR},
    # Scheduled jobs: view their runs and errors, and run one again.
    "jobs.view_jobs": {Role.ADMINISTRATOR, Role.DIRECTOR, Role.AUDITOR},
    # What the nightly check found.
    "maintenance.view_check_results": {
        Role.ADMINISTRATOR,
        Role.DIRECTOR,
        Role.SUPERVISOR,
        Role.AUDITOR,
    },
    "maintenance.run_repair": {Role.ADMINISTRATOR},
    # Never without ``cases.view_case``: the page shows what the case itself shows.
    "maintenance.explain_case": {
        Role.DIRECTOR,
        Role.SUPERVISOR,
        Role.AUDITOR,
    },
    "jobs.run_again": {Role.ADMINISTRATOR, Role.DIRECTOR},
    # The second person for changes of accounts that one administrator may not make alone.
    "accounts.confirm_account_change": {Role.ADMINISTRATOR, Role.DIRECTOR},
    "accounts.view_access_log": {Role.AUDITOR},
}

# Who decides about changes of accounts. To grant or remove such a role takes two people itself.
DECIDING_ROLES = frozenset(PERMISSIONS["accounts.confirm_account_change"])

# The apps whose admin pages each role may open.
ADMIN_PERMISSIONS: dict[str, set[Role]] = {
    "guidelines": {Role.GUIDELINE_ADMIN},
    "accounts": {Role.ADMINISTRATOR},
    "letters": {Role.ADMINISTRATOR, Role.DIRECTOR},
    "cases": {Role.ADMINISTRATOR, Role.AUDITOR},
    "reviewers": {Role.CREDENTIALING},
    "billing": {Role.ADMINISTRATOR, Role.DIRECTOR},
    "determinations": {Role.DIRECTOR},
}


def permissions_of(roles: set[Role]) -> set[str]:
    """Return all permissions of these roles."""
    return {name for name, holders in PERMISSIONS.items() if holders & roles}
