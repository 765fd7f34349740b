# ruff: noqa: RUF001 - curly apostrophes are part of some names
"""The words of RULES.md as data: shops, status words, other column names, valid ranges.

`tests/unit/exercises/clean_parquet` reads the same tables out of RULES.md and holds them equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """One shop's habits, the same in every variant."""

    name: str
    zone: str
    day_first: bool
    thousands: str
    decimal: str
    currency: str
    sign: str
    language: str


SHOPS: dict[str, Shop] = {
    shop.name: shop
    for shop in (
        Shop(
            name="alster",
            zone="Europe/Berlin",
            day_first=True,
            thousands=".",
            decimal=",",
            currency="EUR",
            sign="€",
            language="de",
        ),
        Shop(
            name="brook",
            zone="America/New_York",
            day_first=False,
            thousands=",",
            decimal=".",
            currency="USD",
            sign="$",
            language="en",
        ),
        Shop(
            name="cigale",
            zone="Europe/Paris",
            day_first=True,
            thousands=" ",
            decimal=",",
            currency="EUR",
            sign="€",
            language="fr",
        ),
    )
}

CURRENCIES = ("EUR", "USD", "GBP")

STATUS_WORDS: dict[str, dict[str, tuple[str, ...]]] = {
    "pending": {"en": ("open",), "de": ("offen", "ausstehend"), "fr": ("en attente",)},
    "paid": {"en": ("settled",), "de": ("bezahlt", "beglichen"), "fr": ("payé", "réglé")},
    "shipped": {"en": ("dispatched",), "de": ("versandt", "verschickt"), "fr": ("expédié",)},
    "delivered": {"en": ("received",), "de": ("geliefert", "zugestellt"), "fr": ("livré",)},
    "cancelled": {"en": ("canceled",), "de": ("storniert", "annulliert"), "fr": ("annulé",)},
    "returned": {"en": ("sent back",), "de": ("retourniert", "zurückgesandt"), "fr": ("retourné",)},
}

STATUSES = tuple(STATUS_WORDS)

WORD_TO_STATUS: dict[str, str] = {
    word: status
    for status, languages in STATUS_WORDS.items()
    for word in (status, *(word for words in languages.values() for word in words))
}

OTHER_NAMES: dict[str, tuple[str, ...]] = {
    "shop": ("store",),
    "order_no": ("order_id", "bestellnummer"),
    "ordered_at": ("order_ts", "datum"),
    "amount": ("total", "betrag", "montant"),
    "currency": ("ccy",),
    "qty": ("quantity", "menge"),
    "weight": ("gewicht", "poids"),
    "status": ("state", "etat"),
    "city": ("town", "ort", "ville"),
    "sku": ("article", "artikel"),
    "customer_id": ("client_id", "kundennummer"),
}

NOTHING_TEXT = ("N/A", "unknown", "")
NOTHING_NUMBERS = (-1, 9999999)

FIRST_SECOND = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp())
END_SECOND = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
MOST_CENTS = 2_000_000
MOST_QTY = 500

REASONS = ("bad_date", "bad_amount", "bad_qty", "unknown_customer")

CITIES: dict[str, tuple[str, ...]] = {
    "alster": (
        "Hamburg", "Lübeck", "Münster", "Köln", "Göttingen", "Düsseldorf", "Bad Münstereifel", "Nürnberg",
        "Bad Homburg", "Leipzig", "Saarbrücken", "Tübingen", "Bad Säckingen", "Kiel", "Würzburg", "Sankt Blasien",
        "Gießen", "Preußisch Oldendorf", "Jülich", "Schwäbisch Hall", "Osnabrück", "Berlin",
    ),
    "brook": (
        "New York", "Española", "San José", "Cañon City", "Boston", "Coeur d’Alene", "Doña Ana", "Mayagüez",
        "Bayamón", "Des Moines", "Añasco", "Salt Lake City", "Canóvanas", "Portland", "Peñasco", "Santa Fe",
        "Loíza Heights", "Rincón", "Baton Rouge", "Denver", "Juana Díaz", "Seattle",
    ),
    "cigale": (
        "Orléans", "Nîmes", "Besançon", "Saint-Étienne", "Le Mans", "Villeneuve-d’Ascq", "Béziers", "Lyon",
        "Évry", "Le Creusot", "Mâcon", "Châlons", "Angoulême", "La Rochelle", "Alençon", "Périgueux", "Sète",
        "L’Haÿ-les-Roses", "Compiègne", "La Flèche", "Nantes", "Montélimar",
    ),
}  # fmt: skip
