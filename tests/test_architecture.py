"""Imports run one way. The table says who may name whom; everything below names no one above."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# From the bottom to the top. An app names only apps that stand before it in this list.
ORDER = [
    "accounts",
    "jobs",
    "notices",
    "files",
    "guidelines",
    "letters",
    "form_fields",
    "deadlines",
    "directory",
    "cases",
    "eligibility",
    "intake",
    "correspondence",
    "reviewers",
    "records",
    "determinations",
    "queues",
    "billing",
    "complaints",
    "maintenance",
    "desk",
]
MAY_NAME = {app: set(ORDER[:place]) for place, app in enumerate(ORDER)}
OWN_ORGANIZATION = set(MAY_NAME) | {"imr_portal", "tests", "bench"}

# Rules without rows and without a deadline: what they judge comes in as arguments.
PURE = [
    "accounts/counting.py",
    "accounts/devices.py",
    "accounts/differences.py",
    "jobs/kinds.py",
    "jobs/slots.py",
    "files/refusal_codes.py",
    "notices/kinds.py",
    "guidelines/citations.py",
    "guidelines/drug_list_file.py",
    "guidelines/formulary.py",
    "letters/wording.py",
    "form_fields/dates.py",
    "cases/item_groups.py",
    "eligibility/impossible_dates.py",
    "deadlines/calendars.py",
    "deadlines/kinds.py",
    "deadlines/days.py",
    "deadlines/engine.py",
    "deadlines/facts.py",
    "deadlines/penalty.py",
    "deadlines/rules.py",
    "deadlines/results.py",
    "deadlines/timeliness.py",
    "directory/names.py",
    "directory/affiliations.py",
    "cases/duplicates.py",
    "cases/hold_reasons.py",
    "cases/lifecycle.py",
    "cases/own_conflicts.py",
    "cases/places.py",
    "cases/postal_addresses.py",
    "eligibility/answers.py",
    "eligibility/differences.py",
    "eligibility/rules.py",
    "intake/treatment_words.py",
    "reviewers/matching/candidacy.py",
    "reviewers/matching/compiled_panel.py",
    "reviewers/matching/payer_bias.py",
    "reviewers/conflicts.py",
    "reviewers/facts.py",
    "reviewers/matching/requirements.py",
    "reviewers/matching/ranking.py",
    "reviewers/matching/panel_names.py",
    "reviewers/matching/panel_ranking.py",
    "reviewers/matching/planning.py",
    "reviewers/matching/specialty_map.py",
    "reviewers/stored_lists.py",
    "reviewers/verification.py",
    "determinations/checks.py",
    "determinations/outcomes.py",
    "determinations/shapes.py",
    "queues/lead_time.py",
    "billing/fees.py",
    "complaints/trend.py",
]

MODEL = re.compile(r"([a-z_]+)\.[A-Z]\w*")  # "cases.Case", but not the permission "cases.view_case"
LOOSE_MODEL = re.compile(r"([a-z_]+)\.\w+")  # as migrations write it: "cases.case"


def apps_named(source, *, in_migration=False):
    """Every app of the organization that a module names.

    Imports of any kind, and models as strings.
    """
    named = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            named.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            named.add(node.module.split(".")[0])
        elif isinstance(node, ast.Call):
            named |= _named_by_call(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if match := MODEL.fullmatch(node.value):
                named.add(match[1])
        elif isinstance(node, ast.keyword) and node.arg == "to" and in_migration:
            match = LOOSE_MODEL.fullmatch(str(getattr(node.value, "value", "")))
            named |= {match[1]} if match else set()
        elif isinstance(node, ast.Assign) and in_migration:
            named |= _dependencies(node)
    return named & OWN_ORGANIZATION


def _named_by_call(node):
    """Apps in ``get_model("cases", …)``, ``import_module("cases.models")`` and their like."""
    function = node.func.attr if isinstance(node.func, ast.Attribute) else None
    function = node.func.id if isinstance(node.func, ast.Name) else function
    if function not in {"get_model", "get_app_config", "import_module", "import_string",
                        "find_spec", "__import__"}:  # fmt: skip
        return set()
    words = [argument.value for argument in [*node.args, *(key.value for key in node.keywords)]
             if isinstance(argument, ast.Constant)]  # fmt: skip
    return {str(word).split(".")[0] for word in words}


def _dependencies(node):
    targets = {target.id for target in node.targets if isinstance(target, ast.Name)}
    if "dependencies" not in targets:
        return set()
    return {
        element.elts[0].value
        for element in getattr(node.value, "elts", [])
        if isinstance(element, ast.Tuple) and isinstance(element.elts[0], ast.Constant)
    }


def modules_named(source):
    """Every module that an import statement names, relative ones with their dots."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("app", MAY_NAME)
