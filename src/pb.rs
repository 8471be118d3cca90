//! The generated contract. The only file that silences lints: the code below is not ours.

#![expect(
    clippy::pedantic,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::doc_lazy_continuation,
    reason = "generated code; the contract in proto/ is where it is documented"
)]

use std::sync::LazyLock;

use prost_reflect::DescriptorPool;

const COMPILED_IN: &str = "the descriptor sets are compiled in";

/// The contract, health and reflection, by their descriptors. They take some MiB of memory, so there is
/// one pool, which its readers share.
pub static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    let mut pool = DescriptorPool::decode(DESCRIPTOR).expect(COMPILED_IN);
    for set in [
        tonic_health::pb::FILE_DESCRIPTOR_SET,
        tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
        tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
    ] {
        pool.decode_file_descriptor_set(set).expect(COMPILED_IN);
    }
    pool
});

/// The encoded descriptor set of the whole contract, google.rpc included.
pub const DESCRIPTOR: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptor.binpb"));

/// `screener.v1`
pub mod screener {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("screener.v1");
    }
}
