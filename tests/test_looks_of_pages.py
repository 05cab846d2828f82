"""Which pages record who looked (45 CFR 164.312(b)), written out by name.

The crawl opens every page as every role and counts the looks that each visit wrote.
"""

from collections import defaultdict

from .crawl import THE_REVIEWER
from .expected_access import WHO_OPENS


def routes_in(words):
    return frozenset(words.split())


# Opening one of these writes a look, whoever opens it.
RECORD_A_LOOK = routes_in("""
    desk:case desk:peek desk:timeline desk:letters desk:looks
    letters:download
    cases:related cases:compare correspondence:letter
    records:list records:read records:contact records:document records:page records:page_text
    records:page_png
    reviewers:assign reviewers:attest
    determinations:workspace determinations:quality
    determinations:versions
""")

# These tell something of a worker or show a record, and write no look yet.
OWE_A_LOOK = routes_in("""
    desk:my_day desk:jump desk:queue desk:work_next letters:status letters:failed intake:my_intakes
    intake:intake_supervisor intake:batches intake:batch intake:enter_scan intake:skip_scan
    intake:correct cases:possible_duplicates correspondence:drafts cases:item_changes
    cases:own_conflicts eligibility:eligibility eligibility:screen_again eligibility:ur_decision
    eligibility:information eligibility:resolve_liability eligibility:administrator_citations
    correspondence:notices correspondence:letter_page correspondence:draft_letter cases:item_change
    cases:propose_item cases:propose_item_change cases:propose_item_withdrawal cases:parties
    cases:add_party cases:change_party cases:end_party cases:deadlines cases:deadline
    cases:begin_hold cases:end_hold cases:extend cases:convert cases:commitment
    cases:move_commitment cases:keep_commitment cases:state_receipt cases:correct_note
    cases:separate cases:withdraw cases:terminate cases:close reviewers:plan reviewers:move
    records:chase determinations:my_reviews determinations:checks determinations:issue
    determinations:send determinations:reviewer_record
""")

# The organization's own settings and forms, and the reviewers' files: nothing of a worker.
TELL_OF_NO_WORKER = routes_in("""
    desk:side_counts
    letters:wording letters:wording_detail
    intake:intake intake:cancel_draft
    directory:organizations directory:organization cases:own_organization cases:organization_member
    cases:deadline_rules cases:deadline_rule cases:recount queues:saved_views queues:save_view
    guidelines:pick
    reviewers:worklist reviewers:limits reviewers:rules reviewers:attestation
    reviewers:payer_bias reviewers:payer_bias_test reviewers:receives reviewers:panel
    reviewers:reviewer reviewers:add reviewers:change reviewers:add_fact reviewers:correct_fact
    reviewers:report_change
""")


def pages_of(office):
    """For each route of ours that showed a page: how many looks each visit wrote."""
    found = defaultdict(list)
    for one in office.visits:
        if one.status == 200 and one.route in WHO_OPENS:
            found[one.route].append(one.looks)
    return found


def test_every_page_is_on_one_of_the_three_lists(office):
    listed = [*RECORD_A_LOOK, *OWE_A_LOOK, *TELL_OF_NO_WORKER]
    assert len(listed) == len(set(listed))
    assert sorted(pages_of(office).keys() - set(listed)) == [], "say whether it records a look"
    assert sorted(set(listed) - pages_of(office).keys()) == [], "no such page showed itself"


def test_a_page_that_records_a_look_does_so_at_every_visit(office):
    pages = pages_of(office)
    assert sorted(route for route in RECORD_A_LOOK if not all(pages[route])) == []


def test_a_page_that_records_looks_is_not_on_the_list_of_missing_looks(office):
    pages = pages_of(office)
    assert sorted(route for route in OWE_A_LOOK | TELL_OF_NO_WORKER if any(pages[route])) == []


def test_the_reviewer_of_a_case_leaves_looks_at_its_records(office):
    own = [one for one in office.visits if one.who == THE_REVIEWER and one.status == 200]
    assert all(one.looks for one in own if one.route in RECORD_A_LOOK)


def test_opening_a_page_writes_nothing_but_the_look(office):
    wrote = {
        (one.route, table)
        for one in (*office.visits, *office.htmx_visits)
        if one.method == "get"
        for table in one.wrote - {"accounts_look"}
    }
    assert not wrote, "\n".join(f"{route} wrote {table}" for route, table in sorted(wrote))
