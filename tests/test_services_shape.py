"""Every act has the same shape: keyword-only, by whom, at what moment, and a sentence."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Questions: they read, change nothing and need no one's name. Checked below to write nothing.
QUESTIONS = {
    "complaints/services.py": {"find_latest_answer_day"},
    "determinations/services/rule_texts.py": {"list_rule_texts", "find_request_date"},
    "queues/services/claims.py": {
        "stages_for",
        "preview_next_case",
        "explain_next_for",
        "list_own_claims",
        "list_assignees",
        "describe_claim",
        "list_skips",
    },
    "cases/services/undoing.py": {"remember_rows", "find_undo", "list_sent_marks"},
    "cases/services/case_deadlines.py": {
        "compute_case_sum",
        "compute_rule_sum",
        "find_due_date",
        "list_deadline_holds",
        "build_renewed_deadline",
    },
    "deadlines/services.py": {
        "preview_superseding",
        "preview_holiday",
        "preview_holiday_end",
        "rules_as_changed",
    },
    "cases/services/date_recalculation.py": {
        "find_date_changes",
    },
    "eligibility/services/findings.py": {
        "answer_from_reading",
        "list_contradictions",
        "describe_notes",
        "conclude_eligibility",
        "refuse_unknown_references",
        "refuse_unexplained_answers",
        "build_findings",
    },
    "eligibility/services/proposals.py": {
        "propose_eligibility",
        "propose_for_cases",
        "collect_stored_facts",
    },
    "eligibility/services/clear_cases.py": {
        "list_clear_cases",
    },
    "eligibility/services/ur_decision.py": {
        "list_differences",
        "list_differences_by_case",
        "list_open_differences",
        "find_confirmed_differences",
        "is_reading_on_file",
    },
    "intake/services/batches.py": {
        "find_replacements",
    },
    "intake/services/checking.py": {
        "check_application_form",
        "find_duplicates_of_form",
    },
    "intake/services/drafts.py": {
        "lock_intake_draft",
        "list_open_drafts",
    },
    "cases/services/holds.py": {
        "select_deadlines_to_hold",
    },
    "cases/services/time_in_stage.py": {
        "list_queue_intervals",
        "list_claim_intervals",
        "list_review_intervals",
        "sum_intervals",
    },
    "cases/services/extensions.py": {
        "determination_deadline",
        "count_extension_days_left",
    },
    "cases/services/notice_deadlines.py": {
        "records_deadline",
        "own_papers_deadline",
    },
    "cases/services/priority.py": {
        "needs_notice_time",
        "needs_information_time",
    },
    "cases/services/commitments.py": {
        "why_not_move_commitment",
    },
    "cases/services/deadline_information.py": {
        "list_deadline_notes",
        "describe_lateness",
    },
    "intake/services/receiving.py": {
        "find_case_of_form",
        "compute_form_digest",
        "fold_claim_number",
        "refuse_impossible_dates",
        "build_facts",
        "build_case",
        "build_items",
        "build_received_event",
        "build_typed_form",
        "build_ur_decision",
        "read_claim_number",
        "screening_facts",
    },
    "intake/services/known_parties.py": {
        "find_known_parties",
        "fill_in_known_parties",
    },
    "cases/services/item_changes.py": {
        "list_item_differences",
    },
    "cases/services/consolidation.py": {
        "find_consolidation_candidates",
        "why_not_consolidate_pair",
    },
    "cases/services/duplicates.py": {
        "read_application_facts",
        "find_similar_cases",
        "compare_with_cases",
        "compare_many_with_cases",
        "find_candidates_of_many",
        "list_confirmed_repeats",
        "find_earlier_decisions",
    },
    "eligibility/services/citations.py": {
        "find_stated_citations",
    },
    "directory/services/facts.py": {
        "lock_fact",
        "lock_dated_row",
    },
    "directory/services/organizations.py": {
        "list_organization_names",
    },
    "directory/services/people.py": {
        "find_organization",
    },
    "correspondence/services/case_letters.py": {
        "find_letter_preview",
    },
    "correspondence/services/notices.py": {
        "build_address",
        "load_organization",
        "list_notice_recipients",
    },
    "cases/services/served_letters.py": {
        "list_services",
    },
    "cases/services/received_documents.py": {
        "find_open_document",
        "open_received_page_image",
        "open_received_page_text",
    },
    "cases/services/parties.py": {
        "find_channel_problems",
        "former_parties",
        "refuse_impossible_channel",
        "current_parties",
        "list_unsent_letters",
        "plan_parties",
        "plan_parties_of_many",
    },
    "cases/services/own_conflicts.py": {"compare_parties"},
    "queues/services/bulk.py": {
        "list_bulk_actions",
        "preview_bulk_action",
    },
    "queues/services/saved_views.py": {
        "list_saved_views",
    },
    "determinations/services/issuing.py": {
        "describe_missing_proofs",
        "check_readiness",
        "list_changes_since_return",
        "render_issued_copy",
    },
    "determinations/services/writing.py": {
        "is_opened",
        "find_unfinished",
        "list_opinions",
        "map_drafts",
    },
    "files/services.py": {
        "read_bytes",
        "render_page_png",
        "extract_page_text",
        "clean_file_name",
        "compare_with_storage",
        "find_leftovers",
        "is_intact",
    },
    "letters/services.py": {
        "list_damaged_letters",
        "find_wording_in_force",
        "compose_wording",
        "freeze_words",
        "find_document_preview",
        "typeset_document",
        "load_letter_document",
        "load_letter_content",
        "is_in_layout",
    },
    "records/services/dispatch.py": {
        "build_manifest",
        "hash_manifest",
        "last_dispatch",
        "is_dispatch_current",
        "dispatch_fact",
        "records_reviewed_fact",
    },
    "records/services/documents.py": {
        "list_unfiled_documents",
        "list_documents",
        "list_unfiled_papers",
    },
    "records/services/reading.py": {
        "list_unopened_documents",
        "map_read_marks",
    },
    "reviewers/services/assignment.py": {
        "get_current_wording",
        "get_free_seat",
        "lock_assignment",
    },
    "reviewers/services/conflicts.py": {
        "list_open_questions",
    },
    "reviewers/services/payer_bias.py": {
        "compute_bias_test",
        "compute_bias_tests",
        "list_open_alerts",
    },
    "reviewers/services/moving.py": {
        "build_move_plan",
    },
    "reviewers/services/planning.py": {
        "build_plan",
        "list_waiting_cases",
        "find_next_waiting",
        "load_context_at",
        "build_plan_inputs",
        "has_unlimited_time",
        "refuse_if_changed",
    },
}  # fmt: skip

# Acts of the machine. No one is asked who did it: it was the system, always.
BY_THE_MACHINE = {
    # arithmetic over what was done, dated and kept
    "queues/services/stage_durations.py": {
        "measure_stage_durations",
    },
    # the schedule's own tests of what was done
    "reviewers/services/payer_bias.py": {
        "run_next_bias_test",
    },
    # bytes are kept for an act that names its person in its own row
    "files/services.py": {
        "receive_upload",
        "receive_named_upload",
        "store_bytes",
        "record_written_files",
        "release_quarantined",
        "delete_leftovers",
    },
    # the nightly run
    "maintenance/services/nightly.py": {
        "run_checks",
    },
    # runs of scheduled jobs
    "jobs/services.py": {
        "add_export_part",
        "claim_run",
        "delete_old_exports",
        "fail_export",
        "extend_lease",
        "end_run",
        "record_case_failure",
    },
    # the number of a case, taken for the action that stores the case
    "cases/services/case_numbers.py": {
        "take_case_numbers",
    },
    # a draft lapses by its date
    "intake/services/drafts.py": {
        "close_lapsed_drafts",
    },
    # the relay, the worker and the sweep of e-mails
    "notices/services.py": {
        "publish_due_mail",
        "send_mail",
        "requeue_lost_mail",
    },
    # notices of the system to reviewers, and to people who lost access
    "reviewers/services/review_notices.py": {
        "notify_reviewer",
        "remind_due_reviews",
    },
    "queues/services/lost_access.py": {
        "release_lost_claims",
    },
    # the relay, the worker and the reconciler
    "letters/services.py": {
        "claim_due_letters",
        "publish_due_letters",
        "render_letter",
        "render_letters",
        "requeue_lost_letters",
        "record_heartbeat",
    },
}

WRITES = {
    "store", "bulk_store", "save", "create", "update", "delete", "bulk_create", "bulk_update",
    "get_or_create", "update_or_create", "move_to", "write_bytes", "write_text",
}  # fmt: skip


def service_modules():
    return sorted(
        [
            *ROOT.glob("*/services.py"),
            *(path for path in ROOT.glob("*/services/*.py") if path.name != "__init__.py"),
        ]
    )


def public_functions(source):
    return [
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    ]


def list_shape_faults(function, *, wants=("by", "at")):
    """What a function lacks to be an act."""
    arguments = function.args
    if arguments.posonlyargs or arguments.args or arguments.vararg:
        yield "takes arguments by position"
    names = {argument.arg for argument in arguments.kwonlyargs}
    for name in wants:
        if name not in names:
            yield f"has no {name}"
    if not ast.get_docstring(function):
        yield "has no docstring"
    if any(argument.annotation is None for argument in arguments.kwonlyargs):
        yield "has an argument without a type"


def find_write_calls(function):
    """The writing calls in a function's own body."""
    return {
        node.func.attr
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    } & WRITES


