"""Every deadline, by worked example, by brute force, and against changed rules."""

import json
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime, time, timedelta, timezone
from pathlib import Path

import pytest
from django.core.management import call_command

from deadlines import calendars as calendars_module
from deadlines import engine as deadlines_module
from deadlines import kinds as kinds_module
from deadlines.calendars import (
    CalendarName,
    CannotCount,
    OutOfRange,
    UnknownCalendar,
    friday_after_thanksgiving,
)
from deadlines.days import PACIFIC, format_iso
from deadlines.engine import compute_deadline
from deadlines.facts import Hold
from deadlines.kinds import DEADLINE_KINDS, BadDeadlineFact, Obligor, UnknownDeadlineKind
from deadlines.penalty import records_penalty
from deadlines.results import ComputedDeadline, StepKind, UnknownDeadline
from deadlines.rules import (
    BadRules,
    Effect,
    Kind,
    NoRule,
    Roll,
    Rule,
    find_rule,
    refuse_gap_or_overlap,
)
from deadlines.shipped_rules import RULES, default_calendars
from deadlines.timeliness import Late, Timely, judge_timeliness

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
ONE_DAY = timedelta(days=1)


def count(deadline_kind, facts, *, rules=RULES, holds=()):
    return compute_deadline(
        deadline_kind, facts, rules=rules, calendars=default_calendars(), holds=holds
    )


def judge(deadline_kind, received, facts, *, holds=()):
    return judge_timeliness(
        deadline_kind, received, facts, rules=RULES, calendars=default_calendars(), holds=holds
    )


def rule_of(deadline_kind):
    return [rule for rule in RULES if rule.deadline_kind == deadline_kind][-1]


# --- Worked examples ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Example:
    """Facts in, date out: an ISO date or moment, "Unknown" or "NoRule"."""

    id: str
    deadline_kind: str
    facts: dict
    answer: str
    holds: tuple[Hold, ...] = field(default=())


WORKED = [
    Example("in hand, Sunday", "application",
            {"served": "2014-06-20", "method": "in_hand"}, "2014-07-21"),
    Example("mailed in California", "application",
            {"served": "2014-06-20", "method": "mail_ca"}, "2014-07-25"),
    Example("mailed from another state", "application",
            {"served": "2014-06-20", "method": "mail_us"}, "2014-07-30"),
    Example("mailed on Christmas Eve", "application",
            {"served": "2013-12-24", "method": "mail_ca"}, "2014-01-28"),
    Example("in hand, Sunday in November", "application",
            {"served": "2016-10-21", "method": "in_hand"}, "2016-11-21"),
    Example("mailed, courts closed after Thanksgiving", "application",
            {"served": "2016-10-21", "method": "mail_ca"}, "2016-11-28"),
    Example("mailed, offices open after Thanksgiving", "application",
            {"served": "2016-10-21", "method": "mail_ca", "calendar": "gov6700"}, "2016-11-25"),
    Example("mailed, Tuesday", "application",
            {"served": "2014-10-21", "method": "mail_ca"}, "2014-11-25"),
    Example("formulary, in hand", "application_formulary",
            {"served": "2018-12-20", "method": "in_hand"}, "2018-12-31"),
    Example("formulary, mailed", "application_formulary",
            {"served": "2018-12-20", "method": "mail_ca"}, "2019-01-04"),
    Example("Presidents' Day", "eligibility_information", {"received": "2014-02-13"}, "2014-02-21"),
    Example("Presidents' Day, rules of 2013", "eligibility_information",
            {"received": "2014-02-13", "rules_of": "2013"}, "2014-02-28"),
    Example("Lincoln's birthday, open", "eligibility_information",
            {"received": "2014-02-10"}, "2014-02-18"),
    Example("Lincoln's birthday, closed", "eligibility_information",
            {"received": "2014-02-10", "calendar": "gov6700"}, "2014-02-19"),
    Example("notice over Christmas", "noarfi", {"found_eligible": "2014-12-24"}, "2014-12-26"),
    Example("records notice mailed", "records",
            {"noarfi": "2017-01-19", "method": "mail_ca"}, "2017-02-03"),
    Example("records notice sent electronically", "records",
            {"noarfi": "2017-01-19", "method": "electronic"}, "2017-01-31"),
    Example("records notice mailed before Thanksgiving", "records",
            {"noarfi": "2014-11-13", "method": "mail_ca"}, "2014-12-01"),
    Example("electronic notice before Thanksgiving", "records",
            {"noarfi": "2014-11-13", "method": "electronic"}, "2014-11-25"),
    Example("regular", "determination_regular", {"records_complete": "2014-07-01"}, "2014-07-31"),
    Example("regular, Saturday", "determination_regular",
            {"records_complete": "2014-07-03"}, "2014-08-04"),
    Example("regular, day after Christmas", "determination_regular",
            {"records_complete": "2014-11-26"}, "2014-12-26"),
    Example("expedited, Independence Day", "determination_expedited",
            {"information_complete": "2015-07-02T16:00"}, "2015-07-05T16:00"),
    Example("formulary, Chavez Day on a Saturday", "determination_formulary",
            {"records_complete": "2018-03-27"}, "2018-04-03"),
    Example("five working days", "ur_decision", {"rfa": "2018-03-12"}, "2018-03-19"),
    Example("petition, mailed", "petition",
            {"mailed": "2014-11-06", "method": "mail_ca"}, "2014-12-11"),
    Example("authorize, open after Thanksgiving", "authorize",
            {"received": "2014-11-26", "friday_after_thanksgiving_is_working": True}, "2014-12-04"),
    Example("authorize, closed after Thanksgiving", "authorize",
            {"received": "2014-11-26", "friday_after_thanksgiving_is_working": False},
            "2014-12-05"),
    Example("reimburse, Christmas", "reimburse", {"received": "2014-12-05"}, "2014-12-26"),
    Example("twelve months", "twelve_month_bar", {"ur_denied": "2014-06-20"}, "2015-06-20"),
    Example("twelve months, leap day", "twelve_month_bar",
            {"ur_denied": "2016-02-29"}, "2017-02-28"),
]  # fmt: skip


def days_before(last_day, length):
    return str(date.fromisoformat(last_day) - timedelta(days=length))


# Deadlines that count calendar days and roll on the court calendar: name, trigger, way of service,
# length in days, and a year whose rule is meant. Each is run against three kinds of closed day.
ROLLING = [
    ("application", "served", "in_hand", 30, 2020),
    ("application_formulary", "served", "in_hand", 10, 2020),
    ("application_after_liability", "served", "in_hand", 30, 2020),
    ("internal_appeal", "received", "", 10, 2020),
    ("eligibility_information", "received", "", 15, 2013),
    ("records", "noarfi", "mail_ca", 15, 2020),
    ("own_papers", "noarfi", "mail_ca", 15, 2020),
    ("determination_regular", "records_complete", "", 30, 2020),
    ("petition", "mailed", "in_hand", 30, 2018),
    ("reimburse", "received", "", 20, 2020),
]


def rolling_examples():
    for deadline_kind, trigger, method, length, year in ROLLING:
        for what, last, answer in (
            ("midweek", f"{year}-06-11", f"{year}-06-11"),
            # a Sunday, Lincoln's birthday, the Friday after Thanksgiving
            ("sunday", {2013: "2013-06-09", 2018: "2018-06-10", 2020: "2020-06-07"}[year], None),
            ("lincoln", f"{year}-02-12", f"{year}-02-13"),
            ("friday", {2013: "2013-11-29", 2018: "2018-11-23", 2020: "2020-11-27"}[year], None),
        ):
            days_on = {"sunday": 1, "friday": 3}.get(what, 0)
            rolled = answer or str(date.fromisoformat(last) + timedelta(days=days_on))
            facts = {trigger: days_before(last, length)} | ({"method": method} if method else {})
            yield Example(f"{deadline_kind}, {what}", deadline_kind, facts, rolled)


# The last day by length alone (a day of June 2020), the way of service, the answer.
SERVICE = [
    ("2020-06-10", "in_hand", "2020-06-10"),
    ("2020-06-05", "mail_ca", "2020-06-10"),
    ("2020-06-08", "mail_us", "2020-06-18"),
    ("2020-06-04", "mail_abroad", "2020-06-24"),
    ("2020-06-05", "express", "2020-06-09"),  # two court days over a weekend
    ("2020-06-05", "fax", "2020-06-09"),
    ("2020-06-05", "electronic", "2020-06-09"),
]
# The same for the petition until 2019 (in June 2018), and from 2020 on, by the address.
SERVICE_BEFORE_WCAB = [
    ("2018-06-13", {"method": "in_hand"}, "2018-06-13"),
    ("2018-06-08", {"method": "mail_ca"}, "2018-06-13"),
    ("2018-06-11", {"method": "mail_us"}, "2018-06-21"),
    ("2018-06-07", {"method": "mail_abroad"}, "2018-06-27"),
    ("2018-06-08", {"method": "express"}, "2018-06-12"),
    ("2018-06-08", {"method": "fax"}, "2018-06-12"),
    ("2018-06-08", {"method": "electronic"}, "2018-06-12"),
    ("2020-06-10", {"method": "in_hand"}, "2020-06-10"),
    ("2020-06-10", {"method": "in_hand", "place": "us"}, "2020-06-10"),
    ("2020-06-05", {"method": "mail_ca"}, "2020-06-10"),
    ("2020-06-08", {"method": "mail_us"}, "2020-06-18"),
    ("2020-06-04", {"method": "mail_abroad"}, "2020-06-24"),
    ("2020-06-05", {"method": "express"}, "2020-06-10"),
    ("2020-06-05", {"method": "fax", "place": "ca"}, "2020-06-10"),
    ("2020-06-08", {"method": "electronic", "place": "us"}, "2020-06-18"),
    ("2020-06-04", {"method": "fax", "place": "abroad"}, "2020-06-24"),
    ("2020-06-04", {"method": "fax", "place": "unknown"}, "Unknown"),
    ("2020-06-04", {"place": "unknown"}, "Unknown"),
    ("2020-06-04", {"place": "us"}, "Unknown"),
]


