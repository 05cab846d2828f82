"""The cases of these tests had their notices; how those look is the matter of other tests."""

import pytest

from letters import typesetting


@pytest.fixture(autouse=True)
def _letters_are_set_at_once(monkeypatch):
    """Typesetting four notices takes most of a second, and every case here needs them filed."""

    def typeset(words, layout, on):
        return typesetting.Typeset(f"{on} {sorted(words.items())!r}".encode(), 1)

    monkeypatch.setattr(typesetting, "typeset", typeset)
