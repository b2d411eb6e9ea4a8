"""The command: what it says of itself, of a port in use and of broken files; ctrl-c; the extra."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from guidenet.cli import main
from guidenet.serve import server

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
    for word in ("--port", "127.0.0.1", "Ctrl-C", "examples:", "--guidance"):
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


def test_it_serves_and_ends_cleanly_at_ctrl_c(tmp_path, drawn):
    draw, boxes = drawn
    (tmp_path / "one.png").write_bytes(draw(boxes["one.png"]))
    (tmp_path / "bad.png").write_bytes(b"no image")
    names = ["bad.png", "one.png", "none.png"]
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "serve", "--port", "0", *(str(tmp_path / name) for name in names)],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"},
    )
    try:
        lines = []
        for line in process.stderr:
            lines.append(line)
            if "the page is at" in line:
                break
        said = "".join(lines)
        assert "skipped: bad.png could not be read" in said
        assert "none.png" in said
        address = next(word for word in lines[-1].split() if word.startswith("http"))
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(address + "api/state", timeout=60) as answer:
            assert [image["name"] for image in json.load(answer)["images"]] == ["one.png"]
            assert "server" not in answer.headers
        with pytest.raises(urllib.error.HTTPError) as refusal:
            opener.open(urllib.request.Request(address, headers={"Host": "evil.example"}), timeout=60)
        with refusal.value as answer:
            assert answer.code == 403
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        assert process.stderr.read() == "guidenet: stopped\n"
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def test_without_the_extra_the_message_says_how_to_get_it(capsys, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] in ("starlette", "uvicorn")]:
        monkeypatch.delitem(sys.modules, name)
    for name in [name for name in sys.modules if name.startswith("guidenet.serve")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr("guidenet.serve")
    monkeypatch.setitem(sys.modules, "starlette", None)
    assert main(["serve"]) == 2
    assert capsys.readouterr().err == "guidenet: starlette is missing: pip install 'guidenet[serve]'\n"
