from __future__ import annotations

import pytest

from app.engines.engine import Answers, Pictures
from hardening import bad, crowd, good, rude
from hardening.crowd import Tally
from hardening.plan import trials
from hardening.reference import Reference, ask
from hardening.trial import Client
from tests.app.client import free_port
from tests.app.fake_engine import FakeEngine

pytestmark = pytest.mark.anyio


class Reluctant:
    """Breaks off twice."""

    kind = "reluctant"
    breaks = 2

    async def run(self, client: Client) -> str:
        if self.breaks:
            self.breaks -= 1
            raise ConnectionResetError
        return ""


async def reference(port: int) -> Reference:
    async with crowd.connected(port) as http:
        return await ask(http)


async def test_third_of_a_crowd_misbehaves_and_all_are_answered_rightly(port: int) -> None:
    tally = Tally()

    await crowd.run(trials(await reference(port), 345, seed=1), port, tally)

    assert tally.wrong == []
    assert tally.sent.total() == 345
    assert len(tally.sent) == len(good.KINDS) + len(bad.KINDS) + len(rude.KINDS)


async def test_wrong_answers_are_noticed(
    port: int, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = await reference(port)
    predict = engine.predict

    def mixed_up(pictures: Pictures) -> Answers:
        answers = predict(pictures)
        return answers._replace(probabilities=answers.probabilities[:, ::-1])

    monkeypatch.setattr(engine, "predict", mixed_up)
    tally = Tally()

    await crowd.run(trials(known, 60, seed=1), port, tally)

    assert {"picture", "form", "batch", "/v2 in JSON"} <= {kind for kind, _ in tally.wrong}


async def test_broken_connection_is_wrong_unless_it_is_made_again() -> None:
    nobody = free_port()
    refused, patient = Tally(), Tally()

    await crowd.run(iter([rude.Told("greeting", b"hello", 400)]), nobody, refused)
    await crowd.run(iter([Reluctant()]), nobody, patient, reconnect=True)

    assert [kind for kind, _ in refused.wrong] == ["greeting"]
    assert (patient.wrong, patient.broken) == ([], 2)
