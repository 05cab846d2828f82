"""Who may open which page: a table of every route, enforced by ``imr_portal.middleware``.

A route that is missing here answers 404 to everyone, and ``tests/test_urls.py`` fails for it. The
table decides who may open a page. Whether a person may do an action on a case is decided by its
service.

An audience is one of

* ``PUBLIC``: without signing in;
* ``SIGNED_IN``: every signed-in user;
* ``ADMIN_SITE``: the roles that use the admin site (``User.is_staff``);
* ``NOBODY``: a page of a library that the portal does not use;
* a permission of ``accounts.roles.PERMISSIONS``, or a tuple of which any one is enough.
"""

import enum

from django.contrib.auth.models import AnonymousUser

from accounts.models import User
from accounts.roles import PERMISSIONS


class Audience(enum.Enum):
    """The audiences that are not permissions."""

    PUBLIC = "public"
    SIGNED_IN = "signed in"
    ADMIN_SITE = "admin site"
    NOBODY = "nobody"


PUBLIC, SIGNED_IN, ADMIN_SITE, NOBODY = Audience

AudienceEntry = Audience | str | tuple[str, ...]

# The reviewer of a case may also read records; ``records.access`` decides which.
READERS = ("records.view_document", "determinations.write_review")

AUDIENCES: dict[str, AudienceEntry] = {
    # health checks
    "livez": PUBLIC,
    "readyz": PUBLIC,
    "version": PUBLIC,
    # desk
    "desk:my_day": SIGNED_IN,  # redirects reviewers to their own list
    "desk:jump": SIGNED_IN,  # finds only what the person may open
    "desk:notices": SIGNED_IN,
    "desk:read_notices": SIGNED_IN,
    "desk:open_notice": SIGNED_IN,
    "desk:queue": "cases.view_case",
    "desk:work_next": "cases.view_case",
    "desk:side_counts": "cases.view_case",
    "desk:case": "cases.view_case",
    "desk:peek": "cases.view_case",
    "desk:timeline": "cases.view_case",
    # Each list is exported for those who may open its page.
    "desk:exports": "cases.view_case",
    "desk:export_list": "cases.view_case",
    "desk:request_export": "cases.view_case",
    "desk:download_export": "cases.view_case",
    "desk:person": "cases.view_case",
    "desk:organization": "cases.view_case",
    "desk:letters": "letters.view_letter",
    "desk:access_log": "accounts.view_access_log",
    "desk:explain": "maintenance.explain_case",
    "desk:accesses": "accounts.view_access_log",
    "desk:export_accesses": "accounts.view_access_log",
    # accounts
    "accounts:settings": SIGNED_IN,
    "accounts:my_sign_ins": SIGNED_IN,
    "accounts:sign_ins": "accounts.view_access_log",
    "accounts:changes": ("accounts.confirm_account_change", "accounts.view_access_log"),
    "accounts:ask_factor_reset": "accounts.confirm_account_change",
    "accounts:decide_change": "accounts.confirm_account_change",
    # letters
    "letters:status": "letters.view_letter",
    "letters:download": "letters.view_letter",
    "letters:failed": "letters.retry_failed_letter",
    "letters:retry": "letters.retry_failed_letter",
    "letters:wording": "letters.manage_wording",
    "letters:wording_detail": "letters.manage_wording",
    "letters:publish_wording": "letters.manage_wording",
    # cases
    "intake:my_intakes": "intake.enter_application",
    "intake:intake": "intake.enter_application",
    "intake:intake_paper": "intake.enter_application",
    "intake:correct": "intake.enter_application",
    "intake:check_intake": "intake.enter_application",
    "intake:look_up": "intake.enter_application",
    "intake:look_up_diagnoses": SIGNED_IN,  # only describes codes
    "intake:read_diagnoses": SIGNED_IN,
    "intake:save_draft": "intake.enter_application",
    "intake:cancel_draft": "intake.enter_application",
    "intake:intake_supervisor": "intake.supervise_intake",
    "form_fields:say_date": SIGNED_IN,  # only describes a date
    "cases:read_address": SIGNED_IN,  # only describes an address
    "intake:batches": "intake.enter_application",
    "intake:batch": "intake.enter_application",
    "intake:next_scan": "intake.enter_application",
    "intake:enter_scan": "intake.enter_application",
    "intake:claim_scan": "intake.enter_application",
    "intake:release_scan": "intake.enter_application",
    "intake:skip_scan": "intake.enter_application",
    "intake:return_scan": "intake.enter_application",
    "intake:rescan_slips": "intake.enter_application",
    "intake:mark_rescanned": "intake.enter_application",
    "eligibility:clear_cases": "eligibility.decide_eligibility",
    "eligibility:eligibility": "eligibility.decide_eligibility",
    "eligibility:screen_again": "eligibility.decide_eligibility",
    "eligibility:ur_decision": "eligibility.decide_eligibility",
    "eligibility:answer_differences": "eligibility.decide_eligibility",
    "correspondence:information": "eligibility.decide_eligibility",
    "correspondence:answer_information": "eligibility.decide_eligibility",
    "eligibility:resolve_liability": "eligibility.decide_eligibility",
    "eligibility:administrator_citations": "eligibility.decide_eligibility",
    "eligibility:split": "cases.split_case",
    "eligibility:merge_back": "cases.split_case",
    "cases:possible_duplicates": "cases.resolve_possible_duplicate",
    "cases:documents": "cases.view_received_document",
    "cases:add_document": "cases.add_received_document",
    "cases:received_page": "cases.view_received_document",
    "cases:received_text": "cases.view_received_document",
    "cases:received_png": "cases.view_received_document",
    "cases:related": "cases.view_case",
    "cases:search_again": "cases.resolve_possible_duplicate",
    "cases:compare": "cases.resolve_possible_duplicate",
    "cases:consolidate": "cases.consolidate_cases",
    "cases:separate": "cases.consolidate_cases",
    "directory:organizations": "directory.manage_organizations",
    "directory:organization": "directory.manage_organizations",
    "directory:add_organization_fact": "directory.manage_organizations",
    "directory:withdraw_organization_fact": "directory.manage_organizations",
    "cases:own_organization": "cases.manage_own_organization",
    "cases:add_organization_member": "cases.manage_own_organization",
    "cases:organization_member": "cases.manage_own_organization",
    "cases:add_own_conflict": "cases.manage_own_organization",
    "cases:correct_organization_fact": "cases.manage_own_organization",
    "cases:withdraw_organization_fact": "cases.manage_own_organization",
    "cases:own_conflicts": "cases.resolve_own_conflicts",
    "cases:resolve_own_conflict": "cases.resolve_own_conflicts",
    "correspondence:notices": "cases.view_case",
    "correspondence:make_notices": "correspondence.create_notices",
    "correspondence:mark_notices_sent": "letters.mark_sent",
    "correspondence:drafts": "correspondence.review_drafts",
    "correspondence:to_send": "letters.mark_sent",
    "correspondence:draft_letter": "correspondence.review_drafts",
    "correspondence:letter": "letters.view_letter",
    "correspondence:letter_page": "letters.view_letter",
    "correspondence:preview_letter": "letters.view_letter",
    "correspondence:approve_letter": "correspondence.review_drafts",
    "correspondence:discard_letter": "correspondence.review_drafts",
    "correspondence:mark_letter_sent": "letters.mark_sent",
    "cases:item_changes": "cases.decide_item_change",
    "cases:item_change": ("cases.propose_item_change", "cases.decide_item_change"),
    "cases:propose_item": "cases.propose_item_change",
    "cases:propose_item_change": "cases.propose_item_change",
    "cases:propose_item_withdrawal": "cases.propose_item_change",
    "cases:deadline_rules": "deadlines.manage_deadline_rules",
    "cases:deadline_rule": "deadlines.manage_deadline_rules",
    "cases:confirm_deadline_rule": "deadlines.manage_deadline_rules",
    "cases:supersede_deadline_rule": "deadlines.manage_deadline_rules",
    "cases:confirm_deadline_rules": "deadlines.manage_deadline_rules",
    "cases:recalculate_dates": "deadlines.manage_deadline_rules",
    "cases:holidays": "deadlines.manage_deadline_rules",
    "cases:add_holiday": "deadlines.manage_deadline_rules",
    "cases:confirm_holidays": "deadlines.manage_deadline_rules",
    "cases:holiday": "deadlines.manage_deadline_rules",
    "cases:end_holiday": "deadlines.manage_deadline_rules",
    "cases:parties": "cases.view_case",
    "cases:add_party": "cases.change_parties",
    "cases:change_party": "cases.change_parties",
    "cases:end_party": "cases.change_parties",
    "cases:deadlines": "cases.view_case",
    "cases:deadline": "cases.view_case",
    "cases:begin_hold": "cases.hold_case",
    "cases:end_hold": "cases.hold_case",
    "cases:extend": "cases.extend_deadline",
    "cases:convert": "cases.change_priority",
    "cases:commitment": "cases.manage_commitments",
    "cases:move_commitment": "cases.manage_commitments",
    "cases:keep_commitment": "cases.manage_commitments",
    "cases:state_receipt": "cases.manage_commitments",
    "cases:service": "cases.view_case",
    "cases:correct_service": "cases.correct_letter_service",
    "cases:service_outcome": "cases.correct_letter_service",
    "cases:restricted_cases": "cases.restrict_case",
    "cases:restriction": "cases.restrict_case",
    "cases:lift_restriction": "cases.restrict_case",
    "cases:restrict_related": "cases.restrict_case",
    "cases:clear_person": "cases.restrict_case",
    "cases:end_clearance": "cases.restrict_case",
    "cases:calls": "cases.view_case",
    "cases:log_call": "cases.log_call",
    "cases:correct_call": "cases.log_call",
    "cases:note": "cases.add_note",
    "cases:answer_note": "cases.add_note",
    "cases:correct_note": "cases.add_note",
    "queues:act_on_many": "cases.view_case",
    "queues:saved_views": "cases.view_case",
    "queues:save_view": "cases.view_case",
    "queues:rename_view": "cases.view_case",
    "queues:share_view": "cases.view_case",
    "queues:retire_view": "cases.view_case",
    "queues:claim_next": "cases.view_case",
    "queues:claim": "cases.view_case",
    "queues:release": "cases.view_case",
    "queues:skip": "cases.view_case",
    "queues:undo": "cases.view_case",
    "queues:skipped": "queues.view_skips",
    "cases:withdraw": "cases.withdraw_or_terminate",
    "cases:terminate": "cases.withdraw_or_terminate",
    "cases:close": "cases.withdraw_or_terminate",
    # reviewers: assigning one, and a reviewer's own cases
    "reviewers:assign": "reviewers.assign_reviewer",
    "reviewers:rank": "reviewers.assign_reviewer",
    "reviewers:plan": "reviewers.assign_reviewer",
    "reviewers:move": "reviewers.assign_reviewer",
    "reviewers:resolve": "reviewers.assign_reviewer",
    "reviewers:remove_reviewer": "reviewers.assign_reviewer",
    "reviewers:approve_seats": "reviewers.assign_reviewer",
    "reviewers:end_seats": "reviewers.assign_reviewer",
    "reviewers:attest": "determinations.write_review",
    "reviewers:decline": "determinations.write_review",
    # reviewers: the panel, read by those who may know the reviewers, edited by credentialing
    "reviewers:worklist": "reviewers.view_identity",
    "reviewers:resolve_report": "reviewers.manage_credentials",
    "reviewers:report_change": "determinations.write_review",
    "reviewers:limits": "reviewers.view_identity",
    "reviewers:rules": "reviewers.view_identity",
    "reviewers:attestation": "reviewers.view_attestation",
    "reviewers:payer_bias": "reviewers.view_payer_bias_tests",
    "reviewers:payer_bias_test": "reviewers.view_payer_bias_tests",
    "reviewers:receives": "reviewers.manage_credentials",
    "reviewers:panel": "reviewers.view_identity",
    "reviewers:reviewer": "reviewers.view_identity",
    "reviewers:add": "reviewers.manage_credentials",
    "reviewers:change": "reviewers.manage_credentials",
    "reviewers:status": "reviewers.manage_credentials",
    "reviewers:sign_in": "reviewers.manage_credentials",
    "reviewers:add_fact": "reviewers.manage_credentials",
    "reviewers:correct_fact": "reviewers.manage_credentials",
    # records
    "records:outstanding": "records.log_reminder",
    "records:remind": "records.log_reminder",
    "records:list": READERS,
    "records:take_in": READERS,
    "records:add": "records.add_document",
    "records:move": "records.add_document",
    "records:remove": "records.mark_complete",
    "records:complete": "records.mark_complete",
    "records:reopen": "records.mark_complete",
    "records:dispatch": "records.mark_complete",
    "records:read": READERS,
    "records:document": READERS,
    "records:mark": "determinations.write_review",
    "records:page": READERS,
    "records:page_text": READERS,
    "records:page_png": READERS,
    # determinations: the reviewer's own pages
    "determinations:my_reviews": "determinations.write_review",
    "determinations:workspace": "determinations.write_review",
    "determinations:open_review": "determinations.write_review",
    "determinations:reviewer_record": "determinations.view_track_record",
    "determinations:draft": "determinations.write_review",
    "determinations:leave": "determinations.write_review",
    "determinations:checks": "determinations.write_review",
    "determinations:cite": "determinations.write_review",
    "determinations:uncite": "determinations.write_review",
    "determinations:review_preview": "determinations.write_review",
    "determinations:submit": "determinations.write_review",
    # jobs
    "jobs:list": "jobs.view_jobs",
    "jobs:run_again": "jobs.run_again",
    # maintenance
    "maintenance:findings": "maintenance.view_check_results",
    # billing
    "billing:fees": "billing.manage_fees",
    # complaints
    "complaints:list": "complaints.view_complaint",
    "complaints:record": "complaints.record_complaint",
    "complaints:complaint": "complaints.view_complaint",
    "complaints:change": "complaints.record_complaint",
    "complaints:answer": "complaints.answer_complaint",
    "complaints:add_action": "complaints.answer_complaint",
    "complaints:complete_action": "complaints.answer_complaint",
    # guidelines
    "guidelines:pick": ("determinations.write_review", "guidelines.manage_guidelines"),
    # determinations: quality, issuing, sending
    "determinations:quality": (
        "determinations.review_quality",
        "determinations.issue_determination",
    ),
    "determinations:return": "determinations.review_quality",
    "determinations:approve": "determinations.review_quality",
    "determinations:versions": "determinations.view_determination",
    "determinations:issue": "determinations.issue_determination",
    "determinations:preview": (
        "determinations.review_quality",
        "determinations.issue_determination",
    ),
    "determinations:send_back": "determinations.issue_determination",
    "determinations:send": "letters.mark_sent",
}

