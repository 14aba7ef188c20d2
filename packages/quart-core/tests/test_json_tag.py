"""Sessions table: tags of the serializer."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup
from quart_core.json.tag import (
    JSONTag,
    PassDict,
    PassList,
    TagBytes,
    TagDateTime,
    TagDict,
    TaggedJSONSerializer,
    TagMarkup,
    TagTuple,
    TagUUID,
)


@pytest.fixture
def serializer() -> TaggedJSONSerializer:
    return TaggedJSONSerializer()


def test_tags_are_tried_in_a_fixed_order(serializer: TaggedJSONSerializer) -> None:
    assert [type(tag) for tag in serializer.order] == [
        TagDict,
        PassDict,
        TagTuple,
        PassList,
        TagBytes,
        TagMarkup,
        TagUUID,
        TagDateTime,
    ]
    assert list(serializer.tags) == [" di", " t", " b", " m", " u", " d"]


class Page:
    def __html__(self) -> str:
        return "<p>"


MOMENT = datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "text", "back"),
    [
        ((1, 2), '{" t":[1,2]}', (1, 2)),
        ((), '{" t":[]}', ()),
        ([1, (2,)], '[1,{" t":[2]}]', [1, (2,)]),
        ({"a": b"x"}, '{"a":{" b":"eA=="}}', {"a": b"x"}),
        (Markup("<"), '{" m":"<"}', Markup("<")),
        (Page(), '{" m":"<p>"}', Markup("<p>")),
        (UUID(int=7), '{" u":"00000000000000000000000000000007"}', UUID(int=7)),
        (MOMENT, '{" d":"Thu, 02 Jan 2020 03:04:05 GMT"}', MOMENT),
        (
            datetime(2020, 1, 2, 3, 4, 5, 678),
            '{" d":"Thu, 02 Jan 2020 03:04:05 GMT"}',
            MOMENT,
        ),
        ({" t": [1]}, '{" di":{" t__":[1]}}', {" t": [1]}),
        ({" di": 1}, '{" di":{" di__":1}}', {" di": 1}),
        ({" d": "x"}, '{" di":{" d__":"x"}}', {" d": "x"}),
        ({" x": 1}, '{" x":1}', {" x": 1}),
        ({" d__": 1}, '{" d__":1}', {" d__": 1}),
        ({" t": 1, "b": 2}, '{" t":1,"b":2}', {" t": 1, "b": 2}),
        ({1: 2}, '{"1":2}', {"1": 2}),
        (
            {"x": {" b": (1,)}},
            '{"x":{" di":{" b__":{" t":[1]}}}}',
            {"x": {" b": (1,)}},
        ),
        (None, "null", None),
        (1.5, "1.5", 1.5),
        ("é", '"\\u00e9"', "é"),
    ],
)
def test_a_value_is_written_and_read(
    serializer: TaggedJSONSerializer, value: Any, text: str, back: Any
) -> None:
    assert serializer.dumps(value) == text
    read = serializer.loads(text)
    assert read == back
    assert type(read) is type(back)


tag_like_keys = st.sampled_from(
    [" di", " t", " b", " m", " u", " d", " t__", " di__", " di____", "", " ", "__"]
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.uuids()
    | st.text().map(Markup)
    | st.datetimes(min_value=datetime(1000, 1, 1), timezones=st.just(UTC)).map(
        lambda moment: moment.replace(microsecond=0)
    ),
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(st.text() | tag_like_keys, inner)
        | st.dictionaries(tag_like_keys, inner, min_size=1, max_size=1)
    ),
    max_leaves=25,
)


def same(left: Any, right: Any) -> bool:
    """Equal, and of the same types all the way down."""
    if type(left) is not type(right) or left != right:
        return False
    if isinstance(left, dict):
        return all(same(left[key], right[key]) for key in left)
    if isinstance(left, (list, tuple)):
        return all(same(a, b) for a, b in zip(left, right, strict=True))
    return True


@given(values)
def test_every_value_comes_back_as_it_went_in(value: Any) -> None:
    serializer = TaggedJSONSerializer()
    assert same(serializer.loads(serializer.dumps(value)), value)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(tag_like_keys | st.text(max_size=3), inner)
        ),
        max_leaves=15,
    )
)
def test_foreign_json_is_read_or_refused_but_never_misread(value: Any) -> None:
    serializer = TaggedJSONSerializer()
    try:
        read = serializer.loads(json.dumps(value))
    except (ValueError, TypeError, AttributeError):
        return
    assert same(serializer.loads(serializer.dumps(read)), read)


def test_values_without_a_tag_are_refused(serializer: TaggedJSONSerializer) -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        serializer.dumps({"a": object()})


class TagSet(JSONTag):
    key = " s"

    def check(self, value: Any) -> bool:
        return isinstance(value, frozenset)

    def to_json(self, value: Any) -> Any:
        return [self.serializer.tag(item) for item in value]

    def to_python(self, value: Any) -> Any:
        return frozenset(value)


def test_a_tag_can_be_registered(serializer: TaggedJSONSerializer) -> None:
    serializer.register(TagSet, index=0)
    assert isinstance(serializer.order[0], TagSet)
    value = {"set": frozenset({(1, 2)}), "tag-like": {" s": [1]}}
    assert serializer.loads(serializer.dumps(value)) == value


def test_a_tag_registered_last_is_tried_last(serializer: TaggedJSONSerializer) -> None:
    serializer.register(TagSet)
    assert isinstance(serializer.order[-1], TagSet)


def test_a_key_is_registered_once(serializer: TaggedJSONSerializer) -> None:
    serializer.register(TagSet)
    first = serializer.tags[" s"]
    with pytest.raises(KeyError, match="' s' is already registered, to TagSet"):
        serializer.register(TagSet)
    serializer.register(TagSet, force=True)
    assert serializer.tags[" s"] is not first


class Ordered(dict[str, Any]):
    pass


class TagOrdered(JSONTag):
    key = " o"

    def check(self, value: Any) -> bool:
        return isinstance(value, Ordered)

    def to_json(self, value: Any) -> Any:
        return [[key, self.serializer.tag(item)] for key, item in value.items()]

    def to_python(self, value: Any) -> Any:
        return Ordered(value)


def test_a_tag_in_front_wins_over_that_of_its_base_class(
    serializer: TaggedJSONSerializer,
) -> None:
    serializer.register(TagOrdered, index=0)
    read = serializer.loads(serializer.dumps({"o": Ordered(b=1, a=(2,))}))
    assert same(read, {"o": Ordered(b=1, a=(2,))})


def test_a_tag_says_what_it_must_define(serializer: TaggedJSONSerializer) -> None:
    tag = JSONTag(serializer)
    assert tag.key == ""
    for method in (tag.check, tag.to_json, tag.to_python):
        with pytest.raises(NotImplementedError, match="JSONTag must define"):
            method(1)


def test_a_subclass_may_have_other_tags() -> None:
    class Serializer(TaggedJSONSerializer):
        default_tags = [PassDict, TagSet]

    assert list(Serializer().tags) == [" s"]


def test_text_that_is_not_json_is_refused(serializer: TaggedJSONSerializer) -> None:
    with pytest.raises(ValueError, match="Expecting"):
        serializer.loads("{")
