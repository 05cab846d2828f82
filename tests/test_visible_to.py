"""Whatever finds cases, or rows of cases, for a person leaves restricted cases out.

Read from the code: each statement that queries ``Case`` or a model with a foreign key to it names
``visible_to`` or its kin, or begins with one case that was loaded before, or is declared here.
"""

import ast
from pathlib import Path

from django.apps import apps

from cases.models import Case

ROOT = Path(__file__).resolve().parent.parent
# The apps that know cases.
APPS = ("cases", "eligibility", "intake", "correspondence", "reviewers", "records",
        "determinations", "queues", "billing", "complaints", "desk")  # fmt: skip
# The apps that know no cases and keep their numbers as text, in rows of these models.
APPS_OF_REFERENCES = ("jobs", "letters", "maintenance")
# One of these in the statement leaves restricted cases out.
LEAVES_OUT = (
    "visible_to(",
    "select_visible(",
    "hidden_cases(",
    "HIDDEN_CASES",
    "match_hidden_references(",
)
# Why a query may see restricted cases, and which do: module, function, models.
LOADED = "it takes the id of a row from a page that has loaded its case"
OF_ROWS = "it completes rows of cases that were found by visible_to"
SYSTEM = "the system finds them for its own work, and shows them to nobody"
CHECKED = "the page that shows the result leaves restricted cases out"
OWN = "it finds rows of the person alone: their own drafts, scans or reviews"
NO_CASE = "it shows no case: a number of cases, an address of an office, a state of a scan"
DECLARED = {
    LOADED: """
        cases/application_cases.py:find_last_position
        cases/application_cases.py:lock_open_cases_of_application
        cases/application_cases.py:select_cases_of_application
        cases/forms/dates.py:__init__
        cases/services/calls.py:correct_call
        cases/services/commitments.py:_find_commitment_letter
        complaints/services.py:_lock_complaint
        desk/explanation.py:explain_case
        desk/templatetags/page_tags.py:failed_jobs_of
        desk/views.py:show_letters
        letters/services.py:read_letter_file
        letters/services.py:retry_failed_letter
        cases/services/commitments.py:_why_not_live
        cases/services/commitments.py:keep_commitment
        cases/services/commitments.py:move_commitment
        cases/services/consolidation.py:separate_case
        cases/services/duplicates.py:resolve_duplicate
        cases/services/holds.py:end_hold
        cases/services/item_changes.py:_lock_change
        cases/services/item_changes.py:_lock_item
        cases/services/item_changes.py:_lock_with_lead
        cases/services/notes.py:_write_note
        cases/services/notes.py:answer_note
        cases/services/notes.py:correct_note
        cases/services/own_conflicts.py:check_own_conflicts
        cases/services/own_conflicts.py:resolve_own_conflict
        cases/services/parties.py:_refuse_outdated
        cases/services/post_determination.py:start_post_determination_deadlines
        cases/services/restrictions.py:end_clearance
        cases/services/served_letters.py:list_services
        cases/services/served_letters.py:start_petition_deadlines
        cases/services/service_corrections.py:_is_for
        correspondence/services/case_letters.py:_compose_first_letter
        correspondence/services/case_letters.py:_lock_letter
        correspondence/services/case_letters.py:approve_at_once
        correspondence/services/case_letters.py:approve_letters_of_case
        determinations/composition.py:_list_documents_read
        determinations/services/issuing.py:preview_determination
        eligibility/services/citations.py:record_administrator_citations
        eligibility/services/findings.py:build_findings
        eligibility/services/information.py:record_party_answer
        eligibility/services/screening.py:_why_not_the_open_case
        eligibility/services/screening.py:_store_decision
        eligibility/services/screening.py:_unlink_other_cases
        eligibility/services/screening.py:undo_eligible_decision
        cases/services/undoing.py:_refuse_if_followed
        cases/services/undoing.py:lock_undoable_act
        cases/services/undoing.py:offer_undo
        cases/services/undoing.py:record_undone
        cases/services/undoing.py:remember_rows
        letters/services.py:cancel_letters
        queues/services/undo.py:undo_act
        reviewers/services/assignment.py:undo_assign_reviewer
        eligibility/services/screening.py:_lock_with_named
        eligibility/services/screening.py:screen_case_again
        eligibility/services/splitting.py:_copy_parties
        eligibility/services/splitting.py:merge_split_case
        eligibility/services/ur_decision.py:_list_titles
        cases/services/received_documents.py:receive_document_file
        records/services/documents.py:move_received_document
        records/services/documents.py:receive_record_file
        records/services/documents.py:remove_document
        reviewers/matching/case_input.py:_select_case_rows
        reviewers/policies.py:_find_cases_with_open_item_changes
        reviewers/services/assignment.py:_offer_locked_case
        reviewers/services/assignment.py:lock_assignment
        reviewers/services/assignment.py:sign_attestation
        reviewers/services/conflicts.py:resolve_conflict
    """,
    OF_ROWS: """
        cases/services/duplicates.py:propose_duplicates
        desk/search.py:_list_other_letters
        queues/filters.py:_by_claim
        queues/filters.py:_have_administrator
        records/outstanding.py:_filter_from_administrator
        records/outstanding.py:_load_last_reminders
        reviewers/services/planning.py:list_waiting_cases
        reviewers/views/planning.py:_build_proposals
    """,
    SYSTEM: """
        jobs/services.py:claim_run
        jobs/services.py:end_run
        jobs/services.py:record_case_failure
        jobs/services.py:request_run
        jobs/tasks.py:start_requested_runs
        letters/services.py:_claim_due_messages
        letters/services.py:_claim_letters
        letters/services.py:_file_letters
        letters/services.py:_note_failed_attempt
        letters/services.py:_return_letters
        letters/services.py:enqueue_letter
        letters/services.py:publish_due_letters
        letters/services.py:requeue_lost_letters
        letters/services.py:requeue_stuck_letter
        maintenance/derived.py:compare_barred_staff
        maintenance/derived.py:compare_claims_of_decisions
        maintenance/derived.py:compare_commitment_moves
        maintenance/derived.py:compare_determinations
        maintenance/derived.py:compare_due_dates
        maintenance/derived.py:compare_folded_numbers
        maintenance/derived.py:compare_held_until
        maintenance/derived.py:compare_item_outcomes
        maintenance/derived.py:compare_letter_hashes
        maintenance/derived.py:compare_list_order
        maintenance/derived.py:compare_names
        maintenance/derived.py:compare_party_list_versions
        maintenance/derived.py:compare_search_keys
        maintenance/derived.py:compare_stage_fields
        maintenance/services/nightly.py:_store_findings
        maintenance/services/nightly.py:run_checks
        maintenance/services/repairs.py:_close_claim
        maintenance/services/repairs.py:_find_stuck_letters
        maintenance/services/repairs.py:_repair_derived_field
        maintenance/states.py:_list_required_rows
        maintenance/states.py:find_cases_without_next_step
        maintenance/states.py:find_closed_cases_with_work
        maintenance/states.py:find_commitments_past_their_day
        maintenance/states.py:find_holds_past_their_end
        maintenance/states.py:find_letter_problems
        maintenance/states.py:find_orphan_claims
        maintenance/states.py:find_restriction_problems
        cases/related_cases.py:find_ids_of_worker
        cases/related_cases.py:find_linked_ids
        cases/services/case_deadlines.py:start_deadlines_of_new_cases
        cases/services/drafting.py:propose_letters_of_new_cases
        cases/services/own_conflicts.py:check_outdated_cases
        cases/services/own_conflicts.py:store_checks_without_findings
        cases/services/parties.py:store_parties_of_new_cases
        determinations/services/published.py:_find_known_cases
        intake/services/corrections.py:_find_decision_to_correct
        intake/services/bulk_receiving.py:_find_changed
        intake/services/bulk_receiving.py:_find_forms_to_receive_alone
        intake/services/bulk_receiving.py:_receive_together
        intake/services/bulk_receiving.py:_store_rows_of_cases
        intake/services/drafts.py:close_lapsed_drafts
        intake/services/receiving.py:_find_ur_decision
        intake/services/receiving.py:_lock_scan
        cases/services/case_numbers.py:take_case_numbers
        queues/services/stage_durations.py:measure_stage_durations
        reviewers/services/payer_bias.py:_list_missing_tests
    """,
    CHECKED: """
        letters/services.py:list_damaged_letters
        letters/views.py:_load_letter
        desk/access_log.py:_load_documents
        cases/related_cases.py:list_related_cases
        cases/services/duplicates.py:_find_candidates
        cases/services/duplicates.py:_load_cases
        cases/services/duplicates.py:find_candidates_of_many
        cases/services/date_recalculation.py:find_date_changes
        eligibility/services/clear_cases.py:_leave_out_restricted
        eligibility/services/proposals.py:_find_earlier_cases
        eligibility/services/proposals.py:_find_related_cases
        queues/services/claims.py:_open_cases
        queues/services/claims.py:list_own_claims
        cases/services/received_documents.py:find_open_document
        queues/services/claims.py:list_skips
        queues/services/lost_access.py:_release_if_lost
        queues/services/lost_access.py:release_lost_claims
        reviewers/services/review_notices.py:remind_due_reviews
        records/services/reading.py:_open_document
        records/views.py:_open_case
    """,
    OWN: """
        determinations/views/workspace.py:_load_own_assignment
        intake/services/batches.py:_scans_claimed_by
        intake/services/drafts.py:cancel_intake_draft
        intake/services/drafts.py:list_open_drafts
        intake/services/drafts.py:lock_intake_draft
        intake/services/drafts.py:mark_draft_entered
        intake/services/drafts.py:save_intake_draft
        intake/views/live.py:cancel_draft
        reviewers/panel.py:list_my_work
        reviewers/panel.py:list_recently_removed
        reviewers/views/own.py:_load_own_assignment
    """,
    NO_CASE: """
        jobs/overview.py:list_last_runs
        maintenance/views.py:list_findings
        intake/services/batches.py:_claim_next_scan
        intake/services/batches.py:_lock_scan
        intake/services/batches.py:_mark_if_repeated
        intake/services/batches.py:claim_scan
        intake/services/known_parties.py:find_known_parties
        intake/views/application.py:_load_scan
        intake/views/batches.py:_load_scan
        intake/views/batches.py:list_batches
        intake/views/supervisor.py:_count_backlog
        intake/views/supervisor.py:show_intake_desk
        reviewers/matching/assignment_history.py:list_offers_between
        reviewers/matching/track_record.py:_read_finished_reviews
        reviewers/matching/track_record.py:_select_work
    """,
}
# A row that is locked or found by the service of an action was loaded by a page before.
OF_ONE_CASE = (".lock(", ".lock_all(")


