"""The examples as a person sees them."""

from __future__ import annotations

import hashlib
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from example_server import EXAMPLES, ExampleServer
from large_webm import with_padding
from playwright.sync_api import BrowserContext, Page, Response, expect

Picture = Callable[[Page, str], None]

PROTOCOL = "performance.getEntriesByType('navigation')[0].nextHopProtocol"


def test_chat_between_two_tabs(context: BrowserContext, take_picture: Picture) -> None:
    # Over HTTP/2, as RFC 8441 has it; the next test is over HTTP/1.1.
    with ExampleServer("chat", https=True) as server:
        ada, bob = context.new_page(), context.new_page()
        for tab, name in ((ada, "Ada"), (bob, "Bob")):
            tab.goto(server.url)
            tab.get_by_label("Your name").fill(name)
        expect(ada.locator("#presence")).to_have_text("you and 1 more")
        ada.get_by_label("Message").fill("Hello, <b>Bob</b>!")
        ada.get_by_role("button", name="Send").click()
        expect(bob.locator("#messages li")).to_have_text(["Ada Hello, <b>Bob</b>!"])
        bob.get_by_label("Message").fill("Hello, Ada!")
        bob.keyboard.press("Enter")
        for tab in (ada, bob):
            expect(tab.locator("#messages li")).to_have_text(
                ["Ada Hello, <b>Bob</b>!", "Bob Hello, Ada!"]
            )
        take_picture(ada, "chat")
        bob.close()
        expect(ada.locator("#presence")).to_have_text("only you are here")


def test_chat_connects_anew_after_the_server_restarts(page: Page) -> None:
    with ExampleServer("chat") as server:
        page.goto(server.url)
        expect(page.locator("#presence")).to_have_text("only you are here")
        server.stop()
        expect(page.locator("#presence")).to_have_text("connecting …")
        server.start()
        expect(page.locator("#presence")).to_have_text("only you are here")


def test_counter_goes_on_after_the_server_restarts(
    page: Page, take_picture: Picture, tmp_path: Path
) -> None:
    env = {
        "QUART_COUNTER_SECONDS": "0.02",
        "QUART_COUNTER_FILE": str(tmp_path / "counter"),
    }
    with ExampleServer("sse", env=env) as server:
        page.goto(server.url)
        page.wait_for_function("Number(seen.textContent) > 10")
        for restart, ending in enumerate((signal.SIGTERM, signal.SIGKILL), 1):
            server.stop(ending)
            expect(page.locator("#state")).to_have_text("reconnecting")
            before = int(page.locator("#seen").inner_text())
            server.start()
            expect(page.locator("#reconnected")).to_have_text(str(restart))
            page.wait_for_function(f"Number(seen.textContent) > {before + 10}")
        take_picture(page, "sse")
        assert page.locator("#wrong").inner_text() == "0"


def test_dashboard_moves(page: Page, take_picture: Picture) -> None:
    with ExampleServer("dashboard", env={"QUART_MEASURE_SECONDS": "0.05"}) as server:
        page.goto(server.url)
        expect(page.locator("#state")).to_have_text("live")
        page.wait_for_function(
            "document.querySelector('#load polyline').points.length > 20"
        )
        take_picture(page, "dashboard")
        assert float(page.locator("#load output").inner_text()) >= 0


def test_news_reach_the_page_by_long_polling(page: Page, take_picture: Picture) -> None:
    with ExampleServer("long-polling") as server:
        page.goto(server.url)
        for text in ("first", "second"):
            page.get_by_label("Text").fill(text)
            page.get_by_role("button", name="Publish").click()
            expect(page.locator("#news li").first).to_have_text(text)
        take_picture(page, "long-polling")
        assert page.locator("#news li").all_inner_texts() == ["second", "first"]
        # The request that waits does not hold up the end.
        assert server.stop() == 0


# HTTP/2


def test_upload_shows_its_progress_over_http2(
    page: Page, take_picture: Picture, tmp_path: Path
) -> None:
    data = hashlib.sha256(b"seed").digest() * 500_000
    file = tmp_path / "sixteen megabytes.bin"
    file.write_bytes(data)
    env = {"QUART_UPLOAD_FOLDER": str(tmp_path / "stored")}
    with ExampleServer("upload", https=True, env=env) as server:
        page.goto(server.url)
        assert page.evaluate(PROTOCOL) == "h2"
        page.evaluate(
            """() => {
              window.seen = [];
              const bar = document.querySelector("#progress");
              const note = () => seen.push(bar.value);
              new MutationObserver(note).observe(bar, { attributes: true });
            }"""
        )
        page.get_by_label("A file").set_input_files(file)
        page.get_by_role("button", name="Upload").click()
        expect(page.locator("#status")).to_have_text("100 %, done")
        take_picture(page, "upload")
        shown = page.locator("#result dd").all_inner_texts()
        seen = page.evaluate("seen")
    digest = hashlib.sha256(data).hexdigest()
    assert shown == ["sixteen_megabytes.bin", str(len(data)), digest]
    assert (tmp_path / "stored" / shown[0]).read_bytes() == data
    assert seen[-1] == 100
    assert seen == sorted(seen)
    assert any(0 < value < 100 for value in seen)


