"""What axe says of a page at work: after a refusal, with a dialog open, with the focus moving."""

import pytest

from accounts.roles import Role

from .axe import list_axe_violations


@pytest.fixture(scope="module")
def stages(work):
    """A case, or its assignment, at two stages."""
    return {"received": work.received(items=2), "returned": work.returned()}


def test_refused_pages_are_accessible(work, stages, visit):
    page = visit(work.people[Role.INTAKE], "/intake/new/")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_selector(".summary")
    assert page.title().startswith("Error: ")
    assert not list_axe_violations(page)
    page.goto(f"/cases/{stages['received'].number}/eligibility/")
    assert not list_axe_violations(page)
    reviewer = visit(work.people[Role.REVIEWER], f"/reviews/{stages['returned'].pk}/")
    reviewer.get_by_role("button", name="Submit to QA").click()
    reviewer.wait_for_selector("dialog[open]")
    assert not list_axe_violations(reviewer)


@pytest.mark.parametrize("colors", ["none", "active"])
def test_the_focus_is_seen_and_never_hidden(work, stages, visit, colors):
    page = visit(
        work.people[Role.COORDINATOR],
        f"/cases/{stages['received'].number}/eligibility/",
        forced_colors=colors,
    )
    unseen = []
    for _ in range(30):
        page.keyboard.press("Tab")
        seen = page.evaluate(
            """(() => {
                const at = document.activeElement;
                const drawn = at.closest('.pick-row .btn') || at;
                const style = getComputedStyle(drawn);
                const box = drawn.getBoundingClientRect();
                const bar = document.querySelector('.top').getBoundingClientRect().bottom;
                const hidden = !at.closest('.top, .side, .skip') && box.top < bar - 1;
                return { what: at.outerHTML.slice(0, 120), wide: parseFloat(style.outlineWidth),
                         drawn: style.outlineStyle !== 'none', hidden };
            })()"""
        )
        if seen["wide"] < 3 or not seen["drawn"] or seen["hidden"]:
            unseen.append(seen)
    assert not unseen
