"""Dash: a page whose server is an application of ours."""

from __future__ import annotations

import pytest
from dash import Dash, Input, Output, dcc, html
from quart import Quart


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__)

    @app.get("/own")
    async def own() -> str:
        return "a view beside it"

    dash = Dash("films", server=app, url_base_pathname="/dash/")
    dash.layout = html.Div([dcc.Input(id="name"), html.Div(id="greeting")])

    @dash.callback(Output("greeting", "children"), Input("name", "value"))
    async def greet(name: str) -> str:
        return f"Hello {name}"

    return app


async def test_the_page_is_served_beside_our_views(app: Quart) -> None:
    client = app.test_client()
    page = await (await client.get("/dash/")).get_data(as_text=True)
    assert "react-entry-point" in page
    assert await (await client.get("/own")).get_data(as_text=True) == "a view beside it"


async def test_layout_and_callbacks_are_described(app: Quart) -> None:
    client = app.test_client()
    layout = await (await client.get("/dash/_dash-layout")).get_json()
    assert layout["type"] == "Div"
    (callback,) = await (await client.get("/dash/_dash-dependencies")).get_json()
    assert callback["output"] == "greeting.children"


async def test_a_callback_runs(app: Quart) -> None:
    response = await app.test_client().post(
        "/dash/_dash-update-component",
        json={
            "output": "greeting.children",
            "outputs": {"id": "greeting", "property": "children"},
            "inputs": [{"id": "name", "property": "value", "value": "Ada"}],
            "changedPropIds": ["name.value"],
        },
    )
    answer = await response.get_json()
    assert answer["response"] == {"greeting": {"children": "Hello Ada"}}
