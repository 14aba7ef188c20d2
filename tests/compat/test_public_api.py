"""The public names under ``quart`` are those of the reviewed inventory."""

from __future__ import annotations

import json
from typing import Any

import public_api
import pytest

KEPT: public_api.Inventory = json.loads(public_api.INVENTORY.read_text())
HOW = (
    "Is the change meant? Then run 'python tests/compat/public_api.py --write' and "
    "commit public_api.json along with it."
)


def test_modules_are_those_of_the_inventory() -> None:
    assert public_api.modules() == sorted(KEPT), HOW


@pytest.mark.parametrize("module", sorted(KEPT))
def test_names_and_signatures_of_the_module(module: str) -> None:
    found = public_api._module(public_api.import_module(module))
    assert public_api.differences(KEPT[module], found) == [], HOW


class Example:
    def kept(self, a: int, *, b: int = 1) -> None: ...

    async def changed(self) -> None: ...

    @property
    def value(self) -> int:
        return 1

    @classmethod
    def made(cls) -> Any: ...


Example.__module__ = "quart.example"


def test_differences_are_noticed_down_to_signatures() -> None:
    described = public_api.describe(Example)
    assert described == {
        "kind": "class",
        "members": {
            "changed": "async def (self)",
            "kept": "def (self, a, *, b=1)",
            "made": "classmethod (cls)",
            "value": "property",
        },
    }
    other = {"kind": "class", "members": {**described["members"], "kept": "def (self)"}}
    del other["members"]["value"]
    assert public_api.differences({"m": described}, {"m": other}) == [
        "m.members.kept: was 'def (self, a, *, b=1)', is 'def (self)'",
        "m.members.value: is gone",
    ]
