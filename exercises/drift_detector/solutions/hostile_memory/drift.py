"""Takes memory until it is stopped, at the first window."""


class DriftDetector:
    def __init__(self, alpha=0.05, seed=0):
        self.alpha = alpha
        self.held = []

    def fit(self, reference, labels):
        pass

    def check(self, window):
        while True:
            self.held.append(bytearray(b"x") * 32_000_000)

    update = feedback = check
