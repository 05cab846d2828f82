"""What people do with a page, for every test that drives a browser."""

from playwright.sync_api import expect

from .office import PASSWORD


def sign_in_by_form(page, user):
    """Sign in as people do."""
    page.goto("/people/login/")
    page.get_by_label("Email").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.locator(".top").get_by_role("button", name=user.get_short_name())).to_be_visible()


def answer_dialog(page, verb):
    """Answer the check step. It ignores a press in its first moments, so press until it is gone."""
    dialog = page.get_by_role("dialog")
    go = dialog.get_by_role("button", name=verb, exact=True)
    expect(go).to_be_visible()
    for _ in range(20):
        if dialog.is_visible():
            go.click(timeout=2_000)
        try:
            expect(dialog).to_have_count(0, timeout=400)
        except AssertionError:
            continue
        return
    raise AssertionError(f"The dialog did not take “{verb}” for an answer.")


def sent_by(button):
    """What comes back for the form of a button that opens a new tab, such as a PDF."""
    form = button.locator("xpath=ancestor::form")
    token = form.locator("[name=csrfmiddlewaretoken]").input_value()
    return button.page.request.post(
        form.get_attribute("action"), form={"csrfmiddlewaretoken": token}
    )


def check_radio(radio):
    """Check a radio that is drawn as a button."""
    radio.check()
    expect(radio).to_be_checked()


def describe_focused_element(page):
    """What has the focus: its tag, its id and its words."""
    return page.evaluate(
        "(() => { const at = document.activeElement;"
        " return `${at.tagName} ${at.id} ${at.textContent.trim().slice(0, 60)}`; })()"
    )
