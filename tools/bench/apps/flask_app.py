"""Flask, on gunicorn with threads."""

from __future__ import annotations

from flask import Flask, render_template, request, send_file, session
from jinja2 import DictLoader
from shared import (
    CHUNK,
    CHUNKS,
    FILES,
    HAS_HOOKS,
    HELLO,
    LARGE_FILE,
    ROUTES,
    ROWS,
    SECRET,
    TEMPLATE,
)

app = Flask(__name__, static_folder=str(FILES.resolve()), static_url_path="/static")
app.secret_key = SECRET
app.jinja_loader = DictLoader({"page.html": TEMPLATE})


@app.get("/")
def index():
    return HELLO, {"Content-Type": "text/plain; charset=utf-8"}


@app.get("/json")
def json():
    return {"message": HELLO}


def item(number: int):
    return f"{number} {request.args['q']}"


for each in range(ROUTES):
    app.add_url_rule(f"/api/v1/resource{each}/<int:number>", f"item{each}", item)


@app.post("/echo")
def echo():
    return request.get_json()


@app.post("/form")
def form():
    return {"name": request.form["name"], "email": request.form["email"]}


@app.post("/multipart")
def multipart():
    return {
        "size": len(request.files["file"].read()),
        "name": request.form["name"],
    }


@app.get("/template")
def template():
    return render_template("page.html", title="Items", rows=ROWS)


@app.get("/session")
def count():
    session["count"] = session.get("count", 0) + 1
    return str(session["count"])


@app.get("/download")
def download():
    return send_file(FILES.resolve() / LARGE_FILE)


@app.get("/stream")
def stream():
    return (CHUNK for _ in range(CHUNKS)), {"Content-Type": "application/octet-stream"}


@app.post("/upload")
def upload():
    size = 0
    while data := request.stream.read(65536):
        size += len(data)
    return str(size)


if HAS_HOOKS:

    @app.before_request
    def before():
        request.began = True

    @app.after_request
    def after(response):
        response.headers["X-Bench"] = "1"
        return response

    @app.teardown_request
    def teardown(error):
        pass

    @app.errorhandler(404)
    def not_found(error):
        return {"error": "not found"}, 404
