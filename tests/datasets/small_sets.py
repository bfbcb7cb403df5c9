"""A small, sound data set in each format, as text: what the malformed ones differ from by one edit."""

from pathlib import Path

from PIL import Image

WIDTH, HEIGHT = 100, 80

_XML = """<annotation>
  <folder>JPEGImages</folder>
  <filename>{name}.png</filename>
  <size><width>100</width><height>80</height><depth>3</depth></size>
  <object>
    <name>cat</name>
    <difficult>0</difficult>
    <bndbox><xmin>10</xmin><ymin>20</ymin><xmax>30</xmax><ymax>40.5</ymax></bndbox>
  </object>
  <object>
    <name>dog</name>
    <difficult>1</difficult>
    <bndbox><xmin>5</xmin><ymin>6</ymin><xmax>7</xmax><ymax>8</ymax></bndbox>
  </object>
</annotation>
"""
VOC = {
    "Annotations/a.xml": _XML.format(name="a"),
    "Annotations/b.xml": _XML.format(name="b"),
    "ImageSets/Main/train.txt": "a\n",
    "ImageSets/Main/val.txt": "b\n",
    "classes.txt": "cat\ndog\n",
}
VOC_IMAGES = ("JPEGImages/a.png", "JPEGImages/b.png")

_JSON = """{
 "images": [
  {"id": 1, "file_name": "a.png", "width": 100, "height": 80},
  {"id": 2, "file_name": "b.png", "width": 100, "height": 80}
 ],
 "annotations": [
  {"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 20, 20, 20.5], "area": 410, "iscrowd": 0},
  {"id": 2, "image_id": 2, "category_id": 7, "bbox": [5, 6, 2, 2], "area": 4, "iscrowd": 1}
 ],
 "categories": [{"id": 1, "name": "cat"}, {"id": 7, "name": "dog"}]
}
"""
COCO = {"annotations/instances_train.json": _JSON, "annotations/instances_val.json": _JSON}
COCO_IMAGES = ("images/train/a.png", "images/train/b.png", "images/val/a.png", "images/val/b.png")

YOLO = {
    "data.yaml": "train: images/train\nval: val.txt\nnc: 2\nnames: [cat, dog]\n",
    "val.txt": "./images/val/b.png\n",
    "labels/train/a.txt": "0 0.2 0.378125 0.2 0.25625\n1 0.06 0.0875 0.02 0.025\n",
    "labels/val/b.txt": "1 0.5 0.5 0.5 0.5\n",
}
YOLO_IMAGES = ("images/train/a.png", "images/val/b.png")

SOUND: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {"voc": (VOC, VOC_IMAGES), "coco": (COCO, COCO_IMAGES), "yolo": (YOLO, YOLO_IMAGES)}


def write(root: Path, format: str) -> Path:
    """Writes the sound data set into `root`."""
    files, images = SOUND[format]
    for name, text in files.items():
        put(root / name, text)
    for name in images:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (WIDTH, HEIGHT), (90, 120, 150)).save(root / name)
    return root


def put(file: Path, content: str | bytes) -> None:
    """Writes a file, with its folders."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content if isinstance(content, bytes) else content.encode())


def plain_message(error: BaseException, root: Path) -> str:
    """The error's message with the data set's folder left out: DATA stands for the folder itself."""
    return str(error).replace(f"{root}/", "").replace(str(root), "DATA")
