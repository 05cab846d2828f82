"""Every tracked row is written through one door, which keeps who, when and why; no other opens."""

import pytest
from django.db import DatabaseError, transaction

from accounts.services import create_user
from accounts.versions import BypassesHistory, Stale, Versioned, VersionedQuerySet
from directory.models import TwoTimeFact
from tests.every_row import AT, WRITTEN_ONCE, our_models, stored, tracked_models, unsaved

LATER = AT.replace(day=3)

# Rows without versions, each with its reason. Whatever bears on a decision is not among them.
UNTRACKED = {
    "accounts.User": "acts about users are AccountEvent rows",
    "accounts.AccountEvent": "only grows",
    "accounts.AccessLogEntry": "only grows",
    "maintenance.Finding": "what a check found and when; a finding stays on record",
    "maintenance.Repair": "only grows",
    "jobs.Job": "the lease of a running job; bears on no case",
    "jobs.ListExport": "a file that a person asked for; bears on no case",
    "jobs.ListExportPart": "lines of such a file; deleted after a day",
    "jobs.JobRun": "what the machine did and when; a failure stays on record",
    "accounts.FormKey": "a form that was sent; deleted after a week",
    "accounts.SignInEvent": "only grows",
    "accounts.HistoryCount": "only grows",
    "accounts.AccountVersion": "only grows",
    "accounts.AccountRequest": "each of its steps is an AccountEvent row",
    "notices.Notice": "written once for one person; bears on no case, and keeps when it was read",
    "files.StoredFile": "known by the hash of its bytes, which never change",
    "letters.Letter": "its words are frozen in the database; its way is told by LetterStep",
    "letters.LetterFact": "only grows",
    "letters.LetterStep": "only grows",
    "letters.ServiceEvent": "only grows",
    "letters.RenderedPreview": "a proof that words can be typeset; its key is their hash",
    "letters.Heartbeat": "when a process was last seen; bears on no case",
    "cases.CaseNumberSeries": "the last number given; gaps are harmless",
    "cases.CaseKey": "derived: what a case is found again by",
    "cases.Event": "only grows",
    "cases.OwnConflictResult": "only grows",
    "cases.PhoneCall": "only grows",
    "intake.IntakeDraft": "keystrokes before there is a case; ending one is told apart",
    "queues.StageDuration": "only grows",
    "queues.WorkClaim": "who works on what just now; forbids nothing, and a row is kept for each",
    "reviewers.CandidateList": "only grows",
    "reviewers.ChangeMark": "a random value for each change; what changed keeps its own history",
    "reviewers.ConflictResult": "only grows",
    "reviewers.PayerBiasNote": "only grows",
    "reviewers.PayerBiasTest": "only grows",
    "reviewers.ReviewerBar": "only grows",
    "records.Dispatch": "only grows",
    "determinations.Draft": "keystrokes between versions; resolving makes one",
}

every_tracked_model = pytest.mark.parametrize(
    "model", tracked_models(), ids=lambda model: model._meta.label
)


@pytest.fixture
def clerk(db):
    return create_user(
        email="clerk@example.org", name="Ada Clerk", password=None, roles=[], by=None, at=AT
    )


def test_every_table_keeps_versions_or_gives_a_reason_why_not():
    untracked = {
        model._meta.label
        for model in our_models()
        if not issubclass(model, Versioned | TwoTimeFact)
    }
    assert untracked == set(UNTRACKED)


@every_tracked_model
def test_storing_writes_one_version_with_who_when_and_why(model, clerk):
    row = unsaved(model)
    versions = model.history.count()

    row.store(by=clerk, at=LATER, why="The paper says so.")

    assert model.history.count() == versions + 1
    version = row.history.get()
    assert version.history_type == "+"
    assert version.history_user == clerk
    assert version.history_date == LATER
    assert version.history_change_reason == "The paper says so."
    assert version.version == row.version == 1


@every_tracked_model
def test_storing_again_adds_a_version_and_changes_none(model, clerk):
    row = stored(model)
    first = row.history.values().get()

    if model._meta.label in WRITTEN_ONCE:
        with pytest.raises(DatabaseError), transaction.atomic():
            row.store(by=clerk, at=LATER, why="Again.", fields=[])
        assert row.history.values().get() == first
        return
    row.store(by=clerk, at=LATER, why="Again.", fields=[])

    assert row.history.values().get(history_id=first["history_id"]) == first
    second = row.history.latest("history_id")
    assert (second.version, second.history_type) == (2, "~")
    assert (second.history_user, second.history_date) == (clerk, LATER)
    assert second.history_change_reason == "Again."
    assert row.history.count() == 2


