//! screenerd: a self-hosted screener service, gRPC first.
//!
//! The map, in reading order: what is true ([`domain`]), where it is kept ([`store`]), what can be
//! done ([`app`]), how it is asked for ([`grpc`], [`connect`], [`rest`], [`pages`]), how rows come in
//! ([`transfer`]), what carries it all ([`net`]), and what puts it together ([`serve`], [`cli`]). Two
//! leaves keep the process strong in company: [`lane`] has threads for long work, [`budget`] counts
//! bytes that are held for peers. All transports read with [`header`] and [`receive`].

pub mod app;
pub mod budget;
pub mod cli;
pub mod client;
pub mod config;
pub mod connect;
pub mod domain;
pub mod grpc;
pub mod header;
pub mod lane;
pub mod net;
pub mod pages;
pub mod pb;
pub mod receive;
pub mod rest;
pub mod serve;
pub mod store;
pub mod transfer;

/// The allocator of every program here, of the benchmarks' bare servers as well.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
