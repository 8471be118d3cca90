//! screenerd: a self-hosted screener service, gRPC first.

pub mod net;