def service_examples():
    for deadline_kind, trigger, length in (
        ("application", "served", 30),
        ("application_formulary", "served", 10),
        ("application_after_liability", "served", 30),
    ):
        for last, method, answer in SERVICE:
            facts = {trigger: days_before(last, length), "method": method}
            yield Example(f"{deadline_kind}, {method}", deadline_kind, facts, answer)
    for last, service, answer in SERVICE_BEFORE_WCAB:
        facts = {"mailed": days_before(last, 30), **service}
        yield Example(f"petition, {' '.join(service.values())} {last}", "petition", facts, answer)
    for deadline_kind in ("records", "own_papers"):
        for method, length in (("mail_ca", 15), ("mail_us", 15), ("electronic", 12)):
            facts = {"noarfi": days_before("2020-06-10", length), "method": method}
            yield Example(f"{deadline_kind}, {method}", deadline_kind, facts, "2020-06-10")


BEGINS = dict.fromkeys(DEADLINE_KINDS, "2013-01-01") | {
    "application_formulary": "2018-01-01",
    "determination_formulary": "2018-01-01",
    "ur_decision": "2012-01-01",
    "ur_decision_expedited": "2012-01-01",
    "records_penalty": "2014-12-01",
}


def first_day_examples():
    for deadline_kind, first in BEGINS.items():
        if deadline_kind == "records_penalty":
            continue
        hour = "T09:00" if rule_of(deadline_kind).kind is Kind.HOURS else ""
        method = {"method": "mail_ca"} if "method" in DEADLINE_KINDS[deadline_kind].takes else {}
        trigger = DEADLINE_KINDS[deadline_kind].trigger
        yield Example(
            f"{deadline_kind}, first day",
            deadline_kind,
            {trigger: first + hour, **method},
            "a date",
        )
        if first > "2012-01-01":
            facts = {trigger: days_before(first, 1) + hour, **method}
            yield Example(f"{deadline_kind}, day before", deadline_kind, facts, "NoRule")


EXTENSION_JULY = {"extension_days": 3, "extension_approved": "2014-07-30"}
LIABILITY_2016 = Hold("LIABILITY", date(2016, 1, 15), date(2016, 5, 2), True, method="mail_ca")

MORE = [
    # the change from 15 days to five business days
    Example("2013, last day", "eligibility_information", {"received": "2013-12-31"}, "2014-01-15"),
    Example("2014, first day", "eligibility_information", {"received": "2014-01-01"}, "2014-01-08"),
    # counts on one calendar across a day on which another is closed
    Example("screening, lincoln", "screening", {"received": "2020-02-11"}, "2020-02-13"),
    Example("screening, weekend", "screening", {"received": "2020-06-05"}, "2020-06-09"),
    Example("noarfi, lincoln", "noarfi", {"found_eligible": "2020-02-11"}, "2020-02-12"),
    Example("info, lincoln", "eligibility_information", {"received": "2020-02-11"}, "2020-02-19"),
    Example("answer, lincoln", "reviewer_information", {"received": "2020-02-11"}, "2020-02-19"),
    Example("answer, expedited", "reviewer_information_expedited", {"received": "2020-06-05"},
            "2020-06-06"),
    Example("formulary, admission", "determination_formulary",
            {"records_complete": "2019-09-06"}, "2019-09-16"),
    Example("authorize, admission", "authorize", {"received": "2019-09-06"}, "2019-09-16"),
    Example("ur, admission", "ur_decision", {"rfa": "2019-09-06"}, "2019-09-16"),
    # the same rules from 2020 on: offices are open on Admission Day
    Example("formulary, office", "determination_formulary",
            {"records_complete": "2020-09-08"}, "2020-09-15"),
    Example("authorize, office", "authorize", {"received": "2020-09-08"}, "2020-09-15"),
    Example("ur, office", "ur_decision", {"rfa": "2020-09-08"}, "2020-09-15"),
    Example("ur, last day of the old law", "ur_decision", {"rfa": "2019-12-31"}, "2020-01-08"),
    Example("ur, over Lincoln Day 2019", "ur_decision", {"rfa": "2019-02-08"}, "2019-02-19"),
    # hours
    Example("records, 24 h", "records_expedited", {"received": "2015-07-03T17:45"},
            "2015-07-04T17:45"),
    Example("papers, 24 h", "own_papers_expedited", {"received": "2015-07-03T17:45"},
            "2015-07-04T17:45"),
    Example("ur, 72 h", "ur_decision_expedited", {"rfa": "2015-07-02T16:00"}, "2015-07-05T16:00"),
    # the mark counted from the notice stays on a Sunday
    Example("45 days", "notice_mark", {"noarfi": "2014-07-03"}, "2014-08-17"),
    # extensions: to the unrolled day, then one roll; three days at most
    Example("extended", "determination_regular",
            {"records_complete": "2014-07-03", **EXTENSION_JULY}, "2014-08-05"),
    Example("extended by one", "determination_regular",
            {"records_complete": "2014-07-01", **EXTENSION_JULY, "extension_days": 1},
            "2014-08-01"),
    Example("extended too long", "determination_regular",
            {"records_complete": "2014-07-01", **EXTENSION_JULY, "extension_days": 9},
            "2014-08-04"),
    Example("asked for nine", "determination_regular",
            {"records_complete": "2014-07-05", **EXTENSION_JULY, "extension_days": 9},
            "2014-08-07"),
    Example("not approved", "determination_regular",
            {"records_complete": "2014-07-01", "extension_days": 3}, "2014-07-31"),
    Example("formulary, extended", "determination_formulary",
            {"records_complete": "2018-03-27", "extension_days": 9,
             "extension_approved": "2018-04-02"}, "2018-04-06"),
    Example("formulary, onto a Saturday", "determination_formulary",
            {"records_complete": "2018-03-28", "extension_days": 3,
             "extension_approved": "2018-04-02"}, "2018-04-09"),
    Example("formulary 2026, extended", "determination_formulary",
            {"records_complete": "2026-04-13", "extension_days": 9,
             "extension_approved": "2026-04-15"}, "2026-04-23"),
    Example("formulary 2026, onto a Saturday", "determination_formulary",
            {"records_complete": "2026-04-15", "extension_days": 3,
             "extension_approved": "2026-04-17"}, "2026-04-27"),
    Example("expedited, extended", "determination_expedited",
            {"information_complete": "2015-07-02T16:00", "extension_days": 9,
             "extension_approved": "2015-07-03"}, "2015-07-08T16:00"),
    # a request for authorization by fax after half past five, by post, and its outer limit
    Example("rfa 17:30", "ur_decision", {"rfa": "2018-03-12T17:30"}, "2018-03-19"),
    Example("rfa 17:31", "ur_decision", {"rfa": "2018-03-12T17:31"}, "2018-03-20"),
    Example("rfa Friday 17:31", "ur_decision", {"rfa": "2018-03-09T17:31"}, "2018-03-19"),
    Example("rfa posted", "ur_decision", {"rfa": "2018-03-07", "method": "mail_ca"}, "2018-03-19"),
    Example("rfa posted afar", "ur_decision", {"rfa": "2018-03-07", "method": "mail_us"},
            "2018-03-19"),
    Example("rfa posted late", "ur_decision", {"rfa": "2018-03-07T18:00", "method": "mail_ca"},
            "2018-03-19"),
    Example("rfa 17:31, 2026", "ur_decision", {"rfa": "2026-03-09T17:31"}, "2026-03-17"),
    Example("rfa 17:30, 2026", "ur_decision", {"rfa": "2026-03-09T17:30"}, "2026-03-16"),
    Example("rfa 17:31 by fax", "ur_decision", {"rfa": "2026-03-09T17:31", "method": "fax"},
            "2026-03-17"),
    Example("rfa 17:31 by e-mail", "ur_decision",
            {"rfa": "2026-03-09T17:31", "method": "electronic"}, "2026-03-16"),
    Example("rfa 17:31 in hand", "ur_decision", {"rfa": "2018-03-12T17:31", "method": "in_hand"},
            "2018-03-19"),
    Example("rfa 17:31 by fax, concurrent", "ur_decision",
            {"rfa": "2026-03-09T17:31", "method": "fax", "concurrent": True}, "2026-03-16"),
    Example("rfa posted, 2026", "ur_decision", {"rfa": "2026-03-04", "method": "mail_ca"},
            "2026-03-16"),
    Example("rfa posted afar, 2026", "ur_decision", {"rfa": "2026-03-04", "method": "mail_us"},
            "2026-03-16"),
    Example("rfa, 14 days, 2026", "ur_decision", {"rfa": "2026-03-09", "recommended": "2026-02-27"},
            "2026-03-13"),
    Example("rfa, 14 days", "ur_decision", {"rfa": "2018-03-12", "recommended": "2018-03-02"},
            "2018-03-16"),
    Example("rfa, soon asked", "ur_decision", {"rfa": "2018-03-12", "recommended": "2018-03-09"},
            "2018-03-19"),
    # liability: the deadline begins again with the notice that the dispute is over
    Example("liability over", "application", {"served": "2016-01-04", "method": "mail_ca"},
            "2016-06-06", (LIABILITY_2016,)),
    Example("liability over, formulary", "application_formulary",
            {"served": "2019-01-04", "method": "mail_ca"}, "2019-06-06",
            (Hold("LIABILITY", date(2019, 1, 9), date(2019, 5, 2), True, method="mail_ca"),)),
    Example("liability open", "application", {"served": "2016-01-04", "method": "mail_ca"},
            "Unknown", (Hold("LIABILITY", date(2016, 1, 15)),)),
    Example("liability too late", "application", {"served": "2016-01-04", "method": "mail_ca"},
            "2016-02-08", (Hold("LIABILITY", date(2016, 3, 1), date(2016, 5, 2), True),)),
    # a petition stops the duties that follow a determination
    Example("authorize, appealed", "authorize", {"received": "2015-03-02"}, "2015-03-16",
            (Hold("APPEAL", date(2015, 3, 4), date(2015, 3, 9), True),)),
    Example("authorize, liability", "authorize", {"received": "2015-03-02"}, "2015-03-16",
            (Hold("LIABILITY", date(2015, 3, 4), date(2015, 3, 9), True),)),
    Example("authorize, still appealed", "authorize", {"received": "2015-03-02"}, "Unknown",
            (Hold("APPEAL", date(2015, 3, 4), date(2015, 5, 9)),)),
    Example("authorize, appealed too late", "authorize", {"received": "2015-03-02"},
            "2015-03-09", (Hold("APPEAL", date(2015, 3, 10)),)),
    Example("authorize 2026, appealed", "authorize", {"received": "2026-03-02"}, "2026-03-16",
            (Hold("APPEAL", date(2026, 3, 4), date(2026, 3, 9), True),)),
    Example("authorize 2026, liability", "authorize", {"received": "2026-03-02"}, "2026-03-16",
            (Hold("LIABILITY", date(2026, 3, 4), date(2026, 3, 9), True),)),
    Example("authorize 2026, still appealed", "authorize", {"received": "2026-03-02"}, "Unknown",
            (Hold("APPEAL", date(2026, 3, 4), date(2026, 5, 9)),)),
    Example("authorize 2026, still in dispute", "authorize", {"received": "2026-03-02"}, "Unknown",
            (Hold("LIABILITY", date(2026, 3, 4), date(2026, 5, 9)),)),
    Example("authorize 2026, onto a Saturday", "authorize", {"received": "2026-03-02"},
            "2026-03-16", (Hold("APPEAL", date(2026, 3, 3), date(2026, 3, 8), True),)),
    # The second appeal begins before the last day as the first one moved it.
    Example("authorize, appealed twice", "authorize", {"received": "2026-03-23"}, "2026-05-04",
            (Hold("APPEAL", date(2026, 3, 24), date(2026, 4, 22), True),
             Hold("APPEAL", date(2026, 4, 23), date(2026, 4, 27), True))),
    # March 30 + 29 days is April 28.
    Example("authorize, second appeal too late", "authorize", {"received": "2026-03-23"},
            "2026-04-28",
            (Hold("APPEAL", date(2026, 3, 24), date(2026, 4, 22), True),
             Hold("APPEAL", date(2026, 4, 29), date(2026, 5, 4), True))),
    Example("authorize, appealed on the last day", "authorize", {"received": "2026-03-23"},
            "2026-04-03", (Hold("APPEAL", date(2026, 3, 30), date(2026, 4, 3), True),)),
    # Days on which the case is appealed and in dispute count once.
    Example("authorize, appealed and in dispute", "authorize", {"received": "2026-03-23"},
            "2026-04-09",
            (Hold("APPEAL", date(2026, 3, 24), date(2026, 4, 1), True),
             Hold("LIABILITY", date(2026, 3, 27), date(2026, 4, 3), True))),
    Example("reimburse, appealed before receipt", "reimburse", {"received": "2026-03-23"},
            "2026-04-15", (Hold("APPEAL", date(2026, 3, 10), date(2026, 3, 26), True),)),
    Example("authorize, onto a Saturday", "authorize", {"received": "2015-03-02"}, "2015-03-16",
            (Hold("APPEAL", date(2015, 3, 3), date(2015, 3, 9), True),)),
    Example("reimburse, appealed", "reimburse", {"received": "2015-03-02"}, "2015-04-01",
            (Hold("APPEAL", date(2015, 3, 4), date(2015, 3, 14), True),)),
    Example("reimburse, liability", "reimburse", {"received": "2015-03-02"}, "2015-04-01",
            (Hold("LIABILITY", date(2015, 3, 4), date(2015, 3, 14), True),)),
]  # fmt: skip

