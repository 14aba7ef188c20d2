"""Reading, writing, editing and deleting posts."""

import sqlite3

from quart import (
    Blueprint,
    abort,
    flash,
    g,
    redirect,
    render_template,
    request,
    url_for,
)
from quart.typing import ResponseReturnValue

from .accounts import login_required
from .database import connect

blueprint = Blueprint("posts", __name__)

POSTS_ON_A_PAGE = 10
MAX_TITLE_CHARACTERS = 200

SELECT = """
SELECT post.id, title, body, created, author_id, name
FROM post JOIN author ON author.id = author_id
"""


@blueprint.get("/")
async def index() -> ResponseReturnValue:
    page = max(request.args.get("page", 1, type=int), 1)
    cursor = await (await connect()).execute(
        # One more than is shown tells whether there is a next page.
        f"{SELECT} ORDER BY post.id DESC LIMIT ? OFFSET ?",
        [POSTS_ON_A_PAGE + 1, (page - 1) * POSTS_ON_A_PAGE],
    )
    rows = list(await cursor.fetchall())
    return await render_template(
        "posts/index.html",
        posts=rows[:POSTS_ON_A_PAGE],
        page=page,
        has_next=len(rows) > POSTS_ON_A_PAGE,
    )


@blueprint.route("/new", methods=["GET", "POST"])
@login_required
async def create() -> ResponseReturnValue:
    if request.method == "POST" and (post := await posted()):
        database = await connect()
        await database.execute(
            "INSERT INTO post (author_id, title, body) VALUES (?, ?, ?)",
            [g.author["id"], *post],
        )
        await database.commit()
        return redirect(url_for("posts.index"))
    return await render_template("posts/edit.html", post=await request.form)


@blueprint.route("/<int:post_id>/edit", methods=["GET", "POST"])
@login_required
async def edit(post_id: int) -> ResponseReturnValue:
    row = await own_post(post_id)
    if request.method == "POST" and (post := await posted()):
        database = await connect()
        await database.execute(
            "UPDATE post SET title = ?, body = ? WHERE id = ?", [*post, post_id]
        )
        await database.commit()
        return redirect(url_for("posts.index"))
    # What was typed is kept where it is not accepted.
    shown = await request.form or row
    return await render_template("posts/edit.html", post=shown, post_id=post_id)


@blueprint.post("/<int:post_id>/delete")
@login_required
async def delete(post_id: int) -> ResponseReturnValue:
    await own_post(post_id)
    database = await connect()
    await database.execute("DELETE FROM post WHERE id = ?", [post_id])
    await database.commit()
    await flash("The post is deleted.")
    return redirect(url_for("posts.index"))


async def posted() -> tuple[str, str] | None:
    """Return title and body of the form, or tell what is missing."""
    form = await request.form
    title, body = form["title"].strip(), form["body"].strip()
    if 1 <= len(title) <= MAX_TITLE_CHARACTERS:
        return title, body
    await flash(f"The title has 1 to {MAX_TITLE_CHARACTERS} characters.")
    return None


async def own_post(post_id: int) -> sqlite3.Row:
    """Return a post of whoever is logged in."""
    cursor = await (await connect()).execute(f"{SELECT} WHERE post.id = ?", [post_id])
    post = await cursor.fetchone()
    if post is None:
        abort(404, f"There is no post {post_id}.")
    if post["author_id"] != g.author["id"]:
        abort(403, "This post is somebody else's.")
    return post
