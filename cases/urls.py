from django.urls import path

from .views import (
    dates,
    endings,
    house,
    item_changes,
    likeness,
    parties,
    rules,
)

app_name = "cases"

urlpatterns = [
    path("item-changes/", item_changes.item_changes, name="item_changes"),
    # this organization
    path("house/", house.house, name="house"),
    path("house/add/<str:kind>/", house.add_member, name="add_house_member"),
    path("house/ties/", house.ties, name="house_ties"),
    path("house/ties/<int:house_result_id>/", house.settle_tie, name="settle_house_tie"),
    path("house/members/<int:member_id>/", house.member, name="house_member"),
    path("house/members/<int:member_id>/ties/", house.add_tie, name="add_house_tie"),
    path(
        "house/members/<int:member_id>/<str:kind>/<int:fact_id>/correct/",
        house.correct_fact,
        name="correct_house_fact",
    ),
    path(
        "house/members/<int:member_id>/<str:kind>/<int:fact_id>/withdraw/",
        house.withdraw_fact,
        name="withdraw_house_fact",
    ),
    # organizations
    # taking cases out of the lists
    path("likenesses/", likeness.likenesses, name="likenesses"),
    # the law
    path("rules/", rules.clock_rules, name="clock_rules"),
    path("rules/dates/", rules.recount, name="recount"),
    path("rules/<int:rule_id>/", rules.clock_rule, name="clock_rule"),
    path("rules/<int:rule_id>/confirm/", rules.confirm_clock_rule, name="confirm_clock_rule"),
    path("rules/<int:rule_id>/supersede/", rules.supersede_clock_rule, name="supersede_clock_rule"),
    # one case
    path("cases/<str:number>/related/", likeness.related, name="related"),
    path("cases/<str:number>/related/look/", likeness.look_again, name="look_again"),
    path("cases/<str:number>/related/<int:proposal_id>/", likeness.compare, name="compare"),
    path("cases/<str:number>/consolidate/", likeness.consolidate, name="consolidate"),
    path("cases/<str:number>/separate/", likeness.separate, name="separate"),
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
        item_changes.item_change,
        name="item_change",
    ),
    path("cases/<str:number>/parties/", parties.parties, name="parties"),
    path("cases/<str:number>/parties/add/", parties.add_party, name="add_party"),
    path(
        "cases/<str:number>/parties/<int:party_id>/change/",
        parties.change_party,
        name="change_party",
    ),
    path("cases/<str:number>/parties/<int:party_id>/end/", parties.end_party, name="end_party"),
    path("cases/<str:number>/clocks/", dates.clocks, name="clocks"),
    path("cases/<str:number>/clocks/<slug:clock>/", dates.clock, name="clock"),
    path("cases/<str:number>/hold/", dates.begin_hold, name="begin_hold"),
    path("cases/<str:number>/holds/<int:hold_id>/end/", dates.end_hold, name="end_hold"),
    path("cases/<str:number>/extend/", dates.extend, name="extend"),
    path("cases/<str:number>/priority/", dates.convert, name="convert"),
    path("cases/<str:number>/promises/add/", dates.promise, name="promise"),
    path(
        "cases/<str:number>/promises/<int:promise_id>/move/",
        dates.move_promise,
        name="move_promise",
    ),
    path(
        "cases/<str:number>/promises/<int:promise_id>/kept/",
        dates.keep_promise,
        name="keep_promise",
    ),
    path("cases/<str:number>/receipt/", dates.state_receipt, name="state_receipt"),
    path("cases/<str:number>/note/", endings.note, name="note"),
    path(
        "cases/<str:number>/notes/<int:event_id>/correct/",
        endings.correct_note,
        name="correct_note",
    ),
    path("cases/<str:number>/withdraw/", endings.withdraw, name="withdraw"),
    path("cases/<str:number>/terminate/", endings.terminate, name="terminate"),
    path("cases/<str:number>/close/", endings.close, name="close"),
]
