"""mosec with its batching, as workers that decode and infer. It takes the file as the body."""

import json

from mosec import Server, Worker

from benchmarks.rivals.common import MAX_BATCH, WAIT_MS, WORKERS, answer, decode, load_engine


class Classifier(Worker):
    def __init__(self):
        self.engine = load_engine()

    def deserialize(self, data):
        return decode(data)

    def forward(self, pictures):
        return [answer(row) for row in self.engine.predict(pictures).probabilities]

    def serialize(self, data):
        return json.dumps(data).encode()


if __name__ == "__main__":
    server = Server()
    server.append_worker(
        Classifier, num=WORKERS, max_batch_size=MAX_BATCH, max_wait_time=max(1, int(WAIT_MS))
    )
    server.run()