def test_an_app_imports_only_from_lower_apps(app):
    wrong = []
    for path in sorted((ROOT / app).rglob("*.py")):
        named = apps_named(path.read_text(), in_migration=path.parent.name == "migrations")
        above = named - MAY_NAME[app] - {app}
        if above:
            wrong.append(f"{path.relative_to(ROOT)} names {', '.join(sorted(above))}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "planted",
    [
        "import cases.models",
        "from cases.models import Case",
        "from cases import services",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from cases.models import Case",
        "def later():\n    from cases.models import Case",
        "case = models.ForeignKey('cases.Case', on_delete=models.PROTECT)",
        "case = models.ForeignKey(to='cases.Case', on_delete=models.PROTECT)",
        "Case = apps.get_model('cases', 'Case')",
        "Case = apps.get_model(app_label='cases', model_name='Case')",
        "Case = apps.get_model('cases.Case')",
        "module = importlib.import_module('cases.models')",
        "move = import_string('cases.lifecycle.MOVES')",
    ],
)
def test_the_reader_of_imports_finds_a_planted_one(planted):
    assert "cases" in apps_named(planted)


@pytest.mark.parametrize(
    "planted",
    [
        "class Migration:\n    dependencies = [('cases', '0001_initial')]",
        "field = models.ForeignKey(on_delete=1, to='cases.case')",
    ],
)
def test_the_reader_of_imports_finds_a_planted_one_in_a_migration(planted):
    assert "cases" in apps_named(planted, in_migration=True)


def test_the_reader_of_imports_lets_permissions_and_settings_pass():
    innocent = "user.may('cases.view_case')\nfrom django.conf import settings\nfrom . import cases"
    assert apps_named(innocent) == set()


@pytest.mark.parametrize("module", PURE)
def test_a_module_of_rules_reads_no_rows_and_no_clock(module):
    source = (ROOT / module).read_text()
    parts = {part for name in modules_named(source) for part in name.split(".")}
    assert not parts & {"timezone", "services", "connection", "transaction"}, module
    # Django's choices are wanted here; our own rows are not.
    ours = [name for name in modules_named(source) if not name.startswith("django")]
    assert not [name for name in ours if "models" in name.split(".")], module
    assert ".objects" not in source, module


def test_every_module_that_says_it_is_pure_is_held_to_it():
    says_so = {
        str(path.relative_to(ROOT))
        for app in MAY_NAME
        for path in (ROOT / app).rglob("*.py")
        if re.search(r"\bPure\b", ast.get_docstring(ast.parse(path.read_text())) or "")
    }
    assert says_so <= set(PURE)


def test_every_app_is_in_the_table():
    apps = {path.parent.name for path in ROOT.glob("*/apps.py")} - {"imr_portal"}
    assert apps == set(MAY_NAME)


def test_there_is_no_room_for_leftovers():
    names = {path.stem for app in MAY_NAME for path in (ROOT / app).rglob("*")}
    assert not names & {"core", "common", "utils", "helpers", "misc"}


# --- Locks: whoever judges a case, or an assignment, reads it after the case is locked ------------


def find_call_chains(source, method):
    """Each call of a method, as the names that lead to it: ``Case.objects.filter().get()`` gives
    ``["Case", "objects", "filter", "get"]``. A variable stands for what it was last set to."""
    tree = ast.parse(source)
    known = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            known[node.targets[0].id] = node.value
    for node in ast.walk(tree):
        called = node.func if isinstance(node, ast.Call) else None
        if isinstance(called, ast.Attribute) and called.attr == method:
            yield _names(called, known, set())


def _names(node, known, seen):
    if isinstance(node, ast.Attribute):
        return [*_names(node.value, known, seen), node.attr]
    if isinstance(node, ast.Call | ast.Subscript):
        return _names(node.func if isinstance(node, ast.Call) else node.value, known, seen)
    if not isinstance(node, ast.Name):
        return []
    if node.id in known and node.id not in seen:
        return _names(known[node.id], known, seen | {node.id})
    return [node.id]


def locks_cases(source):
    return any(chain[:1] == ["Case"] for chain in find_call_chains(source, "select_for_update"))


def loads_an_assignment(source):
    return any(
        chain[:1] == ["ReviewerAssignment"] and not {"values", "values_list"} & set(chain)
        for chain in find_call_chains(source, "get")
    )


def test_a_case_is_locked_by_its_own_queryset_alone():
    paths = [path for app in OWN_ORGANIZATION for path in (ROOT / app).rglob("*.py")]
    assert not [str(path.relative_to(ROOT)) for path in paths if locks_cases(path.read_text())]


