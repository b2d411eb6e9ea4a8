"""Pages of other sites cannot use the server, whatever name they give it."""

import re
from pathlib import Path

import pytest
from guidenet import serve


@pytest.fixture
def page(new_page):
    return new_page()


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8808", "127.0.0.1.evil.example", "localhost.evil.example:80", "127.0.0.2", ""],
)
def test_other_hosts_are_refused(page, host):
    status, message = page.refused("GET", "/", headers={"Host": host})
    assert status == 403
    assert "localhost or 127.0.0.1" in message


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8808", "127.0.0.1:80", "[::1]:8808"])
def test_this_machine_is_served(page, host):
    assert page.client.get("/", headers={"Host": host, "Origin": f"http://{host}"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://127.0.0.1:8808"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "http://localhost:8808"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
    ],
)
def test_other_origins_are_refused(page, headers):
    page.ask("POST", "/api/classes", json={"name": "cat"})
    for method, path in (("POST", "/api/undo"), ("GET", "/api/masks.zip"), ("GET", "/api/state")):
        status, message = page.refused(method, path, headers=headers)
        assert status == 403
        assert "another site" in message
    assert page.refused("DELETE", "/api/classes", params={"name": "cat"}, headers=headers)[0] == 403
    assert len(page.ask("GET", "/api/state")["classes"]) == 2


def test_no_other_page_may_ask_first(page):
    headers = {"Origin": "http://evil.example", "Access-Control-Request-Method": "DELETE"}
    answer = page.client.options("/api/images/1", headers=headers)
    assert answer.status_code == 403
    assert not any(name.startswith("access-control") for name in answer.headers)


def test_a_link_may_open_the_page(page):
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert page.client.get("/", headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/", "/main.js", "/api/state", "/nothing"])
def test_headers_shut_the_page_off(page, path):
    headers = page.client.get(path).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"


@pytest.mark.wheel
def test_the_page_loads_nothing_from_elsewhere(page):
    text = page.client.get("/").text
    files = {path.name for path in Path(serve.__file__).parent.glob("page/*")} - {"index.html"}
    assert {"main.js", "drawing.js", "style.css", "icon.svg"} <= files
    for name in files:
        answer = page.client.get(f"/{name}")
        assert answer.status_code == 200
        text += answer.text
    imported = set(re.findall(r'from "\./([\w.]+)"', text))
    assert "stage.js" in imported
    assert imported <= files
    assert "//" not in text.replace("http://www.w3.org/2000/svg", "").replace("// ", "").replace(r"/^\//", "")
    assert len(text) < 100_000
