"""From the index beside a snapshot come the answers of the whole estate, or none: damaged, it says nothing."""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from case_estates import cases, estate_of, object_of
from drawn_estates import GRANTEES, GROUPS, SECRETS_USER, SUBSCRIPTION, TENANT, TYPES, USERS, estates
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.snapshots import Size, write_snapshot
from kvaudit.access.evaluator import Access
from kvaudit.app.indexed import access_around
from kvaudit.app.questions import ask_who_can
from kvaudit.app.settings import Voice
from kvaudit.errors import SnapshotError, UsageError
from kvaudit.model.authorization import RoleAssignment, ScheduleInstance
from kvaudit.model.directory import Membership, Principal
from kvaudit.model.estate import Estate
from kvaudit.model.gaps import Gap, Listing
from kvaudit.model.hierarchy import HierarchyNode, Subscription
from kvaudit.model.permissions import operation, operations
from kvaudit.model.vaults import AccessPolicy, ObjectRef, PermissionModel, Vault
from kvaudit.report.answer_lines import who_can_lines
from kvaudit.snapshot.index import FILE, FOLDER, load_indexed, open_index
from kvaudit.snapshot.index_file import IndexDamagedError, IndexReader
from kvaudit.snapshot.index_read import estate_around, vault_at, vaults_named
from kvaudit.snapshot.index_write import is_plain, write_index
from kvaudit.snapshot.layout import LOCK
from kvaudit.snapshot.lock import take_lock
from kvaudit.snapshot.reader import open_snapshot
from kvaudit.snapshot.writer import SnapshotWriter

QUIET = Voice(quiet=True)
FAR = "/subscriptions/99999999-9999-9999-9999-999999999999"
TOP = "/providers/microsoft.management/managementgroups/far"
FAR_VAULT = f"{FAR}/resourcegroups/rg-far/providers/microsoft.keyvault/vaults/kv-contoso"
WORDS = ("secrets/get", "secrets/set", "keys/purge", "certificates/get")
PLAIN = [case for _, case in cases() if "who_can" in case["question"] or "operation" in case["question"]]


def near(estate: Estate, vault: Vault, *, members: bool) -> Estate | None:
    """What the index of an estate holds around a vault; None where the estate gets no index."""
    if not is_plain(estate):
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / FOLDER / FILE
        write_index(path, estate, "test")
        with IndexReader(path, "test") as index:
            assert vault_at(index, vault.scope) == vault
            assert vault in vaults_named(index, vault.name.upper())
            return estate_around(index, (vault,), members=members)


@st.composite
def in_a_tenant(draw: st.DrawFn) -> Estate:
    """A drawn estate with records elsewhere in its tenant, which name the same principals and groups and others."""
    estate = draw(estates())
    elsewhere = tuple(
        RoleAssignment(
            f"/far/{number}",
            draw(st.sampled_from((FAR, TOP, FAR_VAULT, f"{FAR_VAULT}/secrets/db-password", f"{SUBSCRIPTION}0"))),
            SECRETS_USER,
            draw(st.sampled_from((*GRANTEES, "stranger", "far-away"))),
            draw(st.sampled_from((None, "User", "Group"))),
            listed_from=frozenset(draw(st.lists(st.sampled_from((FAR, SUBSCRIPTION)), max_size=2))),
            description=draw(st.sampled_from((None, "for the release"))),
        )
        for number in range(draw(st.integers(0, 4)))
    )
    edges = tuple(
        Membership("far-group", name, TYPES[name])
        for name in draw(st.lists(st.sampled_from((*USERS, *GROUPS)), max_size=2, unique=True))
    )
    services = draw(st.lists(st.sampled_from(("far-robot", "asked-robot")), unique=True))
    return replace(
        estate,
        subscriptions=(*estate.subscriptions, Subscription(FAR.rpartition("/")[2], tenant_id=TENANT)),
        hierarchy=(*estate.hierarchy, HierarchyNode(TOP, None), HierarchyNode(FAR, TOP))
        if draw(st.booleans())
        else draw(st.sampled_from((estate.hierarchy, ()))),
        vaults=(
            *estate.vaults,
            Vault(FAR_VAULT, "kv-contoso", tenant_id=TENANT, permission_model=PermissionModel.AZURE_RBAC),
        ),
        role_assignments=(*estate.role_assignments, *elsewhere),
        memberships=(*estate.memberships, *edges),
        principals={**estate.principals, **{name: Principal(name, "ServicePrincipal") for name in services}},
        member_of={**estate.member_of, **({"asked-robot": ("ops",)} if "asked-robot" in services else {})},
        listings=(*estate.listings, *(draw(st.sampled_from(((), (Listing("role_assignments", FAR, 1),)))))),
        gaps=(*estate.gaps, *draw(st.sampled_from(((), (Gap("role_assignments", TOP, "could not be read"),))))),
    )


