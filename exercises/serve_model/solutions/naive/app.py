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
    newest = aggregates.sort_values("as_of").groupby("customer_id", as_index=False).last()
    table = pd.DataFrame([row]).merge(newest, on="customer_id", how="left")
    table["ts"] = pd.to_datetime(table["ts"], utc=True)
    table["log_amount"] = np.log(table["amount"])
    table["local_hour"] = table["ts"].dt.hour
    table["local_weekday"] = table["ts"].dt.weekday
    table["income"] = table["income"].fillna(0)
    table["segment"] = table["segment"].map(meta["segments"]).fillna(-1)
    table["customer_value"] = table["value"].fillna(0)
    x = table[meta["features"]].to_numpy(dtype=float)
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