# The law of 2020 and later: SB 537, 8 CCR 10575 and 10605. With the date that the court calendar
# would give, because these dates are often mistaken for each other.
LAW_OF_2020 = [
    # id, deadline, facts, the last day, the last day by the court calendar
    ("complete before Presidents' Day", "determination_formulary",
     {"records_complete": "2026-02-09"}, "2026-02-17", "2026-02-18"),
    ("complete before Thanksgiving", "determination_formulary",
     {"records_complete": "2024-11-25"}, "2024-12-04", "2024-12-04"),
    ("abroad, Native American Day", "petition",
     {"mailed": "2026-08-06", "method": "mail_abroad"}, "2026-09-25", "2026-09-28"),
    ("mailed, Native American Day 2027", "petition",
     {"mailed": "2027-08-20", "method": "mail_ca"}, "2027-09-24", "2027-09-27"),
    ("faxed, Native American Day", "petition",
     {"mailed": "2026-08-21", "method": "fax"}, "2026-09-25", "2026-09-28"),
    ("Columbus Day", "ur_decision", {"rfa": "2026-10-07"}, "2026-10-14", "2026-10-14"),
    ("abroad, after Thanksgiving", "petition",
     {"mailed": "2024-10-15", "method": "mail_abroad"}, "2024-12-04", "2024-12-04"),
    ("abroad, Lincoln Day", "petition",
     {"mailed": "2025-12-24", "method": "mail_abroad"}, "2026-02-12", "2026-02-13"),
    ("received before Presidents' Day", "authorize",
     {"received": "2026-02-09"}, "2026-02-17", "2026-02-18"),
    ("complete before Columbus Day", "determination_formulary",
     {"records_complete": "2026-10-07"}, "2026-10-14", "2026-10-14"),
    ("received before Thanksgiving", "authorize",
     {"received": "2025-11-21"}, "2025-12-02", "2025-12-02"),
    ("abroad, Juneteenth", "petition",
     {"mailed": "2025-04-30", "method": "mail_abroad"}, "2025-06-19", "2025-06-20"),
    ("in hand, Native American Day", "petition",
     {"mailed": "2027-08-25", "method": "in_hand"}, "2027-09-24", "2027-09-27"),
    ("another state", "petition",
     {"mailed": "2026-05-01", "method": "mail_us"}, "2026-06-10", "2026-06-10"),
    ("received before Columbus Day", "authorize",
     {"received": "2026-10-07"}, "2026-10-14", "2026-10-14"),
    ("abroad, Juneteenth 2024", "petition",
     {"mailed": "2024-04-30", "method": "mail_abroad"}, "2024-06-19", "2024-06-20"),
    ("complete before Thanksgiving 2025", "determination_formulary",
     {"records_complete": "2025-11-21"}, "2025-12-02", "2025-12-02"),
    ("request before Thanksgiving", "ur_decision", {"rfa": "2024-11-25"},
     "2024-12-04", "2024-12-04"),
    # first and last days of a rule
    ("first day of the rule", "petition",
     {"mailed": "2020-01-01", "method": "in_hand"}, "2020-01-31", "2020-01-31"),
    ("first day of SB 537", "authorize", {"received": "2020-01-01"}, "2020-01-08", "2020-01-08"),
    ("last day of the old petition", "petition",
     {"mailed": "2019-12-31", "method": "express"}, "2020-02-03", "2020-02-03"),
    # one holiday each that only the courts or only the state observes
    ("mailed, Lincoln Day", "petition",
     {"mailed": "2026-01-08", "method": "mail_ca"}, "2026-02-12", "2026-02-13"),
    ("e-mailed to another state, Juneteenth", "petition",
     {"mailed": "2025-05-10", "method": "electronic", "place": "us"}, "2025-06-19", "2025-06-20"),
    ("in hand, Columbus Day 2021", "petition",
     {"mailed": "2021-09-11", "method": "in_hand"}, "2021-10-11", "2021-10-12"),
    ("mailed, Christmas Eve 2021", "petition",
     {"mailed": "2021-11-19", "method": "mail_ca"}, "2021-12-24", "2021-12-27"),
    ("the Friday after Thanksgiving", "petition",
     {"mailed": "2026-10-23", "method": "mail_ca"}, "2026-11-30", "2026-11-30"),
    ("a Saturday Independence Day", "petition",
     {"mailed": "2026-05-30", "method": "mail_ca"}, "2026-07-06", "2026-07-06"),
    ("over Juneteenth", "authorize", {"received": "2025-06-13"}, "2025-06-20", "2025-06-23"),
    ("over Columbus Day 2021", "determination_formulary",
     {"records_complete": "2021-10-07"}, "2021-10-14", "2021-10-15"),
    ("over Lincoln Day", "ur_decision", {"rfa": "2026-02-10"}, "2026-02-18", "2026-02-19"),
    ("over Native American Day", "ur_decision", {"rfa": "2026-09-22"}, "2026-09-29", "2026-09-30"),
    ("over a Saturday Veterans Day", "authorize",
     {"received": "2023-11-08"}, "2023-11-16", "2023-11-16"),
    ("over Farmworkers Day", "ur_decision", {"rfa": "2026-03-27"}, "2026-04-06", "2026-04-06"),
    ("over Cesar Chavez Day on a Sunday", "authorize",
     {"received": "2024-03-28"}, "2024-04-05", "2024-04-05"),
    # leap days and the end of a year
    ("mailed on a leap day", "petition",
     {"mailed": "2024-02-29", "method": "mail_ca"}, "2024-04-04", "2024-04-04"),
    ("ends on a leap day", "petition",
     {"mailed": "2028-01-10", "method": "mail_abroad"}, "2028-02-29", "2028-02-29"),
    ("over a leap day", "authorize", {"received": "2024-02-26"}, "2024-03-04", "2024-03-04"),
    ("into the next year", "petition",
     {"mailed": "2026-11-27", "method": "mail_ca"}, "2027-01-04", "2027-01-04"),
    ("complete before Christmas", "determination_formulary",
     {"records_complete": "2026-12-23"}, "2026-12-31", "2026-12-31"),
    ("complete on the first day of SB 537", "determination_formulary",
     {"records_complete": "2020-01-01"}, "2020-01-08", "2020-01-08"),
    ("complete on the day before SB 537", "determination_formulary",
     {"records_complete": "2019-12-31"}, "2020-01-08", "2020-01-08"),
    ("received on the day before SB 537", "authorize",
     {"received": "2019-12-31"}, "2020-01-08", "2020-01-08"),
    ("request on the first day of SB 537", "ur_decision",
     {"rfa": "2020-01-01"}, "2020-01-08", "2020-01-08"),
]  # fmt: skip

