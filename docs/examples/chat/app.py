"""A chat: what is said in one tab is heard in all of them."""

from quart import Quart, render_template, websocket
from quart_ws import Room

app = Quart(__name__)
room = Room("chat")

MAX_NAME_CHARACTERS = 30
MAX_TEXT_CHARACTERS = 1_000


@app.get("/")
async def index() -> str:
    return await render_template("index.html")


@app.websocket("/ws")
async def chat() -> None:
    try:
        # A member whose connection is too slow is closed; nobody waits for it.
        async with room.join():
            await tell_presence()
            await listen()
    finally:
        await tell_presence()


async def listen() -> None:
    while True:
        message = await websocket.receive_json()
        name = str(message["name"]).strip()[:MAX_NAME_CHARACTERS]
        text = str(message["text"]).strip()[:MAX_TEXT_CHARACTERS]
        if text:
            await room.broadcast_json({"name": name or "anonymous", "text": text})


async def tell_presence() -> None:
    await room.broadcast_json({"present": len(room)})


if __name__ == "__main__":
    app.run()