def _models_of_cases():
    """The names of the models with a foreign key to a case or its number, and of Case itself."""
    return {Case.__name__} | {
        model.__name__
        for model in apps.get_models()
        if model._meta.app_label in (*APPS, *APPS_OF_REFERENCES)
        and any(
            field.related_model is Case
            or (field.name == "reference" and model._meta.app_label in APPS_OF_REFERENCES)
            for field in model._meta.concrete_fields
        )
        and not model.__name__.startswith("Historical")
    }


def _modules():
    for app in (*APPS, *APPS_OF_REFERENCES):
        for path in sorted((ROOT / app).rglob("*.py")):
            parts = path.relative_to(ROOT).parts
            if not {"migrations", "commands", "models"} & set(parts) and path.name != "models.py":
                yield path


def _queries(source, names):
    """Each statement that queries one of the models, with its function and its text."""
    tree = ast.parse(source)
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        for statement in ast.walk(function):
            if not isinstance(statement, ast.Assign | ast.Return | ast.Expr | ast.AnnAssign
                              | ast.For | ast.If | ast.AugAssign | ast.With):  # fmt: skip
                continue
            node = statement
            if isinstance(statement, ast.For):
                node = statement.iter
            elif isinstance(statement, ast.If):
                node = statement.test
            elif isinstance(statement, ast.With):
                continue
            for part in ast.walk(node):
                if (
                    isinstance(part, ast.Attribute)
                    and part.attr in {"objects", "_default_manager"}
                    and isinstance(part.value, ast.Name)
                    and part.value.id in names
                ):
                    yield function.name, part.value.id, ast.unparse(node)