EXAMPLES = [
    *WORKED,
    *(Example(f"2020: {row[0]}", *row[1:4]) for row in LAW_OF_2020),
    *rolling_examples(),
    *service_examples(),
    *first_day_examples(),
    *MORE,
]


def answer_to(case, rules=RULES):
    try:
        answer = count(case.deadline_kind, case.facts, rules=rules, holds=case.holds)
    except NoRule:
        return "NoRule"
    if isinstance(answer, UnknownDeadline):
        return "Unknown"
    return "a date" if case.answer == "a date" else format_iso(answer.due)


@pytest.mark.capability(
    "E1", "E2", "E3", "E4", "E5", "E6", "E7", "E8", "E9", "E10", "E11", "E12",
    "E13", "E14", "E15", "E16", "E17", "E18", "E19", "E20", "E22",
)  # fmt: skip
@pytest.mark.parametrize("case", EXAMPLES, ids=lambda case: case.id)
def test_each_worked_example_gives_its_date(case):
    assert answer_to(case) == case.answer


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("deadline_kind", "facts", "office", "judicial"),
    [row[1:] for row in LAW_OF_2020],
    ids=[row[0] for row in LAW_OF_2020],
)
def test_the_command_shows_the_date_by_each_calendar(
    deadline_kind, facts, office, judicial, capsys
):
    words = [f"{key}={value}" for key, value in facts.items()]

    call_command("deadline", deadline_kind, *words, "--json")
    call_command("deadline", deadline_kind, *words, "calendar=judicial", "--json")

    by_rule, by_courts = capsys.readouterr().out.split("\n}\n")[:2]
    row = json.loads(by_rule + "}")
    assert row["due"] == office
    assert json.loads(by_courts + "}")["due"] == judicial
    # The last day that parties are told is never after either of them.
    assert row["file_by"] <= min(office, judicial)
    if row["calendar"] == "office":
        assert row["by_calendar"]["office"] == office
        assert row["by_calendar"]["judicial"] == judicial


# What was done on a day, and whether that was in time.
JUDGED = [
    # Five days end on December 1; by the state's list, with the Friday open, on November 30.
    ("decided by its own date", "ur_decision", {"rfa": "2026-11-20"}, "2026-12-01", Timely),
    ("decided a day later", "ur_decision", {"rfa": "2026-11-20"}, "2026-12-02", Late),
    ("authorized on Columbus Day's extra day", "authorize",
     {"received": "2026-10-07"}, "2026-10-15", UnknownDeadline),
    ("authorized by its own date", "authorize", {"received": "2026-11-20"}, "2026-12-01", Timely),
    ("determined by its own date", "determination_formulary",
     {"records_complete": "2026-11-20"}, "2026-12-01", Timely),
    ("decided, old law", "ur_decision", {"rfa": "2019-10-09"}, "2019-10-17", UnknownDeadline),
    ("authorized, old law", "authorize", {"received": "2019-10-09"}, "2019-10-17", UnknownDeadline),
    ("information after Thanksgiving", "eligibility_information",
     {"received": "2019-11-22"}, "2019-12-03", UnknownDeadline),
    ("answer after Thanksgiving", "reviewer_information",
     {"received": "2019-11-22"}, "2019-12-03", UnknownDeadline),
    ("petition of 2020 after Thanksgiving", "petition",
     {"mailed": "2020-10-28", "method": "in_hand"}, "2020-11-30", UnknownDeadline),
    # Day 30 after service by fax is November 6; two court days more end on November 10.
    ("faxed decision, within 30 days", "application",
     {"served": "2026-10-07", "method": "fax"}, "2026-11-06", Timely),
    ("faxed decision, within the added days", "application",
     {"served": "2026-10-07", "method": "fax"}, "2026-11-09", UnknownDeadline),
    ("faxed decision, too late", "application",
     {"served": "2026-10-07", "method": "fax"}, "2026-11-11", Late),
    ("decision by e-mail, within the added days", "application",
     {"served": "2026-10-07", "method": "electronic"}, "2026-11-10", UnknownDeadline),
    ("formulary, faxed", "application_formulary",
     {"served": "2026-10-07", "method": "fax"}, "2026-10-20", UnknownDeadline),
    ("formulary, e-mailed", "application_formulary",
     {"served": "2026-10-07", "method": "electronic"}, "2026-10-20", UnknownDeadline),
    ("after liability, faxed", "application_after_liability",
     {"served": "2026-10-07", "method": "fax"}, "2026-11-09", UnknownDeadline),
    ("after liability, e-mailed", "application_after_liability",
     {"served": "2026-10-07", "method": "electronic"}, "2026-11-09", UnknownDeadline),
    ("mailed decision, within the added days", "application",
     {"served": "2026-10-07", "method": "mail_ca"}, "2026-11-09", Timely),
    ("express, within the added days", "application",
     {"served": "2026-10-07", "method": "express"}, "2026-11-09", Timely),
    # Until 2019 nobody disputed the days that CCP adds to a petition.
    ("petition of 2018, faxed", "petition",
     {"mailed": "2018-05-09", "method": "fax"}, "2018-06-12", Timely),
    ("petition of 2018, e-mailed", "petition",
     {"mailed": "2018-05-09", "method": "electronic"}, "2018-06-12", Timely),
    ("petition on a court holiday", "petition",
     {"mailed": "2026-08-21", "method": "mail_ca"}, "2026-09-28", UnknownDeadline),
    ("petition after a court holiday", "petition",
     {"mailed": "2026-08-21", "method": "mail_ca"}, "2026-09-29", Late),
]  # fmt: skip


# A Monday after the Friday after Thanksgiving, on which some calendars are open.
JUDGED += [
    (
        f"{example.id}, on Monday",
        example.deadline_kind,
        example.facts,
        example.answer,
        UnknownDeadline,
    )
    for example in rolling_examples()
    if example.id.endswith(", friday")
    and DEADLINE_KINDS[example.deadline_kind].obligor is Obligor.PARTY
]


def verdict_of(row, rules=RULES):
    _, deadline_kind, facts, done_on, _ = row
    return type(
        judge_timeliness(deadline_kind, done_on, facts, rules=rules, calendars=default_calendars())
    )


@pytest.mark.parametrize("row", JUDGED, ids=[row[0] for row in JUDGED])
def test_what_is_done_on_a_day_is_in_time_late_or_for_a_person_to_decide(row):
    assert verdict_of(row) is row[-1]


def test_an_address_without_a_state_gets_the_date_of_each_place():
    answer = count("petition", {"mailed": "2026-08-21", "method": "fax", "place": "unknown"})

    assert answer.dates == (date(2026, 9, 25), date(2026, 10, 12))
    assert "Sep 30, 2026 if it is in another state" in answer.sentence
    assert answer.missing == ("the state or country of the address",)


PENALTIES = [
    ("six days", "2015-01-06", "2015-01-12", 3_000),
    ("fourteen days, capped", "2015-01-06", "2015-01-20", 5_000),
    ("in time", "2015-01-06", "2015-01-06", 0),
    ("early", "2015-01-06", "2014-12-30", 0),
    ("one day", "2015-01-06", "2015-01-07", 500),
    ("first day", "2014-12-01", "2014-12-02", 500),
    ("before", "2014-11-30", "2014-12-02", None),
    ("last day of the old schedule", "2026-03-31", "2026-04-02", 1_000),
    ("first day of the new schedule", "2026-04-01", "2026-04-02", "Unknown"),
]


def penalty_for(owed, came, rules=RULES):
    try:
        answer = records_penalty({"records_due": owed, "records_received": came}, rules=rules)
    except NoRule:
        return None
    return "Unknown" if isinstance(answer, UnknownDeadline) else answer.usd


@pytest.mark.capability("E21")
@pytest.mark.parametrize(("owed", "came", "usd"), [row[1:] for row in PENALTIES],
                         ids=[row[0] for row in PENALTIES])  # fmt: skip
def test_late_records_cost_the_penalty_of_the_law(owed, came, usd):
    assert penalty_for(owed, came) == usd


def test_the_penalty_shows_its_calculation_and_its_limit():
    answer = records_penalty(
        {"records_due": "2015-01-06", "records_received": "2015-01-20"}, rules=RULES
    )

    assert answer.days_late == 14
    assert "14 days × $500 = $7,000." in answer.lines()[2]
    assert "At most $5,000." in answer.lines()[3]


