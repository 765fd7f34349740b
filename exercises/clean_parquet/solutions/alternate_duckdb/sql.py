"""The SQL. Each order file gets statements made for its own columns and types."""

import pyarrow as pa

ALIASES = {
    "shop": ("shop", "store"),
    "order_no": ("order_no", "order_id", "bestellnummer"),
    "ordered_at": ("ordered_at", "order_ts", "datum"),
    "ingested_at": ("ingested_at",),
    "amount": ("amount", "total", "betrag", "montant"),
    "currency": ("currency", "ccy"),
    "qty": ("qty", "quantity", "menge"),
    "weight": ("weight", "gewicht", "poids"),
    "weight_unit": ("weight_unit",),
    "status": ("status", "state", "etat"),
    "city": ("city", "town", "ort", "ville"),
    "sku": ("sku", "article", "artikel"),
    "customer_id": ("customer_id", "client_id", "kundennummer"),
}
ZONES = {"alster": "Europe/Berlin", "brook": "America/New_York", "cigale": "Europe/Paris"}
HOME = {"alster": "EUR", "brook": "USD", "cigale": "EUR"}
SHOPS = {"alster": 0, "brook": 1, "cigale": 2}
SPACE = r"[ \x{00a0}\x{202f}]"
MARKS = {"alster": (",", r"\."), "brook": (r"\.", ","), "cigale": (",", SPACE)}

CREATE_TABLES = """
CREATE TABLE staging (
    rid BIGINT, key BIGINT, ingested_at TIMESTAMPTZ, file INTEGER, source_row BIGINT, shop VARCHAR,
    order_no VARCHAR, ts_utc TIMESTAMPTZ, cents BIGINT, currency VARCHAR, qty INTEGER, weight_g DOUBLE,
    status VARCHAR, city VARCHAR, sku VARCHAR, customer_id VARCHAR);
CREATE TABLE rejected (file INTEGER, source_row BIGINT, reason VARCHAR, raw_json VARCHAR);
"""
# rid counts in file order, then row order, which is what decides between equally new rows.
FIND_LOSERS = """
CREATE TABLE losers AS
SELECT rid FROM (
    SELECT rid, row_number() OVER (PARTITION BY key ORDER BY ingested_at DESC, rid) AS place FROM staging
) WHERE place > 1
"""
KEPT = """
SELECT shop, order_no, ts_utc, CAST(cents * 0.01::DECIMAL(3, 2) AS DECIMAL(12, 2)) AS amount, currency, qty,
       weight_g, status, city, sku, customer_id, source_file, source_row
FROM staging JOIN names USING (file) ANTI JOIN losers USING (rid)
ORDER BY rid
"""
QUARANTINED = """
SELECT source_file, source_row, reason, raw_json FROM rejected JOIN names USING (file) ORDER BY file, source_row
"""


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def text(value):
    return "'" + value.replace("'", "''") + "'"