# Pages of allauth that are needed before signing in. Sign-up is closed; its page says so.
SIGN_IN_PAGES = {
    "account_login",
    "account_signup",
    "account_inactive",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
    "mfa_authenticate",
    "mfa_login_webauthn",
}

# Pages of allauth that are not used: only administrators change email addresses.
CLOSED_PAGES = {
    "account_confirm_email",
    "account_confirm_login_code",
    "account_email",
    "account_email_verification_sent",
    "account_set_password",
}

# Routes of libraries, by the beginning of their names. The first match counts.
PREFIXES: list[tuple[str, AudienceEntry]] = [
    ("admin:", ADMIN_SITE),
    ("account_", SIGNED_IN),
    ("mfa_", SIGNED_IN),
]

# What a user without a required second factor can open: setting it up, and signing out.
OPEN_WITHOUT_SECOND_FACTOR = {
    "account_logout",
    "account_reauthenticate",
    "mfa_index",
    "mfa_reauthenticate",
    "mfa_activate_totp",
    "mfa_add_webauthn",
    "mfa_list_webauthn",
    "mfa_generate_recovery_codes",
    "mfa_view_recovery_codes",
    "mfa_download_recovery_codes",
}

# Fragments that pages poll. These requests do not keep a session alive.
POLLED: set[str] = {"desk:exports", "letters:status", "desk:side_counts"}