@pytest.mark.shared
def test_the_engine_agrees_with_every_example_of_the_reference_data():
    if not SHARED.is_dir():
        pytest.skip("the reference data is not beside this checkout")

    examples = [
        row
        for name in ("deadline_examples.json", "deadline_examples_2026.json")
        for row in json.loads((SHARED / name).read_text())
    ]
    for row in examples:
        answer = count(row["clock"], row["given"])
        assert isinstance(answer, ComputedDeadline), row["id"]
        assert format_iso(answer.due) == row["due"], row["id"]
    for row in json.loads((SHARED / "other_examples.json").read_text()):
        if "penalty_usd" in row:
            assert records_penalty(row["given"], rules=RULES).usd == row["penalty_usd"], row["id"]
        else:
            answer = count("twelve_month_bar", row["given"])
            assert format_iso(answer.due) == row["barred_through"], row["id"]


# --- A change of any rule is seen -----------------------------------------------------------------


def changed(mapping, key, value):
    return {**mapping, key: value}


def rule_mutants(rule):
    """Every constant of a rule, changed a little, with its name."""
    for name in ("length", "outer_days", "usd_per_day", "usd_limit"):
        number = getattr(rule, name)
        for step in (-1, 1) if number else ():
            if number + step > 0:
                yield f"{name} {step:+}", replace(rule, **{name: number + step})
    for name in ("length_by_method", "deemed_received"):
        for method, number in getattr(rule, name).items():
            for step in (-1, 1):
                table = changed(getattr(rule, name), method, number + step)
                yield f"{name} {method} {step:+}", replace(rule, **{name: table})
    for method, extension in rule.extensions.items():
        for step in (-1, 1):
            if extension.days + step >= 0:
                other = replace(extension, days=extension.days + step)
                table = changed(rule.extensions, method, other)
                yield f"extension {method} {step:+}", replace(rule, extensions=table)
        if extension.days:
            other = replace(extension, court_days=not extension.court_days)
            table = changed(rule.extensions, method, other)
            yield f"extension {method} kind", replace(rule, extensions=table)
        # Mail is in the text of the law; only fax and electronic service are read by analogy.
        if method in ("fax", "electronic"):
            other = replace(extension, disputed=not extension.disputed)
            table = changed(rule.extensions, method, other)
            yield f"extension {method} disputed", replace(rule, extensions=table)
    for reason, hold in rule.legal_holds.items():
        rest = {key: value for key, value in rule.legal_holds.items() if key != reason}
        yield f"hold {reason} gone", replace(rule, legal_holds=rest)
        if hold.max_days:
            for step in (-1, 1):
                other = replace(hold, max_days=hold.max_days + step)
                table = changed(rule.legal_holds, reason, other)
                yield f"hold {reason} {step:+}", replace(rule, legal_holds=table)
        if hold.effect is not Effect.EXTENDS:
            other = replace(hold, effect=Effect.EXTENDS)
            yield f"hold {reason} effect", replace(rule, legal_holds={**rest, reason: other})
    if {"in_hand", "mail_ca", "mail_us", "mail_abroad"} <= set(rule.extensions):
        yield "extends by address", replace(rule, extends_by_address=not rule.extends_by_address)
    # It decides only about the acts of others.
    obligor = DEADLINE_KINDS[rule.deadline_kind].obligor
    if rule.calendar and obligor is not Obligor.ORGANIZATION:
        yield "defines calendar", replace(rule, defines_calendar=not rule.defines_calendar)
    if rule.deadline_kind == "records_penalty":
        pass  # an amount of money: it has no unit and no roll
    elif rule.kind in (Kind.WORKING, Kind.BUSINESS, Kind.HOURS, Kind.MONTHS):
        yield "kind", replace(rule, kind=Kind.CALENDAR)
    elif rule.usd_per_day is None:
        yield "kind", replace(rule, kind=Kind.BUSINESS, calendar=rule.calendar or "office")
    for calendar in CalendarName:
        if rule.calendar and calendar != rule.calendar:
            yield f"calendar {calendar}", replace(rule, calendar=calendar)
    # A count of open days ends on one, so its roll shows only where a hold may move the end.
    counts_days = rule.kind is Kind.CALENDAR and rule.deadline_kind != "records_penalty"
    if counts_days or rule.legal_holds:
        if rule.roll is Roll.FORWARD:
            yield "roll", replace(rule, roll=Roll.NONE)
        elif rule.kind is Kind.CALENDAR:
            yield "roll", replace(rule, roll=Roll.FORWARD, calendar=rule.calendar or "judicial")
    if rule.cutoff:
        for minutes in (-1, 1):
            moved = datetime.combine(date(2018, 1, 1), rule.cutoff) + timedelta(minutes=minutes)
            yield f"cutoff {minutes:+}", replace(rule, cutoff=moved.time())
    yield "begins late", replace(rule, effective_from=rule.effective_from + ONE_DAY)
    if rule.effective_from > date(2012, 1, 1):  # the first year on file: nothing lies before it
        yield "begins early", replace(rule, effective_from=rule.effective_from - ONE_DAY)
    if rule.effective_to:
        yield "ends late", replace(rule, effective_to=rule.effective_to + ONE_DAY)
        yield "ends early", replace(rule, effective_to=rule.effective_to - ONE_DAY)


RULE_MUTANTS = [
    pytest.param(rule, mutant, id=f"{rule.deadline_kind} from {rule.effective_from.year}: {what}")
    for rule in RULES
    for what, mutant in rule_mutants(rule)
]


@pytest.mark.parametrize(("rule", "mutant"), RULE_MUTANTS)
def test_no_rule_can_change_without_a_named_example_failing(rule, mutant):
    rules = [mutant if other is rule else other for other in RULES]

    noticed = []
    for case in EXAMPLES:
        if case.deadline_kind == rule.deadline_kind or "liability" in rule.deadline_kind:
            try:
                same = answer_to(case, rules) == case.answer
            except CannotCount:
                same = False
            noticed += [] if same else [case.id]
    for row in JUDGED:
        if row[1] == rule.deadline_kind:
            try:
                same = verdict_of(row, rules) is row[-1]
            except CannotCount:
                same = False
            noticed += [] if same else [row[0]]
    for name, owed, came, usd in PENALTIES if rule.deadline_kind == "records_penalty" else ():
        try:
            same = penalty_for(owed, came, rules) == usd
        except CannotCount:
            same = False
        noticed += [] if same else [name]

    assert noticed


def test_the_mutations_cover_every_field_of_a_rule():
    """A field added to ``Rule`` needs its mutants here, or a reason to have none."""
    words_only = {"deadline_kind", "source", "note", "confirmed_by", "confirmed_on"}
    mutated = {
        "kind", "length", "length_by_method", "calendar", "roll", "extensions", "legal_holds",
        "extends_by_address", "defines_calendar", "cutoff", "deemed_received", "outer_days",
        "usd_per_day", "usd_limit", "effective_from",
        "effective_to",
    }  # fmt: skip

    assert {one.name for one in fields(Rule)} == words_only | mutated


# --- Brute force ----------------------------------------------------------------------------------

# Every thirty-seventh day: each weekday of each week of the year comes up, in some year; and the
# days whose counts pass a leap day or the end of a year.
TRIGGERS = [date(2013, 1, 1) + timedelta(days=n) for n in range(0, 16_980, 37)] + [
    date(2016, 1, 29),
    date(2016, 2, 29),
    date(2015, 12, 15),
]
DAY_DEADLINE_KINDS = [
    deadline_kind
    for deadline_kind in DEADLINE_KINDS
    if deadline_kind != "records_penalty"
    and rule_of(deadline_kind).kind not in (Kind.HOURS, Kind.MONTHS)
]


def walk(rule, start, extension_days, court_days):
    """Count one day at a time, as a clerk with a wall calendar would."""
    calendar = default_calendars().get(rule.calendar or "judicial")
    courts = default_calendars().get("judicial")
    length = rule.length or rule.length_by_method["mail_ca"]
    day = start
    while length:
        day += ONE_DAY
        if rule.kind is Kind.CALENDAR or calendar.is_open(day):
            length -= 1
    while extension_days:
        day += ONE_DAY
        if not court_days or courts.is_open(day):
            extension_days -= 1
    while rule.roll is Roll.FORWARD and not calendar.is_open(day):
        day += ONE_DAY
    return day


def triggers_of(deadline_kind):
    return [day for day in TRIGGERS if day >= rule_of(deadline_kind).effective_from]


def methods_of(rule):
    """The methods of service that the brute force counts; one where they make no difference."""
    if rule.length_by_method or not rule.needs_method:
        return ["mail_ca"]
    return ["mail_ca", "fax", "mail_abroad"]


@pytest.mark.capability("CK-2")
@pytest.mark.parametrize(
    ("deadline_kind", "method"),
    [
        (deadline_kind, method)
        for deadline_kind in DAY_DEADLINE_KINDS
        for method in methods_of(rule_of(deadline_kind))
    ],
)
def test_a_count_equals_walking_day_by_day(deadline_kind, method):
    rule = rule_of(deadline_kind)
    key = "mail_ca" if rule.extends_by_address and method == "fax" else method
    extension = rule.extensions.get(key)
    added = (extension.days, extension.court_days) if extension else (0, False)
    for start in triggers_of(deadline_kind):
        facts = {DEADLINE_KINDS[deadline_kind].trigger: start}
        if rule.needs_method:
            facts["method"] = method

        answer = count(deadline_kind, facts)

        assert answer.due_on == walk(rule, start, *added), start


