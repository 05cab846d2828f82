"""Every route as every role: what opens is what ``tests.expected_access`` says by name.

The crawl tells what opened. Nothing here is compared with the tables that the product enforces.
"""

from collections import defaultdict

import pytest

from accounts.roles import PERMISSIONS, Role
from imr_portal import audiences
from imr_portal.audiences import AUDIENCES, PREFIXES

from .crawl import ADMIN_ROLES, NOBODY, THE_REVIEWER
from .expected_access import (
    CLOSED_PAGES,
    EVERYBODY_SIGNED_IN,
    KNOW_WHO_REVIEWS,
    OPEN_WITHOUT_SECOND_FACTOR,
    OPEN_WITHOUT_SIGN_IN,
    SIGN_IN_PAGES,
    WHO_HOLDS,
    WHO_OPENS,
    WHO_OPENS_TABLES,
)
from .test_access_log_of_pages import STAFF

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


def who_opens(route):
    """The people for whom a route opens: every role, and someone who has not signed in."""
    if route in OPEN_WITHOUT_SIGN_IN or route in SIGN_IN_PAGES:
        return EVERYBODY_SIGNED_IN | {NOBODY}
    if route.startswith("admin:"):
        return ADMIN_ROLES
    if route.startswith(("account_", "mfa_")):
        return EVERYBODY_SIGNED_IN
    return WHO_OPENS[route]


def is_in(route, who):
    return ("REVIEWER" if who == THE_REVIEWER else who) in who_opens(route)


def as_lines(visits):
    return [f"{one.who}: {one.method} {one.url} ({one.route}) gave {one.status}" for one in visits]


def test_every_route_lists_the_roles_that_open_it():
    listed = WHO_OPENS.keys() | OPEN_WITHOUT_SIGN_IN
    assert sorted(AUDIENCES.keys() ^ listed) == []
    assert {prefix for prefix, _ in PREFIXES} == {"admin:", "account_", "mfa_"}


@pytest.mark.capability("AD-4")
def test_no_page_names_a_worker_to_someone_who_may_not_open_cases(office):
    opens_cases = {role.value for role in PERMISSIONS["cases.view_case"]}
    shown = [
        one
        for one in (*office.visits, *office.htmx_visits, *office.posts)
        if one.names_worker and one.route not in STAFF and one.who not in opens_cases
    ]
    # Reviewers read the file of their own case, and nobody else is left.
    assert as_lines(one for one in shown if one.who != THE_REVIEWER) == []
    assert shown


def test_the_pages_of_the_sign_in_library_open_by_name():
    assert audiences.SIGN_IN_PAGES == SIGN_IN_PAGES
    assert audiences.CLOSED_PAGES == CLOSED_PAGES
    assert audiences.OPEN_WITHOUT_SECOND_FACTOR == OPEN_WITHOUT_SECOND_FACTOR


def test_the_roles_are_these_eleven():
    assert set(Role.values) == EVERYBODY_SIGNED_IN


def test_exactly_these_roles_know_who_a_reviewer_is():
    assert {"COORDINATOR", "CREDENTIALING", "QA", "DIRECTOR"} == KNOW_WHO_REVIEWS
    assert {role.value for role in PERMISSIONS["reviewers.view_identity"]} == KNOW_WHO_REVIEWS


@pytest.mark.parametrize("permission", sorted(WHO_HOLDS))
def test_a_permission_without_a_page_is_held_by_these_roles(permission):
    assert {role.value for role in PERMISSIONS[permission]} == WHO_HOLDS[permission]


def test_every_permission_opens_a_page_or_is_listed():
    by_page = set()
    for audience in AUDIENCES.values():
        by_page |= {audience} if isinstance(audience, str) else set()
        by_page |= set(audience) if isinstance(audience, tuple) else set()
    assert sorted(PERMISSIONS.keys() - by_page - WHO_HOLDS.keys()) == []


def test_every_route_was_opened(office):
    admin_without_rows = {name for name in office.without_address if name.startswith("admin:")}
    assert office.without_address - admin_without_rows <= NOT_REVERSED
    assert {one.who for one in office.visits} == {NOBODY, THE_REVIEWER, *Role.values}


def test_nothing_crashes(office):
    crashed = [
        one
        for one in [
            *office.visits,
            *office.htmx_visits,
            *office.posts,
            *office.posts_without_token,
        ]
        if one.status >= 500 and one.route != "readyz"  # says 503 while there is no broker
    ]
    assert as_lines(crashed) == []


