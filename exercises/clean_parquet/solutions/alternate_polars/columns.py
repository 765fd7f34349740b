"""From one file's own columns to repaired ones, as Polars expressions."""

from datetime import datetime, timezone

import polars as pl
import pyarrow as pa

NAMES = {
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
COLUMNS = {*NAMES.values(), "ingested_at", "weight_unit", "lines"}
SHOPS = ["alster", "brook", "cigale"]
ZONE = {"alster": "Europe/Berlin", "brook": "America/New_York", "cigale": "Europe/Paris"}
CURRENCY = {"alster": "EUR", "brook": "USD", "cigale": "EUR"}
BLANK = "[ \u00a0\u202f]"
DECIMAL = {"alster": ",", "brook": r"\.", "cigale": ","}
THOUSANDS = {"alster": r"\.", "brook": ",", "cigale": BLANK}

DAY_MONTH = "[0-9]{2}/[0-9]{2}/[0-9]{4}"
CLOCK_24 = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
CLOCK_12 = "(0[1-9]|1[0-2]):[0-5][0-9]:[0-5][0-9] [AP]M"
FIRST_DAY = datetime(2024, 1, 1, tzinfo=timezone.utc)
DAY_AFTER_LAST = datetime(2026, 1, 1, tzinfo=timezone.utc)


class Layout:
    """The habits of one file: its shop, the names and types of its columns, its unit of amounts."""

    def __init__(self, schema, first_batch):
        metadata = schema.metadata or {}
        self.source_of = {NAMES.get(name, name): name for name in schema.names if NAMES.get(name, name) in COLUMNS}
        self.cents = metadata.get(b"amount_unit") == b"cents"
        if "shop" in self.source_of:
            self.shop = first_batch[self.source_of["shop"]][0].as_py()
        else:
            self.shop = metadata[b"shop"].decode()

    def has(self, column):
        return column in self.source_of

    def select(self, batch):
        """The columns that count, under their first names; `lines` folded into `sku` and `qty`."""
        columns = {name: batch[source] for name, source in self.source_of.items() if name not in ("lines", "shop")}
        frame = pl.DataFrame(pa.table(columns))
        if self.has("lines"):
            lists = pl.Series("lines", batch[self.source_of["lines"]])
            entries = pl.element().struct.field("qty").cast(pl.Int64)
            frame = frame.with_columns(lists).with_columns(
                sku=pl.col("lines").list.first().struct.field("sku"),
                qty=pl.col("lines").list.eval(entries).list.sum(),
            )
        return frame

    def parse(self, frame, first_row, reference):
        """Repaired columns, `key`, and `reason` where a row has to go to quarantine."""
        known = pl.col("customer_id").is_in(reference.customers.implode())
        frame = frame.with_row_index("source_row", offset=first_row).select(
            pl.col("source_row").cast(pl.Int64),
            pl.lit(self.shop).alias("shop"),
            self.order_no(),
            pl.col("ingested_at").dt.epoch("us"),
            self.ts_utc().alias("ts_utc"),
            self.cents_of(frame.schema["amount"]).alias("cents"),
            pl.col("currency") if self.has("currency") else pl.lit(CURRENCY[self.shop]).alias("currency"),
            self.quantity().alias("qty"),
            self.grams(frame.schema.get("weight")).alias("weight_g"),
            reference.status(frame["status"]).alias("status"),
            (reference.city(frame["city"]) if self.has("city") else pl.lit(None, pl.String)).alias("city"),
            reference.sku(frame["sku"]).alias("sku"),
            "customer_id",
            known.fill_null(False).alias("known"),
        )
        in_range = pl.col("ts_utc").is_between(FIRST_DAY, DAY_AFTER_LAST, closed="left")
        return frame.with_columns(
            key=pl.lit(SHOPS.index(self.shop) * 10**7, pl.Int64) + pl.col("order_no").cast(pl.Int64),
            reason=pl.when(~in_range.fill_null(False))
            .then(pl.lit("bad_date"))
            .when(~pl.col("cents").is_between(1, 2_000_000).fill_null(False))
            .then(pl.lit("bad_amount"))
            .when(pl.col("qty").is_null())
            .then(pl.lit("bad_qty"))
            .when(~pl.col("known"))
            .then(pl.lit("unknown_customer")),
        )

    def order_no(self):
        bare = pl.col("order_no").str.strip_chars().str.replace("^((?i:ord-)|#)", "")
        return bare.str.strip_chars_start("0").str.zfill(7).alias("order_no")

    def ts_utc(self):
        text = pl.col("ordered_at")
        seconds = text.str.slice(0, 19).str.to_datetime("%Y-%m-%dT%H:%M:%S", time_unit="us", strict=False)
        minutes = text.str.slice(20, 2).cast(pl.Int64, strict=False) * 60 + text.str.slice(23, 2).cast(
            pl.Int64, strict=False
        )
        sign = pl.when(text.str.slice(19, 1) == "-").then(-1).otherwise(1)
        offset = pl.when(text.str.ends_with("Z")).then(0).otherwise(minutes * sign)
        iso = (seconds - pl.duration(minutes=offset)).dt.replace_time_zone("UTC")
        epoch = text.cast(pl.Int64, strict=False)
        epoch = pl.when(epoch.is_between(0, 4 * 10**12)).then(epoch)
        form, clock = ("%m/%d/%Y %I:%M:%S %p", CLOCK_12) if self.shop == "brook" else ("%d/%m/%Y %H:%M:%S", CLOCK_24)
        local = (
            text.str.to_datetime(form, time_unit="us", strict=False)
            .dt.replace_time_zone(ZONE[self.shop], ambiguous="earliest", non_existent="null")
            .dt.convert_time_zone("UTC")
        )
        return (
            pl.when(text.str.contains(f"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T{CLOCK_24}(Z|[+-][0-9]{{2}}:[0-5][0-9])$"))
            .then(iso)
            .when(text.str.contains("^-?[0-9]+$"))
            .then((epoch * 1000).cast(pl.Datetime("us", "UTC")))
            .when(text.str.contains(f"^{DAY_MONTH} {clock}$"))
            .then(local)
        )

    def cents_of(self, kind):
        """Amount in hundredths: every readable text has two decimals, so its digits are the cents."""
        amount = pl.col("amount")
        if kind == pl.String:
            mark, thousands = DECIMAL[self.shop], THOUSANDS[self.shop]
            own = f"([0-9]+|[0-9]{{1,3}}({thousands}[0-9]{{3}})+){mark}[0-9]{{2}}"
            forms = (f"(EUR|USD|GBP){BLANK}[0-9]+\\.[0-9]{{2}}", f"[$£]?{own}", f"{own}{BLANK}?€")
            readable = amount.str.contains(f"^({'|'.join(forms)})$")
            return pl.when(readable).then(amount.str.replace_all("[^0-9]", "").cast(pl.Int64, strict=False))
        factor = 1 if self.cents else 100
        if kind.is_integer():
            return pl.when(amount.is_between(-(10**8), 10**8)).then(amount.cast(pl.Int64) * factor)
        return (amount * factor).round(0).cast(pl.Int64, strict=False)

    def quantity(self):
        number = pl.col("qty").cast(pl.Float64)
        fits = number.is_between(1, 500) & (number == number.floor())
        return pl.when(fits).then(number.cast(pl.Int32, strict=False))

    def grams(self, kind):
        if kind is None:
            return pl.lit(None, pl.Float64)
        weight = pl.col("weight")
        if kind == pl.String:
            parts = weight.str.extract_groups(f"^ *([0-9]+(?:\\.[0-9]+)?){BLANK}(kg|g) *$")
            unit = pl.when(parts.struct.field("2") == "kg").then(1000.0).otherwise(1.0)
            return parts.struct.field("1").cast(pl.Float64) * unit
        unit = pl.lit(1.0)
        if self.has("weight_unit"):
            unit = pl.when(pl.col("weight_unit") == "kg").then(1000.0).otherwise(1.0)
        weight = weight.cast(pl.Float64)
        return pl.when(weight.is_finite() & ~weight.is_in([-1.0, 9999999.0])).then(weight * unit)
