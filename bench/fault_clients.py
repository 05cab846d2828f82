"""Clerks who save at the same time, by HTTP, each with their own notes of what was answered."""

import html
import random
import string
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from http.client import HTTPException
from typing import Any
from uuid import uuid4

from .fault_verdicts import Bar, ClientVerdict, SentForm, judge_clients
from .portal import Portal, collect_static_files

MOST_TRIES = 3  # of one form that was answered with 503, by the button “Save again”
MOST_BUSY = 0.02  # the share of forms that may be answered with 503


@dataclass
class Office:
    """What all clerks of one run share."""

    until: float  # by the monotonic clock; no form is begun later
    cases: list[str] = field(default_factory=list)  # numbers of stored cases, for notes
    sent: list[SentForm] = field(default_factory=list)
    pages: Counter[int] = field(default_factory=Counter)  # statuses of opened pages


def run_clients(*, clients: int, seconds: float, seed: int) -> tuple[Office, ClientVerdict]:
    """Let clerks work for some seconds, and compare their notes with the database."""
    from django.db import connections
    from django.utils import timezone

    from accounts.roles import Role
    from accounts.services import create_user
    from tests.journeys.visitors import Visitor

    collect_static_files()
    users = [
        create_user(
            email=f"clerk{n}@example.org", name=f"Clerk {n}", password=None,
            roles=[Role.INTAKE], by=None, at=timezone.now(),
        )
        for n in range(clients)
    ]  # fmt: skip
    portal = Portal(with_web=True)
    try:
        portal.start()
        visitors = [Visitor(portal.site, user) for user in users]
        connections.close_all()
        office = Office(until=time.monotonic() + seconds)
        threads = [
            threading.Thread(target=Clerk(office, visitor, f"{seed}-{n}").work)
            for n, visitor in enumerate(visitors)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        portal.stop()
    return office, judge_clients(office.sent)


class Clerk:
    """One clerk: enters an application, writes notes, and corrects what was entered."""

    def __init__(self, office: Office, visitor: Any, seed: str) -> None:
        self.office, self.visitor = office, visitor
        self.chance = random.Random(seed)

    def work(self) -> None:
        """Work until the time is over."""
        while time.monotonic() < self.office.until:
            number = self.enter_application()
            for act in (self.write_note, self.correct_case, self.write_note):
                if time.monotonic() < self.office.until:
                    act(number)

    def enter_application(self) -> str:
        """Open the intake form, enter an application, and open the new case. Returns its number."""
        self.open_page("/intake/new/")
        typed = invent_application(self.invent_word)
        hidden = {"key": str(uuid4()), "item_title": [f"Brace {self.invent_word()}", "", ""]}
        location = self.save("intake", "", "/intake/new/", typed, hidden)
        if not location:
            return ""
        self.open_page(location)
        number = location.rstrip("/").rsplit("/", 1)[-1]
        self.office.cases.append(number)
        return number

    def write_note(self, own: str) -> None:
        """Write a note on a case that any clerk has entered."""
        if not self.office.cases:
            return
        number = self.chance.choice(self.office.cases)
        text = f"The adjuster called about {self.invent_word()} and asks for a copy."
        hidden = {"form_key": str(uuid4())}
        self.save("note", number, f"/cases/{number}/note/", {"text": text}, hidden)

    def correct_case(self, own: str) -> None:
        """Correct the diagnosis of the case that was entered last."""
        from tests.page_forms import FormReader

        address = f"/cases/{own}/correct/"
        page = self.open_page(address) if own else None
        if page is None:
            return
        reader = FormReader()
        reader.feed(page.text)
        (form,) = [one for one in reader.forms if any(n == "diagnosis" for n, _ in one.fields)]
        fields: dict[str, Any] = {}
        for name, value in form.fields:
            fields.setdefault(name, []).append(value)
        fields.pop("csrfmiddlewaretoken")
        typed = {"diagnosis": f"M54.2 {self.invent_word()}", "why": f"Misread {self.invent_word()}"}
        self.save("correction", own, address, typed, fields)

    def save(
        self, kind: str, case: str, address: str, typed: dict[str, str], hidden: dict[str, Any]
    ) -> str:
        """Send a form, again if the database was busy. Returns where the answer leads, or ""."""
        for _ in range(MOST_TRIES):
            began = time.monotonic()
            try:
                answer = self.visitor.post(address, **(hidden | typed))
                status, text, location = answer.status, html.unescape(answer.text), answer.location
            except (OSError, HTTPException):
                status, text, location = 0, "", ""
            refused = status not in range(300, 400)
            missing = [name for name, value in typed.items() if refused and value not in text]
            named = location.rstrip("/").rsplit("/", 1)[-1] if kind == "intake" else case
            self.office.sent.append(
                SentForm(kind, named, typed, status, tuple(missing), time.monotonic() - began)
            )
            if status != 503:
                break
        return location

    def open_page(self, address: str) -> Any:
        """Open a page; ``None`` if it does not open."""
        try:
            page = self.visitor.get(address)
        except (OSError, HTTPException):
            self.office.pages[0] += 1
            return None
        self.office.pages[page.status] += 1
        return page if page.status == 200 else None

    def invent_word(self) -> str:
        """A name that nobody else types."""
        return "".join(self.chance.choices(string.ascii_lowercase, k=12)).capitalize()


def invent_application(invent_word: Any) -> dict[str, str]:
    """What a clerk types for one application."""

    def day(days: int) -> str:
        return f"{date.today() - timedelta(days=days):%m/%d/%y}"

    return {
        "channel": "MAIL",
        "priority": "REGULAR",
        "received": day(1),
        "received_time": "08:30",
        "ur_type": "REGULAR",
        "first_name": invent_word(),
        "last_name": invent_word(),
        "date_of_birth": "3/14/68",
        "employee_address": f"PO Box 40122\r\n{invent_word()} CA 95841",
        "claim_number": f"06-{invent_word()}",
        "date_of_injury": "2/11/24",
        "ur_decided": day(12),
        "employer": f"{invent_word()} Cold Storage",
        "physician_first": "Dana",
        "physician_last": invent_word(),
        "administrator": f"{invent_word()} Claims",
        "administrator_channel": "MAIL",
        "items_on_form": "1",
        "signed_by": "EMPLOYEE",
        "signed_on": day(4),
        "ur_attached": "yes",
    }


def list_client_bars(office: Office, verdict: ClientVerdict) -> list[Bar]:
    """The bars of the clients."""
    busy = round(len(verdict.busy) / max(1, verdict.sent), 4)
    return [
        Bar("clients.sent", verdict.sent, 1, at_least=True),
        Bar("clients.lost", len(verdict.lost), 0),
        Bar("clients.doubled", len(verdict.doubled), 0),
        Bar("clients.stored_unsaid", len(verdict.stored_unsaid), 0),
        Bar("clients.answers_without_typed", len(verdict.untyped), 0),
        Bar("clients.answers_500", len(verdict.errors) + office.pages[500], 0),
        Bar("clients.share_503", busy, MOST_BUSY),
    ]


def describe_latencies(sent: Sequence[SentForm]) -> str:
    """The median, the 95th percentile and the longest time of each kind of form."""
    parts = []
    for kind in ("intake", "note", "correction"):
        times = sorted(form.seconds for form in sent if form.kind == kind)
        if times:
            middle, high = times[len(times) // 2], times[int(len(times) * 0.95)]
            parts.append(
                f"{kind} n={len(times)} p50 {middle:.2f} p95 {high:.2f} max {times[-1]:.2f} s"
            )
    return ", ".join(parts)