def _is_of_loaded_case(text):
    """Whether the query begins with a case, an assignment or another row that was loaded."""
    keys = ("case=", "case_id=", "case__in=", "assignment=", "determination=", "decision=", "lead=")
    return any(f"({key}" in text or f", {key}" in text for key in keys)


def find_open_queries():
    """The queries that neither leave restricted cases out nor belong to one case."""
    names = _models_of_cases()
    found = set()
    for path in _modules():
        for function, model, text in _queries(path.read_text(), names):
            if any(word in text for word in (*LEAVES_OUT, *OF_ONE_CASE)):
                continue
            if model != "Case" and _is_of_loaded_case(text):
                continue
            found.add(f"{path.relative_to(ROOT).as_posix()}:{function}")
    return found


def test_every_query_for_cases_leaves_restricted_ones_out_or_says_why_not():
    declared = [name for names in DECLARED.values() for name in names.split()]
    assert len(declared) == len(set(declared))
    found = find_open_queries()
    assert sorted(found - set(declared)) == [], "use visible_to or select_visible, or say why not"
    assert sorted(set(declared) - found) == [], "these need no reason anymore"


def test_a_query_without_visible_to_is_found():
    source = """
def list_cases(user):
    rows = Case.objects.filter(is_open=True)
    return Case.objects.visible_to(user), Case.objects.lock(1)
"""
    texts = [text for _, _, text in _queries(source, {"Case"})]
    assert any("is_open" in text and "visible_to" not in text for text in texts)


def test_cases_are_loaded_by_number_in_one_place():
    """A page that reads a case by its number from the address calls ``load_case``.

    That function itself is not found here, because it filters by ``visible_to`` first.
    """
    loaders = {
        f"{path.relative_to(ROOT).as_posix()}:{function}"
        for path in _modules()
        if "views" in path.as_posix()
        for function, model, text in _queries(path.read_text(), {"Case"})
        if "number=number" in text
    }
    assert loaders == {
        "records/views.py:_open_case",  # the assigned reviewer opens it too, by records.access
    }
