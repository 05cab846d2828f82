"""How a page tries an action and shows what refused it: the one place that catches refusals.

A view loads what it needs, checks its form, calls ``run_action`` and answers: a redirect when the
action was done, otherwise its page again with the attempt's status. A refusal by a rule is 422; a
form that is no longer of the present, or what someone else took first, is 409.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.contrib import messages
from django.forms.forms import BaseForm
from django.http import HttpResponse
from django.shortcuts import render

from .refusals import Refused, StaleForm
from .requests import NO_VERSION, StaffRequest, seen_version
from .versions import Stale, Versioned

Result = TypeVar("Result")


@dataclass(frozen=True)
class Attempt(Generic[Result]):
    """What became of an action: its result, the refusal, or neither when it was not tried."""

    status: int  # of the page that is shown unless the action was done
    refusal: Refused | None = None
    results: tuple[Result, ...] = ()  # one, when the action was done

    @property
    def done(self) -> bool:
        return bool(self.results)

    @property
    def result(self) -> Result:
        return self.results[0]


def try_action(action: Callable[[], Result]) -> Attempt[Result]:
    """Call the action; keep its result or its refusal. For answers other than a form on a page."""
    try:
        result = action()
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
) -> Attempt[Result]:
    """Try the action if the form was sent and is right, and put a refusal where the page shows it.

    The refusal's sentence goes beside the field that it names, or above the form; without a form
    it becomes a message.

    :param action: is called without arguments, and only when the form is valid.
    :param row: what the form changes, if the page carries its version. A form without a version is
        stale; one that was filled in wrongly is compared too, where the action itself compares
        what it has locked. The row is read again when the action is not done.
    :param field: the field beside which a refusal goes that names none.
    """
    if request.method != "POST":
        return Attempt(200)
    seen = seen_version(request)
    if row is not None and seen == NO_VERSION:
        tried: Attempt[Result] = Attempt(Stale.status, Stale(row))
    elif form is None or form.is_valid():
        tried = try_action(action)
    elif row is not None and row.version != seen:
        tried = Attempt(Stale.status, Stale(row))
    else:
        tried = Attempt(Refused.status)
    if tried.refusal is not None:
        _show_refusal(request, form, tried.refusal, field)
    if row is not None and not tried.done:
        row.refresh_from_db()
    return tried


def refused_page(request: StaffRequest, refusal: Refused, *, back: str) -> HttpResponse:
    """A page that says the refusal alone, for a button that any page may hold.

    :param back: the address of the page with the button.
    """
    context = {"refusal": refusal, "back": back}
    page = render(request, "refused.html", context, status=refusal.status)
    if request.htmx:  # whatever part of the page the button wanted to change
        page["HX-Retarget"] = page["HX-Reselect"] = "#main"
        page["HX-Reswap"] = "outerHTML"
    return page


def _show_refusal(
    request: StaffRequest, form: BaseForm | None, refusal: Refused, field: str | None
) -> None:
    if form is None:
        messages.error(request, str(refusal))
        return
    named = refusal.field if refusal.field in form.fields else field
    # What is stale is the form, not what one of its fields says.
    form.add_error(None if isinstance(refusal, StaleForm) else named, str(refusal))
