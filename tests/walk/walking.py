"""Does acts, and compares the versions that each left with who did it and when."""

import sys
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from django.db import connection

from guidelines import services as guidelines
from tests.every_row import tracked_models
from tests.factories import MONDAY
from tests.test_services_shape import ALL as EVERY_SERVICE

# Acts by no one: the system, and why.
ROOT = Path(__file__).resolve().parent.parent.parent
BY_NOBODY = {
    guidelines.seed_guidelines: "shipped with the product",
    guidelines.seed_drug_list: "shipped with the product",
}


def newest(model):
    """The number of the newest version that a table holds."""
    found = model.history.order_by("-history_id").values_list("history_id", flat=True).first()
    return found or 0


class Walk:
    """Does acts, and compares the versions that each left with who did it and when."""

    def __init__(self):
        self.at = MONDAY
        self.last = {model: newest(model) for model in tracked_models()}
        self.tables = {model.history.model._meta.db_table: model for model in self.last}
        self.written = set()
        self.missed = []

    def act(self, service, *, by, **named):
        """One act by one person, a minute after the one before."""
        self.at += timedelta(minutes=1)
        answer = self.call(service, by=by, at=self.at, **named)
        assert by is not None or service in BY_NOBODY, service
        self.look(service, by)
        return answer

    def undo(self, service, *, by, case):
        """Take back the last act on a case, five seconds after it."""
        self.at -= timedelta(seconds=55)
        act = case.undoable_acts.latest("pk")
        return self.act(service, by=by, act_id=act.pk)

    def by_itself(self, service, **named):
        """One act of the machine: no one is asked, and the versions name no one."""
        self.at += timedelta(minutes=1)
        answer = self.call(service, at=self.at, **named)
        self.look(service, None)
        return answer

    def call(self, service, **named):
        """Call the service, and note the tables of versions to which it writes."""
        with connection.execute_wrapper(self.note_table):
            return service(**named)

    def note_table(self, execute, sql, params, many, context):
        self.written.update(table for table in self.tables if f'"{table}"' in sql[:200])
        return execute(sql, params, many, context)

    def look(self, service, by):
        """Note each new version that says someone else, or another moment."""
        written, self.written = self.written, set()
        for model in map(self.tables.get, written):
            last = self.last[model]
            for version in model.history.filter(history_id__gt=last).order_by("history_id"):
                self.last[model] = version.history_id
                if version.history_user != by or version.history_date != self.at:
                    self.missed.append(
                        f"{service.__name__}: {model._meta.label} {version.version} says "
                        f"{version.history_user} at {version.history_date}, not {by} at {self.at}"
                    )


@contextmanager
def services_called(called):
    """Note every function of a service module that runs."""
    modules = {str(ROOT / path): path for path, _ in EVERY_SERVICE}

    def note(frame, event, _):
        if event == "call" and frame.f_code.co_filename in modules:
            called.add(f"{modules[frame.f_code.co_filename]}:{frame.f_code.co_name}")

    # A tracer that returns nothing hears of calls alone. A profiler would hear of much more.
    before = sys.gettrace()
    sys.settrace(note)
    try:
        yield
    finally:
        sys.settrace(before)
