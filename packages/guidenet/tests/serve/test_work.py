"""Work that is saved and opened again; marks of all kinds through the interface; files that are broken or hostile."""

import contextlib
import io
import json
import time
import zipfile

import numpy as np
import pytest
from guidenet.serve import Limits
from guidenet.serve.saved.work import unpack_work


def mark_all(page):
    page.ask("POST", "/api/classes", json={"name": "blue"})
    page.ask("PATCH", "/api/classes", json={"name": "blue", "colour": "#123abc"})
    box = {"image": page.ids[0], "top": 10, "left": 10, "bottom": 40, "right": 40, "positive": True, "cls": "object"}
    page.ask("POST", "/api/boxes", json=box)
    points = [[62, 72], [80, 90]]
    stroke = {"image": page.ids[0], "points": points, "radius": 3, "positive": True, "cls": "blue"}
    page.ask("POST", "/api/strokes", json=stroke)
    page.click(page.ids[1], 90, 20, positive=False)
    page.click(page.ids[1], 90, 21, positive=False, cls="blue")


def pack(change):
    """A file of work, changed: `change` gets the index and a dictionary of the other files."""

    def make(data):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        index = json.loads(files.pop("work.json"))
        change(index, files)
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("work.json", json.dumps(index))
            for name, content in files.items():
                archive.writestr(name, content)
        return file.getvalue()

    return make


def saved(page):
    answer = page.client.get("/api/guidenet-work.zip")
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == 'attachment; filename="guidenet-work.zip"'
    return answer.content


def without_ids(state):
    order = [image["id"] for image in state["images"]]
    marks = [{**mark, "id": 0, "image": order.index(mark["image"])} for mark in state["marks"]]
    images = [{**image, "id": 0} for image in state["images"]]
    masks = [state["masks"][image] for image in order]
    return images, marks, masks, state["classes"], [one["name"] for one in state["guidance"]]


def test_boxes_and_strokes_segment(page):
    mark_all(page)
    kinds = [mark["kind"] for mark in page.state["marks"]]
    assert kinds == ["box", "stroke", "click", "click"]
    assert page.labels(page.ids[0])[25, 25] == 1
    assert page.labels(page.ids[0])[75, 85] == 2
    assert page.labels(page.ids[1])[80, 20] == 1
    assert page.labels(page.ids[2])[75, 75] == 1


def test_work_goes_on_where_it_was(page, new_page):
    guidance = page.client.get
    mark_all(page)
    page.ask("POST", "/api/guidance", params={"name": "g.npz"}, content=guidance("/api/guidance.npz").content)
    page.click(page.ids[2], 5, 5, positive=False)
    data = saved(page)
    other = new_page()
    other.click(other.add("gone.png", page.client.get(f"/api/images/{page.ids[0]}/shown.jpg").content), 1, 1)
    other.ask("POST", "/api/work", params={"name": "work.zip"}, content=data)
    assert without_ids(other.state) == without_ids(page.state)
    assert other.client.get("/api/guidance.npz").content == page.client.get("/api/guidance.npz").content
    assert saved(other) != b""
    for _ in range(2):
        for one in (page, other):
            one.ask("POST", "/api/undo")
        assert without_ids(other.state) == without_ids(page.state)


def test_masks_of_opened_work_have_the_size_of_the_files(new_page, drawn):
    page, other = new_page(max_side=60), new_page()
    page.click(page.add("a/large.png", drawn[0]([("red", 10, 10)])), 12, 12)
    other.ask("POST", "/api/work", params={"name": "w.zip"}, content=saved(page))
    for path in ("/api/masks.zip", "/api/labelme.zip"):
        archives = [zipfile.ZipFile(io.BytesIO(one.client.get(path).content)) for one in (page, other)]
        name = archives[0].namelist()[0]
        assert name.startswith("a/large.")
        assert archives[0].read(name) == archives[1].read(name)
    assert other.client.get("/api/coco.json").json() == page.client.get("/api/coco.json").json()
    polygons = other.client.get("/api/coco-polygons.json").json()
    assert isinstance(polygons["annotations"][0]["segmentation"][0][0], float)
    assert polygons["images"][0]["height"] == 100


def test_work_of_before_there_was_a_choice_of_pieces_is_opened(page, new_page):
    mark_all(page)
    other = new_page()
    other.ask("POST", "/api/pieces", json={"pieces": "annotated"})
    data = pack(lambda index, files: index.pop("pieces"))(saved(page))
    other.ask("POST", "/api/work", params={"name": "w.zip"}, content=data)
    assert other.state["pieces"] == "all"
    assert without_ids(other.state) == without_ids(page.state)


def no_index(index, files):
    index.clear()


