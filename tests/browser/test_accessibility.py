"""Every page of the journey as axe sees it, in light and dark, and on a narrow screen."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from accounts.roles import Role

from .axe import assert_accessible, violations

NARROW = {"width": 375, "height": 700}
WIDE = {"width": 1280, "height": 800}


@pytest.fixture(scope="module")
def stages(work):
    """A case, or its assignment, at every stage."""
    return {
        "received": work.received(items=2),
        "eligible": work.eligible(),
        "noticed": work.noticed(),
        "complete": work.complete(),
        "offered": work.offered(),
        "returned": work.returned(),
        "submitted": work.submitted(),
        "approved": work.approved(),
        "issued": work.issued(),
    }


def contrast_in_the_dark(page):
    page.emulate_media(color_scheme="dark")
    options = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
    found = Axe().run(page, options=options).response["violations"]
    page.emulate_media(color_scheme="light")
    return [f"dark, {rule['id']}: {node['html'][:200]}" for rule in found for node in rule["nodes"]]


def faults(page, path):
    """What is wrong with one page: axe in both themes, a missing title, a page too wide."""
    page.set_viewport_size(WIDE)
    answer = page.goto(path)
    found = [] if answer.ok else [f"answered {answer.status}"]
    found += violations(page)
    found += contrast_in_the_dark(page)
    if not page.title().endswith("IMR Portal") or page.title().startswith(","):
        found.append(f"its title is “{page.title()}”")
    page.set_viewport_size(NARROW)
    too_wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    if too_wide > 0:
        found.append(f"{too_wide} px wider than a screen of {NARROW['width']} px")
    return [f"{path}: {one}" for one in found]


def pages_of_intake(stages):
    return ["/", "/intake/new/", "/intake/"]


def pages_of_coordinator(stages):
    number = {name: getattr(one, "case", one).number for name, one in stages.items()}
    document = stages["complete"].documents.first()
    return [
        "/",
        "/queues/eligibility/",
        "/queues/notices/?priority=FORMULARY",
        f"/cases/{number['received']}/",
        f"/cases/{number['received']}/eligibility/",
        f"/cases/{number['received']}/items/1/citations/",
        f"/cases/{number['eligible']}/notices/",
        f"/cases/{number['noticed']}/notices/",
        f"/cases/{number['noticed']}/records/",
        f"/cases/{number['complete']}/records/",
        f"/cases/{number['complete']}/records/read/",
        f"/cases/{number['complete']}/assign/",
        f"/cases/{number['offered']}/assign/",
        "/reviewers/plan/",
        "/reviewers/R-0001/move/",
        f"/cases/{number['noticed']}/withdraw/",
        f"/cases/{number['received']}/terminate/",
        f"/records/{document.pk}/",
        f"/records/{document.pk}/pages/1/",
        f"/records/{document.pk}/pages/1/text/",
    ]


def pages_of_reviewer(stages):
    work = f"/reviews/{stages['returned'].pk}/"
    item = stages["returned"].opinions.first().item_id
    return [
        "/reviews/",
        f"/reviews/{stages['offered'].pk}/attest/",
        work,
        f"{work}?part=item-{item}",
    ]


def pages_of_qa(stages):
    return ["/queues/qa/", f"/cases/{stages['submitted'].number}/quality/"]


def pages_of_director(stages):
    issued = stages["issued"].number
    return [
        f"/cases/{stages['approved'].number}/issue/",
        f"/cases/{issued}/",
        f"/cases/{issued}/letters/",
        f"/cases/{issued}/timeline/",
        f"/cases/{issued}/determination/",
        "/letters/wording/",
        "/letters/wording/1/",
        "/reviewers/attestation/",
        "/reviewers/fairness/",
        "/house/",
        "/house/ties/",
    ]


def pages_of_mailroom(stages):
    return ["/queues/mail/", f"/cases/{stages['issued'].number}/send/"]


def pages_of_credentialing(stages):
    return ["/reviewers/", "/reviewers/R-0001/", "/reviewers/R-0001/facts/licence/"]


@pytest.mark.parametrize(
    ("role", "pages"),
    [
        (Role.INTAKE, pages_of_intake),
        (Role.COORDINATOR, pages_of_coordinator),
        (Role.REVIEWER, pages_of_reviewer),
        (Role.QA, pages_of_qa),
        (Role.DIRECTOR, pages_of_director),
        (Role.MAILROOM, pages_of_mailroom),
        (Role.CREDENTIALING, pages_of_credentialing),
    ],
    ids=lambda value: value.value if isinstance(value, Role) else "",
)
def test_every_page_of_the_journey_is_accessible(work, stages, visit, role, pages):
    page = visit(work.people[role], reduced_motion="reduce")  # no colour is still on its way
    found = [fault for path in pages(stages) for fault in faults(page, path)]
    assert not found, "\n".join(found)


def test_pages_around_the_journey_are_accessible(work, visit):
    page = visit(work.people[Role.COORDINATOR], reduced_motion="reduce", color_scheme="dark")
    page.set_viewport_size(NARROW)
    for path in ("/queues/intake/", "/jump/?q=nobody", "/no-such-page/"):
        page.goto(path)
        assert_accessible(page)
    page.context.clear_cookies()
    page.goto("/people/login/")
    assert_accessible(page)


def test_refused_pages_are_accessible(work, stages, visit):
    page = visit(work.people[Role.INTAKE], "/intake/new/")
    page.get_by_role("button", name="Accept", exact=True).click()
    page.wait_for_selector(".summary")
    assert page.title().startswith("Error: ")
    assert not violations(page)
    page.goto(f"/cases/{stages['received'].number}/eligibility/")
    assert not violations(page)
    reviewer = visit(work.people[Role.REVIEWER], f"/reviews/{stages['returned'].pk}/")
    reviewer.get_by_role("button", name="Submit to QA").click()
    reviewer.wait_for_selector("dialog[open]")
    assert not violations(reviewer)


@pytest.mark.parametrize("colours", ["none", "active"])
def test_the_focus_is_seen_and_never_hidden(work, stages, visit, colours):
    page = visit(
        work.people[Role.COORDINATOR],
        f"/cases/{stages['received'].number}/eligibility/",
        forced_colors=colours,
    )
    unseen = []
    for _ in range(30):
        page.keyboard.press("Tab")
        seen = page.evaluate(
            """(() => {
                const at = document.activeElement;
                const drawn = at.closest('.pickrow .btn') || at;
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
