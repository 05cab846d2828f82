"""Who may open each page, written out by name.

This table is compared with what the crawl saw, and is read from no other table: widening or
narrowing an audience or a permission in the product fails a test until this says the same.
"""

ROLES = """
    ADMINISTRATOR INTAKE SUPERVISOR COORDINATOR CREDENTIALING REVIEWER QA DIRECTOR MAILROOM
    GUIDELINE_ADMIN AUDITOR
"""

# Decisions of the organization: exactly these know who a reviewer is (Labor Code 4610.6(f)).
KNOW_WHO_REVIEWS = frozenset({"COORDINATOR", "CREDENTIALING", "QA", "DIRECTOR"})

EVERYBODY_SIGNED_IN = frozenset(ROLES.split())

# One line of roles, then the routes that open for them and for no one else.
_GROUPS = [
    (
        ROLES,
        """
        desk:my_day desk:jump accounts:my_sign_ins form_fields:say_date cases:read_address
        intake:look_up_diagnoses intake:read_diagnoses
        desk:notices desk:read_notices desk:open_notice accounts:settings
        """,
    ),
    (
        "INTAKE SUPERVISOR COORDINATOR CREDENTIALING QA DIRECTOR MAILROOM AUDITOR",
        """
        desk:queue desk:work_next desk:side_counts desk:case desk:peek desk:timeline desk:letters
        desk:person desk:organization cases:calls desk:exports desk:export_list desk:download_export
        desk:request_export
        letters:status letters:download cases:related correspondence:notices correspondence:letter
        correspondence:letter_page correspondence:preview_letter cases:parties cases:deadlines
        cases:deadline cases:note cases:correct_note cases:service queues:act_on_many
        cases:answer_note
        queues:saved_views queues:save_view queues:rename_view queues:share_view
        queues:retire_view queues:claim_next queues:claim queues:release queues:skip queues:undo
        """,
    ),
    (
        "INTAKE SUPERVISOR COORDINATOR REVIEWER QA DIRECTOR AUDITOR",
        """
        records:list records:take_in records:read records:document records:page records:page_text
        records:page_png
        """,
    ),
    (
        "INTAKE SUPERVISOR",
        """
        intake:my_intakes intake:intake intake:intake_paper intake:correct intake:check_intake
        intake:look_up intake:save_draft intake:cancel_draft intake:batches intake:batch
        intake:next_scan intake:enter_scan intake:claim_scan intake:release_scan
        intake:skip_scan intake:return_scan intake:rescan_slips intake:mark_rescanned
        """,
    ),
    (
        "INTAKE SUPERVISOR COORDINATOR QA DIRECTOR MAILROOM AUDITOR",
        "complaints:list complaints:complaint",
    ),
    (
        "INTAKE SUPERVISOR COORDINATOR QA DIRECTOR MAILROOM",
        "complaints:record complaints:change",
    ),
    (
        "SUPERVISOR DIRECTOR",
        "complaints:answer complaints:add_action complaints:complete_action",
    ),
    ("SUPERVISOR", "intake:intake_supervisor"),
    (
        "INTAKE SUPERVISOR COORDINATOR QA DIRECTOR MAILROOM",
        "cases:log_call cases:correct_call",
    ),
    ("SUPERVISOR DIRECTOR", "queues:skipped"),
    (
        "INTAKE SUPERVISOR COORDINATOR",
        """
        cases:item_change cases:propose_item cases:propose_item_change
        cases:propose_item_withdrawal
        """,
    ),
    ("INTAKE COORDINATOR", "records:add records:move"),
    (
        "INTAKE SUPERVISOR COORDINATOR QA DIRECTOR MAILROOM AUDITOR",
        "cases:documents cases:received_page cases:received_text cases:received_png",
    ),
    ("INTAKE SUPERVISOR COORDINATOR MAILROOM", "cases:add_document"),
    (
        "INTAKE SUPERVISOR COORDINATOR",
        "cases:add_party cases:change_party cases:end_party",
    ),
    (
        "SUPERVISOR COORDINATOR",
        """
        cases:possible_duplicates cases:search_again cases:compare correspondence:drafts
        correspondence:draft_letter correspondence:approve_letter correspondence:discard_letter
        cases:item_changes cases:begin_hold
        cases:end_hold cases:commitment cases:move_commitment cases:keep_commitment
        cases:state_receipt eligibility:split eligibility:merge_back
        """,
    ),
    (
        "COORDINATOR",
        """
        eligibility:clear_cases
        eligibility:eligibility eligibility:screen_again eligibility:ur_decision
        eligibility:answer_differences correspondence:information correspondence:answer_information
        eligibility:resolve_liability eligibility:administrator_citations cases:consolidate
        cases:separate correspondence:make_notices cases:convert cases:withdraw cases:terminate
        cases:close reviewers:assign reviewers:rank reviewers:plan reviewers:move reviewers:resolve
        reviewers:remove_reviewer reviewers:approve_seats reviewers:end_seats records:outstanding
        records:remind records:complete records:reopen records:dispatch records:remove
        """,
    ),
    ("COORDINATOR DIRECTOR", "cases:extend"),
    ("COORDINATOR DIRECTOR AUDITOR", "reviewers:payer_bias reviewers:payer_bias_test"),
    (
        "COORDINATOR MAILROOM SUPERVISOR",
        "cases:correct_service cases:service_outcome",
    ),
    (
        "COORDINATOR MAILROOM",
        """
        correspondence:mark_notices_sent correspondence:mark_letter_sent correspondence:to_send
        determinations:send
        """,
    ),
    (
        "COORDINATOR CREDENTIALING",
        """
        directory:organizations directory:organization directory:add_organization_fact
        directory:withdraw_organization_fact
        """,
    ),
    (
        "COORDINATOR CREDENTIALING QA DIRECTOR",
        """
        reviewers:worklist reviewers:limits reviewers:rules reviewers:panel reviewers:reviewer
        """,
    ),
    ("COORDINATOR CREDENTIALING QA DIRECTOR AUDITOR", "reviewers:attestation"),
    (
        "CREDENTIALING",
        """
        reviewers:resolve_report reviewers:receives reviewers:add reviewers:change
        reviewers:status reviewers:sign_in reviewers:add_fact reviewers:correct_fact
        """,
    ),
    (
        "CREDENTIALING DIRECTOR",
        """
        cases:own_organization cases:add_organization_member cases:organization_member
        cases:add_own_conflict cases:correct_organization_fact cases:withdraw_organization_fact
        """,
    ),
    (
        "REVIEWER",
        """
        reviewers:attest reviewers:decline reviewers:report_change records:mark
        determinations:my_reviews determinations:workspace determinations:open_review
        determinations:draft determinations:leave determinations:checks determinations:cite
        determinations:uncite determinations:review_preview determinations:submit
        """,
    ),
    ("REVIEWER GUIDELINE_ADMIN", "guidelines:pick"),
    ("QA", "determinations:return determinations:approve"),
    ("QA DIRECTOR", "determinations:quality determinations:preview"),
    ("COORDINATOR QA DIRECTOR", "determinations:reviewer_record"),
    ("COORDINATOR QA DIRECTOR AUDITOR", "determinations:versions"),
    (
        "DIRECTOR",
        "cases:own_conflicts cases:resolve_own_conflict determinations:issue "
        "determinations:send_back",
    ),
    (
        "DIRECTOR SUPERVISOR",
        """
        cases:restricted_cases cases:restriction cases:lift_restriction cases:restrict_related
        cases:clear_person cases:end_clearance
        """,
    ),
    (
        "ADMINISTRATOR DIRECTOR",
        """
        letters:wording letters:wording_detail letters:publish_wording
        cases:deadline_rules cases:deadline_rule cases:confirm_deadline_rule
        cases:confirm_deadline_rules cases:supersede_deadline_rule cases:recalculate_dates
        cases:holidays cases:add_holiday cases:confirm_holidays cases:holiday cases:end_holiday
        billing:fees
        """,
    ),
    ("ADMINISTRATOR DIRECTOR AUDITOR", "accounts:changes"),
    ("ADMINISTRATOR DIRECTOR", "accounts:ask_factor_reset accounts:decide_change"),
    ("ADMINISTRATOR COORDINATOR DIRECTOR", "letters:failed letters:retry"),
    ("AUDITOR", "desk:access_log desk:accesses desk:export_accesses accounts:sign_ins"),
    ("ADMINISTRATOR DIRECTOR AUDITOR", "jobs:list"),
    ("ADMINISTRATOR DIRECTOR", "jobs:run_again"),
    ("ADMINISTRATOR SUPERVISOR DIRECTOR AUDITOR", "maintenance:findings"),
    ("SUPERVISOR DIRECTOR AUDITOR", "desk:explain"),
]

