"""Forms that only this site's own pages can send.

Another site can make a browser send a form here, with the cookies of whoever is logged
in. It cannot know the token that this site has put into the session and its forms.
"""

import hmac
import secrets

from markupsafe import Markup
from quart import Quart, abort, request, session

FIELD = "csrf_token"
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


def init_app(app: Quart) -> None:
    """Check all requests that change something; give templates `csrf_field()`."""
    app.before_request(check)
    app.jinja_env.globals["csrf_field"] = csrf_field


def csrf_field() -> Markup:
    if FIELD not in session:
        session[FIELD] = secrets.token_urlsafe()
    hidden = '<input type="hidden" name="{}" value="{}">'
    return Markup(hidden).format(FIELD, session[FIELD])


async def check() -> None:
    if request.method in SAFE_METHODS:
        return
    given = (await request.form).get(FIELD, "")
    expected = session.get(FIELD, "")
    if not expected or not hmac.compare_digest(given.encode(), expected.encode()):
        abort(400, "The form is too old: go back, load the page again and resend it.")