ALL = [
    (str(path.relative_to(ROOT)), function)
    for path in service_modules()
    for function in public_functions(path.read_text())
]
NAMES = [f"{path}:{function.name}" for path, function in ALL]


@pytest.mark.parametrize(("path", "function"), ALL, ids=NAMES)
def test_a_service_is_keyword_only_with_by_and_at_and_a_sentence(path, function):
    if function.name in QUESTIONS.get(path, ()):
        assert ast.get_docstring(function), "has no docstring"
        assert not find_write_calls(function), f"a question writes: {find_write_calls(function)}"
        return
    wants = ("at",) if function.name in BY_THE_MACHINE.get(path, ()) else ("by", "at")
    assert not list(list_shape_faults(function, wants=wants)), ", ".join(
        list_shape_faults(function, wants=wants)
    )


def test_no_exception_outlives_its_function():
    listed = {
        f"{path}:{name}"
        for table in (QUESTIONS, BY_THE_MACHINE)
        for path, names in table.items()
        for name in names
    }
    assert not listed - set(NAMES)


def test_the_reader_of_services_finds_a_planted_one():
    planted = "def accept(case, *, by):\n    pass"
    (function,) = public_functions(planted)
    assert list(list_shape_faults(function)) == [
        "takes arguments by position",
        "has no at",
        "has no docstring",
        "has an argument without a type",
    ]
