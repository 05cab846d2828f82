"""Forms of accounts: passwords, the filter of the sign-ins, and the reset of a second factor."""

from datetime import date, datetime, time, timedelta
from typing import Any

from allauth.account.forms import ChangePasswordForm, ResetPasswordKeyForm
from django import forms
from django.db.models import QuerySet
from django.utils import timezone

from .models import LONGEST_REASON, SignInEvent, User
from .refusals import NotAllowed
from .roles import Role

REVIEWERS = "reviewers"  # all whose names the reader may not know
UNKNOWN = "unknown"
FAILURES = "failures"
FIRST_DAY = date(2000, 1, 1)  # long before the portal


class SettingsForm(forms.ModelForm):
    """What a person chooses for themselves: how pages look, and which e-mails they get."""

    class Meta:
        model = User
        fields = ("theme", "density", "single_keys", "mail_on_mentions", "mail_on_reviews")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if Role.REVIEWER not in self.instance.roles:
            del self.fields["mail_on_reviews"]


class SignInFilterForm(forms.Form):
    """Filters of the sign-ins, kept in the address. Invalid fields do not filter."""

    kind = forms.ChoiceField(
        label="Kind",
        choices=[("", "Everything"), (FAILURES, "All failures"), *SignInEvent.Kind.choices],
        required=False,
    )
    day = forms.DateField(
        label="Day",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": "This is not a day. Choose it again, such as 11/29/2026."},
    )

    def __init__(self, *args: Any, reader: User, today: date, **options: Any) -> None:
        super().__init__(*args, **options)
        # Only names that the reader may know: an id in the address must not reveal a reviewer.
        known = [
            (str(user.pk), user.name_for(reader))
            for user in User.objects.order_by("name", "pk")
            if not user.is_hidden_from(reader)
        ]
        self.reader, self.today = reader, today
        self.fields["person"] = forms.ChoiceField(
            label="Person",
            choices=[
                ("", "Everyone"),
                (REVIEWERS, "Reviewers"),
                (UNKNOWN, "Unknown accounts"),
                *known,
            ],
            required=False,
        )
        self.fields["day"].widget.attrs["max"] = today.isoformat()

    def clean_day(self) -> date | None:
        day: date | None = self.cleaned_data["day"]
        if day is not None and not FIRST_DAY <= day <= self.today:
            when = "has not come yet" if day > self.today else "is before any sign-in"
            raise forms.ValidationError(f"{day:%m/%d/%Y} {when}. Choose another day.")
        return day

    def filter_rows(self, rows: QuerySet[SignInEvent]) -> QuerySet[SignInEvent]:
        """The rows that were asked for. Call it after ``is_valid``.

        Invalid fields do not filter; the page shows their errors.
        """
        entered = self.cleaned_data
        person, kind, day = entered.get("person"), entered.get("kind"), entered.get("day")
        if person == REVIEWERS:
            rows = rows.filter(user__ever_reviewer=True)
        elif person == UNKNOWN:
            rows = rows.filter(user=None)
        elif person:
            rows = rows.filter(user_id=int(person))
        if kind == FAILURES:
            rows = rows.filter(kind__in=SignInEvent.FAILURES)
        elif kind:
            rows = rows.filter(kind=kind)
        if day:
            begin = timezone.make_aware(datetime.combine(day, time()))
            end = timezone.make_aware(datetime.combine(day + timedelta(days=1), time()))
            rows = rows.filter(happened_at__gte=begin, happened_at__lt=end)
        return rows


class ResetFactorForm(forms.Form):
    """Whose second factor is to be reset, and why."""

    email = forms.EmailField(label="Email address of the person")
    reason = forms.CharField(
        label="Why, and how you identified the person",
        max_length=LONGEST_REASON,
        help_text="For example: new phone; came to the office with an ID card.",
    )

    def find_user_id(self) -> int:
        """The id of the user with the address that was typed.

        :raises NotAllowed: there is no such user.
        """
        user = User.objects.filter(email__iexact=self.cleaned_data["email"]).first()
        if user is None:
            raise NotAllowed("No account has this email address.")
        return int(user.pk)


def _name_field(form: forms.Form, field: str, label: str) -> None:
    """Label a field of the sign-in library as our own pages do, without a second label in it."""
    form.fields[field].label = label
    form.fields[field].widget.attrs.pop("placeholder", None)


class ChangePassword(ChangePasswordForm):
    """The library's form to change one's password, with our labels."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        _name_field(self, "oldpassword", "Current password")
        _name_field(self, "password1", "New password")
        _name_field(self, "password2", "New password again")


class ResetPassword(ResetPasswordKeyForm):
    """The library's form behind the link of a password mail, with our labels."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        _name_field(self, "password1", "New password")
        _name_field(self, "password2", "New password again")