def test_upload_over_the_limit_is_refused_and_the_page_says_so(
    page: Page, take_picture: Picture, tmp_path: Path
) -> None:
    file = tmp_path / "large.bin"
    file.write_bytes(bytes(30_000_000))
    env = {
        "QUART_UPLOAD_FOLDER": str(tmp_path / "stored"),
        "QUART_MAX_CONTENT_LENGTH": "10000000",
    }
    with ExampleServer("upload", https=True, env=env) as server:
        page.goto(server.url)
        page.get_by_label("A file").set_input_files(file)
        page.get_by_role("button", name="Upload").click()
        expect(page.locator("#status")).to_contain_text("exceeds the capacity limit")
        take_picture(page, "upload-refused")
    assert list((tmp_path / "stored").iterdir()) == []


def test_browser_follows_early_hints(page: Page, take_picture: Picture) -> None:
    with ExampleServer("push", https=True) as server:
        page.goto(f"{server.url}/hinted")
        expect(page.locator("#timing tr")).to_have_count(4)
        take_picture(page, "push")
        answered = re.findall(r'"GET (\S+) HTTP/2" 200', server.output())
    # The page links to them, so only the hints can have brought them ahead of it.
    assert set(answered[:2]) == {"/static/style.css", "/static/page.js"}
    assert answered[2] == "/hinted"


# Files


def test_video_is_wound_to_its_middle(
    page: Page, take_picture: Picture, tmp_path: Path
) -> None:
    small = EXAMPLES / "video" / "videos" / "counting.webm"
    large = with_padding(small.read_bytes(), 500_000)
    (tmp_path / "large.webm").write_bytes(large)
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))
    with ExampleServer("video", env={"QUART_VIDEO_FOLDER": str(tmp_path)}) as server:
        page.goto(server.url)
        page.wait_for_function("document.querySelector('video').duration > 0")
        page.evaluate(
            """async () => {
              const video = document.querySelector("video");
              const done = new Promise((resolve) => (video.onseeked = resolve));
              video.currentTime = video.duration / 2;
              await done;
            }"""
        )
        position = page.evaluate("document.querySelector('video').currentTime")
        take_picture(page, "video")
        parts = [
            (answer.status, answer.headers.get("content-range", ""))
            for answer in answers
            if answer.url.endswith(".webm")
        ]
    assert position == pytest.approx(30, abs=1)
    assert {status for status, _ in parts} == {206}
    begins = [int(part.split()[1].split("-")[0]) for _, part in parts]
    assert begins[0] == 0
    # Not all of it was loaded to get there.
    assert len(large) / 3 < begins[-1] < len(large) * 2 / 3


# Forms


def test_author_registers_logs_in_writes_edits_and_deletes(
    page: Page, take_picture: Picture, tmp_path: Path
) -> None:
    env = {
        "QUART_DATABASE": str(tmp_path / "blog.sqlite"),
        "QUART_SECRET_KEY": "of the tests",
    }
    with ExampleServer("blog", env=env) as server:
        page.goto(server.url)
        page.get_by_role("link", name="Register").click()
        for button in ("Register", "Log in"):
            page.get_by_label("Name").fill("Ada")
            page.get_by_label("Password").fill("correct horse")
            page.get_by_role("button", name=button).click()
        expect(page.locator("nav span")).to_have_text("Ada")
        page.get_by_role("link", name="Write").click()
        page.get_by_label("Title").fill("First")
        page.get_by_label("Text").fill("One line\nand another.")
        take_picture(page, "blog-write")
        page.get_by_role("button", name="Save").click()
        expect(page.locator("h2")).to_have_text("First")
        page.get_by_role("link", name="Edit").click()
        page.get_by_label("Title").fill("Second")
        page.get_by_role("button", name="Save").click()
        expect(page.locator("h2")).to_have_text("Second")
        take_picture(page, "blog")
        page.get_by_role("link", name="Edit").click()
        page.get_by_role("button", name="Delete").click()
        expect(page.get_by_role("status")).to_have_text("The post is deleted.")
        expect(page.locator("h2")).to_have_count(0)
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_role("link", name="Log in")).to_be_visible()


def test_documentation_of_the_api(page: Page, take_picture: Picture) -> None:
    with ExampleServer("api") as server:
        page.goto(server.url)
        expect(page.locator("section")).to_have_count(5)
        page.locator("summary").first.click()
        take_picture(page, "api")
        assert page.locator("details[open] pre").first.is_visible()
