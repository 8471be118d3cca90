"""What every row of the suite uses: servers, clients, measurements, and the table."""