def test_roles_in_the_audience_get_in(office):
    kept_out = [
        one
        for one in office.visits
        if one.route not in CLOSED_PAGES
        and is_in(one.route, one.who)
        and one.status not in OPENED
        and one.route != "readyz"
        # inside the admin site each table has its own keepers
        and not (one.route.startswith("admin:") and one.status == 403)
    ]
    assert as_lines(kept_out) == []


def test_roles_outside_the_audience_are_refused(office):
    let_in = [
        one
        for one in office.visits
        if one.who != NOBODY
        and one.route not in CLOSED_PAGES
        and not is_in(one.route, one.who)
        and one.status != 403
    ]
    assert as_lines(let_in) == []


def test_a_page_opens_for_the_same_people_when_htmx_asks(office):
    assert {one.who for one in office.htmx_visits} >= EVERYBODY_SIGNED_IN
    let_in = [one for one in office.htmx_visits if not is_in(one.route, one.who)]
    assert as_lines(let_in) == []
    assert {one.status for one in office.htmx_visits} <= {200, 286, 400}


def test_what_is_refused_to_a_browser_is_refused_to_htmx(office):
    assert len(office.htmx_refusals) > 500
    let_in = [
        one for one in office.htmx_refusals if not is_in(one.route, one.who) and one.status != 403
    ]
    assert as_lines(let_in) == []


def test_each_table_of_the_admin_site_opens_for_those_named(office):
    opened = defaultdict(set)
    for one in office.visits:
        beginning, _, table = one.route.removesuffix("_changelist").partition(":")
        if beginning == "admin" and one.route.endswith("_changelist"):
            opened[table] |= {one.who} if one.status == 200 else set()
    assert opened == WHO_OPENS_TABLES


def test_unused_pages_of_the_libraries_open_for_no_one(office):
    closed = [one for one in office.visits if one.route in CLOSED_PAGES]
    assert {one.status for one in closed} == {404}


def test_no_one_gets_further_than_the_sign_in_page(office):
    let_in = [
        one
        for one in office.visits
        if one.who == NOBODY
        and NOBODY not in who_opens(one.route)
        and one.route not in CLOSED_PAGES
        and not (one.status == 302 and one.location.startswith("/people/login/?next="))
    ]
    assert as_lines(let_in) == []


def test_every_page_opens_for_someone(office):
    statuses = defaultdict(set)
    for one in office.visits:
        statuses[one.route].add(one.status)
    never = {
        route
        for route, found in statuses.items()
        if not found & {200, 302, 405} and not (route.startswith("admin:") and "list" not in route)
    }
    assert never - CLOSED_PAGES <= {
        "intake:intake_paper",  # a forged ticket opens nothing; intake's own tests open a good one
        "mfa_edit_webauthn",  # no one in the office has such a key
        "mfa_remove_webauthn",
        "readyz",  # 503 while there is no broker
        "admin:account_emailaddress_changelist",  # the sign-in library's own tables
        "admin:mfa_authenticator_changelist",
    }


def test_a_form_by_someone_outside_its_audience_is_refused(office):
    def is_refused(one):
        if one.who != NOBODY:
            return one.status == 403
        if one.by_htmx:
            return one.status == 401
        return one.status == 302 and one.location.startswith("/people/login/")

    sent = {(one.who, one.route) for one in office.posts}
    expected = {
        (who, route)
        for route in WHO_OPENS
        for who in {*Role.values, THE_REVIEWER, NOBODY}
        if not is_in(route, who)
    }
    assert sorted(expected - sent) == []
    assert {one.by_htmx for one in office.posts} == {True, False}
    assert as_lines([one for one in office.posts if not is_refused(one)]) == []


def test_a_form_without_its_token_is_refused(office):
    let_in = [one for one in office.posts_without_token if one.status != 403]
    assert {one.route for one in office.posts_without_token} == WHO_OPENS.keys()
    assert as_lines(let_in) == []


def test_no_refused_form_changed_a_row(office):
    # Signing in makes a session, and each refusal is recorded.
    expected = {"sessions.Session", "accounts.AccessLogEntry"}
    changed = {who: tables - expected for who, tables in office.changed_by_posts.items()}
    assert {who: tables for who, tables in changed.items() if tables} == {}


@pytest.mark.parametrize("who", [*Role.values, THE_REVIEWER])
def test_everyone_has_a_first_page(office, who):
    (first,) = [one for one in office.visits if one.who == who and one.route == "desk:my_day"]
    assert first.status in {200, 302}
