from __future__ import annotations

import pytest

from hardening.estimate import BUSY, NODE_CORES, PICTURES, RATE, UPLOAD_BYTES, estimate, rows


def test_cores_are_those_that_the_rate_keeps_busy_and_what_is_spare() -> None:
    found = estimate({"proxy": 1.0, "engine replica": 7.0})

    assert found.cores == pytest.approx({"proxy": RATE / 1e3 / BUSY, "engine replica": 100.0})


def test_nodes_are_as_many_as_their_cores_take() -> None:
    found = estimate({"proxy": 0.07, "engine replica": 70.0})

    assert found.nodes == -(-1001 // NODE_CORES)
    assert found.most_scarce == "the cores"


def test_no_proxy_has_more_than_a_core() -> None:
    found = estimate({"proxy": 7.0, "engine replica": 7.0})

    assert found.nodes == 100
    assert found.most_scarce == "the proxies"


def test_pictures_take_all_nodes_for_their_hours() -> None:
    found = estimate({"proxy": 7.0, "engine replica": 7.0})

    assert found.hours == pytest.approx(PICTURES / RATE / 3600)
    assert found.dollars == pytest.approx(100 * NODE_CORES * found.hours * 0.04)


def test_every_line_has_what_and_how_much() -> None:
    lines = dict(rows(estimate({"proxy": 7.0, "engine replica": 7.0})))

    assert lines["nodes of 16 cores"] == "100"
    assert lines["uploads of 50 kB, Gbit/s"] == f"{RATE * UPLOAD_BYTES * 8 / 1e9:.0f}"
