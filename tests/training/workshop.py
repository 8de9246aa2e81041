"""A small data set, and the commands run on it as a user runs them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from training import fit
from training.__main__ import main

PICTURES_A_CLASS = 40
OPTIONS = (
    *("--width", "0.03125", "--epochs", "6", "--stages", "99:1,227:5"),
    *("--batch-size", "8", "--learning-rate", "0.003"),
    # Learns brightness, whatever the seed.
    *("--dropout", "0", "--crop", "1", "--colour", "0", "--erasing", "0"),
)
EVERYTHING = (
    *("--epochs", "2", "--stages", "227:1", "--schedule", "cosine", "--average", "0.9"),
    *("--dropout", "0.3"),
    *("--crop", "0.5", "--resample", "0.5", "--colour", "0.3", "--erasing", "0.5"),
    *("--mixup", "0.2", "--cutmix", "1", "--precision", "mixed_bfloat16"),
)


class Workshop:
    """Folders for data, cache, runs and models, below one."""

    def __init__(self, folder: Path, pictures_a_class: int = PICTURES_A_CLASS) -> None:
        self.data = folder / "train"
        self.cache = folder / "cache"
        self.run = folder / "runs" / "undisturbed"
        self.model = folder / "models" / "brightness"
        self.exported = ("--models", self.model.parent, "--name", self.model.name)
        _make_pictures(self.data, pictures_a_class)

    def train(self, run: Path, *options: str) -> None:
        """Train into the folder `run`."""
        self.command("train", *self.train_arguments(run), *options)

    def train_arguments(self, run: Path) -> tuple[str, ...]:
        """What follows `python -m training train`."""
        return ("--data", str(self.data), "--cache", str(self.cache), "--run", str(run), *OPTIONS)

    def command(self, name: str, *arguments: str | Path) -> None:
        """Run `python -m training NAME ...` in this process."""
        cache = () if name in {"train", "predict", "table"} else ("--cache", str(self.cache))
        main([name, *map(str, arguments), *cache])


def train_one_epoch_only(*arguments: str) -> None:
    """Train, but not on after the first checkpoint, as if interrupted there."""
    save = fit.save_checkpoint

    def interrupt(*saved: Any) -> None:
        save(*saved)
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit, "save_checkpoint", interrupt)
        with pytest.raises(SystemExit, match="130"):
            main(["train", *arguments])


def _make_pictures(folder: Path, pictures_a_class: int) -> None:
    folder.mkdir()
    random = np.random.default_rng(0)
    for number in range(pictures_a_class):
        for label, brightness in (("dark", 60), ("light", 190)):
            pixels = random.normal(brightness, 30, (48, 64, 3)).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / f"{label}.{number}.jpg")