def audience_of(route: str) -> AudienceEntry | None:
    """Return the audience of a route; ``None`` if the table does not know it."""
    if route in AUDIENCES:
        return AUDIENCES[route]
    if route in SIGN_IN_PAGES:
        return PUBLIC
    if route in CLOSED_PAGES:
        return NOBODY
    if route == "admin:view_on_site":
        return NOBODY  # it would redirect to the page of any row, whoever may open it
    # Last, because the pages of a library that are named above differ from the rest of it.
    for beginning, audience in PREFIXES:
        if route.startswith(beginning):
            return audience
    return None


def is_admitted(audience: AudienceEntry, user: User) -> bool:
    """Return whether a signed-in user belongs to the audience."""
    if audience in (PUBLIC, SIGNED_IN):
        return True
    if audience is ADMIN_SITE:
        return user.is_staff
    if audience is NOBODY:
        return False
    permissions = (audience,) if isinstance(audience, str) else audience
    assert isinstance(permissions, tuple)  # noqa: S101 - narrows the type, checked by the table
    return any(user.may(permission) for permission in permissions)


def may_open(user: User | AnonymousUser, route: str, *args: str) -> bool:
    """Return whether a signed-in user may open a page, by the name of its route.

    Pages send it with each request, as ``request.may_open``, to show no link that is refused. The
    tables of the admin site are open to fewer people than the site is.

    :param args: the arguments of the address: of ``admin:app_list``, the app.
    """
    if not isinstance(user, User):
        return False
    audience = audience_of(route)
    if audience is None or not is_admitted(audience, user):
        return False
    if audience is ADMIN_SITE and (table := route.removeprefix("admin:")) != "index":
        return user.has_module_perms(args[0] if table == "app_list" else table.partition("_")[0])
    return True


def find_unknown_permissions() -> set[str]:
    """Return permissions in the table that do not exist, so that a test finds typing errors."""
    named: set[str] = set()
    for audience in AUDIENCES.values():
        if isinstance(audience, str):
            named.add(audience)
        elif isinstance(audience, tuple):
            named.update(audience)
    return named - PERMISSIONS.keys()