def test_services_read_an_assignment_by_its_id_only_after_its_case_is_locked():
    paths = [path for app in MAY_NAME for path in (ROOT / app).glob("services/*.py")]
    found = [str(path.relative_to(ROOT)) for path in paths if loads_an_assignment(path.read_text())]
    assert found == ["reviewers/services/assignment.py"]  # lock_assignment itself


@pytest.mark.parametrize(
    "planted",
    [
        "Case.objects.select_for_update().get(pk=1)",
        "Case.objects.own().filter(pk=1).select_for_update(of=('self',)).first()",
        "rows = Case.objects.filter(pk=1)\nrows.select_for_update().first()",
    ],
)
def test_the_reader_of_locks_finds_a_planted_one(planted):
    assert locks_cases(planted)


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        ("ReviewerAssignment.objects.select_related('reviewer').get(pk=1)", True),
        ("rows = ReviewerAssignment.objects.all()\nrows.get(pk=1)", True),
        ("ReviewerAssignment.objects.values_list('case_id', flat=True).get(pk=1)", False),
    ],
)
def test_the_reader_of_assignments_finds_a_planted_one(planted, found):
    assert loads_an_assignment(planted) == found


def test_no_function_is_longer_than_the_limit():
    long = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for app in [*MAY_NAME, "imr_portal"]
        for path in sorted((ROOT / app).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno >= 80
    ]
    assert not long


LOCKING = {"lock", "lock_all", "lock_first", "lock_assignment"}


def _name_of(call):
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def _names_in(node):
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def _reads_a_row(node):
    source = ast.unparse(node)
    reads = ".objects" in source and (".get(" in source or ".first(" in source)
    return reads and "values_list" not in source


def _read_anew(function, name, line, lock):
    """The first line at which a name stands for a row that was read after the lock."""
    lines = [10**9]
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and node.lineno > line:
            if any(name in _names_in(target) for target in node.targets):
                lines.append(node.lineno)
        elif (
            isinstance(node, ast.Call)
            and _name_of(node) == "refresh_from_db"
            and node.lineno >= lock
            and name in _names_in(node.func)
        ):
            lines.append(node.lineno)
    return min(lines)


def reads_before_lock(function):
    """What a service judges, or goes on to use, of rows that it read before it took the lock."""
    calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
    lock = min((call.lineno for call in calls if _name_of(call) in LOCKING), default=0)
    for node in ast.walk(function):
        if not (isinstance(node, ast.Assign) and node.lineno < lock and _reads_a_row(node.value)):
            continue
        for name in set().union(*map(_names_in, node.targets)):
            fresh = _read_anew(function, name, node.lineno, lock)
            judged = [
                call.lineno
                for call in calls
                if call.lineno < lock and "refuse" in _name_of(call) and name in _names_in(call)
            ]
            used = [
                one.lineno
                for one in ast.walk(function)
                if isinstance(one, ast.Name) and one.id == name and lock < one.lineno < fresh
            ]
            if judged or used:
                yield f"{function.name}, line {min(judged + used)}: {name}"


@pytest.mark.parametrize(
    "planted",
    [
        "def end(pk):\n  row = Hold.objects.get(pk=pk)\n  Case.objects.lock(1)\n  row.store()",
        "def end(pk):\n  row = Hold.objects.get(pk=pk)\n  refuse(row)\n  Case.objects.lock(1)",
    ],
)
def test_the_reader_of_locks_finds_a_row_that_was_read_too_early(planted):
    assert list(reads_before_lock(ast.parse(planted).body[0]))


def test_no_service_judges_or_uses_what_it_read_before_the_lock():
    early = [
        f"{path.relative_to(ROOT)}: {found}"
        for app in MAY_NAME
        for path in sorted((ROOT / app).rglob("services*/*.py"))
        + sorted((ROOT / app).glob("services.py"))
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef)
        for found in reads_before_lock(function)
    ]
    assert not early, "\n".join(early)


def test_a_service_that_moves_a_case_locks_it():
    unlocked = [
        f"{path.relative_to(ROOT)}: {function.name}"
        for app in MAY_NAME
        for path in sorted((ROOT / app).rglob("services/*.py"))
        for function in ast.parse(path.read_text()).body
        if isinstance(function, ast.FunctionDef)
        and "move_to" in {_name_of(one) for one in ast.walk(function) if isinstance(one, ast.Call)}
        and not {_name_of(one) for one in ast.walk(function) if isinstance(one, ast.Call)} & LOCKING
        and not {"case", "lead", "follower", "assignment"}
        & {one.arg for one in [*function.args.args, *function.args.kwonlyargs]}
    ]
    assert unlocked == [
        "intake/services/receiving.py: _receive_in_transaction"
    ]  # it makes the case
