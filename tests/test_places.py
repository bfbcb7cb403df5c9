"""What cannot be written is refused before there is work for it."""

import os

import pytest

from boxloss.errors import ParameterError
from boxloss.places import check_file, check_folder, check_suffix

PICTURES = (".png", ".svg", ".pdf")


@pytest.mark.parametrize("name", ["way.png", "new/deep/way.png", "WAY.PNG", "old.png"])
def test_a_file_that_can_be_written(tmp_path, name):
    (tmp_path / "old.png").touch()
    check_file(tmp_path / name, PICTURES)
    assert [file.name for file in tmp_path.iterdir()] == ["old.png"]  # nothing is made


@pytest.mark.parametrize("name", [".", "new/deep"])
def test_a_folder_that_can_be_written(tmp_path, name):
    check_folder(tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("check", "message"),
    [
        (lambda: check_file("way.bmp", PICTURES), "--out: cannot write way.bmp: its suffix is .bmp, expected .png, .svg or .pdf"),
        (lambda: check_file("way", PICTURES), "--out: cannot write way: it has no suffix, expected .png, .svg or .pdf"),
        (lambda: check_suffix("way.txt", [".csv"], "--data"), "--data: cannot write way.txt: its suffix is .txt, expected .csv"),
        (lambda: check_file("folder", PICTURES), "--out: cannot write folder: it is a folder; give a file's name, such as folder/NAME.png"),
        (lambda: check_file("", PICTURES), "--out: cannot write .: it is a folder; give a file's name, such as NAME.png"),
        (lambda: check_file("file/way.png", PICTURES), "--out: cannot write file/way.png: file is a file, where a folder has to be; choose another place"),
        (lambda: check_file("file/new/way.png"), "--out: cannot write file/new/way.png: file is a file, where a folder has to be; choose another place"),
        (lambda: check_folder("file"), "--out: cannot write file: it is a file, where a folder has to be; choose another place"),
        (lambda: check_folder("file/new", "--data"), "--data: cannot write file/new: file is a file, where a folder has to be; choose another place"),
    ],
)
def test_refusals(tmp_path, monkeypatch, check, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(ParameterError) as refusal:
        check()
    assert str(refusal.value) == message


def test_a_folder_without_permission(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write everywhere
    for check in (lambda: check_file(tmp_path / "way.png"), lambda: check_folder(tmp_path)):
        with pytest.raises(ParameterError, match=f"the folder {tmp_path} may not be written into; choose another place"):
            check()
