"""Every route as every role: what opens is what the table of audiences says, and never a crash."""

from collections import defaultdict

import pytest

from accounts.roles import PERMISSIONS, Role
from imr_portal.audiences import (
    ADMIN_SITE,
    CLOSED_PAGES,
    PUBLIC,
    SIGNED_IN,
    Audience,
    audience_of,
)

from .crawl import ADMIN_ROLES, NOBODY, THE_REVIEWER

# Signed in as someone in the audience: the page, a way on, or "there is no such thing for you".
OPENED = {200, 302, 404, 405, 422}
# Looked up by a sentence of its own, or answered by the library.
NOT_REVERSED = {
    "account_confirm_email",  # its key is a secret of the library
    "account_confirm_login_code",
    "account_reset_password_from_key",
    "admin:django.views.generic.base.RedirectView",  # the old address of a row; it has no name
    "admin:django.contrib.admin.sites.AdminSite.catch_all_view",
    "admin:view_on_site",
}


def is_in(audience, who):
    """Whether the table admits someone of this one role; said once more in our own words."""
    if audience is PUBLIC:
        return True
    if audience is Audience.NOBODY:
        return False
    if who == NOBODY:
        return False
    role = "REVIEWER" if who == THE_REVIEWER else who
    if audience is SIGNED_IN:
        return True
    if audience is ADMIN_SITE:
        return role in ADMIN_ROLES
    names = (audience,) if isinstance(audience, str) else audience
    return any(Role(role) in PERMISSIONS[name] for name in names)


def as_lines(visits):
    return [f"{one.who}: {one.method} {one.url} ({one.route}) gave {one.status}" for one in visits]


def test_every_route_was_opened(office):
    admin_without_rows = {name for name in office.without_address if name.startswith("admin:")}
    assert office.without_address - admin_without_rows <= NOT_REVERSED
    assert {one.who for one in office.visits} == {NOBODY, THE_REVIEWER, *Role.values}


def test_nothing_crashes(office):
    crashed = [
        one
        for one in [*office.visits, *office.posts, *office.posts_without_token]
        if one.status >= 500 and one.route != "readyz"  # says 503 while there is no broker
    ]
    assert as_lines(crashed) == []


def test_who_is_in_the_audience_gets_in(office):
    kept_out = [
        one
        for one in office.visits
        if is_in(audience_of(one.route), one.who)
        and one.status not in OPENED
        and one.route != "readyz"
        # inside the admin site each table has its own keepers
        and not (one.route.startswith("admin:") and one.status == 403)
    ]
    assert as_lines(kept_out) == []


def test_who_is_not_in_the_audience_is_kept_out(office):
    let_in = [
        one
        for one in office.visits
        if one.who != NOBODY
        and one.route not in CLOSED_PAGES
        and not is_in(audience_of(one.route), one.who)
        and one.status != 403
    ]
    assert as_lines(let_in) == []


def test_pages_that_this_house_does_without_open_for_nobody(office):
    closed = [one for one in office.visits if one.route in CLOSED_PAGES]
    assert {one.status for one in closed} == {404}


def test_nobody_gets_further_than_the_sign_in_page(office):
    let_in = [
        one
        for one in office.visits
        if one.who == NOBODY
        and audience_of(one.route) is not PUBLIC
        and one.route not in CLOSED_PAGES
        and not (one.status == 302 and one.location.startswith("/people/login/?next="))
    ]
    assert as_lines(let_in) == []


def test_every_page_opens_for_somebody(office):
    statuses = defaultdict(set)
    for one in office.visits:
        statuses[one.route].add(one.status)
    never = {
        route
        for route, found in statuses.items()
        if not found & {200, 302, 405} and not (route.startswith("admin:") and "list" not in route)
    }
    assert never - CLOSED_PAGES <= {
        "cases:intake_paper",  # a forged ticket opens nothing; intake's own tests open a good one
        "mfa_edit_webauthn",  # nobody in the office has such a key
        "mfa_remove_webauthn",
        "readyz",  # 503 while there is no broker
        "admin:account_emailaddress_changelist",  # the sign-in library's own tables
        "admin:mfa_authenticator_changelist",
    }


def test_a_form_by_someone_outside_its_audience_is_refused(office):
    let_in = [
        one
        for one in office.posts
        if one.status != 403 and not (one.who == NOBODY and one.status in {302, 403})
    ]
    assert len(office.posts) > 300
    assert as_lines(let_in) == []


def test_a_form_without_its_token_is_refused(office):
    let_in = [one for one in office.posts_without_token if one.status != 403]
    assert len(office.posts_without_token) > 100
    assert as_lines(let_in) == []


def test_no_refused_form_changed_a_row(office):
    sessions = {"sessions.Session"}  # signing in makes one
    changed = {who: tables - sessions for who, tables in office.changed_by_posts.items()}
    assert {who: tables for who, tables in changed.items() if tables} == {}


@pytest.mark.parametrize("who", [*Role.values, THE_REVIEWER])
def test_everybody_has_a_first_page(office, who):
    (first,) = [one for one in office.visits if one.who == who and one.route == "desk:my_day"]
    assert first.status in {200, 302}