class Source:
    """One order file: which column is what, and the SQL that follows."""

    def __init__(self, path, number, schema):
        self.number = number
        self.schema = schema
        self.reader = f"read_parquet({text(str(path))}, file_row_number = true)"
        metadata = schema.metadata or {}
        self.cents = metadata.get(b"amount_unit") == b"cents"
        self.named = {
            column: quoted(name) for column, names in ALIASES.items() for name in names if name in schema.names
        }
        self.types = {
            column: schema.field(name).type
            for column, names in ALIASES.items()
            for name in names
            if name in schema.names
        }
        self.shop = None if "shop" in self.named else metadata.get(b"shop", b"").decode()

    def is_text(self, column):
        kind = self.types[column]
        return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind)

    def shop_query(self):
        return f"SELECT min({self.named['shop']}) FROM {self.reader}"

    def distinct_query(self, column):
        if column not in self.named:
            return "SELECT NULL::VARCHAR WHERE false"
        return f"SELECT DISTINCT {self.named[column]} FROM {self.reader} WHERE {self.named[column]} IS NOT NULL"

    def timestamp(self):
        """UTC, or null: each form is matched whole first, because parsers forgive too much."""
        column = self.named["ordered_at"]
        clock24 = r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d"
        iso = text(r"\d{4}-\d{2}-\d{2}T" + clock24 + r"(Z|[+-]\d{2}:[0-5]\d)")
        if self.shop == "brook":
            local, form = text(r"\d{2}/\d{2}/\d{4} (0[1-9]|1[0-2]):[0-5]\d:[0-5]\d (AM|PM)"), "%m/%d/%Y %I:%M:%S %p"
        else:
            local, form = text(r"\d{2}/\d{2}/\d{4} " + clock24), "%d/%m/%Y %H:%M:%S"
        zone = text(ZONES[self.shop])
        return f"""CASE
            WHEN regexp_full_match({column}, '-?[0-9]{{1,18}}') THEN
                CASE WHEN {column}::BIGINT BETWEEN 0 AND 4102444800000
                     THEN make_timestamp({column}::BIGINT * 1000) AT TIME ZONE 'UTC' END
            WHEN regexp_full_match({column}, {iso}) THEN
                (try_strptime({column}[1:19], '%Y-%m-%dT%H:%M:%S') AT TIME ZONE 'UTC')
                - CASE WHEN {column}[20] = 'Z' THEN INTERVAL 0 MINUTE ELSE to_minutes(
                    (CASE WHEN {column}[20] = '-' THEN -1 ELSE 1 END)
                    * ({column}[21:22]::INTEGER * 60 + {column}[24:25]::INTEGER)) END
            WHEN regexp_full_match({column}, {local}) THEN try_strptime({column}, {text(form)}) AT TIME ZONE {zone}
        END"""

    def amount_in_cents(self):
        """All readable texts have two decimals, so their digits are the cents."""
        column, kind = self.named["amount"], self.types["amount"]
        if self.is_text("amount"):
            mark, thousands = MARKS[self.shop]
            number = rf"([0-9]+|[0-9]{{1,3}}({thousands}[0-9]{{3}})+){mark}[0-9]{{2}}"
            code = rf"(EUR|USD|GBP){SPACE}[0-9]+\.[0-9]{{2}}"
            whole = text(rf"{code}|[$£]?{number}|{number}{SPACE}?€")
            digits = f"regexp_replace({column}, '[^0-9]', '', 'g')"
            return f"CASE WHEN regexp_full_match({column}, {whole}) THEN try_cast({digits} AS BIGINT) END"
        factor = 1 if self.cents else 100
        if pa.types.is_integer(kind):
            return f"CASE WHEN abs({column}) < 100000000 THEN {column} * {factor} END"
        return f"CASE WHEN abs({column}) < 1e8 THEN round({column} * {factor})::BIGINT END"

    def quantity(self):
        column = self.named["qty"] if "lines" not in self.schema.names else (
            "list_sum(list_transform(lines, lambda entry: entry.qty))"
        )
        number = f"({column})::DOUBLE"
        return f"CASE WHEN {number} BETWEEN 1 AND 500 AND {number} = floor({number}) THEN {number}::INTEGER END"

    def grams(self):
        if "weight" not in self.named:
            return "NULL::DOUBLE"
        column = self.named["weight"]
        if self.is_text("weight"):
            trimmed = f"trim({column})"
            return f"""CASE WHEN regexp_full_match({trimmed}, '[0-9]+(\\.[0-9]+)?[ \\x{{00a0}}](kg|g)') THEN
                regexp_extract({trimmed}, '^[0-9.]+')::DOUBLE
                * CASE WHEN suffix({trimmed}, 'kg') THEN 1000 ELSE 1 END END"""
        unit = self.named.get("weight_unit")
        factor = f"CASE WHEN {unit} = 'kg' THEN 1000 ELSE 1 END" if unit else "1"
        return f"CASE WHEN isfinite({column}) AND {column} NOT IN (-1, 9999999) THEN {column} * {factor} END"

    def order_number(self):
        blanks = text(" \t\u00a0")
        return (
            f"lpad(ltrim(regexp_replace(trim({self.named['order_no']}, {blanks}), '^(ord-|#)', '', 'i'), '0'), 7, '0')"
        )

    def create_parsed(self):
        """Everything that decides about quarantine, and what becomes of each column."""
        sku = self.named.get("sku") or "lines[1].sku"
        city = "cities.clean" if "city" in self.named else "NULL::VARCHAR"
        city_join = f"LEFT JOIN city_map cities ON cities.raw = {self.named['city']}" if "city" in self.named else ""
        return f"""
        CREATE TEMP TABLE parsed AS
        SELECT *, CASE
            WHEN ts_utc IS NULL OR ts_utc < TIMESTAMPTZ '2024-01-01 00:00:00+00'
                 OR ts_utc >= TIMESTAMPTZ '2026-01-01 00:00:00+00' THEN 'bad_date'
            WHEN cents IS NULL OR cents NOT BETWEEN 1 AND 2000000 THEN 'bad_amount'
            WHEN qty IS NULL THEN 'bad_qty'
            WHEN NOT known THEN 'unknown_customer' END AS reason
        FROM (
            SELECT {self.number}::BIGINT * 4294967296 + file_row_number AS rid, file_row_number AS source_row,
                   {self.order_number()} AS order_no, ingested_at, {self.timestamp()} AS ts_utc,
                   {self.amount_in_cents()} AS cents, {self.named.get('currency', text(HOME[self.shop]))} AS currency,
                   {self.quantity()} AS qty, {self.grams()} AS weight_g, states.clean AS status, {city} AS city,
                   coalesce(skus.clean, {sku}) AS sku, source.{self.named['customer_id']} AS customer_id,
                   customers.known_id IS NOT NULL AS known
            FROM {self.reader} AS source
            LEFT JOIN status_map states ON states.raw = {self.named['status']}
            {city_join}
            LEFT JOIN skus ON skus.raw = {sku}
            LEFT JOIN customers ON customers.known_id = source.{self.named['customer_id']}
        )"""

    def insert_staging(self):
        return f"""
        INSERT INTO staging
        SELECT rid, {SHOPS[self.shop]} * 10000000 + order_no::BIGINT, ingested_at, {self.number}, source_row,
               {text(self.shop)}, order_no, ts_utc, cents, currency, qty, weight_g, status, city, sku, customer_id
        FROM parsed WHERE reason IS NULL"""

    def insert_rejected(self):
        """Only rejected rows are written out as JSON; numbers as text, because NaN is no JSON."""
        raw = ", ".join(f"{text(name)}: {quoted(name)}::VARCHAR" for name in self.schema.names)
        return f"""
        INSERT INTO rejected
        SELECT {self.number}, source_row, reason, to_json({{{raw}}})
        FROM {self.reader} JOIN (SELECT source_row, reason FROM parsed WHERE reason IS NOT NULL)
             ON source_row = file_row_number"""