WHO_OPENS = {route: frozenset(roles.split()) for roles, names in _GROUPS for route in names.split()}

# The tables of the admin site, by who opens their lists. Where no one is named, no one does.
WHO_OPENS_TABLES = {
    table: frozenset(roles.split())
    for roles, tables in [
        ("ADMINISTRATOR", "accounts_user accounts_accountevent"),
        ("AUDITOR", "accounts_accesslogentry"),
        ("AUDITOR", "cases_case cases_event cases_party"),
        ("ADMINISTRATOR AUDITOR", "cases_treatmentcategory"),
        (
            "GUIDELINE_ADMIN",
            """
            guidelines_approvedparagraph guidelines_edition guidelines_guideline
            guidelines_recommendation guidelines_source guidelines_druglistedition
            guidelines_listeddrug
            """,
        ),
        (
            "CREDENTIALING",
            """
            reviewers_attestationwording reviewers_condition reviewers_scopelimit
            reviewers_specialty reviewers_specialtyfit
            """,
        ),
        ("ADMINISTRATOR DIRECTOR", "billing_feerow"),
        ("DIRECTOR", "determinations_ruletext"),
        ("", "account_emailaddress mfa_authenticator"),
    ]
    for table in tables.split()
}

OPEN_WITHOUT_SIGN_IN = frozenset({"livez", "readyz", "version"})

