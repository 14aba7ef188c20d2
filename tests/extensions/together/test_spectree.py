"""Spectree: validation and OpenAPI."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, Field
from quart import Quart, jsonify
from spectree import Response, SpecTree


class Profile(BaseModel):
    name: str
    age: int = Field(gt=0)


class Message(BaseModel):
    text: str


class Query(BaseModel):
    page: int = 1


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__)
    spec = SpecTree("quart", title="Films")

    @app.post("/profile")
    @spec.validate(resp=Response(HTTP_200=Message), tags=["people"])
    async def profile(json: Profile):
        return jsonify(text=f"{json.name} {json.age}")

    @app.get("/list/<int:number>")
    @spec.validate()
    async def listing(number: int, query: Query):
        return {"number": number, "page": query.page}

    spec.register(app)
    return app


async def test_what_fits_becomes_the_model(app: Quart) -> None:
    client = app.test_client()
    response = await client.post("/profile", json={"name": "Ada", "age": 36})
    assert await response.get_json() == {"text": "Ada 36"}
    response = await client.get("/list/3?page=2")
    assert await response.get_json() == {"number": 3, "page": 2}


async def test_what_does_not_fit_is_422(app: Quart) -> None:
    client = app.test_client()
    response = await client.post("/profile", json={"name": "Ada", "age": -1})
    assert response.status_code == 422
    assert (await response.get_json())[0]["loc"] == ["age"]
    assert (await client.get("/list/3?page=x")).status_code == 422


async def test_openapi_describes_the_views(app: Quart) -> None:
    client = app.test_client()
    described = await (await client.get("/apidoc/openapi.json")).get_json()
    assert described["info"]["title"] == "Films"
    assert described["paths"]["/profile"]["post"]["tags"] == ["people"]
    (parameter, _) = described["paths"]["/list/{number}"]["get"]["parameters"]
    assert parameter["name"] == "number"
    assert (await client.get("/apidoc/swagger/")).status_code == 200
