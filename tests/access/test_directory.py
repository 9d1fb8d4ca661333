"""Who is in which group for certain, who may come into it, and who may be in it for all that was read: one cast of everybody.

The tables were written from the rules at the top of `access.directory`, a row for each principal and a column for each group.
"""

from dataclasses import replace

from builders import TENANT, Group, estate, gap, group, guest, guid, user
from syrupy.assertion import SnapshotAssertion
from told import named

from kvaudit.access.directory import Directory
from kvaudit.model.directory import Membership, Principal, PrincipalState
from kvaudit.model.estate import Estate
from kvaudit.model.gaps import Gap, Listing
from kvaudit.model.identities import GroupScheduleInstance

anna, ben, carl, dora = (user(name) for name in ("anna", "ben", "carl", "dora"))
fred = guest("fred")
gina = user("gina", user_type=None, user_principal_name="gina_fabrikam#EXT#@contoso.example")
phone = Principal(guid("phone"), "Device")
robot = Principal(guid("robot"), "ServicePrincipal")
silent = Principal(guid("silent"), "ServicePrincipal")
refused = Principal(guid("refused"), "ServicePrincipal")
form = Principal(guid("form"), "Application")
STRANGER, RIDDLE, ABROAD, LOST, AWAY = (guid(name) for name in ("stranger", "riddle", "abroad", "lost", "away"))

tools = group("tools", ben)
hidden = group("hidden", is_read=False)
staff = group("staff", anna, tools, form)
outer = group("outer", hidden, carl)
gone = group("gone", dora, is_read=False)
attic = group("attic", gone, staff)
pimmed = group("pimmed", phone)
veiled = group("veiled", dora)
GONE = replace(gone, principal=replace(gone.principal, state=PrincipalState.DELETED_RESTORABLE))

GROUPS = {
    "staff": staff.id,
    "tools": tools.id,
    "outer": outer.id,
    "hidden": hidden.id,
    "attic": attic.id,
    "gone": gone.id,
    "pimmed": pimmed.id,
    "veiled": veiled.id,
    "abroad": ABROAD,
    "lost": LOST,
    "away": AWAY,
    "riddle": RIDDLE,
    "form": form.id,
}
PEOPLE = {
    "anna": anna.id,
    "ben": ben.id,
    "carl": carl.id,
    "dora": dora.id,
    "fred": fred.id,
    "gina": gina.id,
    "phone": phone.id,
    "robot": robot.id,
    "silent": silent.id,
    "refused": refused.id,
    "stranger": STRANGER,
}
NAMES = (*GROUPS, *PEOPLE)
TYPES = {ABROAD: "ForeignGroup", LOST: None, AWAY: "Group", RIDDLE: None, anna.id: "User"}


def cast(*more: Gap | Principal | Group | Listing) -> Estate:
    """Everybody. The service principals were listed; `silent` was not asked for its groups, and of `refused` nobody may."""
    gaps = tuple(item for item in more if isinstance(item, Gap))
    base = estate(
        *(anna, ben, carl, dora, fred, gina, phone, robot, silent, refused, form),
        *(tools, hidden, staff, outer, GONE, attic, pimmed, veiled, Principal(LOST, state=PrincipalState.NOT_FOUND)),
        gap("group_eligibility_schedule_instances", f"groups/{veiled.id}"),
        gap("service_principal_groups", f"servicePrincipals/{refused.id.upper()}"),
        *gaps,
        group_schedule_instances=(
            GroupScheduleInstance("1", pimmed.id, anna.id, "member", eligible=True),
            GroupScheduleInstance("2", pimmed.id, tools.id, "member", eligible=True),
            GroupScheduleInstance("3", gone.id, carl.id, "member", eligible=True),
            GroupScheduleInstance("4", attic.id, fred.id, "member", eligible=True),
        ),
    )
    return replace(base, member_of={robot.id: (tools.id, gone.id), refused.id: ()})


