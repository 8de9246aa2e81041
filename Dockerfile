# `docker build --target cpu .` makes the service without TensorFlow, `--target gpu` the one for an
# NVIDIA GPU. Nothing here needs BuildKit; without it, stages above the target are built too.
FROM python:3.13-slim-bookworm AS python

# What both services have in common.
FROM python AS service
RUN python -B -m pip uninstall --yes --root-user-action ignore pip
# NumPy, which multiplies nothing here, would start a thread for every core of the host.
ENV PATH=/opt/venv/bin:$PATH PORT=8000 OPENBLAS_NUM_THREADS=1
WORKDIR /srv
EXPOSE 8000
# Not by urllib, which would ask the proxy that Docker's configuration may name.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["python", "-c", \
    "import http.client, os, sys; service = http.client.HTTPConnection('127.0.0.1', int(os.environ['PORT']), timeout=4); service.request('GET', '/health/ready'); sys.exit(service.getresponse().status != 200)"]
CMD ["python", "-m", "app", "--host", "0.0.0.0"]
LABEL org.opencontainers.image.title="AlexNet" \
    org.opencontainers.image.description="Upload a picture, get cat or dog." \
    org.opencontainers.image.version="0.1.0" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.base.name="python:3.13-slim-bookworm"

FROM python AS cpu-packages
COPY requirements/serve.txt .
RUN python -m venv --without-pip /opt/venv \
    && pip --python /opt/venv/bin/python install --no-cache-dir --no-compile --disable-pip-version-check \
        --require-hashes --only-binary :all: -r serve.txt
# 32 MB of LiteRT (17 on ARM) are for GPUs and phones' accelerators, and compile for them; the interpreter for
# the CPU loads none of it.
RUN cd /opt/venv/lib/python3.13/site-packages/ai_edge_litert \
    && rm -rf libLiteRtWebGpuAccelerator.so tools/apply_plugin_main vendors

FROM service AS cpu
COPY --from=cpu-packages /opt/venv /opt/venv
COPY models/dogs-vs-cats/model.json models/dogs-vs-cats/model.tflite models/dogs-vs-cats/
COPY app app
# Writes the byte code of what is used, Python's own modules too, which the service may not do.
RUN python -c "import app.__main__, app.command, app.decoder, app.lanes.process, encodings.idna, PIL.Image; PIL.Image.init()"
ARG REVISION=unknown
LABEL org.opencontainers.image.revision=$REVISION
USER 10001:10001

FROM python AS gpu-packages
COPY requirements/gpu.txt .
RUN python -m venv --without-pip /opt/venv \
    && pip --python /opt/venv/bin/python install --no-cache-dir --no-compile --disable-pip-version-check \
        --require-hashes --only-binary :all: -r gpu.txt
# For training alone. Keras imports them where they are there, and Matplotlib wants a folder to write to.
RUN pip --python /opt/venv/bin/python uninstall --yes --root-user-action ignore matplotlib scikit-learn

FROM service AS gpu
ENV ALEXNET_DEVICE=gpu NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
COPY --from=gpu-packages /opt/venv /opt/venv
COPY models models
COPY app app
RUN python -c "import app.__main__, app.command, app.decoder, app.engines.keras, app.lanes.process, encodings.idna, PIL.Image; PIL.Image.init()"
ARG REVISION=unknown
LABEL org.opencontainers.image.revision=$REVISION
USER 10001:10001

# What `docker build .` makes.
FROM cpu AS default
