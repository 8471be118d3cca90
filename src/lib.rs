//! screenerd: a self-hosted screener service, gRPC first.

pub mod app;
pub mod domain;
pub mod grpc;
pub mod net;
pub mod pb;
pub mod store;