def mark(found: Directory, principal: str, group_id: str) -> str:
    """`in` it, can `come` into it, `maybe` in it, perhaps `elig`ible, or neither: `-`."""
    if group_id in found.chains_up(principal):
        return "in"
    if group_id in found.ways_up(principal):
        return "come"
    if found.doubt(principal, group_id):
        return "maybe"
    return "elig" if found.eligibility_doubt(principal, group_id) else "-"


MARKS = """
         staff  tools  outer  hidden attic  gone   pimmed veiled abroad lost   away   riddle form
anna     in     -      maybe  maybe  in     -      come   elig   -      -      -      maybe  -
ben      in     in     maybe  maybe  in     -      come   elig   -      -      -      maybe  -
carl     -      -      in     maybe  -      -      -      elig   -      -      -      maybe  -
dora     -      -      maybe  maybe  -      -      -      in     -      -      -      maybe  -
fred     -      -      maybe  maybe  come   -      -      elig   maybe  maybe  maybe  maybe  -
gina     -      -      maybe  maybe  -      -      -      elig   maybe  maybe  maybe  maybe  -
phone    -      -      maybe  maybe  -      -      in     -      -      -      -      maybe  -
robot    in     in     -      -      in     -      come   -      -      -      -      -      -
silent   maybe  maybe  maybe  maybe  maybe  -      maybe  maybe  -      -      -      maybe  -
refused  maybe  maybe  maybe  maybe  maybe  -      maybe  maybe  -      -      -      maybe  -
stranger -      -      maybe  maybe  -      -      -      elig   maybe  maybe  maybe  maybe  -
tools    in     -      maybe  maybe  in     -      come   elig   -      -      -      maybe  -
form     -      -      -      -      -      -      -      -      -      -      -      -      -
""".strip("\n")


def test_what_is_known_of_everybody_and_every_group() -> None:
    found = Directory(cast(), TYPES, frozenset({AWAY}))
    everybody = {**GROUPS, **PEOPLE}
    rows = ["         " + " ".join(f"{title:6}" for title in GROUPS)]
    for line in MARKS.splitlines()[1:]:
        name = line.split()[0]
        rows.append(
            f"{name:8} " + " ".join(f"{mark(found, everybody[name], group_id):6}" for group_id in GROUPS.values())
        )
    assert [row.rstrip() for row in rows] == MARKS.splitlines()


def test_chains_lead_from_the_group_down_and_back() -> None:
    found = Directory(cast(), TYPES, frozenset({AWAY}))
    assert dict(found.chains_up(ben.id)) == {
        tools.id: (tools.id,),
        staff.id: (staff.id, tools.id),
        attic.id: (attic.id, staff.id, tools.id),
    }
    assert dict(found.chains_down(attic.id)) == {
        gone.id: (attic.id,),
        staff.id: (attic.id,),
        anna.id: (attic.id, staff.id),
        tools.id: (attic.id, staff.id),
        ben.id: (attic.id, staff.id, tools.id),
        robot.id: (attic.id, staff.id, tools.id),
    }
    for name, group_id in GROUPS.items():
        members = {who for who in {**GROUPS, **PEOPLE}.values() if group_id in found.chains_up(who)}
        assert set(found.chains_down(group_id)) == members, name


BELOW = {
    "staff": ("anna ben robot tools", "tools"),
    "tools": ("ben robot", ""),
    "outer": ("carl hidden", "hidden"),
    "attic": ("anna ben fred gone robot staff tools", "gone staff tools"),
    "gone": ("", ""),
    "pimmed": ("anna ben phone robot tools", ""),
    "veiled": ("dora", ""),
    "riddle": ("", ""),
}


def test_everyone_below_a_group_and_the_groups_below_it() -> None:
    found = Directory(cast(), TYPES, frozenset({AWAY}))
    for name, (everyone, groups) in BELOW.items():
        assert set(found.everyone_below(GROUPS[name])) == {guid(who) for who in everyone.split()}, name
        assert set(found.groups_below(GROUPS[name])) == {guid(who) for who in groups.split()}, name


