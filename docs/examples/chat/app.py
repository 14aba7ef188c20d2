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
        # Anything else is not from our page, and ignored.
        match await websocket.receive_json():
            case {"name": str(name), "text": str(text)} if text.strip():
                name = name.strip()[:MAX_NAME_CHARACTERS] or "anonymous"
                text = text.strip()[:MAX_TEXT_CHARACTERS]
                await room.broadcast_json({"name": name, "text": text})


async def tell_presence() -> None:
    await room.broadcast_json({"present": len(room)})


if __name__ == "__main__":
    app.run()
