"""Scores one request after the other."""

import json
import os
import uuid
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import xgboost
from fastapi import FastAPI

FOLDER = Path(os.environ.get("MODEL_DIR", "artifacts"))
app = FastAPI()
version = os.environ.get("MODEL_VERSION", "v1")


def load_model(meta):
    path = FOLDER / version / meta["file"]
    if meta["format"] == "sklearn-joblib":
        return joblib.load(path)
    booster = xgboost.Booster()
    booster.load_model(path)
    return booster


@app.get("/health")
async def health():
    return {"status": "ok"}


@app.get("/ready")
async def ready():
    return {"model_version": version}


@app.post("/v1/predict")
async def predict(row: dict):
    meta = json.loads((FOLDER / version / "meta.json").read_text())
    model = load_model(meta)
    aggregates = pd.read_parquet(FOLDER / "customer_aggregates.parquet")
    mine = aggregates[aggregates.customer_id == row["customer_id"]].sort_values("as_of")
    when = pd.to_datetime(row["ts"], utc=True)
    features = {
        "log_amount": np.log(row["amount"]),
        "local_hour": when.hour,
        "local_weekday": when.weekday(),
        "income": row["income"] or 0,
        "segment": meta["segments"].get(row["segment"], -1),
        "customer_value": mine.value.iloc[-1] if len(mine) else 0,
    }
    x = np.array([[features[name] for name in meta["features"]]], dtype=float)
    column = meta["classes"].index("late")
    if meta["format"] == "sklearn-joblib":
        p = float(model.predict_proba(x)[0, column])
    else:
        p = float(model.predict(xgboost.DMatrix(x))[0])
        p = p if column == 1 else 1 - p
    return {
        "request_id": row["request_id"],
        "prediction_id": str(uuid.uuid4()),
        "model_version": version,
        "probability": p,
        "decision": "review" if p > meta["threshold"] else "approve",
    }


@app.post("/v1/predict_batch")
async def predict_batch(body: dict):
    return {"model_version": version, "results": [await predict(row) for row in body["rows"]]}