OVERLAPS = """
         staff  tools  outer  attic  pimmed veiled abroad anna   fred   carl   robot  silent
staff    yes    yes    yes    yes    yes    yes    yes    yes    -      -      yes    yes
tools    yes    yes    yes    yes    yes    yes    yes    -      -      -      yes    yes
outer    yes    yes    yes    yes    yes    yes    yes    yes    yes    yes    -      yes
attic    yes    yes    yes    yes    yes    yes    yes    yes    yes    -      yes    yes
pimmed   yes    yes    yes    yes    yes    yes    yes    yes    -      -      yes    yes
veiled   yes    yes    yes    yes    yes    yes    yes    yes    yes    yes    -      yes
abroad   yes    yes    yes    yes    yes    yes    yes    -      yes    -      -      -
""".strip("\n")


def overlaps(found: Directory) -> list[str]:
    everybody = {**GROUPS, **PEOPLE}
    head, *lines = OVERLAPS.splitlines()
    rows = [head]
    for line in lines:
        name = line.split()[0]
        marks = ("yes" if found.may_overlap(everybody[name], everybody[other]) else "-" for other in head.split())
        rows.append(f"{name:8} " + " ".join(f"{text:6}" for text in marks).rstrip())
    return rows


def test_who_may_stand_in_two_groups_at_once() -> None:
    assert overlaps(Directory(cast(), TYPES, frozenset({AWAY}))) == OVERLAPS.splitlines()


def test_groups_that_were_read_overlap_where_somebody_stands_in_both() -> None:
    """Every service principal was asked and every group read, so nothing is left in doubt."""
    one, two, three = group("one", anna), group("two", anna, ben), group("three", ben)
    inside = group("inside", one)
    found = Directory(estate(anna, ben, robot, one, two, three, inside), {})
    pairs = [(one, two), (two, three), (one, three), (inside, one), (inside, two), (three, inside)]
    assert [found.may_overlap(left.id, right.id) for left, right in pairs] == [True, True, False, True, True, False]
    assert [found.may_overlap(item.id, anna.id) for item in (one, two, three, inside)] == [True, True, False, True]
    joining = replace(
        estate(anna, ben, one, three),
        group_schedule_instances=(GroupScheduleInstance("1", three.id, anna.id, "member", eligible=True),),
    )
    assert Directory(joining, {}).may_overlap(three.id, anna.id)
    assert Directory(joining, {}).may_overlap(one.id, three.id)


def test_an_id_may_be_a_service_principal_unless_all_were_listed() -> None:
    everything = cast()
    unlisted = replace(
        everything, listings=tuple(item for item in everything.listings if item.kind != "service_principals")
    )
    listed, other = Directory(everything, TYPES), Directory(unlisted, TYPES)
    assert not listed.doubt(STRANGER, tools.id)
    assert [item.kind for item in other.doubt(STRANGER, tools.id)] == ["service_principal_groups"]
    assert not listed.all_service_principals_asked
    whole = replace(everything, member_of={item.id: () for item in (robot, silent)}, gaps=())
    assert not Directory(whole, TYPES).all_service_principals_asked
    whole = replace(whole, member_of={item.id: () for item in (robot, silent, refused)})
    assert Directory(whole, TYPES).all_service_principals_asked
    refusing = replace(whole, gaps=(gap("service_principals", "servicePrincipals"),))
    assert not Directory(refusing, TYPES).all_service_principals_asked


def test_what_records_name() -> None:
    found = Directory(cast(), TYPES)
    named_there = (ABROAD, anna.id, form.id, ben.id, gone.id, fred.id, pimmed.id)
    assert all(found.is_recorded(item) for item in named_there)
    assert not any(found.is_recorded(item) for item in (STRANGER, gina.id, silent.id, robot.id))


