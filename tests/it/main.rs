//! Integration tests.

mod access;
mod cli;
mod concurrency;
mod documents;
mod pages;
mod parity;
mod support;
mod transport;
