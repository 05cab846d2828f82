"""Conceal the numbers of restricted cases in sentences about other cases."""

import re
from collections.abc import Iterable

from accounts.models import User

from .models.restrictions import hidden_numbers

_NUMBER = re.compile(r"CM\d{2}-\d{7}")
CONCEALED = "another case"


class Concealer:
    """Replaces the numbers of cases that are hidden from a reader. At most one query.

    It queries only if the texts name other cases at all.

    :param texts: everything that will be shown.
    :param own: the number of the case whose page shows the texts.
    """

    def __init__(self, texts: Iterable[str], reader: User, *, own: str = "") -> None:
        named = {number for text in texts for number in _NUMBER.findall(text)} - {own}
        rows = hidden_numbers(reader).filter(case__number__in=named) if named else None
        self._hidden = set() if rows is None else set(rows.values_list("case__number", flat=True))

    def conceal(self, text: str) -> str:
        """Return the text without the numbers of hidden cases."""
        if not self._hidden:
            return text
        return _NUMBER.sub(lambda match: CONCEALED if match[0] in self._hidden else match[0], text)