@pytest.mark.parametrize("deadline_kind", DAY_DEADLINE_KINDS)
def test_a_later_trigger_never_gives_an_earlier_date(deadline_kind):
    method = {"method": "mail_ca"} if rule_of(deadline_kind).needs_method else {}
    trigger = DEADLINE_KINDS[deadline_kind].trigger
    for start in triggers_of(deadline_kind):
        first = count(deadline_kind, {trigger: start, **method})
        assert first.due_on > start
        assert not first.target_on or first.target_on <= first.due_on
        for later in (1, 3, 30):
            second = count(deadline_kind, {trigger: start + timedelta(days=later), **method})

            assert first.due_on <= second.due_on, (start, later)
            assert not first.target_on or first.target_on <= second.target_on, (start, later)


@pytest.mark.parametrize(
    "deadline_kind", ["determination_expedited", "records_expedited", "ur_decision_expedited"]
)
def test_a_deadline_in_hours_counts_elapsed_hours_only(deadline_kind):
    hours = timedelta(hours=rule_of(deadline_kind).length)
    moment = datetime(2013, 1, 2, 0, 13, 7, tzinfo=UTC)
    while moment < datetime(2059, 6, 30, tzinfo=UTC):
        answer = count(deadline_kind, {DEADLINE_KINDS[deadline_kind].trigger: moment})

        assert answer.due_at.astimezone(UTC) - moment == hours, moment
        assert answer.due_at.tzinfo is PACIFIC
        moment += timedelta(days=19, hours=5)


# --- Daylight saving, leap day, month end ---------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2015-03-07T16:00", "2015-03-10T17:00"),  # an hour skipped on Sunday 8 March
        ("2015-10-30T16:00", "2015-11-02T15:00"),  # an hour twice on Sunday 1 November
        ("2015-10-31T01:30", "2015-11-03T00:30"),
        ("2016-02-28T09:00", "2016-03-02T09:00"),  # over the leap day
        ("2015-02-27T09:00", "2015-03-02T09:00"),
        ("2015-12-30T09:00", "2016-01-02T09:00"),
    ],
)
def test_a_72_hour_limit_is_right_across_daylight_saving_changes_and_a_leap_day(start, end):
    answer = count("determination_expedited", {"information_complete": start})

    assert format_iso(answer.due) == end


def test_an_hour_that_occurs_twice_is_distinguished_by_its_utc_offset():
    summer = datetime(2015, 11, 1, 1, 30, tzinfo=timezone(timedelta(hours=-7)))
    winter = datetime(2015, 11, 1, 1, 30, tzinfo=timezone(timedelta(hours=-8)))

    first = count("determination_expedited", {"information_complete": summer})
    second = count("determination_expedited", {"information_complete": winter})
    unsaid = count("determination_expedited", {"information_complete": "2015-11-01T01:30"})

    assert format_iso(first.due) == "2015-11-04T00:30"
    assert format_iso(second.due) == "2015-11-04T01:30"
    assert unsaid.due_at == first.due_at  # the earlier one: safer for a duty of ours


def test_an_hour_that_does_not_exist_is_refused():
    with pytest.raises(BadDeadlineFact, match="did not exist"):
        count("determination_expedited", {"information_complete": "2015-03-08T02:30"})


def test_a_month_end_changes_nothing_about_a_weekend():
    """Friday 31 October to Monday 3 November is as long as Friday 7 to Monday 10."""
    assert count("noarfi", {"found_eligible": "2014-10-31"}).due_on == date(2014, 11, 3)
    assert count("noarfi", {"found_eligible": "2014-11-07"}).due_on == date(2014, 11, 10)
    for friday in ("2014-10-31T16:00", "2014-11-07T16:00"):
        answer = count("determination_expedited", {"information_complete": friday})
        assert (answer.due_at.astimezone(UTC) - answer.trigger.astimezone(UTC)).days == 3


@pytest.mark.capability("CK-11")
@pytest.mark.parametrize("day", ["2018-03-09", "2018-03-12", "2018-11-02", "2018-11-05"])
def test_the_cut_off_hour_is_right_on_both_sides_of_a_daylight_saving_change(day):
    """Given the hour of a request, which the command ``deadline`` takes and no page asks for yet.

    The deadlines changed on Sunday 11 March and Sunday 4 November 2018.
    """
    in_time = count("ur_decision", {"rfa": f"{day}T17:29"})
    too_late = count("ur_decision", {"rfa": f"{day}T17:31"})

    assert in_time.trigger_day == too_late.trigger_day
    assert too_late.due_on == default_calendars().get("gov6700").add(in_time.due_on, 1)
    local = datetime.combine(date.fromisoformat(day), time(17, 31), tzinfo=PACIFIC)
    assert count("ur_decision", {"rfa": local.astimezone(UTC)}).due_on == too_late.due_on


def test_a_moment_counts_for_its_day_in_los_angeles():
    evening = datetime(2014, 6, 21, 5, 0, tzinfo=UTC)  # 22:00 on the 20th in Los Angeles

    answer = count("application", {"served": evening, "method": "in_hand"})

    assert answer.trigger == date(2014, 6, 20)


# --- The printed sum ------------------------------------------------------------------------------


@pytest.mark.capability("CK-1", "CK-9")
def test_the_engine_reads_no_clock_and_no_database():
    """So a recalculation gives the same date, and a day without the scheduler costs nothing."""
    for module in (deadlines_module, calendars_module, kinds_module):
        source = Path(module.__file__).read_text()
        for word in ("now(", "today()", "utcnow", "import django", "from django", "objects"):
            assert word not in source, (module.__name__, word)
    facts = {"served": "2016-10-21", "method": "mail_ca"}

    assert count("application", facts).as_row() == count("application", dict(facts)).as_row()


@pytest.mark.capability("CK-4")
def test_every_line_of_the_calculation_shows_its_date_and_source():
    answer = count("application", {"served": "2016-10-21", "method": "mail_ca"})

    assert [(step.kind, step.reached) for step in answer.steps] == [
        (StepKind.TRIGGER, date(2016, 10, 21)),
        (StepKind.LENGTH, date(2016, 11, 20)),
        (StepKind.EXTENSION, date(2016, 11, 25)),
        (StepKind.ROLL, date(2016, 11, 28)),
        (StepKind.LIMIT, date(2016, 11, 28)),  # calendars differ
        (StepKind.RESULT, date(2016, 11, 28)),
    ]
    assert answer.unrolled == date(2016, 11, 25)
    assert "9792.10.1(b)(1)" in answer.steps[1].source
    assert answer.steps[2].source == "CCP 1013(a)"
    assert "the Friday after Thanksgiving" in answer.steps[3].sentence
    assert answer.lines()[0].startswith("Fri, Oct 21, 2016: the UR decision was served by mail")


def test_the_calculation_names_the_holidays_that_it_skipped():
    answer = count("eligibility_information", {"received": "2014-02-13"})

    assert "Mon, Feb 17, 2014 (Presidents' Day)" in answer.steps[1].sentence


def test_a_named_override_is_shown_in_the_calculation():
    answer = count(
        "eligibility_information",
        {"received": "2014-02-13", "rules_of": "2013", "calendar": "office"},
    )

    said = " ".join(step.sentence for step in answer.steps if step.kind is StepKind.CHOICE)
    assert "rules of 2013, chosen by name" in said
    assert "office calendar, chosen by name; the rule counts on judicial" in said


def test_the_calculation_shows_whether_its_rule_is_confirmed():
    facts = {"found_eligible": "2014-12-24"}
    confirmed = [
        replace(rule, confirmed_by="R. Ortiz", confirmed_on=date(2024, 5, 1)) for rule in RULES
    ]

    assert not count("noarfi", facts).is_confirmed
    assert count("noarfi", facts, rules=confirmed).is_confirmed
    assert count("noarfi", facts, rules=confirmed).steps[1].confirmed


def test_a_calculation_is_stored_as_plain_json_values():
    row = count("determination_expedited", {"information_complete": "2015-07-02T16:00"}).as_row()

    assert json.loads(json.dumps(row)) == row
    assert (row["due"], row["internal_target"]) == ("2015-07-05T16:00", "2015-07-05T16:00")


# --- The internal target --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("deadline_kind", "facts", "due_on", "target_on"),
    [
        # the legal date rolls to Monday, we aim at the Friday before
        ("determination_regular", {"records_complete": "2014-07-03"}, "2014-08-04", "2014-08-01"),
        ("determination_regular", {"records_complete": "2014-07-01"}, "2014-07-31", "2014-07-31"),
        # the unrolled day is the Friday after Thanksgiving: the open day before is Wednesday
        ("determination_regular", {"records_complete": "2014-10-29"}, "2014-12-01", "2014-11-26"),
        # calendars differ over that Friday: we count it as working, which is earlier
        ("noarfi", {"found_eligible": "2014-11-26"}, "2014-12-01", "2014-11-28"),
        # and over Admission Day
        (
            "determination_formulary",
            {"records_complete": "2019-09-06"},
            "2019-09-16",
            "2019-09-13",
        ),
        # since 2020 too the internal target is the earliest, although the law defines the days
        (
            "determination_formulary",
            {"records_complete": "2026-11-20"},
            "2026-12-01",
            "2026-11-30",
        ),
        ("noarfi", {"found_eligible": "2014-12-24"}, "2014-12-26", "2014-12-26"),
    ],
)
def test_our_own_target_is_the_earliest_date_of_all_calendars(
    deadline_kind, facts, due_on, target_on
):
    answer = count(deadline_kind, facts)

    assert (str(answer.due_on), str(answer.target_on)) == (due_on, target_on)
    assert answer.target_steps[-1].sentence.startswith("Internal target:")


def test_only_our_own_duties_have_a_target():
    for name, deadline_kind in DEADLINE_KINDS.items():
        if name == "records_penalty":
            continue
        facts = {deadline_kind.trigger: "2020-06-01T09:00", "method": "mail_ca"}
        answer = count(name, {key: facts[key] for key in facts if key in deadline_kind.keys})
        assert (answer.target is not None) is (deadline_kind.obligor is Obligor.ORGANIZATION), name


