"""A JSON API: validated, described by OpenAPI, open to pages of other origins.

Errors are problem details (RFC 9457), whoever raises them.
"""

import os
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, Field, ValidationError
from quart import Quart, Response, abort, json, render_template, url_for
from quart_cors import cors
from quart_schema import (
    Info,
    QuartSchema,
    RequestSchemaValidationError,
    hide,
    validate_querystring,
    validate_request,
    validate_response,
)
from werkzeug.exceptions import BadRequest, HTTPException

app = Quart(__name__)
# Which pages may call the API from a browser.
app = cors(
    app,
    allow_origin=os.environ.get("API_ORIGINS", "https://app.example").split(","),
    allow_methods=["GET", "POST", "PATCH", "DELETE"],
    allow_headers=["Content-Type"],
)
schema = QuartSchema(
    app,
    info=Info(title="Tasks", version="1.0.0"),
    # Its pages load scripts from elsewhere; this app has one of its own.
    redoc_ui_path=None,
    scalar_ui_path=None,
    swagger_ui_path=None,
)


class NewTask(BaseModel):
    title: str = Field(min_length=1, max_length=200)
    done: bool = False


class TaskChange(BaseModel):
    title: str | None = Field(None, min_length=1, max_length=200)
    done: bool | None = None


class Task(NewTask):
    id: int


class TaskList(BaseModel):
    tasks: list[Task]


class TaskFilter(BaseModel):
    done: bool | None = None


@dataclass
class Store:
    """Stands for a database; see the examples blog and films."""

    tasks: dict[int, Task] = field(default_factory=dict)
    last_id: int = 0

    def add(self, new: NewTask) -> Task:
        self.last_id += 1
        task = self.tasks[self.last_id] = Task(id=self.last_id, **new.model_dump())
        return task

    def get(self, task_id: int) -> Task:
        if task_id not in self.tasks:
            abort(404, f"There is no task {task_id}.")
        return self.tasks[task_id]


store = Store()


@app.get("/tasks")
@validate_querystring(TaskFilter)
@validate_response(TaskList)
async def list_tasks(query_args: TaskFilter) -> TaskList:
    """All tasks, or those that are done, or those that are not."""
    tasks = list(store.tasks.values())
    if query_args.done is not None:
        tasks = [task for task in tasks if task.done is query_args.done]
    return TaskList(tasks=tasks)


@app.post("/tasks")
@validate_request(NewTask)
@validate_response(Task, 201)
async def create_task(data: NewTask) -> tuple[Task, int, dict[str, str]]:
    """A new task."""
    task = store.add(data)
    return task, 201, {"Location": url_for("get_task", task_id=task.id)}


@app.get("/tasks/<int:task_id>")
@validate_response(Task)
async def get_task(task_id: int) -> Task:
    """One task."""
    return store.get(task_id)


@app.patch("/tasks/<int:task_id>")
@validate_request(TaskChange)
@validate_response(Task)
async def change_task(task_id: int, data: TaskChange) -> Task:
    """Change what is given of a task."""
    changes = data.model_dump(exclude_none=True)
    changed = store.tasks[task_id] = store.get(task_id).model_copy(update=changes)
    return changed


@app.delete("/tasks/<int:task_id>")
async def delete_task(task_id: int) -> tuple[str, int]:
    """Delete a task."""
    del store.tasks[store.get(task_id).id]
    return "", 204


@app.get("/")
@hide
async def documentation() -> str:
    description = schema.openapi_provider.schema()
    return await render_template("documentation.html", api=description)


# Errors


@app.errorhandler(HTTPException)
async def http_problem(error: HTTPException) -> Response:
    return problem(error.code or 500, error.name, error.description)


@app.errorhandler(RequestSchemaValidationError)
async def invalid_problem(error: RequestSchemaValidationError) -> Response:
    invalid = error.validation_error
    if not isinstance(invalid, ValidationError):
        return problem(400, BadRequest().name, "The data is of another form.")
    errors = [
        {"field": ".".join(map(str, item["loc"])), "message": item["msg"]}
        for item in invalid.errors()
    ]
    return problem(400, BadRequest().name, "Some values are not valid.", errors=errors)


def problem(status: int, title: str, detail: str | None, **more: Any) -> Response:
    body = {"status": status, "title": title, "detail": detail, **more}
    return Response(json.dumps(body), status, content_type="application/problem+json")


if __name__ == "__main__":
    app.run()
