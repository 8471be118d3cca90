//! The generated contract. The only file that silences lints: the code below is not ours.

#![expect(
    clippy::pedantic,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::doc_lazy_continuation,
    reason = "generated code; the contract in proto/ is where it is documented"
)]

/// The encoded descriptor set of the whole contract, google.rpc included.
pub const DESCRIPTOR: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptor.binpb"));

/// `screener.v1`
pub mod screener {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("screener.v1");
    }
}
