"""Does acts, and compares the versions that each left with who did it and when."""

import sys
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from guidelines import services as guidelines
from tests.every_row import tracked_models
from tests.factories import MONDAY
from tests.test_services_shape import ALL as EVERY_SERVICE

# Acts by nobody: the system, and why.
ROOT = Path(__file__).resolve().parent.parent.parent
BY_NOBODY = {
    guidelines.seed: "shipped with the product",
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
        self.missed = []

    def act(self, service, *, by, **named):
        """One act by one person, a minute after the one before."""
        self.at += timedelta(minutes=1)
        answer = service(by=by, at=self.at, **named)
        assert by is not None or service in BY_NOBODY, service
        self.look(service, by)
        return answer

    def by_itself(self, service, **named):
        """One act of the machine: nobody is asked, and the versions name nobody."""
        self.at += timedelta(minutes=1)
        answer = service(at=self.at, **named)
        self.look(service, None)
        return answer

    def look(self, service, by):
        """Note each new version that says somebody else, or another moment."""
        for model, last in self.last.items():
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

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield
    finally:
        sys.setprofile(before)