@given(
    in_a_tenant(), st.sampled_from(WORDS), st.booleans(), st.sampled_from((None, ObjectRef("secrets", "db-password")))
)
def test_the_estate_around_a_vault_answers_as_the_whole(
    estate: Estate, word: str, members: bool, ref: ObjectRef | None
) -> None:
    asked = operation(word)
    ref = ref if ref and asked.kind == ref.kind else None
    for vault in estate.vaults:
        around = near(estate, vault, members=members)
        if around is None:
            continue
        whole = Access(estate).who_can(asked, vault, ref, expand_groups=members)
        found = Access(around).who_can(asked, vault, ref, expand_groups=members)
        assert found == whole
        assert tuple(who_can_lines(around, found)) == tuple(who_can_lines(estate, whole))


@pytest.mark.parametrize("members", [True, False])
def test_the_members_of_a_group_that_nothing_describes_are_known_to_be_all(members: bool) -> None:
    """Its name could not be looked up, its members could; only an eligible assignment names it."""
    vault = Vault(FAR_VAULT, "kv-contoso", tenant_id=TENANT, permission_model=PermissionModel.AZURE_RBAC)
    eligible = ScheduleInstance("/eligible", FAR_VAULT, SECRETS_USER, "outer", eligible=True, principal_type="Group")
    estate = Estate(
        tenant_id=TENANT,
        subscriptions=(Subscription(FAR.rpartition("/")[2], tenant_id=TENANT),),
        vaults=(vault,),
        role_assignments=(RoleAssignment("/held", FAR_VAULT, SECRETS_USER, "inner", "Group"),),
        schedule_instances=(eligible,),
        memberships=(Membership("outer", "inner", "Group"), Membership("inner", "anna", "User")),
        listings=(
            *(Listing(kind, FAR, 1) for kind in ("role_assignments", "role_eligibility_schedule_instances")),
            *(Listing("group_members", f"groups/{name}", 1) for name in ("another", "outer", "inner")),
        ),
    )
    around = near(estate, vault, members=members)
    assert around is not None
    for word in WORDS:
        whole = Access(estate).who_can(operation(word), vault, expand_groups=members)
        assert Access(around).who_can(operation(word), vault, expand_groups=members) == whole
        assert around.was_read("group_members", "groups/outer")


@pytest.mark.parametrize("described", [True, False])
def test_no_index_where_a_membership_alone_says_what_somebody_is_whom_a_policy_names(described: bool) -> None:
    """The membership may be in a group that has nothing to do with the vault, and then the index would not have it."""
    entry = AccessPolicy(TENANT, "robot", None, secrets=("get",))
    estate = Estate(
        tenant_id=TENANT,
        vaults=(
            Vault(FAR_VAULT, "kv-contoso", permission_model=PermissionModel.ACCESS_POLICIES, access_policies=(entry,)),
        ),
        memberships=(Membership("outer", "robot", "ServicePrincipal"),),
        principals={"robot": Principal("robot", "ServicePrincipal")} if described else {},
    )
    assert is_plain(estate) is described


def test_drawn_estates_mostly_get_an_index() -> None:
    plain: list[bool] = []

    @settings(max_examples=25)
    @given(in_a_tenant())
    def count(estate: Estate) -> None:
        plain.append(is_plain(estate))

    count()
    assert sum(plain) > len(plain) / 4


