"""Where a person can go: the pages of the menu, and the actions on a case by their names.

Who may open what is asked of ``request.may_open``, which reads the table of audiences. A place here
has a permission of its own only if the menu offers it to fewer people than may open it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache

from django.urls import NoReverseMatch, reverse

from accounts.models import User
from cases.lifecycle import QUEUES
from directory.names import fold_name
from queues.services.claims import stages_for


@dataclass(frozen=True)
class Place:
    """An entry of the menu, also found by the search.

    :ivar also: other words under which people look for it.
    :ivar permission: without it the menu does not show the place; the search finds it anyway.
    """

    label: str
    url_name: str
    args: tuple[str, ...] = ()
    count: str = ""  # the slug of the queue, or of the list of letters, that it counts
    key: str = ""
    also: str = ""
    permission: str = ""


@dataclass(frozen=True)
class CaseAction:
    """An action on one case that has a page of its own.

    :ivar slug: its name in the address of the search for its case.
    :ivar url_name: a route that takes the number of a case and nothing else.
    """

    slug: str
    label: str
    url_name: str
    also: str = ""


_QUEUE_KEYS = {
    "eligibility": "g e",
    "notices": "g o",
    "records": "g w",
    "assign": "g t",
    "qa": "g q",
    "issue": "g s",
}

# Sections of the menu, in the order in which a case passes through them.
PLACES: dict[str, tuple[Place, ...]] = {
    "My work": (
        Place("My day", "desk:my_day", key="g i", permission="cases.view_case"),
        Place("My reviews", "determinations:my_reviews", key="g r"),
        Place("Intake batches", "intake:batches", key="g b", also="scans"),
        Place("New application", "intake:intake", key="g n", also="enter key"),
        Place("My intakes", "intake:my_intakes", also="drafts"),
        Place("Outstanding records", "records:outstanding"),
        Place("Intake desk", "intake:intake_supervisor", also="supervisor"),
        Place(
            "Letters to review",
            "correspondence:drafts",
            count="letters-to-review",
            also="drafts",
        ),
        Place("Letters to send", "correspondence:to_send", count="letters-to-send", also="mail"),
        Place("Possible duplicates", "cases:possible_duplicates"),
        Place("Skipped cases", "queues:skipped"),
        Place("Item changes", "cases:item_changes", also="treatment"),
        Place("Complaints", "complaints:list", also="corrective actions"),
    ),
    "Queues": tuple(
        Place(label, "desk:queue", (slug,), slug, _QUEUE_KEYS.get(slug, ""), also="queue")
        for slug, (label, _) in QUEUES.items()
    ),
    "Administration": (
        Place("Batch assignment", "reviewers:plan", key="g a", also="plan"),
        Place("Reviewers", "reviewers:panel", key="g p", also="panel roster"),
        Place("Credentialing", "reviewers:worklist", also="licenses lapsing"),
        Place("Organizations", "directory:organizations", also="owners officers"),
        Place("Organization", "cases:own_organization"),
        Place("Own conflicts", "cases:own_conflicts", also="conflicts of interest"),
        Place("Restricted cases", "cases:restricted_cases", also="clearances"),
        Place("Deadline rules", "cases:deadline_rules"),
        Place("Holidays", "cases:holidays", also="closing days calendar"),
        Place("IMR fees", "billing:fees", also="billing prices"),
        Place("Evidence rules", "admin:determinations_ruletext_changelist"),
        Place("Matching rules", "reviewers:rules", permission="reviewers.manage_matching_rules"),
        Place("Conflict limits", "reviewers:limits", permission="reviewers.manage_conflict_limits"),
        Place("Attestation wording", "reviewers:attestation"),
        Place("Assignment audit", "reviewers:payer_bias", also="payer bias"),
        Place("Failed letters", "letters:failed"),
        Place("Nightly run", "maintenance:findings", also="checks"),
        Place("Scheduled jobs", "jobs:list"),
        Place("Letter wording", "letters:wording"),
        Place("Guidelines", "admin:app_list", ("guidelines",), also="mtus"),
        Place("People", "admin:accounts_user_changelist", also="users accounts roles"),
        Place("Account changes", "accounts:changes"),
        Place("Access log", "desk:accesses"),
        Place("Sign-ins", "accounts:sign_ins"),
    ),
}

OTHER_QUEUES = "Other queues"

# Pages that the menu does not show, because they are opened from another page or from the top bar.
OTHER_PLACES = (
    Place("Saved views", "queues:saved_views"),
    Place("My exported lists", "desk:exports", also="csv download excel"),
    Place("Eligible without a difference", "eligibility:clear_cases", also="bulk eligibility"),
    Place("Add a reviewer", "reviewers:add"),
    Place("My sign-ins", "accounts:my_sign_ins"),
    Place("Second factor", "mfa_index", also="authenticator"),
    Place("Change password", "account_change_password"),
)

CASE_ACTIONS = (
    CaseAction("correct", "Correct an application", "intake:correct", "intake mistake"),
    CaseAction("eligibility", "Decide eligibility", "eligibility:eligibility", "screen facts"),
    CaseAction("ur-decision", "Record the UR decision", "eligibility:ur_decision"),
    CaseAction("ask", "Ask for information", "correspondence:information", "request question"),
    CaseAction("split", "Split a case", "eligibility:split", "liability"),
    CaseAction("related", "Compare related cases", "cases:related", "duplicate consolidate"),
    CaseAction("item", "Add a disputed item", "cases:propose_item", "treatment"),
    CaseAction("party", "Add a party", "cases:add_party", "attorney representative"),
    CaseAction("parties", "See or change the parties", "cases:parties", "address attorney"),
    CaseAction("document", "Add a document", "cases:documents", "upload fax file"),
    CaseAction("records", "Add medical records", "records:list", "upload"),
    CaseAction("remind", "Log a reminder about records", "records:remind"),
    CaseAction("hold", "Begin a hold", "cases:begin_hold", "pause"),
    CaseAction("extend", "Extend the determination", "cases:extend", "time good cause"),
    CaseAction("priority", "Change the priority", "cases:convert", "expedited regular"),
    CaseAction("call", "Log a call", "cases:log_call", "telephone phone"),
    CaseAction("commitment", "Add a commitment", "cases:commitment", "date party"),
    CaseAction("notices", "Prepare the NOARFI notices", "correspondence:notices", "assignment"),
    CaseAction("letter", "Write a letter", "correspondence:draft_letter", "draft"),
    CaseAction("assign", "Assign a reviewer", "reviewers:assign", "choose offer"),
    CaseAction("quality", "Review quality", "determinations:quality", "qa assurance"),
    CaseAction("issue", "Issue the determination", "determinations:issue", "sign decision"),
    CaseAction("send", "Send the determination", "determinations:send", "mail serve"),
    CaseAction("withdraw", "Withdraw a case", "cases:withdraw", "withdrawal"),
    CaseAction("terminate", "Close early: treatment authorized", "cases:terminate", "terminate"),
    CaseAction("close", "Close a case", "cases:close", "end"),
    CaseAction("restrict", "Restrict a case", "cases:restriction", "clearance"),
)

# What a person may open, by the name of a route; from the table of audiences.
MayOpen = Callable[..., bool]


def list_menu(user: User, may_open: MayOpen) -> Iterator[tuple[str, Place, str]]:
    """Yield the places of the menu that a person is offered: section, place, address.

    Lists of cases in which none of the person’s roles acts are a section of their own, without a
    count: what waits there is not theirs. Credentialing acts in none, and is offered none.
    """
    for section, places in PLACES.items():
        others = []
        for place in places:
            if place.permission and not user.may(place.permission):
                continue
            address = find_open_address(place, may_open)
            if not address:
                continue
            if place.url_name == "desk:queue" and not stages_for(user=user, queue=place.args[0]):
                others.append((OTHER_QUEUES, replace(place, count=""), address))
            else:
                yield section, place, address
        if stages_for(user=user) or not user.may("reviewers.manage_credentials"):
            yield from others


def find_open_address(place: Place, may_open: MayOpen) -> str:
    """Return the address of a place; empty if the person may not open it."""
    return (
        find_address(place.url_name, *place.args) if may_open(place.url_name, *place.args) else ""
    )


@cache
def find_address(name: str, *args: str) -> str:
    """Return the address of a named page, or empty if there is none.

    Looked up once: the routes of a process never change.
    """
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


def find_case_action(slug: str) -> CaseAction | None:
    """Return the action with this name, or ``None``."""
    return next((one for one in CASE_ACTIONS if one.slug == slug), None)


def matches_label(text: str, label: str, also: str = "") -> bool:
    """Whether each word of a text begins a word of a label, or of the other words for it.

    The other words need three letters, because two begin too many.
    """
    words, known, others = fold_name(text).split(), fold_name(label).split(), also.split()
    return bool(words) and all(
        any(one.startswith(word) for one in (known if len(word) < 3 else [*known, *others]))
        for word in words
    )
