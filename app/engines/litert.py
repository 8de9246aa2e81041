"""The engine for the CPU."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from app.engines.engine import Answers, Pictures
from app.errors import ModelCardError

FILE_NAME = "model.tflite"


class LiteRTEngine:
    """A LiteRT model with uint8 input and any number of pictures a batch.

    One interpreter is planned anew whenever a batch has another size than the last, which takes
    0.1 ms. It holds a copy of the kernels of its own, laid out for the processor.
    """

    name = "LiteRT"
    device = "cpu"
    best_batch = 8

    def __init__(self, model: Path, input_shape: tuple[int, int, int], threads: int) -> None:
        """Load the model's file, which is mapped: to write to it ends the process.

        Raises:
            ModelCardError: It is no LiteRT model, or does not take `input_shape` in uint8.
        """
        try:
            self._interpreter = Interpreter(model_path=str(model), num_threads=threads)
        except ValueError as error:
            raise ModelCardError(
                f"The model file {model} cannot be loaded by LiteRT ({error}); export it again."
            ) from error
        pictures = self._interpreter.get_input_details()[0]
        shape = tuple(int(size) for size in pictures["shape"][1:])
        if shape != input_shape or pictures["dtype"] is not np.uint8:
            raise ModelCardError(
                f"The model file {model} takes {np.dtype(pictures['dtype'])} {shape}, but its card "
                f"says uint8 {input_shape}; export the model again."
            )
        self._input = pictures["index"]
        # Files do not keep the order of outputs; there is one probability for each of two classes
        # or more, and one typicality.
        widths = {
            output["index"]: int(output["shape"][-1])
            for output in self._interpreter.get_output_details()
        }
        self._probabilities = max(widths, key=widths.__getitem__)
        self._typicality = next((index for index, width in widths.items() if width == 1), None)
        self._input_shape = input_shape
        self._planned_size = 0

    def predict(self, pictures: Pictures) -> Answers:
        if len(pictures) != self._planned_size:
            self._plan(len(pictures))
        np.stack(list(pictures), out=self._interpreter.tensor(self._input)())
        self._interpreter.invoke()
        tensor = self._interpreter.get_tensor
        typicality = None if self._typicality is None else tensor(self._typicality)[:, 0]
        return Answers(tensor(self._probabilities), typicality)

    def _plan(self, size: int) -> None:
        self._planned_size = 0
        self._interpreter.resize_tensor_input(self._input, (size, *self._input_shape))
        self._interpreter.allocate_tensors()
        self._planned_size = size
