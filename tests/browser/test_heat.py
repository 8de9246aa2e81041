from __future__ import annotations

import pytest

from tests.browser.visit import GRID, Visit

PAINT = """async ([grid, size, places]) => {
    const { paintHeat } = await import("/page/heat.js");
    const canvas = document.createElement("canvas");
    paintHeat(canvas, grid, size);
    const { width, height } = canvas;
    const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
    const colorAt = (x, y) => [...data.subarray(4 * (y * width + x)).subarray(0, 4)];
    return {
        size: [width, height],
        colors: places.map(([x, y]) =>
            colorAt(Math.round(x * (width - 1)), Math.round(y * (height - 1)))),
    };
}"""
TOP_RIGHT, CENTER, BOTTOM_LEFT = (1, 0), (0.5, 0.5), (0, 1)


def grid_with(row: int, column: int, size: int = 9) -> list[list[float]]:
    grid = [[0.0] * size for _ in range(size)]
    grid[row][column] = 0.2
    return grid


def test_colors_lie_where_the_numbers_are(visit: Visit) -> None:
    size = {"width": 4000, "height": 3000}

    painted = visit.page.evaluate(PAINT, [GRID, size, [TOP_RIGHT, CENTER, BOTTOM_LEFT]])

    warm, nothing, cold = painted["colors"]
    assert painted["size"] == [240, 180]
    assert nothing[3] == 0
    assert warm[3] > 100
    assert warm[0] > warm[2]
    assert 0 < cold[3] < warm[3]
    assert cold[2] > cold[0]


def test_nothing_is_painted_where_nothing_matters(visit: Visit) -> None:
    size = {"width": 1, "height": 5000}

    painted = visit.page.evaluate(PAINT, [[[0, 0], [0, 0]], size, [CENTER]])

    assert painted["size"] == [1, 240]
    assert painted["colors"][0][3] == 0


def test_what_matters_little_is_painted_faintly(visit: Visit) -> None:
    size = {"width": 100, "height": 100}

    little, much = (
        visit.page.evaluate(PAINT, [[[0, sign * loss]], size, [TOP_RIGHT]])["colors"][0][3]
        for sign, loss in ((-1, 0.002), (1, 0.2))
    )

    assert 0 < little < much / 5


@pytest.mark.parametrize(
    ("row", "column", "place"),
    [(0, 8, "top right"), (4, 4, "center"), (8, 3, "bottom"), (5, 0, "left")],
)
def test_words_name_the_strongest_place(visit: Visit, row: int, column: int, place: str) -> None:
    words = visit.call("heat.js", "heatInWords", grid_with(row, column), "dog")

    assert f"Warm speaks for dog, most at the {place}:" in words
    assert words.endswith("hiding it takes 20 points from the score.")


@pytest.mark.parametrize(
    ("loss", "told"),
    [
        (0.0019, "but little: hiding it takes 0.2 points"),
        (0.0101, "right: hiding it takes 1 point from"),
    ],
)
def test_words_tell_how_much_is_lost(visit: Visit, loss: float, told: str) -> None:
    assert told in visit.call("heat.js", "heatInWords", [[0, loss]], "dog")


def test_words_tell_of_what_speaks_against(visit: Visit) -> None:
    words = visit.call("heat.js", "heatInWords", GRID, "dog")

    assert words.endswith("Blue speaks against it.")


def test_words_admit_that_no_part_matters(visit: Visit) -> None:
    words = visit.call("heat.js", "heatInWords", [[0, -0.4]], "dog")

    assert words.startswith("No single part speaks for dog")
