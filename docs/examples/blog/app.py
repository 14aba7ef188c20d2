"""The blog as `quart dev` and `python app.py` find it."""

from blog import create_app

app = create_app()

if __name__ == "__main__":
    app.run()
