//! Tests of PostgreSQL alone: failures, several servers on one database, and a comparison of both
//! engines. `cargo test postgres` runs these and every other test that needs a PostgreSQL server.

mod away;
mod engines;
mod extremes;
mod opening;
mod pairs;
mod replicas;
mod silent;
mod statements;
