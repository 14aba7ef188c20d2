import sys

import pytest
from quart_server.importer import AppImportError, import_app, import_object


@pytest.fixture
def folder(tmp_path):
    """A folder for modules that are forgotten after the test."""
    before, path = set(sys.modules), list(sys.path)
    yield tmp_path
    sys.path[:] = path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def load(folder, target, source, **arguments):
    name = target.partition(":")[0]
    (folder / f"{name}.py").write_text(source)
    return import_app(target, app_dir=str(folder), **arguments)


def test_an_attribute_is_found(folder):
    app = load(folder, "mod_a:site", "async def site(scope, receive, send): ...")
    assert app.__name__ == "site"


def test_attributes_may_be_nested(folder):
    source = "class Holder:\n    class inner:\n        app = print\n"
    assert load(folder, "mod_b:Holder.inner.app", source) is print


@pytest.mark.parametrize("name", ["app", "application"])
def test_the_usual_names_are_tried_without_an_attribute(folder, name):
    assert load(folder, "mod_c", f"{name} = print") is print


def test_a_factory_is_called(folder):
    source = "def make():\n    return print\n"
    assert load(folder, "mod_d:make", source, factory=True) is print


def test_a_factory_with_arguments_is_refused(folder):
    with pytest.raises(AppImportError, match="without arguments"):
        load(folder, "mod_e:make", "def make(config): ...", factory=True)


@pytest.mark.parametrize(
    ("target", "source", "message"),
    [
        ("mod_f:ap", "app = 1", "mod_f has no 'ap'"),
        ("mod_g:app", "app = 1", "is int, expected an ASGI app"),
        ("mod_h", "x = 1", "neither 'app' nor 'application'"),
        ("mod_i:", "x = 1", "no import string"),
    ],
)
def test_what_cannot_be_used_is_explained(folder, target, source, message):
    with pytest.raises(AppImportError) as caught:
        load(folder, target, source)
    assert message in str(caught.value)


def test_a_missing_module_is_named(folder):
    with pytest.raises(AppImportError, match="no module 'no_such_module'"):
        import_app("no_such_module:app", app_dir=str(folder))
    with pytest.raises(AppImportError, match=r"no module 'json\.nothing'"):
        import_object("json.nothing:app")


def test_a_module_that_the_app_misses_keeps_its_own_error(folder):
    with pytest.raises(ModuleNotFoundError, match="absent_dependency"):
        load(folder, "mod_j:app", "import absent_dependency")


def test_errors_of_the_app_pass_through(folder):
    with pytest.raises(ZeroDivisionError):
        load(folder, "mod_k:app", "1 / 0")


def test_a_missing_folder_is_named():
    with pytest.raises(AppImportError, match="no_such_folder"):
        import_app("json:loads", app_dir="no_such_folder")
