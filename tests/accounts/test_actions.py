"""An action is tried when its form is right, and its refusal stands where the page shows it."""

from types import SimpleNamespace

import pytest
from django import forms

from accounts.actions import run_action, try_action
from accounts.refusals import BadFact, NotAllowed, Refused, TakenByAnother, refuse_if
from accounts.requests import seen_version


class NoteForm(forms.Form):
    text = forms.CharField()
    day = forms.CharField(required=False)


class Row:
    """A row of which only the version and the second reading matter."""

    version = 3
    times_read = 0

    def refresh_from_db(self):
        self.times_read += 1


def make_post_request(**fields):
    return SimpleNamespace(method="POST", POST=fields)


def make_raising_action(error):
    def action():
        raise error

    return action


def test_a_page_that_is_only_opened_tries_nothing():
    opened = SimpleNamespace(method="GET", POST={})

    tried = run_action(opened, NoteForm(), make_raising_action(NotAllowed("No.")))

    assert (tried.status, tried.done, tried.refusal) == (200, False, None)


def test_a_form_that_is_wrong_is_not_tried_and_is_422():
    form = NoteForm({"text": ""})

    tried = run_action(make_post_request(), form, make_raising_action(AssertionError("was tried")))

    assert (tried.status, tried.done) == (422, False)
    assert list(form.errors) == ["text"]


def test_a_successful_action_returns_its_result_even_if_it_is_none():
    tried = run_action(make_post_request(), NoteForm({"text": "x"}), lambda: None)

    assert (tried.done, tried.result) == (True, None)


@pytest.mark.parametrize(
    ("refusal", "field", "status"),
    [
        (NotAllowed("No."), "__all__", 422),
        (BadFact("day", "No."), "day", 422),
        (BadFact("color", "No."), "__all__", 422),
        (TakenByAnother("No."), "__all__", 409),
    ],
)
def test_a_refusal_is_shown_beside_the_field_that_it_names(refusal, field, status):
    form = NoteForm({"text": "x"})

    tried = run_action(make_post_request(), form, make_raising_action(refusal))

    assert tried.status == status
    assert form.errors == {field: ["No."]}


def test_a_refusal_without_a_field_is_shown_beside_the_field_that_the_page_names():
    form, stale = NoteForm({"text": "x"}), NoteForm({"text": "x"})

    run_action(make_post_request(), form, make_raising_action(NotAllowed("No.")), field="text")
    run_action(make_post_request(), stale, make_raising_action(TakenByAnother("No.")), field="text")

    assert list(form.errors) == ["text"]
    assert list(stale.errors) == ["__all__"], "what is stale is the form"


@pytest.mark.parametrize("version", [None, "", "x", "-3", "٣", "9" * 30])
def test_a_form_without_a_version_is_stale_and_is_not_tried(version):
    row, form = Row(), NoteForm({"text": "x"})
    request = make_post_request() if version is None else make_post_request(version=version)

    tried = run_action(request, form, make_raising_action(AssertionError("was tried")), row=row)

    assert tried.status == 409
    assert "Someone else changed this" in form.errors["__all__"][0]
    assert row.times_read == 1


def test_a_wrong_form_of_an_old_page_is_stale_and_one_of_the_present_page_is_wrong():
    assert run_action(make_post_request(version="2"), NoteForm({}), object, row=Row()).status == 409
    assert run_action(make_post_request(version="3"), NoteForm({}), object, row=Row()).status == 422


def test_the_action_compares_the_version_of_a_form_that_is_right():
    seen = []
    request = make_post_request(version="2")

    tried = run_action(
        request, NoteForm({"text": "x"}), lambda: seen.append(seen_version(request)), row=Row()
    )

    assert tried.done
    assert seen == [2]


def test_an_action_tried_without_a_page_keeps_its_refusal():
    tried = try_action(lambda: refuse_if("Not today."))

    assert str(tried.refusal) == "Not today."
    assert (tried.status, tried.done) == (422, False)
    assert try_action(lambda: refuse_if("")).done


def test_other_errors_are_not_swallowed():
    with pytest.raises(ZeroDivisionError):
        try_action(lambda: 1 / 0)
    assert not issubclass(ZeroDivisionError, Refused)
