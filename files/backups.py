"""Copy stored files to a backup and back, each verified by its hash.

The name of a stored file is the SHA-256 of its bytes, so a copy can be verified without a row.
"""

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass
class CopyResult:
    """What ``copy_verified_files`` did. The lists hold hashes."""

    present: int = 0
    copied: int = 0
    replaced: list[str] = field(default_factory=list)  # copies that were damaged
    damaged: list[str] = field(default_factory=list)  # files that neither folder has intact


def copy_verified_files(source: Path, target: Path) -> CopyResult:
    """Copy every stored file of one folder into another, and verify all files of the other.

    A copy gets its name when it is complete and on the disk. A copy that is there and intact is
    left alone; a damaged one is replaced. Uploads in progress and cached pages are left out.
    """
    result = CopyResult()
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    names = {path.name for path in _list_hash_files(source)}
    kept = {path.name for path in _list_hash_files(target)}
    for name in sorted(names | kept):
        copy = _build_path(target, name)
        if name in kept and _has_own_hash(copy):
            result.present += 1
        elif name not in names or not _copy_file(_build_path(source, name), copy):
            result.damaged.append(name)
        elif name in kept:
            result.replaced.append(name)
        else:
            result.copied += 1
    return result


def _list_hash_files(folder: Path) -> Iterator[Path]:
    """The stored files: two folders of two characters, then the hash."""
    for path in folder.glob("??/??/*"):
        if _SHA256.fullmatch(path.name) and path == _build_path(folder, path.name):
            yield path


def _build_path(folder: Path, name: str) -> Path:
    return folder / name[:2] / name[2:4] / name


def _has_own_hash(path: Path) -> bool:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
    except OSError:
        return False
    return digest.hexdigest() == path.name


def _copy_file(source: Path, copy: Path) -> bool:
    """Copy one file under another name, verify it, and rename it. Whether its hash was right."""
    copy.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=copy.parent, prefix=".copying-")
    try:
        digest = hashlib.sha256()
        with os.fdopen(handle, "wb") as out, source.open("rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
                out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
        if digest.hexdigest() != copy.name:
            return False
        os.replace(temporary, copy)
        _sync_parents(copy)
        return True
    finally:
        Path(temporary).unlink(missing_ok=True)


def _sync_parents(path: Path) -> None:
    # A power failure may lose the entry of a new file in a folder that was not synced.
    for folder in path.parents[:3]:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