def test_the_type_of_an_id() -> None:
    edges = (Membership(guid("team"), guid("member"), "Device"),)
    awaited = (GroupScheduleInstance("1", guid("club"), guid("joiner"), "member", eligible=True),)
    base = Estate(tenant_id=TENANT, memberships=edges, group_schedule_instances=awaited)
    found = Directory(base, {guid("holder"): "User"})
    types = {name: found.type_of(guid(name)) for name in ("team", "member", "club", "joiner", "holder", "nobody")}
    assert types == {
        "team": "Group",
        "member": "Device",
        "club": "Group",
        "joiner": None,
        "holder": "User",
        "nobody": None,
    }


def test_what_hides_members_and_memberships_says_so(snapshot: SnapshotAssertion) -> None:
    found = Directory(cast(), TYPES, frozenset({AWAY}))
    lines: list[str] = []
    for name, group_id in GROUPS.items():
        lines.extend(f"{name}: {told(item)}" for item in found.hides_members(group_id))
        lines.extend(f"{name} may take in: {told(item)}" for item in found.unread_eligibility(group_id))
    for who, group_id in ((silent.id, tools.id), (refused.id, tools.id), (fred.id, ABROAD), (fred.id, LOST)):
        lines.extend(
            f"{named(who, NAMES)} in {named(group_id, NAMES)}: {told(item)}" for item in found.doubt(who, group_id)
        )
    assert "\n".join(lines) == snapshot


def told(item: Gap) -> str:
    return named(f"{item.kind} of {item.scope}: {item.reason}; {item.permission}, {item.status}", NAMES)


def test_where_eligibility_was_not_read_any_user_or_group_may_be_eligible() -> None:
    inner, club = group("inner", dora), group("club", group("inner", dora), GONE)
    everywhere = gap("group_eligibility_schedule_instances", "groups")
    base = estate(anna, robot, phone, inner, club, GONE, everywhere)
    found = Directory(base, {ABROAD: "ForeignGroup"})
    assert found.unread_eligibility(club.id) == (everywhere, everywhere)
    assert found.unread_eligibility(ABROAD) == found.unread_eligibility(anna.id) == ()
    doubted = [item.id for item in (anna, inner, robot, phone) if found.eligibility_doubt(item.id, club.id)]
    assert doubted == [anna.id, inner.id]
    assert found.eligibility_doubt(club.id, club.id) == ()
    asked = Listing("group_eligibility_schedule_instances", f"groups/{club.id}", 0)
    narrowed = Directory(replace(base, listings=(*base.listings, asked)), {})
    assert narrowed.unread_eligibility(club.id) == (everywhere,)
    assert Directory(replace(base, gaps=()), {}).unread_eligibility(club.id) == ()
    assert [Directory(base, {}).is_assessed(item) for item in (club.id, ABROAD)] == [True, True]
    assert not Directory(replace(base, gaps=()), {}).is_assessed(club.id)
    assert Directory(replace(base, gaps=(), listings=(asked,)), {}).is_assessed(club.id)
    root = Directory(replace(base, gaps=(replace(everywhere, scope="/"),)), {})
    assert len(root.unread_eligibility(inner.id)) == 1


def test_a_type_is_known_where_the_directory_a_record_or_a_membership_says_it() -> None:
    everybody = (*PEOPLE.values(), *GROUPS.values(), guid("nobody"))
    directory = Directory(cast(), TYPES, frozenset({AWAY}))
    said = {directory.type_of(item) for item in everybody}
    for kind in ("User", "Group", "ServicePrincipal", "Device", "Application", "ForeignGroup"):
        assert directory.types.knows(kind) or kind not in said
    assert not directory.types.knows("Elephant")
    assert Directory(Estate(), {"robot": "Application"}).types.knows("Application")
    described = {"robot": Principal("robot", "Application", state=PrincipalState.FOUND)}
    assert Directory(Estate(principals=described), {}).types.knows("Application")
    member = (Membership("group", "robot", "Application"),)
    assert Directory(Estate(memberships=member), {}).types.knows("Application")
