"""The tools of every row: servers, clients, measurements, and the table."""
