"""Serves the model with BentoML."""

import bentoml

app = bentoml.Service("late-payment").to_asgi()
