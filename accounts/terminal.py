"""Ask for a password at a terminal, without showing it."""

import getpass
import warnings

from django.core.management.base import CommandError


def ask_password(prompt: str, *, instead: str) -> str:
    """Return the password that someone types.

    :param instead: what to do if there is no terminal, in a sentence.
    :raises CommandError: there is no terminal, so nobody can type, or the typing would be shown.
    """
    try:
        with warnings.catch_warnings():
            # Without a terminal, getpass would read other input and show it.
            warnings.simplefilter("error", getpass.GetPassWarning)
            return getpass.getpass(prompt)
    except (EOFError, getpass.GetPassWarning) as error:
        raise CommandError(
            f"There is no terminal in which a password can be typed. {instead}"
        ) from error
