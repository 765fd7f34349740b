"""What honest submissions do with the libraries of the runtime image; each prints "worked" and nothing else.

The functions are never called here: their source is sent into a box.
"""

# mypy: ignore-errors
from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable


def pandas_and_pyarrow() -> None:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.dataset as ds

    pd.DataFrame({"a": range(1000), "b": list("xy") * 500}).to_parquet("a.parquet")
    assert pd.read_parquet("a.parquet")["a"].sum() == 499_500
    assert ds.dataset("a.parquet").to_table().num_rows == 1000
    assert pa.memory_map("a.parquet").read(4) == b"PAR1"


def polars() -> None:
    import polars as pl

    frame = pl.DataFrame({"a": range(1000), "b": ["x", "y"] * 500})
    frame.lazy().sink_parquet("a.parquet")
    assert pl.scan_parquet("a.parquet").group_by("b").agg(pl.col("a").sum()).collect().height == 2


def duckdb() -> None:
    import duckdb

    with duckdb.connect("a.duckdb") as connection:
        connection.execute("create table t as select range as a from range(1000)")
        connection.execute("copy t to 'a.parquet' (format parquet)")
        assert connection.execute("select sum(a) from 'a.parquet'").fetchone() == (499_500,)


def xgboost() -> None:
    import numpy as np
    import xgboost as xgb

    values = np.random.default_rng(1).random((2000, 5))
    labels = (values[:, 0] > 0.5).astype(int)
    model = xgb.XGBClassifier(n_estimators=20, n_jobs=2).fit(values, labels)
    model.save_model("model.json")
    assert model.score(values, labels) > 0.95


def scikit_learn_on_two_processes() -> None:
    import numpy as np
    from joblib import Parallel, delayed
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import cross_val_score

    values = np.random.default_rng(1).random((400, 5))
    labels = (values[:, 0] > 0.5).astype(int)
    assert cross_val_score(RandomForestClassifier(20, n_jobs=2), values, labels, n_jobs=2, cv=2).mean() > 0.9
    large = np.ones(2_000_000)  # large enough to be shared through a file
    assert sum(Parallel(n_jobs=2)(delayed(np.sum)(large) for _ in range(2))) == 4_000_000


def multiprocessing() -> None:
    import multiprocessing as mp
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import shared_memory

    for method in ("fork", "spawn", "forkserver"):
        with mp.get_context(method).Pool(2) as pool:
            assert pool.map(abs, [-1, 2]) == [1, 2]
    with ProcessPoolExecutor(2) as executor:
        assert list(executor.map(abs, [-1])) == [1]
    block = shared_memory.SharedMemory(create=True, size=100)
    block.close()
    block.unlink()
    with mp.Manager() as manager:
        assert manager.dict(a=1)["a"] == 1


def a_service() -> None:
    import pathlib
    import subprocess
    import sys
    import time
    import urllib.error
    import urllib.request

    pathlib.Path("service.py").write_text(
        "from fastapi import FastAPI\napp = FastAPI()\n@app.get('/x')\ndef x(): return {'a': 1}\n"
    )
    quiet = subprocess.DEVNULL
    command = [sys.executable, "-m", "uvicorn", "service:app", "--port", "8123", "--workers", "2"]
    server = subprocess.Popen(command, stdout=quiet, stderr=quiet)
    answer = b""
    for _ in range(200):
        try:
            answer = urllib.request.urlopen("http://127.0.0.1:8123/x").read()
            break
        except urllib.error.URLError:
            time.sleep(0.05)
    server.terminate()
    server.wait()
    assert answer == b'{"a":1}', answer


def _notebook(transport: str) -> None:
    import warnings

    import nbformat
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient

    warnings.simplefilter("ignore")  # about interfaces that cannot be listed: there is only the loopback
    cell = nbformat.v4.new_code_cell("import pandas; print(6 * 7)")
    notebook = nbformat.v4.new_notebook(cells=[cell])
    client = NotebookClient(notebook, timeout=60)
    client.km = AsyncKernelManager(transport=transport)
    client.execute(stderr=-3)
    assert notebook.cells[0].outputs[0]["text"] == "42\n"


def a_notebook_over_tcp() -> None:
    _notebook("tcp")


def a_notebook_over_unix_sockets() -> None:
    _notebook("ipc")


def the_standard_library() -> None:
    import asyncio
    import pathlib
    import shutil
    import socket
    import sqlite3
    import subprocess
    import sys
    import tempfile
    import uuid

    async def child() -> bytes:
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", "print(1)", stdout=-1)
        return (await process.communicate())[0]

    assert asyncio.run(child()) == b"1\n"
    assert socket.getaddrinfo("localhost", 80)
    assert uuid.uuid1()
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(pathlib.Path(sqlite3.__file__).parent, pathlib.Path(folder, "copy"))
    with sqlite3.connect("a.db") as connection:
        connection.execute("create table t (a)")
    assert subprocess.run("ls / | sort | wc -l && cp -a a.db b.db", shell=True, stdout=-1).returncode == 0


PROGRAMS: dict[str, Callable[[], None]] = {
    program.__name__: program
    for program in (
        pandas_and_pyarrow,
        polars,
        duckdb,
        xgboost,
        scikit_learn_on_two_processes,
        multiprocessing,
        a_service,
        a_notebook_over_tcp,
        a_notebook_over_unix_sockets,
        the_standard_library,
    )
}
NAMES = tuple(PROGRAMS)


def source(name: str) -> str:
    """Return a whole program."""
    functions = [_notebook, PROGRAMS[name]]
    text = "from __future__ import annotations\n" + "\n".join(map(inspect.getsource, functions))
    return textwrap.dedent(text) + f"\nif __name__ == '__main__':\n    {name}()\n    print('worked')\n"
