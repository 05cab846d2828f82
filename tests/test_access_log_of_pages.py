"""Every page that shows data of a worker writes to the access log (45 CFR 164.312(b)).

The crawl opens every page as every role, as a browser and as htmx, and counts the access log
entries that each visit wrote. What shows a worker is read from the answers, not from the table that
the product enforces.
"""

from collections import defaultdict

from imr_portal.audiences import AUDIENCES
from imr_portal.subjects import SUBJECTS

from .crawl import THE_REVIEWER


def routes_in(words):
    return frozenset(words.split())


# The organization's own settings and forms, and the reviewers’ files: no data of a worker.
WITHOUT_WORKER_DATA = routes_in("""
    livez readyz version accounts:settings accounts:my_sign_ins accounts:sign_ins
    desk:read_notices desk:open_notice
    accounts:changes accounts:ask_factor_reset accounts:decide_change
    desk:side_counts desk:exports form_fields:say_date cases:read_address
    intake:look_up_diagnoses intake:read_diagnoses
    letters:wording letters:wording_detail letters:publish_wording
    intake:save_draft intake:cancel_draft
    directory:organizations directory:organization directory:add_organization_fact
    directory:withdraw_organization_fact cases:own_organization cases:add_organization_member
    cases:organization_member cases:add_own_conflict cases:correct_organization_fact
    cases:withdraw_organization_fact cases:deadline_rules cases:deadline_rule
    cases:confirm_deadline_rule cases:confirm_deadline_rules cases:supersede_deadline_rule
    cases:holidays cases:holiday cases:add_holiday cases:confirm_holidays cases:end_holiday
    queues:saved_views queues:save_view queues:rename_view queues:share_view queues:retire_view
    guidelines:pick billing:fees
    reviewers:worklist reviewers:limits reviewers:rules reviewers:attestation
    reviewers:payer_bias reviewers:payer_bias_test reviewers:receives reviewers:panel
    reviewers:add reviewers:change reviewers:add_fact reviewers:correct_fact
    reviewers:report_change reviewers:resolve_report reviewers:status reviewers:sign_in
""")


# Lists of staff and of accounts: one of them has the name of an employee in this office.
STAFF = routes_in("""
    cases:own_organization accounts:changes accounts:sign_ins
    admin:accounts_user_changelist admin:accounts_accountevent_changelist
""")


def all_visits(office):
    return (*office.visits, *office.htmx_visits, *office.posts, *office.htmx_refusals)


def as_lines(visits):
    return sorted({f"{one.who}: {one.method} {one.url} ({one.route})" for one in visits})


def test_every_route_says_what_it_shows():
    assert sorted(SUBJECTS.keys() ^ AUDIENCES.keys()) == []


def test_exactly_these_routes_say_that_they_show_no_worker():
    assert {route for route, subject in SUBJECTS.items() if subject is None} == WITHOUT_WORKER_DATA


def test_no_page_shows_a_worker_without_an_entry(office):
    silent = [
        one
        for one in all_visits(office)
        if one.status in {200, 286, 409, 422}
        and (one.shows_case or (one.names_worker and one.route not in STAFF))
        and not one.access_count
        # A polled page leaves one entry a minute.
        and not (SUBJECTS[one.route] and SUBJECTS[one.route].once_a_minute)
    ]
    assert as_lines(silent) == []


def test_a_page_that_says_that_it_shows_a_worker_leaves_an_entry_at_every_visit(office):
    visits = defaultdict(list)
    for one in (*office.visits, *office.htmx_visits):
        if one.status == 200 and SUBJECTS.get(one.route):
            visits[one.route].append(one.access_count)
    assert sorted(route for route in visits if not all(visits[route])) == []
    assert len(visits) > 70


def test_the_other_pages_leave_none(office):
    noisy = [one for one in all_visits(office) if one.route in WITHOUT_WORKER_DATA]
    assert as_lines(one for one in noisy if one.access_count) == []


def test_every_refusal_to_someone_signed_in_is_recorded(office):
    refused = [
        one
        for one in all_visits(office)
        if one.status in {403, 404} and one.who != "nobody" and SUBJECTS.get(one.route)
    ]
    assert len(refused) > 1000
    assert as_lines(one for one in refused if not one.access_count) == []


def test_the_tables_of_cases_in_the_admin_site_are_on_record(office):
    tables = ("admin:cases_case_", "admin:cases_party_", "admin:cases_event_")
    shown = [one for one in office.visits if one.route.startswith(tables) and one.status == 200]
    assert {one.route.rpartition("_")[2] for one in shown} >= {"changelist", "change", "history"}
    assert as_lines(one for one in shown if not one.access_count) == []


def test_access_of_the_reviewer_of_a_case_is_recorded(office):
    own = [visit for visit in office.visits if visit.who == THE_REVIEWER and visit.status == 200]
    assert all(visit.access_count for visit in own if SUBJECTS.get(visit.route))


def test_opening_a_page_writes_only_the_access_log_entry(office):
    wrote = {
        (visit.route, table)
        for visit in (*office.visits, *office.htmx_visits)
        if visit.method == "get"
        for table in visit.wrote - {"accounts_accesslogentry"}
    }
    assert not wrote, "\n".join(f"{route} wrote {table}" for route, table in sorted(wrote))
