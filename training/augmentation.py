"""Random changes to training pictures, on the accelerator, as Keras layers."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops


class RandomLayer(keras.layers.Layer):
    """A layer with random numbers of its own, and nothing to train.

    Args:
        seed: Of the random numbers.
        **kwargs: As of every layer.
    """

    def __init__(self, *, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "uint8", "autocast": False, "trainable": False, **kwargs})
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def uniform(self, shape: tuple[int, ...], low: float, high: float) -> keras.KerasTensor:
        """Random numbers, float32."""
        return keras.random.uniform(shape, low, high, dtype="float32", seed=self.seed_generator)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "seed": self.seed}


class Augmentation(RandomLayer):
    """A random change to pictures, made in training only.

    Pictures go in and come out as uint8 `(n, height, width, 3)`, 0 to 255. Without `training`
    they pass through untouched.
    """

    def call(self, images: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        return self.change(images) if training else images

    def change(self, images: keras.KerasTensor) -> keras.KerasTensor:
        """The pictures as they are seen in training, each changed in its own way."""
        raise NotImplementedError

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape


@keras.saving.register_keras_serializable(package="training")
class RandomAffine(Augmentation):
    """Crop, rotate, shear, zoom, shift and mirror pictures at random, in one resampling.

    The steps are folded into a single matrix a picture, so that pixels are interpolated
    (bilinearly) but once. What lies outside repeats the nearest edge.

    Args:
        rotation: The most degrees, either way.
        shear: The largest horizontal shift per unit of height, either way.
        zoom: The largest relative change of scale, either way.
        shift: The largest shift, either way, as a share of width and of height.
        flip: Whether half of the pictures are mirrored.
        crop: The smallest share of the area that is cut out and enlarged to the whole, with
            an aspect from 3/4 to 4/3 (Szegedy et al. 2015, section 6); 1 does not cut.
        side: Of the pictures that come out, in pixels; None leaves theirs.
        **kwargs: As of `RandomLayer`.
    """

    def __init__(
        self,
        *,
        rotation: float = 0.0,
        shear: float = 0.0,
        zoom: float = 0.0,
        shift: float = 0.0,
        flip: bool = False,
        crop: float = 1.0,
        side: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.rotation = rotation
        self.shear = shear
        self.zoom = zoom
        self.shift = shift
        self.flip = flip
        self.crop = crop
        self.side = side

    def change(self, images: keras.KerasTensor) -> keras.KerasTensor:
        count, height, width, _ = ops.shape(images)
        seen = (self.side or height, self.side or width)
        rows, columns = _source_coordinates(self._matrices(count), (height, width), seen)
        return _bilinear(images, rows, columns)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        count, height, width, channels = input_shape
        return (count, self.side or height, self.side or width, channels)

    def _matrices(self, count: int) -> keras.KerasTensor:
        """From output to input, about the centre, in units of half the picture: `(n, 2, 3)`."""
        angle = self._either_way(count, math.radians(self.rotation))
        shear = self._either_way(count, self.shear)
        scale = 1.0 + self._either_way(count, self.zoom)
        down = self._either_way(count, 2 * self.shift)
        right = self._either_way(count, 2 * self.shift)
        mirror = ops.sign(self._either_way(count, 1.0)) if self.flip else ops.ones((count,))
        cos, sin = ops.cos(angle) * scale, ops.sin(angle) * scale
        along_columns = ops.stack([mirror * cos, mirror * (shear * cos - sin), right], axis=-1)
        along_rows = ops.stack([sin, shear * sin + cos, down], axis=-1)
        matrices = ops.stack([along_columns, along_rows], axis=1)
        return matrices if self.crop == 1 else self._within_windows(matrices, count)

    def _within_windows(self, matrices: keras.KerasTensor, count: int) -> keras.KerasTensor:
        """Apply `matrices` not to the whole pictures, but to a random window of each."""
        area = self.uniform((count,), self.crop, 1.0)
        aspect = ops.exp(self._either_way(count, math.log(4 / 3)))
        sizes = ops.minimum(ops.sqrt(ops.stack([area * aspect, area / aspect], axis=-1)), 1.0)
        centres = self.uniform((count, 2), -1.0, 1.0) * (1.0 - sizes)
        shifts = ops.pad(centres[..., None], ((0, 0), (0, 0), (2, 0)))
        return sizes[..., None] * matrices + shifts

    def _either_way(self, count: int, limit: float) -> keras.KerasTensor:
        return self.uniform((count,), -limit, limit)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "rotation": self.rotation,
            "shear": self.shear,
            "zoom": self.zoom,
            "shift": self.shift,
            "flip": self.flip,
            "crop": self.crop,
            "side": self.side,
        }


def _source_coordinates(
    matrices: keras.KerasTensor, size: tuple[int, int], seen: tuple[int, int]
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Where in pictures of `size` each pixel comes from: rows and columns, float32 `(n, *seen)`."""
    height, width = size
    y = ops.linspace(-1.0, 1.0, seen[0], dtype="float32")[None, :, None]
    x = ops.linspace(-1.0, 1.0, seen[1], dtype="float32")[None, None, :]

    def transformed(row: int) -> keras.KerasTensor:
        a, b, c = (matrices[:, row, column][:, None, None] for column in range(3))
        return a * x + b * y + c

    columns = (transformed(0) + 1.0) * ((width - 1) / 2)
    rows = (transformed(1) + 1.0) * ((height - 1) / 2)
    return ops.clip(rows, 0.0, height - 1.0), ops.clip(columns, 0.0, width - 1.0)


def _bilinear(
    images: keras.KerasTensor, rows: keras.KerasTensor, columns: keras.KerasTensor
) -> keras.KerasTensor:
    # `keras.ops.image.affine_transform` would do, but TensorFlow's has no XLA kernel, and
    # XLA makes the whole step a third faster.
    count, height, width, channels = ops.shape(images)
    pixels = ops.reshape(images, (-1, channels))
    top, left = ops.floor(rows), ops.floor(columns)
    down, right = (rows - top)[..., None], (columns - left)[..., None]
    first = ops.reshape(ops.arange(count, dtype="int32") * (height * width), (-1, 1, 1))

    def at(row: keras.KerasTensor, column: keras.KerasTensor) -> keras.KerasTensor:
        row = ops.cast(ops.minimum(row, height - 1.0), "int32")
        column = ops.cast(ops.minimum(column, width - 1.0), "int32")
        return ops.cast(ops.take(pixels, first + row * width + column, axis=0), "float32")

    upper = at(top, left) * (1 - right) + at(top, left + 1) * right
    lower = at(top + 1, left) * (1 - right) + at(top + 1, left + 1) * right
    return ops.cast(ops.round(upper * (1 - down) + lower * down), "uint8")
