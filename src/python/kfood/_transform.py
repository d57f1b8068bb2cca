"""From a photograph to what a network sees, as kfood does it, by Pillow and PyTorch."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from PIL import Image


# Times the size of a row, as in kfood's own decoder.
LEAST = 1.65


class Transform:
    """From a photograph (a file, or an image of Pillow) to a float tensor `[3, height, width]`.

    In two steps, each of which may be called by itself: `pixels` is the photograph at the size of the model's `resize`, in bytes, and `normalized`
    is what comes then. The second is kfood's to the last digits. The first is by Pillow, whose rounding differs.
    """

    def __init__(self, said: dict[str, Any]) -> None:
        self.said = said
        """The transform as a checkpoint of kfood says it."""

    def __repr__(self) -> str:
        return f"<kfood.Transform {self.said}>"

    def __call__(self, photograph: str | os.PathLike[str] | Image.Image) -> torch.Tensor:
        return self.normalized(self.pixels(photograph))

    def pixels(self, photograph: str | os.PathLike[str] | Image.Image) -> torch.Tensor:
        """The photograph upright, in red, green and blue, and resized: bytes `[3, height, width]`."""
        import torch
        from PIL import Image

        rule = self.said["pixels"]
        if isinstance(photograph, Image.Image):
            image = _upright(photograph)
        else:
            with Image.open(photograph) as opened:
                if rule["quality"] == "fast":
                    opened.draft("RGB", _least(rule["resize"]))
                image = _upright(opened)
        image = _resized(image, rule["resize"], Image.Resampling[rule["filter"].upper()])
        flat = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8)
        return flat.view(image.height, image.width, 3).permute(2, 0, 1).contiguous()

    def normalized(self, pixels: torch.Tensor) -> torch.Tensor:
        """What the network sees of resized pixels, `[3, height, width]` or several: centre crop, second resize, mean and standard deviation."""
        import torch

        x = pixels.float().div(255)
        side = self.said["center_crop"]
        if side is not None:
            top, left = (round((length - side) / 2) for length in x.shape[-2:])
            x = x[..., top : top + side, left : left + side]
        if self.said.get("test_resolution") is not None:
            x = _resized_again(x, self.said["test_resolution"])
        mean, std = (torch.tensor(self.said["normalize"][name], device=x.device).view(3, 1, 1) for name in ("mean", "std"))
        return (x - mean) / std


def _least(resize: dict[str, Any]) -> tuple[int, int]:
    """The size that a JPEG must have at least which is made smaller while it is decoded; Pillow halves it as often as that allows."""
    width, height = (resize["short_side"],) * 2 if "short_side" in resize else (resize["width"], resize["height"])
    return int(LEAST * width), int(LEAST * height)


def _upright(image: Image.Image) -> Image.Image:
    """As EXIF says it stands; transparency lies over white, 16 bits are scaled to 8."""
    from PIL import Image, ImageOps

    image = ImageOps.exif_transpose(image)
    if image.mode == "F":
        raise ValueError("a picture of floats: `kfood predict` reads it, and `kfood.load`'s transform does not")
    if image.mode.startswith("I"):
        image = image.convert("I").point(lambda value: value * (1 / 257) + 0.5).convert("L")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


def _resized(image: Image.Image, resize: dict[str, Any], resample: Any) -> Image.Image:
    """The size of a row, by the rule of the pipeline's `resize`."""
    from PIL import Image

    width, height = image.size
    if "short_side" in resize:
        short, side = resize["short_side"], resize.get("crop") or resize["short_side"]
        # torchvision's `Resize` rounds the longer side down, its `CenterCrop` half a pixel to the even one.
        to = (short, height * short // width) if width <= height else (width * short // height, short)
        left, top = (round((length - side) / 2) for length in to)
        return image.resize(to, resample).crop((left, top, left + side, top + side))
    to = (resize["width"], resize["height"])
    if resize["fit"] == "crop":
        scale = min(width / to[0], height / to[1])
        left, top = (width - to[0] * scale) / 2, (height - to[1] * scale) / 2
        return image.resize(to, resample, box=(left, top, width - left, height - top))
    if resize["fit"] == "pad":
        scale = min(to[0] / width, to[1] / height)
        inner = tuple(min(max(int(length * scale + 0.5), 1), most) for length, most in zip((width, height), to))
        padded = Image.new("RGB", to)
        padded.paste(image.resize(inner, resample), ((to[0] - inner[0]) // 2, (to[1] - inner[1]) // 2))
        return padded
    return image.resize(to, resample)


def _resized_again(x: torch.Tensor, side: int) -> torch.Tensor:
    """The shorter side brought to `side`: bilinear without antialias, and where a side shrinks to less than half the mean of several samples."""
    from torch.nn import functional

    lengths = x.shape[-2:]
    to = [side * length // min(lengths) for length in lengths]
    if list(lengths) == to:
        return x
    step = max(length / wanted for length, wanted in zip(lengths, to))
    samples = int(step) if step > 2 else 1
    batch = x if x.dim() == 4 else x[None]
    batch = functional.interpolate(batch, [length * samples for length in to], mode="bilinear", align_corners=False)
    if samples > 1:
        batch = functional.avg_pool2d(batch, samples)
    return batch if x.dim() == 4 else batch[0]
