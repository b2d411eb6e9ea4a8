"""Packages of generated art, in the layouts of the real ones."""

import gzip
import io
import json
import sys
import tarfile

import make_cut_outs
import numpy as np
import package_files
import pytest
from guidenet.data.catalogue import open_data
from guidenet.data.composites.library import read_library
from PIL import Image, ImageDraw

KINDS = [f"kind-{i:02}" for i in range(20)]


def draw(corners, colour, size, kind):
    image = Image.new("RGBA", (size, size))
    angles = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    ImageDraw.Draw(image).polygon(
        [(size / 2 * (1 + 0.9 * np.cos(a)), size / 2 * (1 + 0.9 * np.sin(a))) for a in angles], fill=(*colour, 255)
    )
    return encode(image, kind)


def encode(image, kind="PNG"):
    file = io.BytesIO()
    image.save(file, kind, lossless=True)
    return file.getvalue()


def photo(seed, size=(120, 90)):
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (*size[::-1], 4)).astype(np.uint8)
    pixels[..., 3] = 0
    pixels[8:-8, 8:-8, 3] = 255
    return encode(Image.fromarray(pixels))


def make_entry(number, **changes):
    code = f"{0x1F300 + number:X}" + ("-FE0F" if number % 2 else "")
    return {
        "name": f"THING {number}",
        "short_name": f"thing-{number:02}",
        "unified": code,
        "image": f"{code.lower()}.png",
        "category": "Objects",
        "subcategory": KINDS[number % len(KINDS)],
        "has_img_google": True,
        "has_img_twitter": True,
    } | changes


ENTRIES = [
    *map(make_entry, range(25)),
    make_entry(30, category="Smileys & Emotion"),
    make_entry(31, name="CLOCK FACE ONE OCLOCK"),
    make_entry(32, has_img_google=False),
    make_entry(33),  # a stroke in one style
    make_entry(34),  # not drawn in one style
]


def make_art():
    """Contents by style and path."""
    art = {"noto": {"emoji.json": json.dumps(ENTRIES).encode()}, "twemoji": {}, "fluent": {}, "openmoji": {}}
    for number, entry in enumerate(ENTRIES):
        code = entry["unified"]
        colour = (20 + 7 * number, 200 - 5 * number, 90)
        stroke = draw(2, colour, 64, "PNG") if entry["short_name"] == "thing-33" else None
        art["noto"][f"img/google/64/{entry['image']}"] = draw(5, colour, 64, "PNG")
        art["twemoji"][f"img/twitter/64/{entry['image']}"] = stroke or draw(6, colour, 64, "PNG")
        art["fluent"][f"assets/{code.lower()}.webp"] = draw(7, colour, 256, "WEBP")
        vector = f'<circle cx="36" cy="36" r="30" fill="rgb{colour}"/>'
        vector = f'<svg viewBox="0 0 72 72" xmlns="http://www.w3.org/2000/svg">{vector}</svg>'
        art["openmoji"][f"openmoji/svg/{code.removesuffix('-FE0F')}.svg"] = vector.encode()
    del art["fluent"]["assets/1f322.webp"]
    for style, version in (("noto", "1.0"), ("twemoji", "2.0"), ("fluent", "3.0")):
        art[style]["package.json"] = json.dumps({"version": version}).encode()
    art["noto"]["LICENSE"] = b"You may."
    return art


def make_stamps():
    stamps = {f"animals/birds/bird-{i}.png": photo(i) for i in range(5)}
    stamps |= {f"animals/mammals/cats/cat-{i}.png": photo(20 + i) for i in range(2)}
    for kind in ("food/fruit", "plants/trees"):
        stamps |= {f"{kind}/{i}.png": photo(40 + i + len(kind)) for i in range(3)}
    stamps |= {
        "animals/birds/bird-0_mirror.png": photo(9),
        "animals/birds/cartoon/duck.png": photo(10),
        "animals/birds/drawn.png": draw(5, (200, 0, 0), 120, "PNG"),
        "animals/birds/small.png": photo(11, (60, 60)),
        "animals/fish/alone.png": photo(12),
        "household/lamp.png": photo(13),
        "household/chair.png": photo(14),
    }
    files = {f"usr/share/tuxpaint/stamps/{name}": content for name, content in stamps.items()}
    changelog = gzip.compress(b"tuxpaint-stamps (2022.06.04-1) unstable; urgency=medium\n", mtime=0)
    files["usr/share/doc/tuxpaint-stamps-default/changelog.Debian.gz"] = changelog
    files["usr/share/doc/tuxpaint-stamps-default/copyright"] = b"License: GPL-2"
    return files