@every_tracked_model
def test_the_system_stores_without_a_user(model, db):
    assert unsaved(model).store(by=None, at=AT).history.get().history_user is None


@every_tracked_model
def test_many_rows_are_stored_with_a_version_each(model, clerk):
    rows = [unsaved(model)]

    model.objects.bulk_store(rows, by=clerk, at=LATER, why="All at once.")

    version = model.objects.get(pk=rows[0].pk).history.get()
    assert (version.history_user, version.history_date) == (clerk, LATER)
    assert (version.history_change_reason, version.version) == ("All at once.", 1)


WAYS_ROUND = {
    "save": lambda model, row: row.save(),
    "save of some fields": lambda model, row: row.save(update_fields=["version"]),
    "force_update": lambda model, row: row.save(force_update=True),
    "delete": lambda model, row: row.delete(),
    "create": lambda model, row: model.objects.create(),
    "get_or_create": lambda model, row: model.objects.get_or_create(pk=-1),
    "update_or_create": lambda model, row: model.objects.update_or_create(pk=row.pk),
    "update": lambda model, row: model.objects.filter(pk=row.pk).update(version=9),
    "bulk_create": lambda model, row: model.objects.bulk_create([row]),
    "bulk_create that ignores conflicts": lambda model, row: model.objects.bulk_create(
        [row], ignore_conflicts=True
    ),
    "bulk_update": lambda model, row: model.objects.bulk_update([row], ["version"]),
    "delete of many": lambda model, row: model.objects.filter(pk=row.pk).delete(),
    "update by the base manager": lambda model, row: model._base_manager.update(version=9),
    "delete by the base manager": lambda model, row: model._base_manager.all().delete(),
    "bulk_create by the base manager": lambda model, row: model._base_manager.bulk_create([row]),
    "update by the default manager": lambda model, row: model._default_manager.update(version=9),
}


@every_tracked_model
def test_every_other_kind_of_write_is_refused_and_changes_nothing(model, db):
    row = stored(model)
    before = list(model.objects.order_by("pk").values())
    versions = model.history.count()

    let_through = []
    for way, go in WAYS_ROUND.items():
        try:
            go(model, row)
        except BypassesHistory:
            continue
        let_through.append(way)

    assert let_through == []
    assert list(model.objects.order_by("pk").values()) == before
    assert model.history.count() == versions


@every_tracked_model
def test_the_manager_and_the_base_manager_are_the_guarded_ones(model):
    assert issubclass(model.objects.all().__class__, VersionedQuerySet)
    assert issubclass(model._base_manager.all().__class__, VersionedQuerySet)
    assert model._meta.base_manager_name == "objects"


@every_tracked_model
def test_rows_reached_from_a_parent_are_guarded_too(model, db):
    for field in model._meta.concrete_fields:
        if not field.is_relation or field.null or field.remote_field.hidden:
            continue
        row = stored(model)
        accessor = field.remote_field.get_accessor_name()
        parent = getattr(row, field.name)
        reached = getattr(parent, accessor)
        if field.one_to_one:
            with pytest.raises(BypassesHistory):
                reached.save()
        else:
            with pytest.raises(BypassesHistory):
                reached.update(version=9)
            with pytest.raises(BypassesHistory):
                reached.all().delete()


@every_tracked_model
def test_the_door_closes_behind_a_store_that_failed(model, db, monkeypatch):
    row = stored(model)

    def fail(*args, **options):
        raise RuntimeError("the disk is full")

    monkeypatch.setattr("django.db.models.Model.save", fail)
    with pytest.raises(RuntimeError):
        row.store(by=None, at=AT)
    monkeypatch.undo()

    with pytest.raises(BypassesHistory):
        row.save()


@every_tracked_model
def test_storing_a_stale_row_is_refused(model, db):
    row = stored(model)

    row.refuse_if_stale(1)
    row.refuse_if_stale(None)
    with pytest.raises(Stale):
        row.refuse_if_stale(0)