# Permissions that open no page of their own; a service or a part of a page asks for them.
WHO_HOLDS = {
    "records.open_any_document": {"COORDINATOR", "QA", "DIRECTOR", "AUDITOR"},
    "complaints.view_all_complaints": {"SUPERVISOR", "DIRECTOR", "AUDITOR"},
    "accounts.manage_users": {"ADMINISTRATOR"},
    "maintenance.run_repair": {"ADMINISTRATOR"},
    "cases.change_all_parties": {"COORDINATOR", "SUPERVISOR"},
    "queues.assign_case": {"SUPERVISOR", "COORDINATOR"},
    "queues.share_view": {"SUPERVISOR", "COORDINATOR", "QA", "DIRECTOR"},
    "reviewers.manage_conflict_limits": {"DIRECTOR"},
    "determinations.manage_rule_texts": {"DIRECTOR"},
    "reviewers.manage_matching_rules": {"DIRECTOR"},
    "reviewers.run_payer_bias_test": {"DIRECTOR"},
    "reviewers.publish_attestation": {"DIRECTOR"},
    "reviewers.view_identity": KNOW_WHO_REVIEWS,
}


# Pages of the sign-in library that open before someone has signed in.
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

# Pages of it that open for no one.
CLOSED_PAGES = {
    "account_confirm_email",
    "account_confirm_login_code",
    "account_email",
    "account_email_verification_sent",
    "account_set_password",
}

# What someone who still has to set up a second factor can open.
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