# --- Holds ----------------------------------------------------------------------------------------

REGULAR = {"records_complete": "2014-07-01"}  # due Thu, Jul 31, 2014


def test_holds_without_a_source_move_the_internal_target_up_to_the_legal_date():
    holds = [
        Hold("RECORDS_CHASE", date(2014, 7, 3), date(2014, 7, 5), True, by="D. Mori"),
        Hold("RECORDS_CHASE", date(2014, 7, 10), date(2014, 7, 14)),
        Hold("TRANSLATION", date(2014, 7, 20), date(2014, 7, 21), True),
    ]

    answer = count("determination_regular", REGULAR, holds=holds)

    assert answer.due_on == date(2014, 7, 31)
    assert answer.target_on == date(2014, 7, 31)
    lines = [step for step in answer.target_steps if step.kind is StepKind.HOLD]
    reached = [step.reached for step in lines]
    assert reached == [date(2014, 8, 2), date(2014, 8, 6), date(2014, 8, 7)]
    assert "by D. Mori" in lines[0].sentence
    legal = [step.sentence for step in answer.steps if step.kind is StepKind.HOLD]
    assert len(legal) == 3
    assert all("names no source" in sentence for sentence in legal)
    assert "after the legal date" in answer.target_steps[-2].sentence


def test_days_on_which_two_holds_overlap_count_once():
    holds = [
        Hold("A", date(2014, 7, 3), date(2014, 7, 8)),
        Hold("B", date(2014, 7, 5), date(2014, 7, 10)),
        Hold("C", date(2014, 7, 6), date(2014, 7, 7)),
    ]

    answer = count("determination_regular", REGULAR, holds=holds)
    reached = [step.reached for step in answer.target_steps if step.kind is StepKind.HOLD]
    assert reached == [date(2014, 8, 5), date(2014, 8, 7), date(2014, 8, 7)]


def test_a_hold_before_the_trigger_after_the_target_or_without_end_moves_nothing():
    holds = [
        Hold("A", date(2014, 6, 1), date(2014, 6, 20), True),
        Hold("B", date(2014, 9, 1), date(2014, 9, 20)),
        Hold("C", date(2014, 7, 10)),
    ]

    assert count("determination_regular", REGULAR, holds=holds).target_on == date(2014, 7, 31)


def test_a_target_moved_by_a_hold_onto_a_closed_day_rolls_back_to_an_open_one():
    facts = {"records_complete": "2014-07-03"}  # due Mon, Aug 4, because Aug 2 is a Saturday
    assert count("determination_regular", facts).target_on == date(2014, 8, 1)

    one_day = count("determination_regular", facts, holds=[Hold("A", *days_of_july(10, 11))])
    assert one_day.target_on == date(2014, 8, 1)
    three_days = count("determination_regular", facts, holds=[Hold("A", *days_of_july(10, 13))])
    assert three_days.target_on == date(2014, 8, 4)


def days_of_july(*days):
    return [date(2014, 7, day) for day in days]


def test_a_hold_does_not_move_the_target_of_a_deadline_in_hours():
    facts = {"information_complete": "2015-07-02T16:00"}
    holds = [Hold("A", date(2015, 7, 3), date(2015, 7, 4))]

    answer = count("determination_expedited", facts, holds=holds)

    assert format_iso(answer.due) == "2015-07-05T16:00"
    assert format_iso(answer.target) == "2015-07-05T16:00"
    assert "moves neither" in answer.target_steps[0].sentence


@pytest.mark.capability("CK-8")
def test_extensions_are_limited_together():
    holds = [
        Hold("EXTENSION", date(2014, 7, 29), date(2014, 7, 31), approved_on=date(2014, 7, 28)),
        Hold("EXTENSION", date(2014, 7, 31), date(2014, 8, 2), approved_on=date(2014, 7, 30)),
        Hold("EXTENSION", date(2014, 8, 2), date(2014, 8, 4), approved_on=date(2014, 8, 1)),
    ]

    answer = count("determination_regular", REGULAR, holds=holds)

    assert answer.due_on == date(2014, 8, 4)  # 31 July and three days is a Sunday
    said = [step.sentence for step in answer.steps if step.kind is StepKind.HOLD]
    assert "adds 2 days." in said[0]
    assert "adds 1 day; all extensions together add at most 3." in said[1]
    assert "adds 0 days; all extensions together" in said[2]


def test_an_extension_moves_both_the_legal_date_and_the_target():
    answer = count("determination_regular", {**REGULAR, **EXTENSION_JULY, "extension_days": 1})

    assert (answer.due_on, answer.target_on) == (date(2014, 8, 1), date(2014, 8, 1))
    (line,) = [step for step in answer.steps if step.kind is StepKind.HOLD]
    assert "4610.6" in line.source


def test_a_liability_dispute_restarts_the_deadline_and_the_calculation_names_the_start():
    facts = {"served": "2016-01-04", "method": "mail_ca"}

    answer = count("application", facts, holds=[LIABILITY_2016])

    assert answer.deadline_kind.name == "application"
    assert answer.trigger == date(2016, 5, 2)
    assert "restarts" in answer.steps[0].sentence
    assert "4610.5(h)(2)" in answer.steps[0].source


def test_a_deadline_restarted_by_a_notice_with_unknown_service_is_unknown():
    hold = replace(LIABILITY_2016, method="")

    answer = count("application", {"served": "2016-01-04", "method": "mail_ca"}, holds=[hold])

    assert isinstance(answer, UnknownDeadline)
    assert "way in which the notice that the liability dispute is resolved" in answer.sentence


# --- What is not known ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("deadline_kind", "facts", "missing"),
    [
        ("application", {}, "the day on which the UR decision was served"),
        ("application", {"served": None, "method": "mail_ca"}, "the day on which the UR decision"),
        ("application", {"served": "", "method": "mail_ca"}, "the day on which the UR decision"),
        ("application", {"served": "2014-06-20"}, "the way in which the UR decision was served"),
        ("application", {"served": "2014-06-20", "method": ""}, "the way in which"),
        (
            "application",
            {"served": "2014-06-20", "method": "mail_ca", "form_served": False},
            "the application form was sent",
        ),
        ("records", {"noarfi": "2017-01-19", "method": "in_hand"}, "this way of service"),
        ("determination_expedited", {"information_complete": "2015-07-02"}, "the hour at which"),
        ("petition", {"mailed": "2014-11-06"}, "the way in which the decision was served"),
    ],
)
def test_a_missing_fact_is_named_and_makes_the_date_unknown_and_never_late(
    deadline_kind, facts, missing
):
    for answer in (count(deadline_kind, facts), judge(deadline_kind, "2059-01-01", facts)):
        assert isinstance(answer, UnknownDeadline)
        assert missing in answer.missing[0]
        assert answer.sentence
        assert answer.as_row()["due"] is None


@pytest.mark.parametrize(
    "given", [{"records_due": "2015-01-06"}, {"records_received": "2015-01-06"}]
)
def test_a_penalty_without_both_days_is_unknown(given):
    assert isinstance(records_penalty(given, rules=RULES), UnknownDeadline)


# --- In time or not -------------------------------------------------------------------------------


@pytest.mark.capability("E3")
def test_an_application_received_one_day_late_is_late():
    facts = {"served": "2013-12-24", "method": "mail_ca"}

    assert isinstance(judge("application", "2014-01-28", facts), Timely)
    late = judge("application", "2014-01-29", facts)
    assert isinstance(late, Late)
    assert late.days == 1
    assert late.sentence == "Wed, Jan 29, 2014 is 1 day late (limit Tue, Jan 28, 2014)."


@pytest.mark.capability("E18")
def test_a_petition_on_day_34_is_timely():
    answer = judge("petition", "2014-12-10", {"mailed": "2014-11-06", "method": "mail_ca"})

    assert isinstance(answer, Timely)
    assert "1 day to spare" in answer.sentence


@pytest.mark.capability("E14")
def test_a_late_determination_is_13_days_late_and_nothing_else_changes():
    answer = judge("determination_regular", "2015-01-08", {"records_complete": "2014-11-26"})

    assert isinstance(answer, Late)
    assert answer.days == 13


def test_an_application_counts_for_its_local_day_to_midnight():
    facts = {"served": "2014-06-20", "method": "in_hand"}  # last day Mon, Jul 21, 2014
    last_minute = datetime(2014, 7, 21, 23, 59, tzinfo=PACIFIC)

    assert isinstance(judge("application", last_minute.astimezone(UTC), facts), Timely)
    midnight = last_minute + timedelta(minutes=1)
    assert isinstance(judge("application", midnight.astimezone(UTC), facts), Late)


@pytest.mark.capability("E4")
@pytest.mark.parametrize(
    ("received", "expected"),
    [("2016-11-25", Timely), ("2016-11-28", UnknownDeadline), ("2016-11-29", Late)],
)
def test_where_calendars_disagree_and_timeliness_turns_on_it_a_person_decides(received, expected):
    """Mailed 21 October 2016: day 35 is the Friday after Thanksgiving."""
    answer = judge("application", received, {"served": "2016-10-21", "method": "mail_ca"})

    assert isinstance(answer, expected)
    if expected is UnknownDeadline:
        assert answer.dates == (date(2016, 11, 25), date(2016, 11, 28))
        assert "Fri, Nov 25, 2016 (gov6700); Mon, Nov 28, 2016 (judicial, office" in answer.sentence
        assert "A person must decide" in answer.sentence


@pytest.mark.capability("E19")
def test_no_one_is_penalized_on_the_friday_after_thanksgiving():
    """Five working days from 26 November 2014 end on 4 or on 5 December."""
    facts = {"received": "2014-11-26"}

    assert isinstance(judge("authorize", "2014-12-03", facts), Timely)
    assert isinstance(judge("authorize", "2014-12-05", facts), UnknownDeadline)
    assert isinstance(judge("authorize", "2014-12-08", facts), Late)


