"""Configuration table: filling a Config, attributes backed by it."""

from __future__ import annotations

import json
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from quart_core.config import Config, ConfigAttribute


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(tmp_path)


# A Config is a dict


def test_a_config_is_a_dict_with_defaults_and_a_root_path() -> None:
    config = Config("/root", {"A": 1})
    assert config == {"A": 1}
    assert config.root_path == "/root"
    assert isinstance(config, dict)
    assert repr(config) == "<Config {'A': 1}>"


# from_pyfile


def test_from_pyfile_takes_names_in_capitals(config: Config, tmp_path: Path) -> None:
    (tmp_path / "settings.py").write_text(
        "A = 1\nb = 2\nMIXEDcase = 3\nFILE = __file__\nNAME = __name__\n"
    )
    assert config.from_pyfile("settings.py") is True
    path = str(tmp_path / "settings.py")
    assert config == {"A": 1, "FILE": path, "NAME": "config"}


def test_from_pyfile_reads_the_encoding_that_the_file_declares(
    config: Config, tmp_path: Path
) -> None:
    source = "# -*- coding: latin-1 -*-\nNAME = 'Caf\xe9'\n"
    (tmp_path / "settings.py").write_bytes(source.encode("latin-1"))
    config.from_pyfile("settings.py")
    assert config["NAME"] == "Café"


def test_from_pyfile_shows_the_file_in_tracebacks(
    config: Config, tmp_path: Path
) -> None:
    (tmp_path / "settings.py").write_text("A = 1\n1 / 0\n")
    with pytest.raises(ZeroDivisionError) as caught:
        config.from_pyfile("settings.py")
    assert caught.traceback[-1].path == tmp_path / "settings.py"


@pytest.mark.parametrize("path", ["absent.py", ".", "file/below.py"])
def test_from_pyfile_without_a_file_raises_or_is_silent(
    config: Config, tmp_path: Path, path: str
) -> None:
    (tmp_path / "file").touch()
    assert config.from_pyfile(path, silent=True) is False
    with pytest.raises(OSError, match="Unable to load configuration file"):
        config.from_pyfile(path)


# from_envvar


def test_from_envvar_loads_the_named_file(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "settings.py").write_text("A = 1")
    monkeypatch.setenv("SETTINGS", str(tmp_path / "settings.py"))
    assert config.from_envvar("SETTINGS") is True
    assert config["A"] == 1


def test_from_envvar_without_the_variable_raises_or_is_silent(config: Config) -> None:
    assert config.from_envvar("NO_SUCH_VARIABLE", silent=True) is False
    with pytest.raises(RuntimeError, match="'NO_SUCH_VARIABLE' is not set"):
        config.from_envvar("NO_SUCH_VARIABLE")


# from_prefixed_env


