from __future__ import annotations

from typing import Any

import pytest
from quart import Quart
from quart.testing import QuartClient

ORIGIN = "https://app.example"


async def create(client: QuartClient, **task: Any) -> dict[str, Any]:
    response = await client.post("/tasks", json=task)
    assert response.status_code == 201
    created: dict[str, Any] = await response.get_json()
    assert response.headers["Location"] == f"/tasks/{created['id']}"
    return created


async def test_task_is_created_changed_and_deleted(client: QuartClient) -> None:
    task = await create(client, title="Write an API")
    assert task == {"id": 1, "title": "Write an API", "done": False}
    response = await client.patch("/tasks/1", json={"done": True})
    assert await response.get_json() == {**task, "done": True}
    response = await client.get("/tasks/1")
    assert await response.get_json() == {**task, "done": True}
    assert (await client.delete("/tasks/1")).status_code == 204
    assert (await client.get("/tasks/1")).status_code == 404


async def test_list_is_filtered(client: QuartClient) -> None:
    await create(client, title="a")
    await create(client, title="b", done=True)
    for query, titles in [("", ["a", "b"]), ("?done=true", ["b"]), ("?done=0", ["a"])]:
        response = await client.get(f"/tasks{query}")
        tasks = (await response.get_json())["tasks"]
        assert [task["title"] for task in tasks] == titles


async def problem(response: Any, status: int) -> dict[str, Any]:
    assert response.status_code == status
    assert response.content_type == "application/problem+json"
    body: dict[str, Any] = await response.get_json(force=True)
    assert body["status"] == status
    return body


async def test_invalid_values_are_named(client: QuartClient) -> None:
    response = await client.post("/tasks", json={"title": "", "done": "perhaps"})
    body = await problem(response, 400)
    assert [error["field"] for error in body["errors"]] == ["title", "done"]


@pytest.mark.parametrize("data", [b"{", b"[]", b'"text"', b""])
async def test_other_json_is_a_problem(client: QuartClient, data: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    await problem(await client.post("/tasks", data=data, headers=headers), 400)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/tasks/7", 404), ("GET", "/nothing", 404), ("PUT", "/tasks", 405)],
)
async def test_errors_of_http_are_problems(
    client: QuartClient, method: str, path: str, status: int
) -> None:
    await problem(await client.open(path, method=method), status)


async def test_failure_of_the_app_is_a_problem(app: Quart, client: QuartClient) -> None:
    @app.get("/fail")
    async def fail() -> str:
        raise ArithmeticError

    app.config["PROPAGATE_EXCEPTIONS"] = False
    body = await problem(await client.get("/fail"), 500)
    assert "Arithmetic" not in str(body)


async def test_pages_of_the_allowed_origin_may_call(client: QuartClient) -> None:
    preflight = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "content-type",
    }
    response = await client.options("/tasks/1", headers=preflight)
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "PATCH" in response.headers["Access-Control-Allow-Methods"]
    assert "content-type" in response.headers["Access-Control-Allow-Headers"].lower()


async def test_other_pages_may_not(client: QuartClient) -> None:
    response = await client.get("/tasks", headers={"Origin": "https://other.example"})
    assert "Access-Control-Allow-Origin" not in response.headers


async def test_openapi_describes_all_operations(client: QuartClient) -> None:
    description = await (await client.get("/openapi.json")).get_json()
    assert description["openapi"].startswith("3.")
    operations = {
        (method, path)
        for path, methods in description["paths"].items()
        for method in methods
    }
    assert operations == {
        ("get", "/tasks"),
        ("post", "/tasks"),
        ("get", "/tasks/{task_id}"),
        ("patch", "/tasks/{task_id}"),
        ("delete", "/tasks/{task_id}"),
    }


async def test_page_describes_all_operations(client: QuartClient) -> None:
    page = await (await client.get("/")).get_data(as_text=True)
    assert page.count("<section>") == 5
    assert "All tasks, or those that are done" in page
