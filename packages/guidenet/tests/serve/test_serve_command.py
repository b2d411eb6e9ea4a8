"""The command: what it says of itself, of a port in use and of broken files; ctrl-c; the extra."""

import concurrent.futures
import functools
import io
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import numpy as np
import pytest
from guidenet import Segmenter
from guidenet.cli import main
from guidenet.serve import server
from PIL import Image

pytestmark = pytest.mark.wheel

PROGRAM = """
import sys
import jax
from guidenet import GuidedNetwork, preset
from guidenet.cli import main, serve

assert not {"anyio", "starlette", "uvicorn"} & set(sys.modules), "the library must not import the server"
network = GuidedNetwork(preset("tiny"))
serve.load_network = lambda arguments: (network, network.init(jax.random.key(0)))
sys.exit(main(sys.argv[1:]))
"""


def test_it_explains_itself(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["serve", "--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    for word in ("--port", "127.0.0.1", "Ctrl-C", "examples:", "--guidance", "--work"):
        assert word in text


def test_a_port_in_use_is_said_before_anything_is_loaded(capsys, monkeypatch):
    monkeypatch.setattr("guidenet.cli.serve.load_network", lambda arguments: pytest.fail("loaded"))
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert main(["serve", "--port", str(port)]) == 2
    error = capsys.readouterr().err
    assert error == f"guidenet: --port {port} is in use: choose another one, or 0 for any free one\n"
    assert main(["serve", "--port", "70000"]) == 2
    assert "--port must be from 0 to 65535, got 70000" in capsys.readouterr().err


def test_it_listens_on_the_loopback_interface_only():
    with server.bind(0) as listening:
        assert listening.getsockname()[0] == "127.0.0.1"
        assert server.address(listening).startswith("http://127.0.0.1:")


def test_all_flags_reach_the_page(monkeypatch, model, tmp_path, drawn):
    monkeypatch.chdir(tmp_path)  # work that was not saved is written where the command runs
    taught = Segmenter(*model)
    taught.click(taught.add_image(np.full((9, 9), 200, np.uint8)), 1, 1, cls="bright")
    taught.guidance.save(tmp_path / "bright.npz")
    (tmp_path / "one.png").write_bytes(drawn[0](drawn[1]["one.png"]))
    made, opened, states, shown = [], [], [], []
    monkeypatch.setattr("guidenet.cli.serve.load_network", lambda arguments: model)
    monkeypatch.setattr(
        "guidenet.cli.flags.Segmenter", lambda *model, **options: made.append(options) or Segmenter(*model, **options)
    )
    monkeypatch.setattr("webbrowser.open", opened.append)

    def run(session, listening, *, ready, warm_up):
        ready()
        states.append(session.state())
        if len(states) == 1:
            shown.append(session.shown(states[0]["images"][1]["id"]))

    monkeypatch.setattr("guidenet.serve.server.run", run)
    deep = np.full((9, 9), 1000, np.uint16)
    Image.fromarray(deep).save(tmp_path / "two.tif", save_all=True, append_images=[Image.fromarray(deep * 2)])
    flags = ["--max-side", "64", "--no-edges", "--min-area", "3", "--guidance", str(tmp_path / "bright.npz"), "--open"]
    flags += ["--pieces", "annotated", "--page", "2", "--intensity", "0,4000"]
    assert main(["serve", str(tmp_path / "one.png"), str(tmp_path / "two.tif"), "--port", "0", *flags]) == 0
    assert main(["serve", "--port", "0", "--max-images", "5"]) == 0
    first, second = states
    assert made[0] == {"max_side": 64, "edges": False, "min_area": 3, "pieces": "annotated"}
    assert first["pieces"] == "annotated"
    assert [(image["height"], image["width"]) for image in first["images"]] == [(53, 64), (9, 9)]
    assert abs(Image.open(io.BytesIO(shown[0])).convert("L").getpixel((4, 4)) - 127) <= 1
    assert [one["name"] for one in first["classes"]] == ["bright"]
    assert (first["limits"]["images"], second["limits"]["images"]) == (64, 5)
    assert len(opened) == 1
    assert opened[0].startswith("http://127.0.0.1:")


def ask(address, path, fields=None, **headers):
    """What the page answers."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    data = None if fields is None else json.dumps(fields).encode()
    headers = {"Content-Type": "application/json", **headers}
    with opener.open(urllib.request.Request(address + path, data, headers), timeout=60) as answer:
        assert "server" not in answer.headers
        return json.load(answer)


@pytest.fixture
def serve(monkeypatch, tmp_path, model, capsys):
    """Runs the command in a folder until ctrl-c, which comes when `act(ask)` is done; gives what was said."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("guidenet.cli.serve.load_network", lambda arguments: model)
    # It closes handlers of others, and with absl's the stream that pytest captures.
    monkeypatch.setattr("logging.config.dictConfig", lambda config: None)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def start(*arguments, act):
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            acting = []

            def run(address):
                try:
                    return act(functools.partial(ask, address))
                finally:
                    os.kill(os.getpid(), signal.SIGINT)

            monkeypatch.setattr("webbrowser.open", lambda address: acting.append(pool.submit(run, address)))
            assert main(["serve", "--port", "0", "--open", *map(str, arguments)]) == 0
            acting[0].result()
        return capsys.readouterr().err

    yield start
    signal.signal(signal.SIGINT, before)


def click(image):
    return {"image": image, "y": 25, "x": 25, "positive": True, "cls": "object"}


def test_it_serves_and_ends_cleanly_at_ctrl_c(serve, tmp_path, drawn):
    draw, boxes = drawn
    (tmp_path / "one.png").write_bytes(draw(boxes["one.png"]))
    (tmp_path / "bad.png").write_bytes(b"no image")

    def act(ask):
        assert [image["name"] for image in ask("api/state")["images"]] == ["one.png"]
        with pytest.raises(urllib.error.HTTPError) as refusal:
            ask("", Host="evil.example")
        with refusal.value as answer:
            assert answer.code == 403

    said = serve("bad.png", "one.png", "none.png", act=act)
    assert "skipped: bad.png could not be read" in said
    assert "none.png" in said
    assert said.endswith("(ctrl-c stops it)\nguidenet: stopped\n")


def test_what_was_not_saved_is_written_at_the_end_and_opened_again(serve, tmp_path, drawn):
    """In a process of its own, which another one ends."""
    draw, boxes = drawn
    folder = tmp_path / "photos" / "inner"
    folder.mkdir(parents=True)
    (folder / ".thumbnails").mkdir()
    for name, one in zip(("2.png", "10.ppm", "30.png", ".thumbnails/2.png"), [*boxes.values()] * 2, strict=False):
        (folder / name).write_bytes(draw(one))
    (folder / "notes.txt").write_text("no image")
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "serve", "--port", "0", "photos", "--max-images", "2"],
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"},
    ) as process:
        try:
            lines = read_until(process.stderr, "the page is at")
            address = next(word for word in lines[-1].split() if word.startswith("http"))
            state = ask(address, "api/state")
            masks = ask(address, "api/clicks", click(state["images"][0]["id"]))["masks"]
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
            last = process.stderr.read()
        finally:
            process.kill()
    said = "".join(lines)
    assert "photos: 3 images; what else is in it was left out: 2 file(s)" in said
    assert "1 of the images were not added, from photos/inner/30.png on: --max-images 3 takes all" in said
    assert [image["name"] for image in state["images"]] == ["photos/inner/2.png", "photos/inner/10.ppm"]
    (written,) = tmp_path.glob("guidenet-work-*.zip")
    assert last == (
        f"guidenet: 1 mark was not saved yet: the work is in {written.name} now; "
        f"guidenet serve {written.name} opens it\n"
        "guidenet: stopped\n"
    )
    opened = []
    assert serve(written.name, act=lambda ask: opened.append(ask("api/state"))).endswith("guidenet: stopped\n")
    assert list(opened[0]["masks"].values()) == list(masks.values())


