"""ASGI middleware around the app, and a Flask app mounted inside of it."""

import time
from typing import Any

import flask
from a2wsgi import WSGIMiddleware
from quart import Quart

# An application that is to stay as it is, or to be moved one route at a time.

old = flask.Flask("old")


@old.get("/")
def old_index() -> str:
    return "<title>Old</title><h1>From Flask</h1><p><a href='/'>Back to Quart</a></p>"


@old.post("/echo")
def old_echo() -> dict[str, Any]:
    return {"path": flask.request.path, "form": flask.request.form.to_dict()}


# The new one.

app = Quart(__name__)


@app.get("/")
async def index() -> str:
    return "<title>New</title><h1>From Quart</h1><p><a href='/old/'>To Flask</a></p>"


class Mount:
    """Hand requests below a path to another ASGI app, and all others on."""

    def __init__(self, app: Any, path: str, mounted: Any) -> None:
        self.app = app
        self.path = path
        self.mounted = mounted

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and f"{scope['path']}/".startswith(f"{self.path}/"):
            # The ASGI specification has the mount point in root_path and in path.
            root_path = scope.get("root_path", "") + self.path
            await self.mounted({**scope, "root_path": root_path}, receive, send)
        else:
            await self.app(scope, receive, send)


class ServerTiming:
    """Tell the browser how long each response took to begin."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        start = time.perf_counter()

        async def send_timed(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                milliseconds = (time.perf_counter() - start) * 1000
                header = (b"server-timing", f"app;dur={milliseconds:.2f}".encode())
                message = {**message, "headers": [*message["headers"], header]}
            await send(message)

        await self.app(scope, receive, send_timed)


# The outermost comes last. `app` stays the Quart object, for commands and tests.
app.asgi_app = Mount(app.asgi_app, "/old", WSGIMiddleware(old))  # type: ignore[method-assign]
app.asgi_app = ServerTiming(app.asgi_app)  # type: ignore[method-assign]


if __name__ == "__main__":
    app.run()
