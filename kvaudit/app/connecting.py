"""From the options of a command to what it asks, where it connects and how much it tells."""

from collections.abc import Mapping
from typing import Any

from kvaudit.app.permissions import features_of
from kvaudit.app.settings import Connection, Voice, cloud_of
from kvaudit.collection.request import CollectRequest, Objects, Source
from kvaudit.collectors.collector import Feature
from kvaudit.errors import UsageError


def voice_of(given: Mapping[str, Any]) -> Voice:
    """`--quiet --verbose --debug --no-color`. With `--debug` requests are logged: never a token, a header or a body."""
    voice = Voice(given["quiet"], given["verbose"], given["debug"], given["no_color"])
    if voice.debug:
        import logging

        logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
        logging.getLogger("kvaudit").setLevel(logging.DEBUG)
    return voice


def connection_of(given: Mapping[str, Any]) -> Connection:
    """`--cloud`, `--auth`, `--tenant` and the endpoints. Raises UsageError for endpoints that cannot be."""
    cloud = cloud_of(
        given["cloud"],
        arm_endpoint=given["arm_endpoint"],
        authority=given["authority"],
        vault_suffix=given["vault_suffix"],
        graph_endpoint=given["graph_endpoint"],
    )
    return Connection(cloud, given["auth"], given["tenant"], given["debug"])


def request_of(given: Mapping[str, Any]) -> CollectRequest:
    """The scope and source options. Raises UsageError for two of them that contradict each other."""
    if given["verify_with_arm"] and given["source"] == Source.ARM:
        raise UsageError(
            "--verify-with-arm compares Resource Graph with Resource Manager, and --source arm asks no Resource Graph",
            hint="Leave one of them out.",
        )
    features = features_of(given["features"])
    has_objects = Feature.OBJECTS in features and not given["no_objects"]
    return CollectRequest(
        tenant=given["tenant"],
        subscriptions=given["subscriptions"],
        management_groups=given["management_groups"],
        resource_groups=given["resource_groups"],
        vaults=given["vaults"],
        objects=Objects(given["objects"]) if has_objects else Objects.NONE,
        features=features,
        objects_limit=given["objects_limit"],
        source=Source(given["source"]),
        verify_with_arm=given["verify_with_arm"],
        time_budget=given["time_budget"],
    )
