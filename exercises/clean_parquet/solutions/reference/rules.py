"""The tables of RULES.md."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shop:
    """How one shop writes dates and amounts."""

    zone: str
    day_first: bool
    thousands: str
    decimal: str
    currency: str


SHOPS = {
    "alster": Shop("Europe/Berlin", True, ".", ",", "EUR"),
    "brook": Shop("America/New_York", False, ",", ".", "USD"),
    "cigale": Shop("Europe/Paris", True, " ", ",", "EUR"),
}

OTHER_NAMES = {
    "store": "shop",
    "order_id": "order_no",
    "bestellnummer": "order_no",
    "order_ts": "ordered_at",
    "datum": "ordered_at",
    "total": "amount",
    "betrag": "amount",
    "montant": "amount",
    "ccy": "currency",
    "quantity": "qty",
    "menge": "qty",
    "gewicht": "weight",
    "poids": "weight",
    "state": "status",
    "etat": "status",
    "town": "city",
    "ort": "city",
    "ville": "city",
    "article": "sku",
    "artikel": "sku",
    "client_id": "customer_id",
    "kundennummer": "customer_id",
}

STATUSES = {
    "pending": "open, offen, ausstehend, en attente",
    "paid": "settled, bezahlt, beglichen, payé, réglé",
    "shipped": "dispatched, versandt, verschickt, expédié",
    "delivered": "received, geliefert, zugestellt, livré",
    "cancelled": "canceled, storniert, annulliert, annulé",
    "returned": "sent back, retourniert, zurückgesandt, retourné",
}

STATUS_OF = {word: status for status, others in STATUSES.items() for word in (status, *others.split(", "))}

NOTHING = frozenset({"n/a", "unknown", "", "-1", "9999999"})
NOTHING_NUMBERS = (-1, 9999999)
REASONS = ("bad_date", "bad_amount", "bad_qty", "unknown_customer")
MOST_CENTS = 2_000_000
MOST_QTY = 500
