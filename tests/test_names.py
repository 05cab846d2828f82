"""Who acted is shown by ``User.name_for`` alone, in templates and in code.

Two readers look for every way round it: an attribute of a user printed by itself, a user printed
as text, and a query that fetches the name. What may stay is listed below with the reason.
"""

import ast
import re
from pathlib import Path

import pytest
from django.apps import apps

from accounts.models import HIDDEN_NAME, User
from accounts.names import name_actor
from accounts.roles import Role

from .factories import person

ROOT = Path(__file__).resolve().parent.parent
CODE = sorted(
    path
    for app in [*apps.get_app_configs()]
    if Path(app.path).parent == ROOT
    for path in Path(app.path).rglob("*.py")
    if "migrations" not in path.parts
) + sorted((ROOT / "imr_portal").rglob("*.py"))
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))

# What says who someone is.
TELLS = {"name", "email", "get_short_name", "get_full_name", "get_username", "username"}
# Variables that hold a user by custom, beside the names of the columns that do.
VARIABLES = {"actor", "reader", "person", "acting", "staff"}

ALLOWED_IN_TEMPLATES = {
    # one's own name, on the top of every page
    ("_top.html", "user.get_short_name"),
    ("_top.html", "user.name"),
    ("_top.html", "user.email"),
    # one's own address, to which e-mail goes
    ("accounts/settings.html", "user.email"),
    # the demonstration's made-up people
    ("account/login.html", "person.name"),
    ("account/login.html", "person.email"),
    # the account of a reviewer or a member of this organization, on the page that keeps their file
    ("cases/organization_member.html", "member.user.email"),
    ("reviewers/reviewer.html", "reviewer.user.email"),
    # typed names of someone else's staff: who approved for the Administrative Director
    ("cases/deadlines.html", "one.approved_by"),
    ("reviewers/_seats.html", "approval.approved_by"),
    # a field of a form
    # texts that the view made by name_for
    ("records/outstanding.html", "row.reminder.by"),
    ("reviewers/_wording.html", "one.by"),
}

ALLOWED_IN_CODE = {
    # Who confirms a change of an account has to know whose it is.
    ("accounts/views.py", "one.user.name"),
    ("accounts/views.py", "one.asked_by.name"),
    # what keeps accounts and their names
    ("accounts/admin.py", "event.user.name"),
    ("accounts/admin.py", "user__name"),
    ("accounts/admin.py", "user__email"),
    ("accounts/services.py", "user.name"),
    ("accounts/services.py", "user.email"),
    ("accounts/services.py", "by.email"),
    ("reviewers/views/files.py", "row.user.email"),
    # text without a reader: ``str`` of a user names no one who is or was a reviewer
    ("accounts/models.py", "{self.user}"),
    ("cases/services/restrictions.py", "{clearance.user}"),
    ("cases/services/restrictions.py", "{person}"),
    ("queues/models.py", "{self.by}"),
    ("deadlines/models.py", "str(self.confirmed_by)"),
    # compared with the parties of a case, or kept as the name of a member of this organization;
    # a reviewer is none
    ("cases/organization_facts.py", "row.user.name"),
    ("cases/services/organization.py", "row.user.name"),
    # the address of the one to whom a notice is, in the e-mail to them
    ("notices/mail.py", "notice.addressee.email"),
    # the name of who is typing, in their own form
    ("reviewers/views/files.py", "request.user.name"),
    # the demonstration's made-up people, and the address that an operator typed
    ("imr_portal/demo/office.py", "user.name"),
    ("imr_portal/demo/office.py", "user.email"),
    ("letters/management/commands/import_wording.py", "person.email"),
    # not a user: a typed name of the Administrative Director's staff, a party, a way of asking
    ("cases/services/extensions.py", "{extension.approved_by}"),
    ("deadlines/facts.py", "{self.by}"),
    ("directory/models/people.py", "{self.person}"),
    ("intake/services/known_parties.py", "{owner}"),
}


def columns_of_users():
    """The names of the columns that point at a user."""
    return {
        field.name
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if field.related_model is User
    }


