"""Every act has the same shape: keyword-only, by whom, at what moment, and a sentence."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Questions: they read, change nothing and need no one's name. Checked below to write nothing.
QUESTIONS = {
    "queues/services/claims.py": {
        "stages_for", "next_case", "why_next", "own_claims", "held_since",
    },
    "cases/services/case_deadlines.py": {"answer", "compute", "due_on", "holds_on", "renewed"},
    "deadlines/services.py": {"superseding", "law_with"},
    "cases/services/recounting.py": {"would_change"},
    "eligibility/services/findings.py": {
        "conclude", "refuse_unknown_words", "refuse_silent_difference", "rows",
    },
    "eligibility/services/proposals.py": {"propose", "known_of"},
    "eligibility/services/ur_decision.py": {
        "differences_of", "open_differences", "answered_differently",
    },
    "intake/services/checking.py": {"check", "find_alike"},
    "intake/services/drafts.py": {"lock_draft", "open_drafts"},
    "cases/services/time_in_stage.py": {"in_lists", "with_people", "with_reviewers", "totals"},
    "cases/services/extensions.py": {"determination_deadline", "days_left"},
    "cases/services/notice_deadlines.py": {"records_deadline", "own_papers_deadline"},
    "cases/services/priority.py": {"needs_hour_of_notice", "needs_hour_of_information"},
    "cases/services/commitments.py": {"why_not_move"},
    "cases/services/deadline_information.py": {"information_for", "lateness"},
    "intake/services/receiving.py": {"find_entered", "fold_claim"},
    "intake/services/known_parties.py": {"known", "fill_in_known"},
    "cases/services/item_changes.py": {"differences"},
    "cases/services/consolidation.py": {"could_follow", "why_not"},
    "cases/services/duplicates.py": {
        "read_application_facts", "find_similar", "said_same", "earlier_decisions",
    },
    "eligibility/services/citations.py": {"stated_for"},
    "directory/services/facts.py": {"lock_fact"},
    "directory/services/organizations.py": {"names_of"},
    "directory/services/people.py": {"find_organization"},
    "correspondence/services/case_letters.py": {"find_preview"},
    "correspondence/services/notices.py": {"address_of", "organization", "recipients"},
    "cases/services/parties.py": {"former", "standing", "unsent_letters"},
    "queues/services/bulk.py": {"offered", "expected"},
    "queues/services/saved_views.py": {"views_for"},
    "determinations/services/issuing.py": {
        "missing_proofs", "readiness", "changes_since_return", "copy_of",
    },
    "determinations/services/writing.py": {"is_opened", "unfinished"},
    "files/services.py": {
        "read_bytes", "page_png", "page_text", "shown_name", "differences",
    },
    "letters/services.py": {
        "wording_in_force", "compose", "freeze", "previewed", "typeset", "document_of",
    },
    "records/services/dispatch.py": {
        "manifest", "manifest_sha256", "last_dispatch", "is_current", "dispatch_fact",
        "records_reviewed_fact",
    },
    "records/services/documents.py": {"has_papers_to_take_in"},
    "records/services/reading.py": {"unopened"},
    "reviewers/services/assignment.py": {"current_wording", "free_seat", "lock_assignment"},
    "reviewers/services/conflicts.py": {"open_questions"},
    "reviewers/services/payer_bias.py": {"examine", "unanswered"},
    "reviewers/services/moving.py": {"draw_up"},
    "reviewers/services/planning.py": {
        "draw_up", "waiting", "after", "panel_at", "asked", "always", "refuse_if_changed",
    },
}  # fmt: skip

# Acts of the machine. No one is asked who did it: it was the system, always.
BY_THE_MACHINE = {
    # arithmetic over what was done, dated and kept
    "queues/services/stage_durations.py": {"measure_stage_durations"},
    # the schedule's own tests of what was done
    "reviewers/services/payer_bias.py": {"check_next"},
    # bytes are kept for an act that names its person in its own row
    "files/services.py": {"receive", "store_bytes", "release_quarantined"},
    # a draft lapses by its date
    "intake/services/drafts.py": {"close_forgotten"},
    # the relay, the worker and the reconciler
    "letters/services.py": {"claim_due", "publish_due", "render", "sweep", "beat"},
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


def faults(function, *, wants=("by", "at")):
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


def writes(function):
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
        assert not writes(function), f"a question writes: {writes(function)}"
        return
    wants = ("at",) if function.name in BY_THE_MACHINE.get(path, ()) else ("by", "at")
    assert not list(faults(function, wants=wants)), ", ".join(faults(function, wants=wants))


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
    assert list(faults(function)) == [
        "takes arguments by position",
        "has no at",
        "has no docstring",
        "has an argument without a type",
    ]
