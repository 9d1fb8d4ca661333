"""`--feature`: what is read, and which permissions that needs, say the same."""

import json
from typing import Any

import click
import pytest
from click.testing import CliRunner

from kvaudit.app.connecting import request_of
from kvaudit.cli.commands.permissions import command
from kvaudit.cli.options import FEATURES, scope_options
from kvaudit.collection.request import Objects
from kvaudit.collectors.catalogue import COLLECTORS, permissions_needed
from kvaudit.collectors.collector import Feature, Plane


@click.command("probe")
@scope_options
def probe(**given: Any) -> None:
    """Stands for every command that reads: tells what its options ask for."""
    request = request_of(given)
    click.echo(json.dumps([sorted(request.features), request.objects]))


def printed(*words: str) -> str:
    """What `kvaudit permissions` prints."""
    done = CliRunner().invoke(command, words)
    assert done.exit_code == 0, done.output
    return done.output


def test_every_feature_can_be_named() -> None:
    assert set(FEATURES) == set(Feature)
    assert {item.feature for item in COLLECTORS} == set(Feature)


@pytest.mark.parametrize("named", [(), ("access",), ("settings", "objects"), FEATURES])
def test_the_role_holds_what_the_features_read_and_no_more(named: tuple[str, ...]) -> None:
    words = [word for name in named for word in ("--feature", str(name))]
    role = json.loads(printed("--role-json", "--scope", "/subscriptions/x", *words))
    chosen = {Feature.ACCESS, *map(Feature, named)} if named else set(Feature)
    needed = permissions_needed(chosen)[Plane.ARM]
    assert role["Actions"] == (["*/read"] if Feature.IDENTITIES in chosen else list(needed))
    assert role["DataActions"] == []
    assert role["AssignableScopes"] == ["/subscriptions/x"]


def test_what_is_left_out_is_not_among_the_permissions() -> None:
    access = json.loads(printed("-o", "json", "--feature", "access"))
    assert {item["feature"] for item in access} == {"access"}
    text = printed("--feature", "access")
    assert "Directory.Read.All" in text
    assert "PrivilegedEligibilitySchedule" not in text
    assert "PrivilegedEligibilitySchedule.Read.AzureADGroup" in printed("--feature", "identities")


@pytest.mark.parametrize(
    ("named", "features", "objects"),
    [
        ((), set(Feature), Objects.ARM),
        (("identities",), {Feature.ACCESS, Feature.IDENTITIES}, Objects.NONE),
        (("objects",), {Feature.ACCESS, Feature.OBJECTS}, Objects.ARM),
    ],
)
def test_the_same_names_say_what_is_read(named: tuple[str, ...], features: set[Feature], objects: Objects) -> None:
    done = CliRunner().invoke(probe, [word for name in named for word in ("--feature", str(name))])
    assert json.loads(done.output) == [sorted(features), objects]
