"""Accessibility of a page as it stands in the browser, by axe-core."""

from axe_playwright_python.sync_playwright import Axe

# What the house promises: WCAG 2.2 AA, and axe's own best practices.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def violations(page):
    """What axe has against the page, one readable line for each element."""
    options = {"runOnly": {"type": "tag", "values": RULES}}
    found = Axe().run(page, options=options).response["violations"]
    return [
        f"{rule['id']} ({rule['impact']}): {node['html'][:200]}"
        for rule in found
        for node in rule["nodes"]
    ]


def assert_accessible(page):
    """Fail with what axe complains about, and where the page is wider than the window."""
    found = violations(page)
    too_wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    if too_wide > 0:
        found.append(f"the page is {too_wide} px wider than the window")
    assert not found, f"{page.url}\n" + "\n".join(found)
