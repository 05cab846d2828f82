"""Notices that go by fax need a number."""

from datetime import date

import pytest
from django.http import QueryDict

from intake.forms.application import IntakeForm

pytestmark = pytest.mark.django_db


def errors(**keyed):
    data = QueryDict(mutable=True)
    data.update(keyed)
    return IntakeForm(data, today=date(2026, 3, 2)).errors


def test_a_fax_without_its_number_is_asked_for():
    assert "administrator_fax" in errors(administrator_channel="FAX")
    assert "administrator_fax" not in errors(administrator_channel="FAX", administrator_fax="1")
    assert "administrator_fax" not in errors(administrator_channel="MAIL")
