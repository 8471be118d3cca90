"""Whether DuckDB reads the same rows from a Parquet file as NDJSON has.

    parquet.py FILE.parquet FILE.ndjson
"""

import json
import sys

import duckdb


def row_of(item):
    """Returns an item of the list as a row with the answer in one of three columns, by its kind."""
    answer = item.pop("answer")
    kinds = {str: "answerText", int: "answerNumber", float: "answerNumber"}
    column = kinds.get(type(answer), "answerOptions")
    row = {**item, "answerText": None, "answerNumber": None, "answerOptions": None}
    if isinstance(answer, dict):
        answer = [answer]
    row[column] = answer
    return row


def read(path):
    """Returns the rows of a Parquet file, with options as JSON values."""
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
