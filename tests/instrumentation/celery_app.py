"""A Celery application whose jobs call a model; its broker is a folder."""

from __future__ import annotations

import os
from pathlib import Path

import openai
from celery import Celery  # type: ignore[import-not-found] # installed in its own environment

import spanledger

spanledger.instrument()
FOLDER = Path(os.environ["HOME"])
for name in ("queue", "results"):
    (FOLDER / name).mkdir(exist_ok=True)
app = Celery("jobs", broker="filesystem://", backend=f"file://{FOLDER / 'results'}")
queue = str(FOLDER / "queue")
app.conf.broker_transport_options = {"data_folder_in": queue, "data_folder_out": queue, "control_folder": queue}


@app.task(name="call")  # type: ignore[untyped-decorator] # see the import
def call(number: int) -> None:
    """Call a model once."""
    with openai.OpenAI() as client, spanledger.tags(feature=f"/{number}"):
        client.chat.completions.create(model="gpt-5-mini", messages=[{"role": "user", "content": "hi"}])
