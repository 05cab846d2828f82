"""Ids of requirements are in marks, in one form, and no id loses its last test."""

import ast
import re
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parent
ID = re.compile(r"[A-Z]{2}-[1-9]\d*|[EL][1-9]\d*|defect [1-9]\d*")
AREAS = "ac|ad|ap|cf|ck|co|el|hi|in|lt|ma|mc|op|pp|pu|qa|rc|re|rp|rv|tu"
# "mc2" and "defect_3" anywhere; "ck_2" and "l8" at the beginning, elsewhere they may be words.
CODE_IN_NAME = re.compile(
    rf"_(?:(?:{AREAS})\d+|defect_\d+)(?=_|$)|^test_(?:(?:{AREAS})_\d+|[a-z]\d+)(?=_|$)"
)


def defined_tests():
    """Yield the node of each test function."""
    for path in sorted(TESTS.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield node


def marks():
    """Return the capability marks of all tests, as calls."""
    return [
        call
        for node in defined_tests()
        for call in node.decorator_list
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.capability"
    ]


def ids_of_tests():
    """Return the ids that marks carry; each is written out in the mark."""
    return {ast.literal_eval(word) for call in marks() for word in call.args}


def listed():
    lines = (TESTS / "capabilities.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def in_order(ids):
    """Sort by the letters, then by the number: CK-2 comes before CK-10."""
    return sorted(ids, key=lambda one: (re.sub(r"\d+", "", one), int(re.search(r"\d+", one)[0])))


def test_every_listed_id_has_a_test_and_every_id_is_listed():
    """Add a new id to the list. Do not remove one: write a test for it instead."""
    assert listed() == in_order(ids_of_tests())


def test_ids_are_written_in_one_form():
    assert [one for one in listed() if not ID.fullmatch(one)] == []


def test_no_name_of_a_test_contains_an_id():
    assert [node.name for node in defined_tests() if CODE_IN_NAME.search(node.name)] == []


def test_every_capability_mark_is_a_decorator_of_a_test_function():
    """A mark of a class, a module or a parameter would not be counted above."""
    written = sum(
        path.read_text().count("mark.capability(")
        for path in TESTS.rglob("*.py")
        if path != Path(__file__).resolve()
    )

    assert len(marks()) == written


def test_the_option_selects_the_tests_of_one_id():
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    file = "tests/determinations/test_quality.py"

    answer = subprocess.run(
        [*command, "--capability", "MC-6", file],
        cwd=TESTS.parent,
        capture_output=True,
        text=True,
        check=True,
    )

    chosen = {line.partition("[")[0] for line in answer.stdout.splitlines() if "::" in line}
    assert chosen == {f"{file}::test_no_one_checks_their_own_decision"}
