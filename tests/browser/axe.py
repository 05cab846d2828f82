"""Accessibility of a page as it stands in the browser, by axe-core."""

import json

from axe_playwright_python.base import AXE_SCRIPT

# What the organization commitments: WCAG 2.2 AA, and axe's own best practices.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
EVERY_RULE = {"type": "tag", "values": RULES}
CONTRAST = {"type": "rule", "values": ["color-contrast"]}

# The admin site lets colors fade over; axe would judge one between two themes.
NO_COLOR_ON_ITS_WAY = """document.getAnimations()
    .filter(one => one instanceof CSSTransition).forEach(one => one.finish())"""


def list_axe_violations(page, rules=EVERY_RULE):
    """What axe has against the page, one readable line for each element."""
    if not page.evaluate("typeof window.axe === 'object'"):
        page.evaluate(AXE_SCRIPT)
    page.evaluate(NO_COLOR_ON_ITS_WAY)
    # Only violations are described: describing what passed takes most of the time.
    options = {"runOnly": rules, "resultTypes": ["violations"]}
    return page.evaluate(
        f"""axe.run({json.dumps(options)}).then(found => found.violations.flatMap(
            rule => rule.nodes.map(
                node => `${{rule.id}} (${{rule.impact}}): ${{node.html.slice(0, 200)}}`)))"""
    )


def violations_in_the_dark(page):
    """Text that is hard to read in the dark theme."""
    page.emulate_media(color_scheme="dark")
    found = list_axe_violations(page, CONTRAST)
    page.emulate_media(color_scheme="light")
    return [f"dark, {line}" for line in found]


def too_wide(page):
    """By how much the page is wider than the window, as lines."""
    pixels = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return [f"the page is {pixels} px wider than the window"] if pixels > 0 else []


def assert_accessible(page):
    """Fail with what axe complains about, and where the page is wider than the window."""
    found = list_axe_violations(page) + too_wide(page)
    assert not found, f"{page.url}\n" + "\n".join(found)
