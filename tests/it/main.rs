//! Integration tests: one binary, so that it is linked once and shares its helpers.

mod access;
mod account;
mod answering;
mod backend;
mod change;
mod cli;
mod concurrency;
mod copy;
mod documents;
mod export;
mod flags;
mod lists;
mod pages;
mod parity;
mod participant;
mod project;
mod review;
mod schema;
mod screener;
mod session;
mod store;
mod support;
mod tidy;
mod transitions;
mod transport;
mod verdict;
