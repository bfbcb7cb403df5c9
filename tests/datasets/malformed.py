"""The form of a malformed data set: a sound one with one edit, and the whole message that reading it must give."""

from pathlib import Path
from typing import NamedTuple

from small_sets import put, write


class Malformed(NamedTuple):
    """The sound data set of a format, in which `file` has `new` for `old`.

    `old` None: the whole file becomes `new`. `new` None: the file is removed. Bytes stand for files that are not text.
    """

    name: str
    file: str
    old: str | None
    new: str | bytes | None
    message: str

    def make(self, root: Path, format: str) -> Path:
        write(root, format)
        target = root / self.file
        if self.new is None:
            target.unlink()
        elif self.old is None:
            put(target, self.new)
        else:
            text = target.read_text()
            assert self.old in text, f"{self.name}: the sound {self.file} does not have {self.old!r}"
            assert isinstance(self.new, str)
            put(target, text.replace(self.old, self.new, 1))
        return root
