"""One table says who may open each route, and it is complete."""

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.roles import PERMISSIONS, Role
from imr_portal.audiences import (
    ADMIN_SITE,
    AUDIENCES,
    OPEN_WITHOUT_SECOND_FACTOR,
    POLLED,
    PREFIXES,
    PUBLIC,
    SIGN_IN_PAGES,
    SIGNED_IN,
    audience_of,
    find_unknown_permissions,
)


def routes(patterns=None, namespace=""):
    """Every route of the URLconf: its full name and its view."""
    for pattern in patterns if patterns is not None else get_resolver().url_patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from routes(pattern.url_patterns, inner)
        elif isinstance(pattern, URLPattern):
            name = pattern.name or pattern.lookup_str
            yield f"{namespace}{name}", pattern


def by_library(name):
    return any(name.startswith(beginning) for beginning, _ in PREFIXES)


def test_every_route_has_an_audience():
    assert not [name for name, _ in routes() if audience_of(name) is None]


def test_every_line_of_the_table_is_a_route():
    names = {name for name, _ in routes()}
    assert not set(AUDIENCES) - names
    assert not SIGN_IN_PAGES - names
    assert not OPEN_WITHOUT_SECOND_FACTOR - names
    assert not POLLED - names


def test_the_table_names_only_permissions_that_exist():
    assert not find_unknown_permissions()


def test_every_permission_opens_something_to_someone():
    assert all(PERMISSIONS.values())
    assert {role for holders in PERMISSIONS.values() for role in holders} <= set(Role)


def test_a_public_route_of_ours_is_also_marked_for_djangos_own_middleware():
    for name, pattern in routes():
        if by_library(name):
            continue
        is_public = audience_of(name) is PUBLIC
        assert getattr(pattern.callback, "login_required", True) is not is_public, name


def test_nothing_but_the_machines_pages_is_public():
    public = {name for name, audience in AUDIENCES.items() if audience is PUBLIC}
    assert public == {"livez", "readyz", "version"}


def test_routes_of_libraries_require_signing_in():
    assert {audience for _, audience in PREFIXES} == {ADMIN_SITE, SIGNED_IN}


def test_a_route_that_no_one_has_listed_is_noticed():
    assert audience_of("cases:planted") is None


@pytest.mark.django_db
def test_a_route_that_no_one_has_listed_is_not_served(client, monkeypatch):
    monkeypatch.delitem(AUDIENCES, "version")

    assert client.get("/version").status_code == 404