@pytest.mark.parametrize("case", PLAIN, ids=[case["id"] for case in PLAIN])
def test_the_cases_are_answered_alike(case: Mapping[str, Any]) -> None:
    estate = estate_of(case)
    question = case["question"]
    vault = Access(estate).vault(question["vault"])
    asked = operation(question.get("who_can") or question["operation"])
    ref = object_of(question.get("object"))
    for members in (False, True):
        around = near(estate, vault, members=members)
        if around is not None:
            whole = Access(estate).who_can(asked, vault, ref, expand_groups=members)
            assert Access(around).who_can(asked, vault, ref, expand_groups=members) == whole


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot of a small tenant with its index."""
    path = tmp_path_factory.mktemp("indexed") / "snapshot"
    write_snapshot(path, Size.share(1 / 1000))
    load_indexed(open_snapshot(path), least=0)
    assert (path / FOLDER / FILE).is_file()
    return path


def test_every_vault_of_a_tenant_is_answered_from_its_index(folder: Path) -> None:
    whole = Access(load_indexed(open_snapshot(folder)))
    for vault in whole.estate.vaults[::7]:
        around = access_around(folder, [vault.id], QUIET, members=False)
        assert len(around.estate.vaults) == 1
        for item in operations()[::11]:
            assert around.who_can(item, vault) == whole.who_can(item, vault)
    few = access_around(folder, ["KV-1", "kv-2"], QUIET, members=True)
    for vault in few.estate.vaults:
        asked = operation("secrets/get")
        assert few.who_can(asked, vault, expand_groups=True) == whole.who_can(asked, vault, expand_groups=True)


def test_a_vault_that_is_not_in_the_index_is_looked_for_in_the_snapshot(folder: Path) -> None:
    assert len(access_around(folder, ["nowhere"], QUIET, members=False).estate.vaults) == 100


@pytest.mark.parametrize("place", range(0, 1000, 97))
def test_a_damaged_index_is_never_believed(folder: Path, place: int, tmp_path: Path) -> None:
    content = (folder / FOLDER / FILE).read_bytes()
    at = len(content) * place // 1000
    damaged = tmp_path / FILE
    snapshot = open_snapshot(folder)
    with open_index(snapshot) as whole:
        made_from = whole.made_from
        for broken in (content[:at], content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]):
            damaged.write_bytes(broken)
            try:
                with IndexReader(damaged, made_from) as index:
                    for vault in load_indexed(snapshot).vaults[:9]:
                        found = estate_around(index, (vault,), members=False)
                        assert found == estate_around(whole, (vault,), members=False)
            except IndexDamagedError:
                pass


def test_an_index_of_another_snapshot_or_version_is_made_anew(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "snapshot"
    write_snapshot(copy, Size.share(1 / 1000), seed=2)
    (copy / FOLDER).mkdir()
    old = (folder / FOLDER / FILE).read_bytes()
    (copy / FOLDER / FILE).write_bytes(old)
    with pytest.raises(IndexDamagedError), open_index(open_snapshot(copy)):
        pass
    assert len(access_around(copy, ["kv-1"], QUIET, members=False).estate.vaults) == 100
    load_indexed(open_snapshot(copy), least=0)
    assert (copy / FOLDER / FILE).read_bytes() != old
    assert len(access_around(copy, ["kv-1"], QUIET, members=False).estate.vaults) == 1
    assert {item.name for item in (copy / FOLDER).iterdir()} == {FILE, LOCK}


def test_what_a_killed_writer_left_is_removed_and_what_another_writes_is_not(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / FOLDER / FILE
    path.parent.mkdir()
    left = path.with_name(f"{FILE}.abcdefgh")
    left.write_bytes(b"half of an index")
    estate = load_indexed(open_snapshot(folder))
    lock = take_lock(path.parent)  # as another process that writes
    try:
        with pytest.raises(SnapshotError, match="another process"):
            write_index(path, estate, "test")
        assert left.exists()
        assert not path.exists()
    finally:
        os.close(lock)
    write_index(path, estate, "test")
    assert {item.name for item in path.parent.iterdir()} == {FILE, LOCK}


def test_a_small_snapshot_and_a_folder_that_cannot_be_written_get_none(tmp_path: Path) -> None:
    path = tmp_path / "snapshot"
    write_snapshot(path, Size.share(1 / 2000))
    load_indexed(open_snapshot(path))
    assert not (path / FOLDER).exists()
    (tmp_path / "elsewhere").mkdir()
    (path / FOLDER).symlink_to(tmp_path / "elsewhere")
    assert load_indexed(open_snapshot(path), least=0).vaults
    assert not list((tmp_path / "elsewhere").iterdir())
    (path / FOLDER).unlink()
    (path / FOLDER).write_bytes(b"in the way")
    assert load_indexed(open_snapshot(path), least=0).vaults
    assert access_around(path, ["kv-1"], QUIET, members=False).estate.vaults


@pytest.mark.parametrize("least", [0, 1000])
def test_a_name_that_two_vaults_have_is_answered_for_neither(tmp_path: Path, least: int) -> None:
    """A vault that moves to another resource group while it is read is there twice, and each place has other records."""
    path = tmp_path / "snapshot"
    places = [FAR_VAULT.replace("rg-far", group) for group in ("rg-old", "rg-new")]
    moved = [{"id": place, "name": "kv-contoso", "properties": {"tenantId": TENANT}} for place in places]
    writer = SnapshotWriter.create(path, header={"tenant_id": TENANT})
    writer.add_page("vaults", FAR, moved)
    writer.finish_listing("vaults", FAR, items=2, pages=1)
    writer.close(complete=True, ended_at="2026-11-24T08:00:00Z")
    load_indexed(open_snapshot(path), least=least)
    assert (path / FOLDER / FILE).is_file() == (least == 0)
    for name in ("kv-contoso", "KV-Contoso"):
        with pytest.raises(UsageError, match="holds 2 vaults") as caught:
            ask_who_can(path, ["secrets/get"], QUIET, vaults=[name], object_text=None, expand_groups=False)
    assert "rg-old" in str(caught.value.details)
    for place in places:
        assert ask_who_can(
            path, ["secrets/get"], QUIET, vaults=[place], object_text=None, expand_groups=False
        ).is_single