def write_folder(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def make_tar(files, root, kind):
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode=f"w:{kind}") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(f"{root}/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return archive.getvalue()


def make_deb(members):
    parts = [b"!<arch>\n"]
    for name, content in members.items():
        header = f"{name:16}{0:<12}{0:<6}{0:<6}{'100644':8}{len(content):<10}`\n"
        parts.append(header.encode() + content + b"\n" * (len(content) % 2))
    return b"".join(parts)


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """Two of them packed, and two unpacked."""
    folder, art = tmp_path_factory.mktemp("packages"), make_art()
    paths = {"noto": folder / "google.tgz", "fluent": folder / "fluent.tgz"}
    for style, path in paths.items():
        path.write_bytes(make_tar(art[style], "package", "gz"))
    return paths | {style: write_folder(folder / style, art[style]) for style in ("twemoji", "openmoji")}


@pytest.fixture(scope="module")
def stamps(tmp_path_factory):
    path = tmp_path_factory.mktemp("stamps") / "stamps.deb"
    data = make_tar(make_stamps(), ".", "xz")
    path.write_bytes(make_deb({"debian-binary": b"2.0", "control.tar.xz": b"", "data.tar.xz": data}))
    return path


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["make_cut_outs.py", *map(str, arguments)])
    make_cut_outs.main()