def leaks_of_template(source):
    """The expressions of a template that show a user otherwise than by ``name_for``."""
    users = "|".join(sorted(columns_of_users() | VARIABLES))
    for tag in re.findall(r"\{[{%].*?[%}]\}", source, re.DOTALL):
        yield from re.findall(rf"\b(?:\w+\.)*(?:{users})\.(?:{'|'.join(TELLS)})\b", tag)
        if tag.startswith("{{"):
            printed = rf"^\{{\{{\s*((?:\w+\.)+(?:{users}))\s*(?:\}}|\|(?!name_for))"
            yield from re.findall(printed, tag)


def leaks_of_code(source):
    """The expressions of a module that show a user otherwise than by ``name_for``."""
    users = columns_of_users() | VARIABLES
    by_query = re.compile(rf"(?:^|__)(?:{'|'.join(users)})__(?:{'|'.join(TELLS)})\b")

    def holds_user(node):
        return (isinstance(node, ast.Attribute) and node.attr in users) or (
            isinstance(node, ast.Name) and node.id in users
        )

    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr in TELLS and holds_user(node.value):
            yield ast.unparse(node)
        elif isinstance(node, ast.FormattedValue) and holds_user(node.value):
            yield f"{{{ast.unparse(node.value)}}}"
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in {"str", "format", "repr"}
            and node.args
            and holds_user(node.args[0])
        ):
            yield ast.unparse(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from (node.value for _ in by_query.findall(node.value))


def found_in(paths, base, leaks):
    return {
        (str(path.relative_to(base)), leak) for path in paths for leak in leaks(path.read_text())
    }


def test_templates_name_people_only_by_name_for():
    found = found_in(TEMPLATES, ROOT / "templates", leaks_of_template)
    assert sorted(found - ALLOWED_IN_TEMPLATES) == []
    assert sorted(ALLOWED_IN_TEMPLATES - found) == [], "no longer there: take it off the list"


def test_code_names_people_only_by_name_for():
    found = found_in(CODE, ROOT, leaks_of_code)
    assert sorted(found - ALLOWED_IN_CODE) == []
    assert sorted(ALLOWED_IN_CODE - found) == [], "no longer there: take it off the list"


@pytest.mark.parametrize(
    "planted",
    [
        "{{ hold.begun_by.name }}",
        "{% if a %}{{ one.changed_by.get_short_name }}{% endif %}",
        "{{ decision.decided_by }}",
        '{{ one.history_user|default:"The system" }}',
        "{% include 'x.html' with name=row.owner.name %}",
    ],
)
def test_the_reader_of_templates_finds_a_planted_name(planted):
    assert list(leaks_of_template(planted))


def test_the_reader_of_templates_lets_a_name_through_that_name_for_made():
    shown = (
        "{{ hold.begun_by|name_for:user }}{% if hold.ended_by and hold.ended_by != x %}{% endif %}"
    )
    assert not list(leaks_of_template(shown))


@pytest.mark.parametrize(
    "planted",
    [
        "who = last.offered_by.name",
        "f'{by} was first'",
        "f'{row.begun_by.name} was first'",
        "str(hold.begun_by)",
        "rows.values_list('begun_by__name')",
        "by.get_short_name()",
    ],
)
def test_the_reader_of_code_finds_a_planted_name(planted):
    assert list(leaks_of_code(planted))


@pytest.mark.django_db
def test_the_name_of_a_reviewer_is_shown_to_them_and_to_roles_that_may_know():
    former = person(Role.REVIEWER, Role.COORDINATOR, name="Rita Former")

    assert former.name_for(former) == "Rita Former"
    assert former.name_for(person(Role.QA)) == "Rita Former"
    assert former.name_for(person(Role.INTAKE)) == HIDDEN_NAME
    assert name_actor(former, reader=person(Role.AUDITOR)) == HIDDEN_NAME


@pytest.mark.django_db
def test_a_user_as_text_names_no_reviewer():
    former = person(Role.REVIEWER, Role.COORDINATOR, name="Rita Former")
    clerk = person(Role.INTAKE, name="Ina Clerk")

    assert (str(former), str(clerk)) == (HIDDEN_NAME, "Ina Clerk")
