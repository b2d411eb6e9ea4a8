"""Pages that load from elsewhere, and links that lead nowhere."""

import build_docs


def test_a_page_that_needs_nothing_else_is_fine(tmp_path):
    (tmp_path / "style.css").write_text("p { background: url(a.svg) }")
    (tmp_path / "a.html").write_text('<link rel="stylesheet" href="style.css"><a href="b/c.html#here">c</a>')
    (tmp_path / "b").mkdir()
    (tmp_path / "b/c.html").write_text('<h1 id="here">c</h1><a href="../a.html">a</a><a href="https://jax.dev">JAX</a>')
    assert list(build_docs.find_problems(tmp_path)) == []


def test_what_is_loaded_from_elsewhere_is_named(tmp_path):
    (tmp_path / "a.html").write_text('<script src="https://cdn.org/x.js"></script><img src="//cdn.org/y.png">')
    (tmp_path / "s.css").write_text('@font-face { src: url(https://fonts.org/f.woff) }\n@import "z.css";')
    assert list(build_docs.find_problems(tmp_path)) == [
        "a.html loads https://cdn.org/x.js",
        "a.html loads //cdn.org/y.png",
        "s.css loads url(http",
        "s.css loads @import",
    ]


def test_links_that_lead_nowhere_are_named(tmp_path):
    (tmp_path / "a.html").write_text(
        '<a href="b.html">1</a><a href="#there">2</a><a href="a.html#here" id="here">3</a>'
    )
    assert list(build_docs.find_problems(tmp_path)) == [
        "a.html links to b.html, which is not there",
        "a.html links to #there, which has no such place",
    ]
