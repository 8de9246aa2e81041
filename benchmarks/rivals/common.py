"""What the batching servers have in common: the model, the decoder and the settings."""

import io
import os
from pathlib import Path

import numpy as np
from PIL import Image

from app.engines.litert import LiteRTEngine
from app.images import decode_image

LABELS = ["cat", "dog"]
SIZE = (227, 227)
WORKERS = int(os.environ.get("BENCH_WORKERS", "1"))
MAX_BATCH = int(os.environ.get("BENCH_MAX_BATCH", "16"))
WAIT_MS = float(os.environ.get("BENCH_WAIT_MS", "0"))


def load_engine() -> LiteRTEngine:
    path = Path(os.environ["BENCH_LITERT_FILE"])
    return LiteRTEngine(path, (*SIZE, 3), int(os.environ.get("BENCH_THREADS", "1")))


def decode(data: bytes) -> np.ndarray:
    if os.environ.get("BENCH_DECODER") == "project":
        return decode_image(data, SIZE).pixels
    image = Image.open(io.BytesIO(data)).convert("RGB")
    return np.asarray(image.resize(SIZE, Image.Resampling.BILINEAR))


def answer(probabilities: np.ndarray) -> dict:
    best = int(np.argmax(probabilities))
    return {"label": LABELS[best], "score": float(probabilities[best])}
