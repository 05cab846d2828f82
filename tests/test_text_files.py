"""Templates and scripts stay readable: no line is longer than 120 characters.

Whether our JavaScript parses is not tested here, because no JavaScript engine is at hand without a
browser. The browser tests load every script and fail on a page error.
"""

from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
LONGEST = 120
FILES = sorted([*(ROOT / "templates").rglob("*.html"), *(ROOT / "static/js").glob("*.js")])

# Templates that still have longer lines. Remove a line here when its template is mended.
NOT_YET = {
    "templates/cases/_compared.html",
    "templates/cases/_date_changes.html",
    "templates/cases/_organization_fact.html",
    "templates/cases/_party.html",
    "templates/cases/_party_form.html",
    "templates/cases/_rule_length.html",
    "templates/cases/_sum.html",
    "templates/cases/compare.html",
    "templates/cases/date_act.html",
    "templates/cases/deadline.html",
    "templates/cases/deadline_rule.html",
    "templates/cases/deadline_rules.html",
    "templates/cases/deadlines.html",
    "templates/cases/item_change.html",
    "templates/cases/item_changes.html",
    "templates/cases/organization_member.html",
    "templates/cases/own_conflicts.html",
    "templates/cases/own_organization.html",
    "templates/cases/parties.html",
    "templates/cases/possible_duplicates.html",
    "templates/cases/propose_item.html",
    "templates/cases/reason.html",
    "templates/cases/recount.html",
    "templates/cases/related.html",
    "templates/correspondence/draft_letter.html",
    "templates/correspondence/drafts.html",
    "templates/correspondence/letter.html",
    "templates/correspondence/notices.html",
    "templates/determinations/_checks.html",
    "templates/determinations/_citations.html",
    "templates/determinations/_draft_conflict.html",
    "templates/determinations/_opinion.html",
    "templates/determinations/_readiness.html",
    "templates/determinations/_readings.html",
    "templates/determinations/_reviews.html",
    "templates/determinations/issue.html",
    "templates/determinations/my_reviews.html",
    "templates/determinations/opening.html",
    "templates/determinations/qa.html",
    "templates/determinations/reviewer_record.html",
    "templates/determinations/send.html",
    "templates/determinations/versions.html",
    "templates/determinations/workspace.html",
    "templates/eligibility/_proposed.html",
    "templates/eligibility/citations.html",
    "templates/eligibility/eligibility.html",
    "templates/eligibility/information.html",
    "templates/eligibility/ur_decision.html",
    "templates/guidelines/_found.html",
    "templates/guidelines/found.html",
    "templates/intake/_intake_check.html",
    "templates/intake/_known.html",
    "templates/intake/batch.html",
    "templates/intake/batches.html",
    "templates/intake/correct.html",
    "templates/intake/intake.html",
    "templates/intake/intake_supervisor.html",
    "templates/intake/my_intakes.html",
    "templates/intake/why_not.html",
    "templates/letters/_status.html",
    "templates/letters/failed.html",
    "templates/letters/wording.html",
    "templates/letters/wording_detail.html",
    "templates/records/_add.html",
    "templates/records/_complete.html",
    "templates/records/_dated.html",
    "templates/records/_documents.html",
    "templates/records/_owed.html",
    "templates/records/_page.html",
    "templates/records/_rail.html",
    "templates/records/chase.html",
    "templates/records/contact.html",
    "templates/records/document.html",
    "templates/records/list.html",
    "templates/records/page.html",
    "templates/records/page_text.html",
    "templates/reviewers/_candidates.html",
    "templates/reviewers/_outcomes.html",
    "templates/reviewers/_proposal.html",
    "templates/reviewers/_seats.html",
    "templates/reviewers/_wording.html",
    "templates/reviewers/assign.html",
    "templates/reviewers/attest.html",
    "templates/reviewers/form.html",
    "templates/reviewers/limits.html",
    "templates/reviewers/move.html",
    "templates/reviewers/panel.html",
    "templates/reviewers/payer_bias.html",
    "templates/reviewers/payer_bias_test.html",
    "templates/reviewers/plan.html",
    "templates/reviewers/report.html",
    "templates/reviewers/reviewer.html",
    "templates/reviewers/rules.html",
    "templates/reviewers/wordings.html",
    "templates/reviewers/worklist.html",
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_line_is_longer_than_120_characters(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    long = [number for number, line in enumerate(lines, start=1) if len(line) > LONGEST]
    name = path.relative_to(ROOT).as_posix()
    if name in NOT_YET:
        assert long, f"{name} has no long line any more. Remove it from NOT_YET."
    else:
        assert not long, f"{name}: lines {long} are longer than {LONGEST} characters. Break them."
