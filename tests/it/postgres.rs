//! Tests of PostgreSQL alone: one that fails, several servers on one database, and both engines side
//! by side. `cargo test postgres` runs these and every other test that needs a PostgreSQL server.

mod away;
mod engines;
mod extremes;
mod opening;
mod pairs;
mod replicas;
mod statements;
