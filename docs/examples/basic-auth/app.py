"""HTTP basic authentication as a decorator (RFC 7617)."""

import hmac
import os
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from quart import Quart, Response, abort, current_app, request

app = Quart(__name__)
app.config.update(
    BASIC_AUTH_USERNAME="admin",
    BASIC_AUTH_PASSWORD=os.environ.get("ADMIN_PASSWORD", "change me"),
)

View = Callable[..., Awaitable[Any]]

CHALLENGE = 'Basic realm="admin", charset="UTF-8"'


def auth_required(view: View) -> View:
    """Let nobody see a view who does not know user name and password."""

    @wraps(view)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        if not is_allowed():
            abort(Response("Who are you?", 401, {"WWW-Authenticate": CHALLENGE}))
        return await view(*args, **kwargs)

    return wrapper


def is_allowed() -> bool:
    auth = request.authorization
    if auth is None or auth.type != "basic":
        return False
    # Both are compared, each in the same time whatever is wrong.
    name = is_same(auth.username, current_app.config["BASIC_AUTH_USERNAME"])
    password = is_same(auth.password, current_app.config["BASIC_AUTH_PASSWORD"])
    return name and password


def is_same(given: str | None, expected: str) -> bool:
    return hmac.compare_digest((given or "").encode(), expected.encode())


@app.get("/")
async def index() -> str:
    return '<title>Public</title><p>Public. <a href="/admin">To the secret</a></p>'


@app.get("/admin")
@auth_required
async def admin() -> str:
    return "<title>Secret</title><p>The secret is 42.</p>"


if __name__ == "__main__":
    app.run()
