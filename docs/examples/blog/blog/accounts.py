"""Registering, logging in and out; who is logged in is in the session."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from quart import (
    Blueprint,
    flash,
    g,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from quart.helpers import safe_redirect
from quart.typing import ResponseReturnValue
from werkzeug.security import check_password_hash, generate_password_hash

from .database import connect

View = Callable[..., Awaitable[ResponseReturnValue]]

blueprint = Blueprint("accounts", __name__)

MIN_PASSWORD_CHARACTERS = 8
MAX_NAME_CHARACTERS = 40

# Compared to where there is no such name, so that the time tells nobody.
NOBODY = generate_password_hash("")


@blueprint.before_app_request
async def load_author() -> None:
    g.author = None
    if "author_id" in session:
        query = "SELECT id, name FROM author WHERE id = ?"
        cursor = await (await connect()).execute(query, [session["author_id"]])
        g.author = await cursor.fetchone()


def login_required(view: View) -> View:
    """Send those who are not logged in to the login page, and back."""

    @wraps(view)
    async def wrapper(*args: Any, **kwargs: Any) -> ResponseReturnValue:
        if g.author is None:
            return redirect(url_for("accounts.login", next=request.full_path))
        return await view(*args, **kwargs)

    return wrapper


@blueprint.route("/register", methods=["GET", "POST"])
async def register() -> ResponseReturnValue:
    if request.method == "POST":
        form = await request.form
        name, password = form["name"].strip(), form["password"]
        error = problem_with(name, password) or await add_author(name, password)
        if error is None:
            await flash("Welcome! Now log in.")
            return redirect(url_for("accounts.login"))
        await flash(error)
    return await render_template("accounts/register.html")


def problem_with(name: str, password: str) -> str | None:
    if not 1 <= len(name) <= MAX_NAME_CHARACTERS:
        return f"The name has 1 to {MAX_NAME_CHARACTERS} characters."
    if len(password) < MIN_PASSWORD_CHARACTERS:
        return f"The password has at least {MIN_PASSWORD_CHARACTERS} characters."
    return None


async def add_author(name: str, password: str) -> str | None:
    # Hashing is slow on purpose, so a thread does it.
    password_hash = await asyncio.to_thread(generate_password_hash, password)
    database = await connect()
    try:
        await database.execute(
            "INSERT INTO author (name, password_hash) VALUES (?, ?)",
            [name, password_hash],
        )
    except sqlite3.IntegrityError:
        return f"The name {name} is taken."
    await database.commit()
    return None


@blueprint.route("/login", methods=["GET", "POST"])
async def login() -> ResponseReturnValue:
    if request.method == "POST":
        form = await request.form
        author_id = await author_with(form["name"].strip(), form["password"])
        if author_id is not None:
            # A new session, so that nothing of before is known to anybody.
            session.clear()
            session["author_id"] = author_id
            home = url_for("posts.index")
            return safe_redirect(request.args.get("next"), fallback=home)
        await flash("Name or password is wrong.")
    return await render_template("accounts/login.html")


async def author_with(name: str, password: str) -> int | None:
    query = "SELECT id, password_hash FROM author WHERE name = ?"
    row = await (await (await connect()).execute(query, [name])).fetchone()
    password_hash = NOBODY if row is None else row["password_hash"]
    is_right = await asyncio.to_thread(check_password_hash, password_hash, password)
    return row["id"] if row is not None and is_right else None


@blueprint.post("/logout")
async def logout() -> ResponseReturnValue:
    session.clear()
    return redirect(url_for("posts.index"))
