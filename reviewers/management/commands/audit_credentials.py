"""``manage.py audit_credentials [--count 30] [--seed N] [--on DATE]``: audit a sample of files."""

import random
from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse
from django.utils import timezone

from accounts.counting import count_noun
from reviewers.models import Reviewer
from reviewers.profiles import load_profiles
from reviewers.verification import list_missing_facts, list_verifications


class Command(BaseCommand):
    help = (
        "Audit a random sample of active reviewers' files for gaps and overdue verifications. The "
        "same seed selects the same files. Fails if a file has a gap. Shows codes, no names."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--count", type=int, default=30, help="number of files; default 30")
        parser.add_argument("--seed", type=int, default=0, help="random seed; default 0")
        parser.add_argument("--on", type=date.fromisoformat, help="day, YYYY-MM-DD; default today")

    def handle(self, **options: Any) -> None:
        now = timezone.now()
        on = options["on"] or timezone.localdate(now)
        active = Reviewer.objects.filter(status=Reviewer.Status.ACTIVE)
        # Sorted, because a seed selects the same files only from the same order.
        codes = sorted(active.values_list("code", flat=True))
        sample = random.Random(options["seed"]).sample(  # noqa: S311  # repeatable, not for security
            codes, min(options["count"], len(codes))
        )
        profiles = {one.code: one for one in load_profiles(active, on=on, known_at=now).values()}
        whole = 0
        for code in sorted(sample):
            gaps = [f"lacks {words}" for words in list_missing_facts(profiles[code])]
            gaps += [
                f"{one.name} was due for re-verification by {one.due_on:%m/%d/%Y}"
                for one in list_verifications(profiles[code])
                if one.is_overdue(on)
            ]
            whole += not gaps
            address = reverse("reviewers:reviewer", args=[code])
            self.stdout.write(f"{code}  {address}  {'; '.join(gaps) or 'complete'}")
        files = count_noun(len(sample), "file")
        summary = f"{whole} of {files} complete on {on:%m/%d/%Y}, seed {options['seed']}."
        if whole < len(sample):
            raise CommandError(summary)
        self.stdout.write(summary)
