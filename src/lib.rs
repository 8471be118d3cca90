//! screenerd: a self-hosted screener service, gRPC first.

pub mod app;
pub mod domain;
pub mod grpc;
pub mod net;
pub mod pages;
pub mod pb;
pub mod rest;
pub mod store;
pub mod transfer;
