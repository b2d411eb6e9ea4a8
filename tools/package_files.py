"""Files of a package: of an npm tarball or a Debian package, or of the folder that one was unpacked to."""

import contextlib
import gzip
import io
import json
import lzma
import re
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

_Entry = tuple[str, Callable[[], bytes]]

_AR_BEGIN, _AR_HEADER = b"!<arch>\n", 60


def read_files(path: Path, pattern: str) -> dict[str, bytes]:
    """Reads the files of a package whose paths end as wanted; returns contents by that end.

    Args:
      path: of the package.
      pattern: a regular expression for the end of a path, from the beginning of a name on.

    Raises:
      FileNotFoundError: there is no such package.
      ValueError: it is none, or is damaged.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path} must be a package or a folder, and there is no such file or folder")
    wanted = re.compile(f"(?:.*?/)?({pattern})")
    found: dict[str, bytes] = {}
    try:
        for name, read in _walk(path):
            match = wanted.fullmatch(name)
            if match:
                found[match.group(1)] = read()
    except (tarfile.TarError, lzma.LZMAError, zlib.error, gzip.BadGzipFile, EOFError) as error:
        raise ValueError(f"{path} must be a .tgz or .deb package, or the folder of one: {error}") from None
    return found


def find_version(files: Mapping[str, bytes]) -> str:
    """The version that a package says it is of, in its package.json or changelog.Debian.gz."""
    for name, content in files.items():
        with contextlib.suppress(ValueError, OSError, LookupError, TypeError, EOFError):
            if name == "package.json":
                return str(json.loads(content)["version"])
            if name == "changelog.Debian.gz":
                return gzip.decompress(content).decode().split("(", 1)[1].split(")", 1)[0]
    return "unknown"


def _walk(path: Path) -> Iterator[_Entry]:
    """Paths of all files of a package, and how to read each."""
    if path.is_dir():
        root = path.resolve()
        for file in sorted(root.rglob("*")):
            if file.is_file():
                yield file.relative_to(root.parent).as_posix(), file.read_bytes
    elif path.suffix == ".deb":
        yield from _walk_tar(io.BytesIO(_find_data(path)))
    else:
        with path.open("rb") as file:
            yield from _walk_tar(file)


def _walk_tar(file: io.BufferedIOBase) -> Iterator[_Entry]:
    with tarfile.open(fileobj=file) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            if content is not None:
                yield member.name, content.read


def _find_data(path: Path) -> bytes:
    """The tar in a Debian package, which is an ar of three files."""
    with path.open("rb") as file:
        if file.read(len(_AR_BEGIN)) != _AR_BEGIN:
            raise ValueError(f"{path} must be a Debian package, and is none")
        while len(header := file.read(_AR_HEADER)) == _AR_HEADER:
            name, size = header[:16].decode("ascii", "replace").strip(" /"), int(header[48:58])
            if name.endswith(".zst"):
                raise ValueError(f"{path} is compressed with zstd: unpack it with dpkg-deb -x, and give the folder")
            if name.startswith("data.tar"):
                return file.read(size)
            file.seek(size + size % 2, io.SEEK_CUR)
    raise ValueError(f"{path} must be a Debian package, and has no data.tar")