def read_until(stream, text):
    """The lines up to the one with a text."""
    lines = []
    for line in stream:
        lines.append(line)
        if text in line:
            break
    return lines


def test_work_is_kept_in_a_file(serve, tmp_path, drawn):
    draw, boxes = drawn
    (tmp_path / "one.png").write_bytes(draw(boxes["one.png"]))

    def act(ask):
        ask("api/clicks", click(ask("api/state")["images"][0]["id"]))

    said = serve("one.png", "--work", "my.zip", act=act)
    assert "guidenet: the work is kept in my.zip\n" in said
    assert said.endswith("guidenet: stopped\n")

    def act_again(ask):
        assert len(ask("api/state")["marks"]) == 1
        ask("api/undo", {})

    assert serve("--work", "my.zip", act=act_again).endswith("guidenet: stopped\n")
    assert [path.name for path in tmp_path.iterdir() if "zip" in path.name] == ["my.zip"]


def test_two_files_of_work_are_refused_before_anything_is_loaded(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("guidenet.cli.serve.load_network", lambda arguments: pytest.fail("loaded"))
    (tmp_path / "a.zip").write_bytes(b"")
    assert main(["serve", "b.zip", "--work", str(tmp_path / "a.zip")]) == 2
    assert "only one file of saved work can be opened, by IMAGE or --work" in capsys.readouterr().err
    assert main(["serve", "--max-images", "0"]) == 2


def test_without_the_extra_the_message_says_how_to_get_it(capsys, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] in ("starlette", "uvicorn")]:
        monkeypatch.delitem(sys.modules, name)
    for name in [name for name in sys.modules if name.startswith("guidenet.serve")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr("guidenet.serve")
    monkeypatch.setitem(sys.modules, "starlette", None)
    assert main(["serve"]) == 2
    assert capsys.readouterr().err == "guidenet: starlette is missing: pip install 'guidenet[serve]'\n"