def test_a_chosen_calendar_decides_where_calendars_disagree():
    facts = {"served": "2016-10-21", "method": "mail_ca", "calendar": "judicial"}

    assert isinstance(judge("application", "2016-11-28", facts), Timely)


def test_a_receipt_before_the_service_date_asks_to_check_both_dates():
    answer = judge("application", "2014-06-19", {"served": "2014-06-20", "method": "in_hand"})

    assert isinstance(answer, UnknownDeadline)
    assert "Check both dates" in answer.sentence


def test_an_application_without_a_receipt_date_is_unknown_and_not_late():
    answer = judge("application", None, {"served": "2014-06-20", "method": "in_hand"})

    assert isinstance(answer, UnknownDeadline)
    assert answer.missing == ("the day on which the application is received",)


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        ("2015-07-05T16:00", Timely),
        ("2015-07-05T16:01", Late),
        ("2015-07-04", Timely),
        ("2015-07-05", UnknownDeadline),  # the hour decides
        ("2015-07-07", Late),
    ],
)
def test_a_deadline_in_hours_is_judged_by_the_hour(received, expected):
    facts = {"information_complete": "2015-07-02T16:00"}

    assert isinstance(judge("determination_expedited", received, facts), expected)


@pytest.mark.parametrize("after", [0, 1, 2, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 60])
def test_a_later_receipt_is_never_better(after):
    rank = {Timely: 0, UnknownDeadline: 1, Late: 2}
    for served in TRIGGERS:
        facts = {"served": served, "method": "mail_ca"}

        one = judge("application", served + timedelta(days=after), facts)
        next_day = judge("application", served + timedelta(days=after + 1), facts)

        assert rank[type(one)] <= rank[type(next_day)], served


@pytest.mark.parametrize("year", [2014, 2019, 2026])
def test_calendars_agree_on_an_ordinary_day(year):
    """So a person is asked on a few days of a year only."""
    asked = 0
    for n in range(365):
        served = date(year, 1, 1) + timedelta(days=n)
        answer = count("application", {"served": served, "method": "in_hand"})
        asked += len(set(answer.by_calendar.values())) > 1

    assert asked < 40


# --- Rules ----------------------------------------------------------------------------------------


def test_the_shipped_rules_have_no_gap_and_no_overlap_and_are_unconfirmed():
    for deadline_kind in DEADLINE_KINDS:
        rules = [rule for rule in RULES if rule.deadline_kind == deadline_kind]
        assert rules, deadline_kind
        refuse_gap_or_overlap(rules)
        assert rules[-1].effective_to is None
        for rule in rules:
            assert rule.source
            assert rule.confirmed_on is None


def two_rules(first_ends, second_begins):
    first = replace(rule_of("noarfi"), effective_to=first_ends)
    return [replace(rule_of("noarfi"), effective_from=second_begins, length=2), first]


def test_an_overlap_is_refused_naming_both():
    rules = two_rules(date(2020, 6, 30), date(2020, 6, 30))

    with pytest.raises(BadRules) as refused:
        refuse_gap_or_overlap(rules)
    assert "Two rows would be in force on Tue, Jun 30, 2020" in str(refused.value)
    assert "from Tue, Jan 1, 2013 to Tue, Jun 30, 2020" in str(refused.value)
    assert "from Tue, Jun 30, 2020 with no end" in str(refused.value)
    with pytest.raises(BadRules, match="Two rules are in force"):
        count("noarfi", {"found_eligible": "2020-06-30"}, rules=rules)


def test_two_open_ended_rules_are_an_overlap():
    with pytest.raises(BadRules, match="Two rows"):
        refuse_gap_or_overlap(two_rules(None, date(2020, 7, 1)))


def test_a_gap_is_refused_naming_both():
    rules = two_rules(date(2020, 6, 30), date(2020, 7, 3))

    with pytest.raises(BadRules) as refused:
        refuse_gap_or_overlap(rules)
    assert "from Wed, Jul 1, 2020 to Thu, Jul 2, 2020" in str(refused.value)
    assert "to Tue, Jun 30, 2020" in str(refused.value)
    assert "from Fri, Jul 3, 2020 with no end" in str(refused.value)


def test_a_rule_is_chosen_by_the_day_of_the_trigger():
    rules = two_rules(date(2020, 6, 30), date(2020, 7, 1))

    refuse_gap_or_overlap(rules)
    assert find_rule("noarfi", date(2020, 6, 30), rules).length == 1
    assert find_rule("noarfi", date(2020, 7, 1), rules).length == 2


@pytest.mark.parametrize(
    "change",
    [
        {"length": 0},
        {"length": None},
        {"calendar": ""},
        {"deadline_kind": "no_such_deadline"},
        {"effective_to": date(2012, 12, 31)},
        {"length_by_method": {"pigeon": 3}},
        {"kind": Kind.HOURS},
        {"extends_by_address": True},
        {"deadline_kind": "records_penalty", "usd_per_day": 0},
    ],
)
def test_a_rule_that_cannot_be_used_is_refused(change):
    with pytest.raises(BadRules, match="cannot be used"):
        replace(rule_of("reimburse"), **change)


def test_a_rule_can_be_requested_by_year_or_by_day():
    facts = {"received": "2014-02-13"}

    assert count("eligibility_information", facts | {"rules_of": "2013-06-01"}).due_on == date(
        2014, 2, 28
    )
    with pytest.raises(NoRule, match="2012"):
        count("eligibility_information", facts | {"rules_of": "2012"})
    rules = two_rules(date(2020, 6, 30), date(2020, 7, 1))
    with pytest.raises(BadDeadlineFact, match="changed during 2020"):
        count("noarfi", {"found_eligible": "2020-06-30", "rules_of": "2020"}, rules=rules)


# --- Bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("deadline_kind", "facts", "refusal", "said"),
    [
        ("aplication", {}, UnknownDeadlineKind, "Deadlines: application,"),
        ("records_penalty", {"records_due": "2015-01-06"}, UnknownDeadlineKind, "a sum of money"),
        ("noarfi", {"found": "2014-12-24"}, BadDeadlineFact, "It takes found_eligible"),
        ("noarfi", {"found_eligible": "2014-02-30"}, BadDeadlineFact, "not a date"),
        ("noarfi", {"found_eligible": "12/24/2014"}, BadDeadlineFact, "Write it as 2014-06-20"),
        ("noarfi", {"found_eligible": "20141224"}, BadDeadlineFact, "not a date"),
        ("noarfi", {"found_eligible": "2014-12-24T25:00"}, BadDeadlineFact, "not a date"),
        ("noarfi", {"found_eligible": 20141224}, BadDeadlineFact, "not a date"),
        ("noarfi", {"found_eligible": "1914-12-24"}, OutOfRange, "2012 to 2060"),
        ("noarfi", {"found_eligible": "9999-12-31"}, OutOfRange, "2012 to 2060"),
        ("noarfi", {"found_eligible": "0001-01-01T00:00+00:00"}, BadDeadlineFact, "not a date"),
        ("noarfi", {"found_eligible": "2060-12-31"}, OutOfRange, "2012 to 2060"),
        ("determination_regular", {"records_complete": "2060-12-15"}, OutOfRange, "2060"),
        ("noarfi", {"found_eligible": "2012-12-31"}, NoRule, "On file: “noarfi” from Tue, Jan 1"),
        ("noarfi", {"found_eligible": "2014-12-24", "calendar": "x"}, UnknownCalendar, "gov6700"),
        (
            "noarfi",
            {"found_eligible": "2014-12-24", "rules_of": "0000"},
            BadDeadlineFact,
            "not a year",
        ),
        (
            "noarfi",
            {"found_eligible": "2014-12-24", "rules_of": "x"},
            BadDeadlineFact,
            "not a date",
        ),
        (
            "authorize",
            {"received": "2014-11-26", "friday_after_thanksgiving_is_working": "maybe"},
            BadDeadlineFact,
            "neither yes nor no",
        ),
        (
            "application",
            {"served": "2014-06-20", "method": "owl"},
            BadDeadlineFact,
            "in_hand, mail_ca",
        ),
        (
            "determination_regular",
            {"records_complete": "2014-07-01", "extension_days": "-1"},
            BadDeadlineFact,
            "not a number of days",
        ),
        ("ur_decision", {"rfa": "2018-03-12", "recommended": "9999-12-31"}, OutOfRange, "too far"),
    ],
)
def test_a_fact_that_cannot_be_used_is_refused_with_a_sentence(deadline_kind, facts, refusal, said):
    with pytest.raises(refusal) as refused:
        count(deadline_kind, facts)
    assert said in str(refused.value)
    assert isinstance(refused.value, CannotCount)


def test_a_hold_that_ends_beyond_the_calendar_is_refused():
    holds = [Hold("A", date(2014, 7, 3), date(9999, 12, 31))]

    with pytest.raises(OutOfRange):
        count("determination_regular", REGULAR, holds=holds)


@pytest.mark.parametrize("yes", [True, "true", "Yes"])
def test_the_friday_flag_may_be_written_as_text(yes):
    facts = {"received": "2014-11-26", "friday_after_thanksgiving_is_working": yes}

    assert count("authorize", facts).due_on == date(2014, 12, 4)
    assert friday_after_thanksgiving(2014) == date(2014, 11, 28)


def test_a_deadline_that_was_renamed_still_answers_to_its_former_name():
    facts = {"received": "2014-12-02"}

    assert count("authorize", facts) == count("authorize", facts)
    assert count("authorize", facts).deadline_kind.name == "authorize"
