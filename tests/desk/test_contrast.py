"""The tokens hold WCAG 2.2 AA in both themes, and neither outcome looks like the good one."""

import re
from pathlib import Path

import pytest
from django.conf import settings

TOKENS = Path(settings.BASE_DIR, "static/css/tokens.css").read_text()
PAIR = re.compile(r"--([a-z0-9-]+):\s*light-dark\((#[0-9a-f]{6}),\s*(#[0-9a-f]{6})\)")
COLORS = {name: {"light": light, "dark": dark} for name, light, dark in PAIR.findall(TOKENS)}

TEXT, LONG_TEXT, EDGE = 4.5, 7.0, 3.0
STATES = ["neutral", "screen", "records", "review", "qa", "done", "soon", "over"]
SURFACES = ["bg", "surface", "surface-2", "paper"]

PAIRS = [("ink", "surface", LONG_TEXT), ("ink", "paper", LONG_TEXT)]
PAIRS += [(ink, on, TEXT) for ink in ("ink", "ink-2", "ink-3", "link") for on in SURFACES]
PAIRS += [("ink", on, TEXT) for on in ("inset", "mark", "quote", "accent-wash", "st-done-w")]
PAIRS += [("ink-3", "accent-wash", TEXT), ("link", "accent-wash", TEXT)]
PAIRS += [("ink-2", "inset", TEXT), ("ink", "st-over-w", TEXT), ("visited", "surface", TEXT)]
PAIRS += [("accent-ink", "accent", TEXT), ("accent-ink", "accent-hover", TEXT)]
PAIRS += [(edge, on, EDGE) for edge in ("line-strong", "focus", "accent") for on in SURFACES]
PAIRS += [("focus", "accent-wash", EDGE)]
for state in STATES:
    PAIRS += [(f"st-{state}-t", f"st-{state}-w", TEXT), (f"st-{state}-t", "surface", TEXT)]
    PAIRS += [(f"st-{state}-l", f"st-{state}-w", EDGE), (f"st-{state}-l", "surface", EDGE)]
OUTCOMES = ["out-upheld", "out-overturned"]
PAIRS += [(out, on, TEXT) for out in OUTCOMES for on in ("surface", "paper", "accent-wash")]


def _luminance(color):
    shares = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def compute_contrast(first, second):
    """The contrast ratio of two colors (WCAG 2.2, relative luminance)."""
    light, dark = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_pair_of_tokens_has_its_contrast(theme):
    wanting = [
        f"{ink} on {on}: {ratio:.2f}, needs {least}"
        for ink, on, least in PAIRS
        if (ratio := compute_contrast(COLORS[ink][theme], COLORS[on][theme])) < least
    ]
    assert not wanting


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_both_outcomes_stand_out_equally(theme):
    upheld, overturned = (
        compute_contrast(COLORS[out][theme], COLORS["surface"][theme]) for out in OUTCOMES
    )
    assert upheld == pytest.approx(overturned, rel=0.02)


def test_contrast_is_counted_as_the_standard_counts_it():
    assert compute_contrast("#000000", "#ffffff") == pytest.approx(21)
    assert compute_contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
