import json
from pathlib import Path


class Largest:
    def __init__(self):
        self.largest = 0.0
        self.count = 0

    def fit(self, table):
        self.largest = float(table["number"].max())

    def above(self, number):
        if not isinstance(number, float):
            raise ValueError("not a number")
        return number > self.largest

    def update(self, number):
        self.count += number > self.largest
        return self.count

    def save(self, path):
        Path(path).write_text(json.dumps(self.largest))

    def load(self, path):
        self.largest = json.loads(Path(path).read_text())
