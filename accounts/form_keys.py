"""Run an action once for each form: the same form sent again adds nothing.

A form that only adds a row carries a hidden key, ``{% form_key %}``. Its view calls ``run_action``
with ``once=True``. The key is stored in the transaction of the action, with what was typed and what
the action returned. The same form sent again gets the same result; with other contents it is
refused. A form with files is compared by their names, sizes and SHA-256 (``run_once_prepared``).
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from django.apps import apps
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, models, transaction

from .models import FormKey, User
from .refusals import StaleForm

Result = TypeVar("Result")
Prepared = TypeVar("Prepared")

FIELD = "form_key"  # the name of the hidden field
KEPT = timedelta(days=7)  # longer than any session in which a form can be sent again
# They belong to the request and not to what was typed.
_NOT_TYPED = {FIELD, "csrfmiddlewaretoken", "version"}


_DIGEST = re.compile(r", SHA-256 \w{16}…")  # in what describe_upload returns


class FormSentOtherwise(StaleForm):
    """The form was saved before with other contents; the message shows what is stored."""


def read_form_key(text: str) -> UUID | None:
    """Read the key that a form sent; ``None`` if it is missing or malformed."""
    try:
        return UUID(text)
    except ValueError:
        return None


def describe_upload(upload: UploadedFile) -> str:
    """Describe an uploaded file by its name, size and SHA-256, and rewind it.

    Two descriptions are equal only if name and contents are.
    """
    digest = hashlib.sha256()
    for chunk in upload.chunks():
        digest.update(chunk)
    upload.seek(0)
    # A part of the digest, so that a person can read the sentence of a refusal. It compares two
    # sendings of one form by one user, so no collision has to be feared.
    return f"{upload.name} ({upload.size or 0:,} bytes, SHA-256 {digest.hexdigest()[:16]}…)"


def run_once_prepared(
    *,
    key: UUID,
    address: str,
    typed: Mapping[str, Sequence[str]],
    prepare: Callable[[], Prepared],
    store: Callable[[Prepared], Result],
    button: str = "Save",
    by: User,
) -> Result:
    """Do what takes long, and then store the outcome at most once, like ``run_once``.

    Before the transaction, because SQLite lets one transaction write at a time.

    :param typed: the fields of the form as sent, with a description of each file.
    :param prepare: reads files or computes. It may run again, so it must be harmless to repeat.
    :param button: the words on the button, for the sentence of a refusal.
    :raises FormSentOtherwise: the key was used for other contents, by another user or elsewhere.
    """
    saved = FormKey.objects.filter(key=key).first()
    if saved is not None:
        return _repeat(saved, _select_typed(typed), address, by, button)
    prepared = prepare()
    return run_once(
        key=key,
        address=address,
        typed=typed,
        action=lambda: store(prepared),
        button=button,
        by=by,
    )


def run_once(
    *,
    key: UUID,
    address: str,
    typed: Mapping[str, Sequence[str]],
    action: Callable[[], Result],
    button: str = "Save",
    by: User,
) -> Result:
    """Run the action and store the key of its form in one transaction.

    If the form was saved before, return the stored result without running the action.

    :param typed: the fields of the form as sent.
    :raises FormSentOtherwise: the key was used for other contents, by another user or elsewhere.
    """
    content = _select_typed(typed)
    saved = FormKey.objects.filter(key=key).first()
    if saved is not None:
        return _repeat(saved, content, address, by, button)
    try:
        with transaction.atomic():
            # First, so that the same form sent at the same time waits here.
            row = FormKey.objects.create(key=key, user=by, address=address[:300], content=content)
            result = action()
            row.result = _describe_result(result)
            row.save(update_fields=["result"])
            FormKey.objects.filter(user=by, saved_at__lt=row.saved_at - KEPT).delete()
            return result
    except IntegrityError:
        saved = FormKey.objects.filter(key=key).first()
        if saved is None:  # the action broke another constraint
            raise
        return _repeat(saved, content, address, by, button)


def delete_old_form_keys(*, at: datetime) -> int:
    """Delete the keys that nobody can send again, with what was typed; return their number."""
    count, _ = FormKey.objects.filter(saved_at__lt=at - KEPT).delete()
    return count


def _select_typed(typed: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    # PostgreSQL cannot store a NUL character; fields that the form reads are refused with one.
    return {
        name.replace("\0", "\N{REPLACEMENT CHARACTER}"): [
            text.replace("\0", "\N{REPLACEMENT CHARACTER}") for text in texts
        ]
        for name, texts in typed.items()
        if name not in _NOT_TYPED
    }


def _repeat(
    saved: FormKey, content: dict[str, list[str]], address: str, by: User, button: str
) -> Any:
    if saved.user_id != by.pk or saved.address != address[:300]:
        raise FormSentOtherwise("This form was already used. Save again to store what you typed.")
    if saved.content != content:
        raise FormSentOtherwise(_describe_difference(saved.content, content, button))
    return _load_result(saved.result)


def _describe_difference(
    stored: Mapping[str, Sequence[str]], typed: Mapping[str, Sequence[str]], button: str
) -> str:
    """Describe what is stored of each field that differs, in a sentence."""
    differing = [
        name for name in {**stored, **typed} if stored.get(name, []) != typed.get(name, [])
    ]
    pairs = []
    for name in differing:
        pairs.append(f"Stored: “{_join(stored.get(name, []))}”.")
        # The page shows the typed text in the form again; only chosen files are not kept.
        if any(_DIGEST.search(text) for text in typed.get(name, [])):
            pairs.append(f"Typed now: “{_join(typed[name])}”.")
    shown = " ".join(pairs)
    # A browser does not send chosen files again. The digest tells a person nothing.
    to_do = "To add what you typed as well, save again."
    if _DIGEST.search(shown):
        shown = _DIGEST.sub("", shown)
        to_do = f"Choose the files again, then select “{button}”."
    return (
        "This form was already saved with other contents. What you typed now is below and is not "
        "saved. "
        f"{shown} {to_do}"
    )


def _join(texts: Sequence[str]) -> str:
    return "; ".join(text for text in texts if text)


def _describe_result(result: Any) -> Any:
    """Describe a result as JSON: plain values, rows, and lists of both.

    :raises TypeError: the result is something else.
    """
    if result is None or isinstance(result, str | int | bool):
        return result
    if isinstance(result, models.Model):
        return {"model": result._meta.label, "pk": str(result.pk)}
    if isinstance(result, list | tuple):
        return [_describe_result(one) for one in result]
    raise TypeError(f"A form that runs once cannot return {type(result).__name__}.")


def _load_result(described: Any) -> Any:
    if isinstance(described, dict):
        return apps.get_model(described["model"])._base_manager.get(pk=described["pk"])
    if isinstance(described, list):
        return [_load_result(one) for one in described]
    return described
