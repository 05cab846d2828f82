"""One base class of refusals, one place that catches them for pages."""

import ast
import importlib
from pathlib import Path

import pytest

from accounts.refusals import NotAllowed, Refused, StaleForm
from accounts.storage_failures import StorageFailed
from files.services import FileDamaged

from .test_architecture import MAY_NAME
from .test_views_shape import VIEWS

ROOT = Path(__file__).resolve().parent.parent

# Errors that are no refusal of what someone asked for, and why.
NO_REFUSALS = {
    "_CannotStoreTogether": "inside an import; each application is received alone then",
    "LeaseLost": "ends a run whose job another run has taken over; no person reads it",
    "AccessNotRecorded": "the middleware answers 503 with a sentence",
    "BypassesHistory": "a fault of the code",
    "CannotRead": "between two processes; the file's own refusal has the sentence",
    "ReceivedDocumentHidden": "answered as what does not exist, without a sentence",
    "RecordsHidden": "answered as what does not exist, without a sentence",
    "NoOpinion": "a fault of the code",
    "NoSuchList": "answered as what does not exist, without a sentence",
    "NotADate": "an error of a form's field",
    "RowError": "an error of a form's row",
    "EditionsOverlap": "an error of an admin form",
    "UnreadableFile": "an error of an admin form",
    "TypesettingInterrupted": "the letter waits and is tried again",
    "TypesettingFailed": "the letter waits for a person",
    "ChecksFailed": "the run of a job fails, and its row says why",
    "Unreadable": "inside the process that reads files",
    "ReserveFull": "the access is not recorded; see AccessNotRecorded",
    "BrokerUnavailable": "the letter waits and is tried again",
}
# Views that may catch a refusal, or everything, by themselves, and why.
CATCH_BY_THEMSELVES = {"imr_portal.health": "a health page answers whatever is wrong"}


def module_of(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def import_everything():
    for app in MAY_NAME:
        for path in sorted((ROOT / app).rglob("*.py")):
            if "migrations" not in path.parts and path.name != "__init__.py":
                importlib.import_module(module_of(path))


def errors_of_ours(base=Exception):
    for one in base.__subclasses__():
        yield from errors_of_ours(one)
        if one.__module__.split(".")[0] in MAY_NAME:
            yield one


def refusals_caught(source, namespace):
    """The lines on which a module catches a refusal, or everything."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.ExceptHandler):
            continue
        text = eval(ast.unparse(node.type), namespace) if node.type else BaseException  # noqa: S307
        for caught in text if isinstance(text, tuple) else (text,):
            if issubclass(caught, Refused) or issubclass(Refused, caught):
                yield node.lineno


def test_every_refusal_of_every_app_derives_from_one_class():
    import_everything()
    others = {one.__name__ for one in errors_of_ours() if not issubclass(one, Refused)}
    # Django makes these for every model and every relation.
    others -= {"DoesNotExist", "MultipleObjectsReturned", "NotUpdated", "RelatedObjectDoesNotExist"}
    assert others == set(NO_REFUSALS)


def test_no_two_refusals_have_the_same_name():
    import_everything()
    names = [one.__name__ for one in set(errors_of_ours(Refused))]
    assert len(names) == len(set(names))


def test_stale_and_taken_answer_409_failures_of_the_disk_503_and_all_other_refusals_422():
    import_everything()
    for one in errors_of_ours(Refused):
        expected = 409 if issubclass(one, StaleForm) else 422
        if issubclass(one, StorageFailed | FileDamaged):
            expected = 503
        assert one.status == expected, one


@pytest.mark.parametrize("path", VIEWS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_view_leaves_the_catching_of_refusals_to_one_place(path):
    if module_of(path) in CATCH_BY_THEMSELVES:
        return
    namespace = vars(importlib.import_module(module_of(path)))
    assert not list(refusals_caught(path.read_text(), namespace))


@pytest.mark.parametrize(
    "planted", ["Refused", "NotAllowed", "(ValueError, StaleForm)", "Exception", ""]
)
def test_the_reader_of_views_finds_a_planted_catch(planted):
    source = f"try:\n    act()\nexcept {planted}:\n    pass"
    names = {"Refused": Refused, "NotAllowed": NotAllowed, "StaleForm": StaleForm}
    assert list(refusals_caught(source, names)) == [3]


def test_the_reader_of_views_lets_other_errors_pass():
    assert not list(refusals_caught("try:\n    act()\nexcept ValueError:\n    pass", {}))
