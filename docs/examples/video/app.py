"""Videos that can be wound: the browser asks for the parts it needs (RFC 9110, 14).

`send_from_directory` does it all: it sends the parts that are asked for, answers 304
where the browser has the file already, and streams from disk whatever the size.
"""

import asyncio
from pathlib import Path

from quart import Quart, Response, render_template, send_from_directory

app = Quart(__name__)
app.config["VIDEO_FOLDER"] = Path(app.root_path) / "videos"
# Such as QUART_VIDEO_FOLDER=/srv/videos.
app.config.from_prefixed_env()

TYPES = {".mp4", ".webm"}


@app.get("/")
async def index() -> str:
    names = await asyncio.to_thread(video_names, Path(app.config["VIDEO_FOLDER"]))
    return await render_template("index.html", names=names)


@app.get("/videos/<name>")
async def video(name: str) -> Response:
    return await send_from_directory(app.config["VIDEO_FOLDER"], name, conditional=True)


def video_names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.suffix in TYPES)


if __name__ == "__main__":
    app.run()