def set_environment(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def test_prefixed_variables_are_parsed_as_json(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_environment(
        monkeypatch,
        QUART_NUMBER="1",
        QUART_LIST="[1, 2]",
        QUART_TEXT="abc",
        QUART_QUOTED='"12"',
        NOT_QUART_OTHER="1",
        QUARTOTHER="1",
    )
    assert config.from_prefixed_env() is True
    expected = {"NUMBER": 1, "LIST": [1, 2], "TEXT": "abc", "QUOTED": "12"}
    assert {key: config[key] for key in expected} == expected
    assert "OTHER" not in config


def test_double_underscores_nest(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_environment(monkeypatch, QUART_A__B="1", QUART_A__C__D="2")
    config.from_prefixed_env()
    assert config["A"] == {"B": 1, "C": {"D": 2}}


def test_nested_variables_are_added_to_an_existing_dictionary(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    config["A"] = {"KEPT": True, "B": 0}
    set_environment(monkeypatch, QUART_A__B="1")
    config.from_prefixed_env()
    assert config["A"] == {"KEPT": True, "B": 1}


def test_variables_are_loaded_in_sorted_order(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_environment(monkeypatch, QUART_A__B="1", QUART_A='{"C": 2}')
    config.from_prefixed_env()
    assert config["A"] == {"C": 2, "B": 1}


def test_a_variable_below_a_value_says_so(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_environment(monkeypatch, QUART_A="1", QUART_A__B="2")
    with pytest.raises(TypeError, match="'QUART_A__B' sets a value below 'A'"):
        config.from_prefixed_env()


def test_prefix_and_parser_can_be_chosen(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    def loads(text: str) -> str:
        if text == "bad":
            raise LookupError
        return text.upper()

    set_environment(monkeypatch, MINE_A="x", MINE_B="bad")
    config.from_prefixed_env("MINE", loads=loads)
    assert config == {"A": "X", "B": "bad"}


# from_object, from_mapping, from_file


class Settings:
    A = 1
    b = 2

    @property
    def WORKED_OUT(self) -> int:
        return self.A + 1


def test_from_object_takes_attributes_in_capitals(config: Config) -> None:
    config.from_object(Settings())
    assert config == {"A": 1, "WORKED_OUT": 2}


def test_from_object_takes_an_import_path(config: Config) -> None:
    config.from_object("json.decoder")
    assert config["FLAGS"] == json.decoder.FLAGS  # type: ignore[attr-defined]


def test_from_object_names_an_import_path_that_does_not_exist(config: Config) -> None:
    with pytest.raises(ImportError, match=r"json\.nope"):
        config.from_object("json:nope")


def test_from_mapping_takes_a_mapping_pairs_and_keywords(config: Config) -> None:
    assert config.from_mapping({"A": 1, "b": 2}, A=3, C=4) is True
    assert config.from_mapping([("D", 5)]) is True
    assert config.from_mapping() is True
    assert config == {"A": 3, "C": 4, "D": 5}


def test_from_mapping_takes_one_positional_argument(config: Config) -> None:
    with pytest.raises(TypeError):
        config.from_mapping({}, {})  # type: ignore[call-arg]


def test_from_file_takes_text_and_binary_readers(
    config: Config, tmp_path: Path
) -> None:
    (tmp_path / "a.json").write_text('{"A": "é", "b": 1}', encoding="utf-8")
    (tmp_path / "a.toml").write_text("B = 2")
    assert config.from_file("a.json", json.load) is True
    assert config.from_file("a.toml", tomllib.load, text=False) is True
    assert config == {"A": "é", "B": 2}


def test_from_file_without_a_file_raises_or_is_silent(config: Config) -> None:
    assert config.from_file("absent.json", json.load, silent=True) is False
    with pytest.raises(FileNotFoundError, match="Unable to load configuration file"):
        config.from_file("absent.json", json.load)


def test_silence_does_not_cover_the_reader(config: Config, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")

    def load(file: Any) -> Any:
        raise FileNotFoundError(2, "included file")

    with pytest.raises(FileNotFoundError, match="included file"):
        config.from_file("a.json", load, silent=True)


# get_namespace


def test_get_namespace_gives_keywords() -> None:
    config = Config("/", {"STORE_TYPE": "fs", "STORE_PATH_NAME": "/x", "STORED": 1})
    assert config.get_namespace("STORE_") == {"type": "fs", "path_name": "/x"}
    assert config.get_namespace("STORE_", lowercase=False) == {
        "TYPE": "fs",
        "PATH_NAME": "/x",
    }
    assert config.get_namespace("STORE_", trim_namespace=False) == {
        "store_type": "fs",
        "store_path_name": "/x",
    }


# ConfigAttribute


class Holder:
    debug = ConfigAttribute[bool]("DEBUG")
    lifetime = ConfigAttribute[timedelta](
        "LIFETIME", get_converter=lambda seconds: timedelta(seconds=seconds)
    )

    def __init__(self) -> None:
        self.config = Config("/", {"DEBUG": False, "LIFETIME": 5})


def test_a_config_attribute_reads_and_writes_the_config() -> None:
    holder = Holder()
    assert holder.debug is False
    holder.debug = True
    assert holder.config["DEBUG"] is True
    assert holder.debug is True


def test_a_config_attribute_converts_on_reading() -> None:
    holder = Holder()
    holder.lifetime = 7
    assert holder.lifetime == timedelta(seconds=7)
    assert holder.config["LIFETIME"] == 7


def test_a_config_attribute_of_the_class_is_itself() -> None:
    assert isinstance(Holder.debug, ConfigAttribute)
    assert Holder.debug.get_converter is None
