"""FastAPI and `model.predict`, as tutorials have it. Run by uvicorn."""

import io
import os

import keras
import numpy as np
from fastapi import FastAPI, UploadFile
from PIL import Image

app = FastAPI()
model = keras.saving.load_model(os.environ["BENCH_KERAS_FILE"])
labels = ["cat", "dog"]


@app.get("/health")
async def health():
    return {"status": "ok"}


@app.post("/predict")
async def predict(file: UploadFile):
    image = Image.open(io.BytesIO(await file.read())).convert("RGB").resize((227, 227))
    outputs = model.predict(np.expand_dims(np.asarray(image), 0), verbose=0)
    probabilities = (outputs[0] if isinstance(outputs, list) else outputs)[0]
    best = int(np.argmax(probabilities))
    return {"label": labels[best], "score": float(probabilities[best])}
