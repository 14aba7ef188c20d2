"""quart-schema: validation and OpenAPI, by dataclasses, pydantic and msgspec."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import pytest
from pydantic import BaseModel
from quart import Quart, websocket
from quart_schema import (
    QuartSchema,
    RequestSchemaValidationError,
    ResponseReturnValue,
    SchemaValidationError,
    validate_querystring,
    validate_request,
    validate_response,
)
from quart_schema.validation import DataSource


@dataclass
class Film:
    title: str
    year: int


class PydanticFilm(BaseModel):
    title: str
    year: int


class MsgspecFilm(msgspec.Struct):
    title: str
    year: int


MODELS = pytest.mark.parametrize("model", [Film, PydanticFilm, MsgspecFilm])


def make_app(model: type) -> Quart:
    app = Quart(__name__)
    QuartSchema(app)

    @app.post("/films")
    @validate_request(model)
    @validate_response(model, 201)
    async def add(data: model) -> tuple[model, int]:  # type: ignore[valid-type]
        return data, 201

    @app.post("/form")
    @validate_request(model, source=DataSource.FORM)
    async def form(data: model) -> str:  # type: ignore[valid-type]
        return data.title

    @app.errorhandler(RequestSchemaValidationError)
    async def invalid(error: RequestSchemaValidationError) -> tuple[dict, int]:
        return {"error": "not a film"}, 400

    return app


@MODELS
async def test_what_fits_becomes_the_model(model: type) -> None:
    client = make_app(model).test_client()
    response = await client.post("/films", json={"title": "Alien", "year": 1979})
    assert response.status_code == 201
    assert await response.get_json() == {"title": "Alien", "year": 1979}


@MODELS
async def test_what_does_not_fit_is_an_error_of_the_client(model: type) -> None:
    client = make_app(model).test_client()
    response = await client.post("/films", json={"title": "Alien", "year": "late"})
    assert response.status_code == 400
    assert await response.get_json() == {"error": "not a film"}


async def test_forms_are_validated() -> None:
    client = make_app(PydanticFilm).test_client()
    response = await client.post("/form", form={"title": "Alien", "year": "1979"})
    assert await response.get_data(as_text=True) == "Alien"
    assert (await client.post("/form", form={"title": "x"})).status_code == 400


@MODELS
async def test_openapi_describes_the_views(model: type) -> None:
    client = make_app(model).test_client()
    described = await (await client.get("/openapi.json")).get_json()
    assert set(described["paths"]) == {"/films", "/form"}
    operation = described["paths"]["/films"]["post"]
    body = operation["requestBody"]["content"]["application/json"]["schema"]
    schema = described["components"]["schemas"].get(model.__name__, body)
    assert set(schema["properties"]) == {"title", "year"}
    assert "201" in operation["responses"]
    for page in ("/docs", "/redocs", "/scalar"):
        assert (await client.get(page)).status_code == 200


@dataclass
class Query:
    page: int | None = None


async def test_query_strings_are_converted() -> None:
    app = Quart(__name__)
    QuartSchema(app)

    @app.get("/")
    @validate_querystring(Query)
    async def index(query_args: Query) -> ResponseReturnValue:
        return {"page": query_args.page}

    client = app.test_client()
    response = await client.get("/", query_string={"page": "3"})
    assert await response.get_json() == {"page": 3}
    assert (await client.get("/?page=x")).status_code == 400


async def test_a_response_that_does_not_fit_is_our_error() -> None:
    app = Quart(__name__)
    QuartSchema(app)

    @app.get("/")
    @validate_response(Film)
    async def index() -> dict:
        return {"title": "Alien"}

    assert (await app.test_client().get("/")).status_code == 500


async def test_clients_and_websockets_take_models() -> None:
    app = Quart(__name__)
    QuartSchema(app)

    @app.websocket("/ws")
    async def ws() -> None:
        film = await websocket.receive_as(Film)
        await websocket.send_as(Film(film.title, film.year + 1), Film)
        with pytest.raises(SchemaValidationError):
            await websocket.receive_as(Film)
        await websocket.send("refused")

    client = app.test_client()
    async with client.websocket("/ws") as connection:
        await connection.send_json({"title": "Alien", "year": 1979})
        assert await connection.receive_json() == {"title": "Alien", "year": 1980}
        await connection.send_json({"title": "Alien"})
        assert await connection.receive() == "refused"