def flags(packages):
    return [f"--{style}={packages[style]}" for style in ("noto", "twemoji", "fluent")]


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_drawings_are_in_four_styles(packages, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(make_cut_outs, "find_package", lambda name: packages["openmoji"])
    for name in ("one", "two"):
        run(monkeypatch, "drawings", tmp_path / name, *flags(packages))
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    library = read_library(tmp_path / "one")
    assert library.concepts == tuple(f"thing-{i:02}" for i in range(25))
    assert capsys.readouterr().out.startswith("25 concepts in 20 subcategories, 4 styles, 100 cut-outs, ")
    assert library.styles == ("fluent", "noto", "openmoji", "twemoji")
    assert library.subcategories["thing-21"] == "kind-01"
    assert library.packages["emoji-datasource-twitter"] == "2.0"
    assert not library.test_only
    for text in ("Apache License 2.0", "CC BY 4.0", "CC BY-SA 4.0", "Microsoft Corporation, MIT", "You may."):
        assert text in library.credits
    sizes = {style: max(library.cut_outs[style, "thing-00"][0].shape) for style in library.styles}
    assert sizes["fluent"] == sizes["openmoji"] == 160
    assert sizes["noto"] < 64
    data = open_data(f"cut-outs:{tmp_path / 'one'}", 3)
    assert data.roles == ("train", "validation", "test")


def test_photos_are_in_the_classes_of_their_folders(stamps, tmp_path, monkeypatch, capsys):
    run(monkeypatch, "photos", tmp_path / "photos", f"--stamps={stamps}")
    assert capsys.readouterr().out.startswith("4 concepts in 4 subcategories, 2 styles, 13 cut-outs, ")
    library = read_library(tmp_path / "photos")
    assert library.test_only
    assert library.packages == {"tuxpaint-stamps-default": "2022.06.04-1"}
    assert library.subcategories == {
        "animals-birds": "animals-birds",
        "animals-mammals-cats": "animals-mammals",
        "food-fruit": "food-fruit",
        "plants-trees": "plants-trees",
    }
    halves = [library.cut_outs[style, "animals-birds"] for style in library.styles]
    assert [len(half) for half in halves] == [3, 2]
    assert len({pixels.tobytes() for half in halves for pixels in half}) == 5
    assert "GNU General Public\nLicense 2" in library.credits
    assert "The package tuxpaint-stamps-default says:\n\nLicense: GPL-2\n" in library.credits


def test_unpacked_stamps_are_the_same(stamps, tmp_path):
    folder = write_folder(tmp_path, make_stamps())
    packed = make_cut_outs.load_photos(stamps)
    assert make_cut_outs.load_photos(folder).digest() == packed.digest()
    assert make_cut_outs.load_photos(folder / "usr/share/tuxpaint/stamps").digest() == packed.digest()


def test_what_is_wrong_with_a_package_is_said(packages, stamps, tmp_path, monkeypatch):
    with pytest.raises(SystemExit, match=r"none\.tgz must be a package or a folder, and there is no such"):
        run(monkeypatch, "photos", tmp_path / "out", f"--stamps={tmp_path / 'none.tgz'}")
    with pytest.raises(
        SystemExit, match=r"google\.tgz must be the package tuxpaint-stamps-default, packed or unpacked"
    ):
        run(monkeypatch, "photos", tmp_path / "out", f"--stamps={packages['noto']}")
    broken = tmp_path / "broken.tgz"
    broken.write_bytes(packages["noto"].read_bytes()[:300])
    with pytest.raises(SystemExit, match=r"broken\.tgz must be a \.tgz or \.deb package"):
        run(monkeypatch, "drawings", tmp_path / "out", *flags(packages | {"noto": broken}))
    swapped = packages | {"twemoji": packages["fluent"]}
    with pytest.raises(SystemExit, match=r"fluent\.tgz must be the package emoji-datasource-twitter"):
        run(monkeypatch, "drawings", tmp_path / "out", *flags(swapped))
    folder = write_folder(tmp_path / "damaged", make_art()["noto"])
    (folder / "img/google/64/1f300.png").write_bytes(b"no image")
    with pytest.raises(SystemExit, match=r"damaged: img/google/64/1f300\.png must be an image"):
        run(monkeypatch, "drawings", tmp_path / "out", *flags(packages | {"noto": folder}))
    (folder / "emoji.json").write_text("{")
    with pytest.raises(SystemExit, match=r"damaged must have the list of emoji of emoji-datasource-google"):
        run(monkeypatch, "drawings", tmp_path / "out", *flags(packages | {"noto": folder}))
    assert not (tmp_path / "out").exists()
    with pytest.raises(SystemExit, match=r"must be a new folder for cut-outs, and is there already"):
        run(monkeypatch, "photos", tmp_path, f"--stamps={stamps}")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"!<arch", "must be a Debian package, and is none"),
        (make_deb({"debian-binary": b"2.0"}), "has no data.tar"),
        (make_deb({"data.tar.zst": b"x"}), "compressed with zstd: unpack it with dpkg-deb -x, and give the folder"),
        (make_deb({"data.tar.xz": b"no tar"}), "must be a .tgz or .deb package"),
    ],
)
def test_broken_debian_packages(content, message, tmp_path):
    path = tmp_path / "stamps.deb"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        package_files.read_files(path, ".*")


@pytest.mark.parametrize(
    ("name", "content", "version"),
    [
        ("package.json", b'{"version": "1.2"}', "1.2"),
        ("package.json", b"[]", "unknown"),
        ("changelog.Debian.gz", b"no gzip", "unknown"),
        ("LICENSE", b"", "unknown"),
    ],
)
def test_versions(name, content, version):
    assert package_files.find_version({name: content}) == version


def test_patterns_begin_at_names(tmp_path):
    folder = write_folder(tmp_path / "package", {"a/LICENSE": b"1", "MYLICENSE": b"2", "a/b.png": b"3"})
    assert package_files.read_files(folder, r"LICENSE|b\.png") == {"LICENSE": b"1", "b.png": b"3"}
