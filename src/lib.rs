//! screenerd: a self-hosted screener service, gRPC first.
//!
//! The modules in reading order: rules ([`domain`]), database ([`store`]), use cases ([`app`]),
//! transports ([`grpc`], [`connect`], [`rest`], [`pages`]), imports and exports ([`transfer`]),
//! network ([`net`]), metrics ([`meter`]), composition ([`serve`], [`cli`]). Two modules keep the server responsive
//! under load: [`lane`] runs long work on its own threads, [`budget`] limits the bytes buffered for
//! peers. All transports read requests with [`header`] and [`receive`].

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
pub mod meter;
pub mod net;
pub mod pages;
pub mod pb;
pub mod receive;
pub mod rest;
pub mod serve;
pub mod store;
pub mod transfer;

/// The allocator of every program here, including the minimal servers of the benchmarks.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
