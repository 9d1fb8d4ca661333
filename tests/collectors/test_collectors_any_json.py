"""A parser answers any JSON value with a record, or with an exception that the loader turns into a gap."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import SAMPLES

from kvaudit.collectors.catalogue import COLLECTORS
from kvaudit.collectors.collector import Collector
from kvaudit.collectors.vault_objects import OBJECT_KINDS, metadata_only

EXPECTED = (KeyError, TypeError, ValueError)

_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=2**63, max_value=2**300),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["", " ", "/", "//", "/subscriptions/", "\ud800", "https://[", "true", "\x00"]),
)
json_values = st.recursive(
    _scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    if isinstance(value, dict):
        for key, inner in value.items():
            found += _places(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            found += _places(inner, (*path, index))
    return found


@st.composite
def spoilt(draw: st.DrawFn, kind: str) -> tuple[str, Any]:
    """A good item with up to three of its values replaced by anything, or taken out; and a scope, good or not."""
    scope, item = SAMPLES[kind]
    value: Any = copy.deepcopy(item)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(_places(value)))
        if not path:
            return scope, draw(json_values)
        holder = value
        for step in path[:-1]:
            holder = holder[step]
        if isinstance(holder, dict) and draw(st.booleans()):
            del holder[path[-1]]
        else:
            holder[path[-1]] = draw(json_values)
    return draw(st.sampled_from([scope, "", "/", scope + "/x/y"])), value


@pytest.mark.parametrize("collector", COLLECTORS, ids=lambda item: f"{item.kind}-{item.plane}")
@given(data=st.data())
def test_a_parser_answers_any_json(collector: Collector[Any], data: st.DataObject) -> None:
    scope, raw = data.draw(spoilt(collector.kind))
    try:
        record = collector.parse(raw, scope)
    except EXPECTED:
        return
    assert hash(record) == hash(record), "records are compared and put into sets"


@pytest.mark.parametrize("kind", sorted(SAMPLES))
def test_nesting_without_end_is_borne(kind: str) -> None:
    deep: Any = "bottom"
    for _ in range(100_000):
        deep = [deep]
    collector = next(item for item in COLLECTORS if item.kind == kind)
    scope, item = SAMPLES[kind]
    for key in item:
        spoiled = {**item, key: deep}
        try:
            collector.parse(spoiled, scope)
        except EXPECTED:
            continue
    while isinstance(
        deep, list
    ):  # taken apart by hand: a deep list that is dropped at once recurses in the interpreter
        deep = deep.pop()


@given(raw=json_values, secret=st.text("abcdefgh", min_size=12, max_size=12), data=st.data())
def test_no_value_and_no_key_material_is_kept_of_an_object(raw: Any, secret: str, data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(sorted(OBJECT_KINDS)))
    item = copy.deepcopy(SAMPLES[kind][1])
    place = data.draw(st.sampled_from([item, item.get("properties", item)]))
    place[data.draw(st.sampled_from(["value", "Value", "k", "d", "key", "cer", "sid", "policy", "secret"]))] = secret
    kept = metadata_only(item)
    assert secret not in repr(kept)
    scope = SAMPLES[kind][0]
    parse = next(found.parse for found in COLLECTORS if found.kind == kind)
    assert parse(kept, scope) == parse(item, scope), "what lists say is kept"
    assert metadata_only(raw) is None or isinstance(raw, dict)