def other_mark(**fields):
    def change(index, files):
        index["steps"][0].update(fields)

    return pack(change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: b"no", "it must be a zip that was saved as such"),
        (lambda data: data[: len(data) // 2], "it must be a zip that was saved as such"),
        (pack(no_index), "must be of the format"),
        (other_mark(kind="circle"), "fits together: 'circle'"),
        (other_mark(top=99), "must be a box in the image"),
        (other_mark(top=1.5), "top must be int, got 1.5"),
        (other_mark(image="9"), "fits together: '9'"),
        (other_mark(cls="dog"), "must be of its classes, got 'dog'"),
        (other_mark(more=1), "more"),
        (pack(lambda index, files: index["images"][0].update(size=[1 << 15, 1 << 15])), "pixels"),
        (pack(lambda index, files: index["images"][0].update(size=["a", 1])), "expected int, got 'a'"),
        (pack(lambda index, files: index["images"][0].update(seen="work.json")), "its image one.png could not be read"),
        (pack(lambda index, files: files.update({"images/1.jpg": b"<svg/>"})), "its image one.png could not be read"),
        (pack(lambda index, files: files.pop("images/1.png")), "images/1.png"),
        (pack(lambda index, files: index.update(classes=[])), "at least one class"),
        (pack(lambda index, files: index.update(images=3)), "fits together"),
        (pack(lambda index, files: index.update(pieces="some")), "pieces must be one of all, annotated, got 'some'"),
        (pack(lambda index, files: index["classes"][0].update(colour="red")), "#rrggbb"),
    ],
)
def test_work_that_is_none_changes_nothing(page, change, message):
    mark_all(page)
    data = change(saved(page))
    before = page.ask("GET", "/api/state")
    status, said = page.refused("POST", "/api/work", params={"name": "x/work.zip"}, content=data)
    assert status in (400, 413)
    assert message in said
    assert said.startswith("x/work.zip")
    after = page.ask("GET", "/api/state")
    assert {**after, "seconds": 0} == {**before, "seconds": 0}


def test_work_over_the_limits_is_refused(page, new_page):
    data = saved(page)
    small = new_page(limits=Limits(num_images=2))
    message = small.refused("POST", "/api/work", params={"name": "w.zip"}, content=data)
    assert message == (
        413,
        "w.zip was not opened: it has 3 images: 2 images are the most at once; "
        "guidenet serve --max-images N takes more",
    )
    page = new_page(limits=Limits(work_bytes=1000))
    assert page.refused("POST", "/api/work", params={"name": "w.zip"}, content=data)[0] == 413


def test_guidance_of_another_encoder_is_refused_and_nothing_lost(page, new_page, tmp_path):
    import numpy as np
    from guidenet import Guidance

    sums = {"object": (np.ones((2, 3), np.int64), np.ones(2, np.int64), np.ones(2, np.int64))}
    Guidance.of(sums, 3, "another").save(tmp_path / "g.npz")

    def change(index, files):
        files["g"] = (tmp_path / "g.npz").read_bytes()
        index["steps"].append({"kind": "guidance", "name": "g.npz", "file": "g"})

    mark_all(page)
    status, said = page.refused("POST", "/api/work", params={"name": "w.zip"}, content=pack(change)(saved(page)))
    assert (status, "w.zip was not opened: guidance must have the same" in said) == (400, True)
    assert len(page.ask("GET", "/api/state")["marks"]) == 4


def test_what_was_not_saved_is_counted(new_session, drawn):
    from guidenet.serve import Click

    session = new_session()
    image = session.add_image("a.png", drawn[0]([]))
    assert session.unsaved == 0
    session.mark(Click(image, 1, 1, True, "object"))
    assert session.unsaved == 1
    session.save_work()
    assert session.unsaved == 0
    session.undo()
    assert session.unsaved == 0
    session.redo()
    assert session.unsaved == 1


def test_a_keeper_writes_what_is_new_and_never_half_a_file(new_session, drawn, tmp_path, monkeypatch):
    from guidenet.serve.saved import keeper

    monkeypatch.setattr(keeper, "SECONDS", 0.05)
    session, path = new_session(), tmp_path / "w.zip"
    kept = keeper.Keeper(session, path)
    empty = path.read_bytes()
    session.add_image("a.png", drawn[0]([]))
    for _ in range(200):
        if path.read_bytes() != empty:
            break
        time.sleep(0.05)
    assert "images/1.png" in zipfile.ZipFile(path).namelist()
    kept.stop()
    last = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keeper.os, "replace", full)
    session.add_class("cat")
    with pytest.raises(OSError, match="No space"):
        kept.write()
    assert path.read_bytes() == last
    assert [one.name for one in tmp_path.iterdir()] == ["w.zip"]


def test_work_is_rescued_elsewhere_if_the_folder_cannot_be_written(new_session, tmp_path, monkeypatch):
    from guidenet.serve.saved import keeper

    monkeypatch.setattr(keeper.tempfile, "gettempdir", lambda: str(tmp_path))
    write = keeper.write_file

    def refuse(path, data):
        if path.parent != tmp_path:
            raise PermissionError("read-only")
        write(path, data)

    monkeypatch.setattr(keeper, "write_file", refuse)
    written = keeper.rescue(new_session())
    assert written.parent == tmp_path
    assert "work.json" in zipfile.ZipFile(written).namelist()


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_work_with_any_damage_is_refused_or_opened(page, method):
    mark_all(page)
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(saved(page))) as archive, zipfile.ZipFile(file, "w", method) as packed:
        for name in archive.namelist():
            packed.writestr(name, archive.read(name))
    rng = np.random.default_rng(0)
    for place in rng.integers(len(file.getvalue()), size=60):
        damaged = bytearray(file.getvalue())
        damaged[place : place + 3] = rng.bytes(3)
        with contextlib.suppress(ValueError):
            unpack_work("work.zip", bytes(damaged), Limits())
