"""The numbers of a seed."""

import random

import pandas as pd


def table(seed):
    """Fifty numbers below a thousand."""
    return pd.DataFrame({"number": [random.Random(f"{seed}/{row}").random() * 1000 for row in range(50)]})
