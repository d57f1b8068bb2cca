"""What a Python user would write: one function for each way from a JPEG file to 224 x 224 x 3 bytes.

Each maker imports what it needs and returns `row(path) -> array`, so that a process loads only its own libraries.
Libraries use one thread in each process: the processes are the parallelism, as in a DataLoader.
"""

SIDE = 224


def pillow():
    """Full decode, then the antialiased bilinear resize."""
    import numpy as np
    from PIL import Image

    def row(path):
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR))

    return row


def pillow_draft():
    """The same, decoded at a fraction of the size where that is still large enough."""
    import numpy as np
    from PIL import Image

    def row(path):
        with Image.open(path) as image:
            image.draft("RGB", (SIDE, SIDE))
            return np.asarray(image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR))

    return row


def torchvision():
    """`decode_jpeg` and the antialiased `Resize` of the v2 transforms, on u8."""
    import torch
    from torchvision.io import ImageReadMode, decode_jpeg, read_file
    from torchvision.transforms import v2

    torch.set_num_threads(1)
    resize = v2.Resize((SIDE, SIDE), antialias=True)

    def row(path):
        image = decode_jpeg(read_file(path), mode=ImageReadMode.RGB)
        return resize(image).permute(1, 2, 0).numpy()

    return row


def simplejpeg_opencv():
    """Scaled decode of libjpeg-turbo, then OpenCV's area resize: the fastest pair found on PyPI. What is no JPEG goes through OpenCV alone."""
    import cv2
    import numpy as np
    import simplejpeg

    cv2.setNumThreads(1)

    def row(path):
        with open(path, "rb") as file:
            data = file.read()
        if data[:2] == b"\xff\xd8":
            image = simplejpeg.decode_jpeg(data, "RGB", min_height=SIDE, min_width=SIDE)
        else:
            image = cv2.cvtColor(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
        return cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA)

    return row


def entropy_limit():
    """No peer: libjpeg-turbo at 1/8 and in grey, which is little more than its entropy decoding. Returns no row."""
    import simplejpeg

    def row(path):
        with open(path, "rb") as file:
            data = file.read()
        simplejpeg.decode_jpeg(data, "GRAY", min_height=1, min_width=1)

    return row


METHODS = {
    "pillow": pillow,
    "torchvision": torchvision,
    "simplejpeg": simplejpeg_opencv,
    "draft": pillow_draft,
    "limit": entropy_limit,
}
TITLES = {
    "pillow": "Pillow, full decode",
    "torchvision": "torchvision `decode_jpeg` + `v2.Resize`",
    "simplejpeg": "simplejpeg, scaled, + OpenCV area",
    "draft": "Pillow `draft()`",
    "limit": "entropy-decode limit (1/8, grey)",
}
