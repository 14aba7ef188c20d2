"""A blog: people register, log in, and write; everybody reads."""

import secrets
from pathlib import Path

from quart import Quart

from . import accounts, csrf, database, posts

__all__ = ["create_app"]


def create_app() -> Quart:
    """Make the application; its settings may be changed until it is served."""
    app = Quart(__name__, instance_path=str(Path(__file__).parents[1] / "instance"))
    app.config["DATABASE"] = Path(app.instance_path) / "blog.sqlite"
    app.config["SESSION_COOKIE_SAMESITE"] = "Lax"
    # Such as QUART_DATABASE=/var/lib/blog/blog.sqlite and QUART_SECRET_KEY.
    app.config.from_prefixed_env()
    if not app.config["SECRET_KEY"]:
        app.config["SECRET_KEY"] = kept_secret(Path(app.instance_path) / "secret_key")
    database.init_app(app)
    csrf.init_app(app)
    app.register_blueprint(accounts.blueprint)
    app.register_blueprint(posts.blueprint)
    return app


def kept_secret(file: Path) -> str:
    """Return the secret in a file, made on the first call: logins outlive restarts."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(secrets.token_hex())
    return file.read_text()
