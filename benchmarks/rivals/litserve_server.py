"""LitServe with its batching."""

import argparse
import os

import litserve
import numpy as np

from benchmarks.rivals.common import MAX_BATCH, WAIT_MS, WORKERS, answer, decode, load_engine


class Classifier(litserve.LitAPI):
    def setup(self, device):
        self.engine = load_engine()

    def decode_request(self, request):
        return decode(request["file"].file.read())

    def batch(self, inputs):
        return np.stack(inputs)

    def predict(self, pictures):
        return self.engine.predict(pictures).probabilities

    def unbatch(self, output):
        return list(output)

    def encode_response(self, output):
        return answer(output)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int)
    api = Classifier(max_batch_size=MAX_BATCH, batch_timeout=WAIT_MS / 1e3)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=WORKERS)
    server.run(
        port=parser.parse_args().port,
        num_api_servers=int(os.environ.get("BENCH_API_SERVERS", "1")),
        generate_client_file=False,
        log_level="warning",
    )
