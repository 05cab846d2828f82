"""Run an action from a page and show a refusal: the only place that catches refusals.

A view loads what it needs, checks its form, calls ``run_action`` and answers: a redirect if the
action was done, otherwise its page again with the status of the attempt. A refusal by a rule is
422. A form that is out of date, or something that someone else took first, is 409. A full disk or a
busy database is 503.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.contrib import messages
from django.forms.forms import BaseForm
from django.http import HttpResponse
from django.shortcuts import render

from . import form_keys
from .refusals import Refused, StaleForm
from .requests import NO_VERSION, StaffRequest, seen_version
from .storage_failures import StorageFailed, run_with_retries
from .versions import Stale, Versioned

Result = TypeVar("Result")
Prepared = TypeVar("Prepared")


@dataclass(frozen=True)
class Attempt(Generic[Result]):
    """The outcome of an action: its result, its refusal, or neither if it was not tried."""

    status: int  # of the page that is shown if the action was not done
    refusal: Refused | None = None
    results: tuple[Result, ...] = ()  # one, when the action was done

    @property
    def done(self) -> bool:
        return bool(self.results)

    @property
    def result(self) -> Result:
        return self.results[0]


def try_action(action: Callable[[], Result]) -> Attempt[Result]:
    """Run the action and return its result or refusal. For answers that are no page with a form.

    A full disk or a busy database is a refusal too, with status 503; see ``storage_failures``.
    """
    try:
        result = run_with_retries(action)
    except Refused as refusal:
        return Attempt(refusal.status, refusal)
    return Attempt(200, results=(result,))


def run_action(
    request: StaffRequest,
    form: BaseForm | None,
    action: Callable[[], Result],
    *,
    row: Versioned | None = None,
    field: str | None = None,
    once: bool = False,
) -> Attempt[Result]:
    """Run the action if the form was sent and is valid, and put a refusal where the page shows it.

    The sentence of a refusal goes beside the field that it names, or above the form; without a
    form it becomes a message.

    :param action: called without arguments, and only if the form is valid.
    :param row: the row that the form changes, if the page carries its version. A form without a
        version is stale. An invalid form is compared here, because the action, which compares the
        row that it has locked, does not run. The row is reloaded if the action is not done.
    :param field: the field beside which a refusal goes if it names none.
    :param once: the form only adds a row, so the same form sent again must not add another one.
        Its page has ``{% form_key %}``. The action is one transaction, so it may not take long; see
        ``run_prepared_action``.
    """
    if request.method != "POST":
        return Attempt(200)
    if once:
        action = _once(request, action)
    seen = seen_version(request)
    if row is not None and seen == NO_VERSION:
        attempt: Attempt[Result] = Attempt(Stale.status, Stale(row))
    elif form is None or form.is_valid():
        attempt = try_action(action)
    elif row is not None and row.version != seen:
        attempt = Attempt(Stale.status, Stale(row))
    else:
        attempt = Attempt(Refused.status)
    if attempt.refusal is not None:
        _show_refusal(request, form, attempt.refusal, field)
    if row is not None and not attempt.done:
        # The page shows the current values, and its form sends the current version next time.
        row.refresh_from_db()
    return attempt


def run_prepared_action(
    request: StaffRequest,
    form: BaseForm,
    *,
    prepare: Callable[[], Prepared],
    store: Callable[[Prepared], Result],
    field: str | None = None,
    button: str = "Save",
) -> Attempt[Result]:
    """Run an action that takes long, at most once for each sent form, like ``run_action``.

    The same form with other files under its key is refused. Its page has ``{% form_key %}``.

    :param prepare: does what takes long, such as reading files or computing. It runs before the
        transaction and may run again.
    :param store: stores the rows, from what ``prepare`` returned, in one transaction.
    :param field: the field beside which a refusal goes if it names none.
    :param button: the words on the button, for the sentence of a refusal.
    """

    def run() -> Result:
        key = form_keys.read_form_key(request.POST.get(form_keys.FIELD, ""))
        if key is None:
            return store(prepare())
        typed = dict(request.POST.lists())
        for name, uploads in request.FILES.lists():
            typed[name] = [form_keys.describe_upload(upload) for upload in uploads]
        return form_keys.run_once_prepared(
            key=key,
            address=request.path,
            typed=typed,
            prepare=prepare,
            store=store,
            button=button,
            by=request.user,
        )

    return run_action(request, form, run, field=field)


def render_refusal(request: StaffRequest, refusal: Refused, *, back: str) -> HttpResponse:
    """Render a page with the refusal alone, for a button that any page may have.

    :param back: the address of the page with the button.
    """
    context = {"refusal": refusal, "back": back}
    page = render(request, "refused.html", context, status=refusal.status)
    if request.htmx:  # replace the whole page, not the part that the button would change
        page["HX-Retarget"] = page["HX-Reselect"] = "#main"
        page["HX-Reswap"] = "outerHTML"
    return page


def _once(request: StaffRequest, action: Callable[[], Result]) -> Callable[[], Result]:
    """The action, run at most once for the key of the sent form."""
    key = form_keys.read_form_key(request.POST.get(form_keys.FIELD, ""))
    if key is None:
        return action

    def run() -> Result:
        return form_keys.run_once(
            key=key,
            address=request.path,
            typed=dict(request.POST.lists()),
            action=action,
            by=request.user,
        )

    return run


def _show_refusal(
    request: StaffRequest, form: BaseForm | None, refusal: Refused, field: str | None
) -> None:
    if form is None:
        messages.error(request, str(refusal))
        return
    # The action may name a field that this form does not have.
    named = refusal.field if refusal.field in form.fields else field
    # A stale form concerns the whole form, not one of its fields.
    whole = isinstance(refusal, StaleForm | StorageFailed)
    form.add_error(None if whole else named, str(refusal))
