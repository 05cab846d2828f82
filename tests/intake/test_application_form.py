"""The application form requires a fax number for notices by fax."""

from datetime import date

import pytest
from django.http import QueryDict

from intake.forms.application import IntakeForm

pytestmark = pytest.mark.django_db


def validate_form(**keyed):
    data = QueryDict(mutable=True)
    data.update(keyed)
    return IntakeForm(data, today=date(2026, 3, 2)).errors


def test_notices_by_fax_need_a_fax_number():
    assert "administrator_fax" in validate_form(administrator_channel="FAX")
    assert "administrator_fax" not in validate_form(
        administrator_channel="FAX", administrator_fax="1"
    )
    assert "administrator_fax" not in validate_form(administrator_channel="MAIL")
