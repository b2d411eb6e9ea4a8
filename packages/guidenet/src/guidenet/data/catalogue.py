"""Data by name, as commands take them: `cut-outs`, `voc:FOLDER`, `folder:FOLDER`, `real` and others, see `open_data`.

Whatever they are, they have tasks to train on, to choose by and to test with, apart from each other; or to test with
only.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from guidenet.checks import check_choice
from guidenet.data.collections.coco import open_coco
from guidenet.data.collections.cut_outs import open_cut_outs
from guidenet.data.collections.openers import open_davis, open_folder, open_fss, open_real, open_voc
from guidenet.data.collections.record import Data, Wish
from guidenet.data.composites.benchmark import FOLDS


def open_data(name: str, fold: int = 0, cache: str | Path | None = None, *, hold_out: bool = True) -> Data:
    """Finds data; they are read when a source is asked for.

    - `cut-outs`: the benchmark that a plain installation can build. `cut-outs:FOLDER`: the same of other cut-outs, as
      `tools/make_cut_outs.py` writes them.
    - `voc:FOLDER`: PASCAL VOC 2012, or others in its layout with a list of classes (`labels.txt`). Training and
      validation are of `train`, test of `val`. A fourth of the classes is held out, as in PASCAL-5i.
    - `coco:FOLDER`: COCO, or what CVAT, Roboflow and LVIS write. Training is of `train2017`, `train` or `default`; test
      of `test`, or else of `val2017`, `val` or `valid`, which are for validation where there is a `test` too. Without a
      set for training there are tests only. Of four classes or more every fourth one is held out.
    - `fss:FOLDER`: FSS-1000. Roles have classes of their own: those of `train.txt`, `val.txt` and `test.txt`, or of
      four classes two, one and one.
    - `davis:FOLDER`: DAVIS 2017 or 2016. Training and validation are of `train`, test of `val`.
    - `folder:FOLDER`: `images` and `masks` of one's own, see `guidenet.data.formats.folder`. Roles are the subfolders
      `train`, `val` and `test`. No class is held out: other images are.
    - `real`: photos with masks, for tests only, or one of them, `real:coins`, see `guidenet.data.real`.

    Where a set is not divided, a tenth of what is for training is for validation; where nothing is, three images of
    five are for training, one for validation and one for test.

    Args:
      name: of the data.
      fold: 0 to 3: what is held out. Where no classes are, there are no folds: 0.
      cache: as for `load_benchmark`.
      hold_out: False is for an oracle, which is trained on the test classes too, in other images (thesis 4.4.1); there
        must be folds.

    Raises:
      DataMissingError: the extra `data` is not installed.
      FileNotFoundError: there is no such folder.
      ValueError: there is no such data or fold, or nothing to hold out, or they have too little.
    """
    kind, colon, folder = name.partition(":")
    check_choice("data", kind, list(_COLLECTIONS))
    opened = _COLLECTIONS[kind]
    if not folder and (colon or not opened.alone):
        known = [form for other, found in _COLLECTIONS.items() for form in found.forms(other)]
        raise ValueError(f"data must be {', '.join(known[:-1])} or {known[-1]}, got {name!r}")
    check_choice("fold", fold, FOLDS if opened.has_folds else [0])
    if not hold_out and not opened.has_folds:
        raise ValueError(f"hold_out must be True with data {kind}, which has no folds of classes, got False")
    found = opened.open(Wish(name, folder, fold, cache, hold_out))
    return found if hold_out else found._replace(name=f"{found.name}, nothing held out")


class _Collection(NamedTuple):
    """How data of one kind are opened.

    open: reads what is needed to say what is there.
    alone: whether the name alone is enough.
    part: what may follow the colon.
    has_folds: whether there are folds of classes; some data find out when they are opened.
    """

    open: Callable[[Wish], Data]
    alone: bool = False
    part: str = "FOLDER"
    has_folds: bool = False

    def forms(self, name: str) -> list[str]:
        """How the data may be asked for."""
        return [name] * self.alone + [f"{name}:{self.part}"]


_COLLECTIONS = {
    "cut-outs": _Collection(open_cut_outs, alone=True, has_folds=True),
    "voc": _Collection(open_voc, has_folds=True),
    "coco": _Collection(open_coco, has_folds=True),
    "fss": _Collection(open_fss),
    "davis": _Collection(open_davis),
    "folder": _Collection(open_folder),
    "real": _Collection(open_real, alone=True, part="PHOTO"),
}
