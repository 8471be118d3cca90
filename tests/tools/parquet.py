"""Whether DuckDB reads from a Parquet file what NDJSON says.

    parquet.py FILE.parquet FILE.ndjson
"""

import json
import sys

import duckdb


def row_of(item):
    """An item of the list as a row: the answer stands in one of three columns, by its kind."""
    answer = item.pop("answer")
    kinds = {str: "answerText", int: "answerNumber", float: "answerNumber"}
    column = kinds.get(type(answer), "answerOptions")
    row = {**item, "answerText": None, "answerNumber": None, "answerOptions": None}
    if isinstance(answer, dict):
        answer = [answer]
    row[column] = answer
    return row


def read(path):
    """The rows of a Parquet file, options as JSON values."""
    table = duckdb.sql(f"SELECT * FROM read_parquet('{path}')")
    rows = [dict(zip(table.columns, row)) for row in table.fetchall()]
    for row in rows:
        if row["answerOptions"] is not None:
            row["answerOptions"] = json.loads(row["answerOptions"])
    return rows


if __name__ == "__main__":
    parquet, ndjson = sys.argv[1:]
    with open(ndjson, encoding="utf-8") as lines:
        expected = [row_of(json.loads(line)) for line in lines]
    came = read(parquet)
    if came != expected:
        differing = [pair for pair in zip(came, expected) if pair[0] != pair[1]]
        sys.exit(f"{len(came)} rows came, {len(expected)} were expected; first: {differing[:1]}")
    print(f"{len(came)} rows are equal")
