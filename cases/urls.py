from django.urls import path

from .views import (
    calls,
    dates,
    duplicates,
    endings,
    holidays,
    item_changes,
    own_conflicts,
    parties,
    received_documents,
    restrictions,
    rules,
    served_letters,
)

app_name = "cases"

urlpatterns = [
    path("addresses/", parties.read_typed_address, name="read_address"),
    path("cases/<str:number>/documents/", received_documents.show_documents, name="documents"),
    path("cases/<str:number>/documents/add/", received_documents.add_document, name="add_document"),
    path(
        "documents/<int:received_id>/pages/<int:page>/",
        received_documents.show_page,
        name="received_page",
    ),
    path(
        "documents/<int:received_id>/pages/<int:page>/text/",
        received_documents.show_page_text,
        name="received_text",
    ),
    path(
        "documents/<int:received_id>/pages/<int:page>.png",
        received_documents.serve_page_png,
        name="received_png",
    ),
    path("restricted-cases/", restrictions.list_restricted_cases, name="restricted_cases"),
    path("cases/<str:number>/restriction/", restrictions.show_restriction, name="restriction"),
    path(
        "cases/<str:number>/restriction/lift/",
        restrictions.lift_restriction,
        name="lift_restriction",
    ),
    path(
        "cases/<str:number>/restriction/related/",
        restrictions.restrict_related_cases,
        name="restrict_related",
    ),
    path("cases/<str:number>/restriction/clear/", restrictions.clear_person, name="clear_person"),
    path(
        "cases/<str:number>/restriction/clearances/<int:clearance_id>/end/",
        restrictions.end_clearance,
        name="end_clearance",
    ),
    path("item-changes/", item_changes.list_item_changes, name="item_changes"),
    # this organization
    path("organization/", own_conflicts.show_own_organization, name="own_organization"),
    path("organization/add/<str:kind>/", own_conflicts.add_member, name="add_organization_member"),
    path("organization/conflicts/", own_conflicts.list_own_conflicts, name="own_conflicts"),
    path(
        "organization/conflicts/<int:own_conflict_result_id>/",
        own_conflicts.resolve_conflict,
        name="resolve_own_conflict",
    ),
    path(
        "organization/members/<int:member_id>/",
        own_conflicts.show_member,
        name="organization_member",
    ),
    path(
        "organization/members/<int:member_id>/affiliations/",
        own_conflicts.add_affiliation,
        name="add_own_conflict",
    ),
    path(
        "organization/members/<int:member_id>/<str:kind>/<int:fact_id>/correct/",
        own_conflicts.correct_fact,
        name="correct_organization_fact",
    ),
    path(
        "organization/members/<int:member_id>/<str:kind>/<int:fact_id>/withdraw/",
        own_conflicts.withdraw_fact,
        name="withdraw_organization_fact",
    ),
    # possible duplicates of all cases
    path("duplicates/", duplicates.list_possible_duplicates, name="possible_duplicates"),
    # deadline rules
    path("rules/", rules.list_deadline_rules, name="deadline_rules"),
    path("rules/confirm/", rules.confirm_deadline_rules, name="confirm_deadline_rules"),
    path("rules/dates/", rules.recalculate_open_cases, name="recalculate_dates"),
    path("rules/<int:rule_id>/", rules.show_deadline_rule, name="deadline_rule"),
    path("rules/<int:rule_id>/confirm/", rules.confirm_deadline_rule, name="confirm_deadline_rule"),
    path(
        "rules/<int:rule_id>/supersede/",
        rules.supersede_deadline_rule,
        name="supersede_deadline_rule",
    ),
    # holidays
    path("holidays/", holidays.list_holidays, name="holidays"),
    path("holidays/add/", holidays.add_holiday, name="add_holiday"),
    path("holidays/confirm/", holidays.confirm_holidays, name="confirm_holidays"),
    path("holidays/<int:holiday_id>/", holidays.show_holiday, name="holiday"),
    path("holidays/<int:holiday_id>/end/", holidays.end_holiday, name="end_holiday"),
    # one case
    path("cases/<str:number>/related/", duplicates.show_related_cases, name="related"),
    path("cases/<str:number>/related/search/", duplicates.search_again, name="search_again"),
    path("cases/<str:number>/related/<int:proposal_id>/", duplicates.compare_cases, name="compare"),
    path("cases/<str:number>/consolidate/", duplicates.consolidate_case, name="consolidate"),
    path("cases/<str:number>/separate/", duplicates.separate_case, name="separate"),
    path("cases/<str:number>/items/add/", item_changes.propose_item, name="propose_item"),
    path(
        "cases/<str:number>/items/<int:position>/change/",
        item_changes.propose_item_change,
        name="propose_item_change",
    ),
    path(
        "cases/<str:number>/items/<int:position>/withdraw/",
        item_changes.propose_item_withdrawal,
        name="propose_item_withdrawal",
    ),
    path(
        "cases/<str:number>/item-changes/<int:change_id>/",
        item_changes.show_item_change,
        name="item_change",
    ),
    path("cases/<str:number>/parties/", parties.show_parties, name="parties"),
    path("cases/<str:number>/parties/add/", parties.add_party, name="add_party"),
    path(
        "cases/<str:number>/parties/<int:party_id>/change/",
        parties.change_party,
        name="change_party",
    ),
    path("cases/<str:number>/parties/<int:party_id>/end/", parties.end_party, name="end_party"),
    path("cases/<str:number>/deadlines/", dates.show_deadlines, name="deadlines"),
    path(
        "cases/<str:number>/deadlines/<slug:deadline_kind>/",
        dates.show_deadline,
        name="deadline",
    ),
    path("cases/<str:number>/hold/", dates.begin_hold, name="begin_hold"),
    path("cases/<str:number>/holds/<int:hold_id>/end/", dates.end_hold, name="end_hold"),
    path("cases/<str:number>/extend/", dates.extend_determination, name="extend"),
    path("cases/<str:number>/priority/", dates.change_priority, name="convert"),
    path("cases/<str:number>/commitments/add/", dates.add_commitment, name="commitment"),
    path(
        "cases/<str:number>/commitments/<int:commitment_id>/move/",
        dates.move_commitment,
        name="move_commitment",
    ),
    path(
        "cases/<str:number>/commitments/<int:commitment_id>/kept/",
        dates.keep_commitment,
        name="keep_commitment",
    ),
    path("cases/<str:number>/receipt/", dates.record_receipt, name="state_receipt"),
    path(
        "cases/<str:number>/services/<int:service_id>/",
        served_letters.show_service,
        name="service",
    ),
    path(
        "cases/<str:number>/services/<int:service_id>/correct/",
        served_letters.correct_service,
        name="correct_service",
    ),
    path(
        "cases/<str:number>/services/<int:service_id>/outcome/",
        served_letters.record_outcome,
        name="service_outcome",
    ),
    path("cases/<str:number>/calls/", calls.show_calls, name="calls"),
    path("cases/<str:number>/calls/add/", calls.log_call, name="log_call"),
    path(
        "cases/<str:number>/calls/<int:call_id>/correct/", calls.correct_call, name="correct_call"
    ),
    path("cases/<str:number>/note/", endings.add_note, name="note"),
    path(
        "cases/<str:number>/notes/<int:event_id>/answer/",
        endings.answer_note,
        name="answer_note",
    ),
    path(
        "cases/<str:number>/notes/<int:event_id>/correct/",
        endings.correct_note,
        name="correct_note",
    ),
    path("cases/<str:number>/withdraw/", endings.withdraw_case, name="withdraw"),
    path("cases/<str:number>/terminate/", endings.terminate_items, name="terminate"),
    path("cases/<str:number>/close/", endings.close_case, name="close"),
]
