//! The methods of the contract by their paths.

use std::collections::HashMap;

use prost_reflect::prost_types::MethodOptions;
use prost_reflect::prost_types::method_options::IdempotencyLevel;
use prost_reflect::{DescriptorPool, MessageDescriptor, MethodDescriptor};

use crate::pb::POOL;

/// One RPC.
#[derive(Clone)]
pub(super) struct Method {
    pub(super) input: MessageDescriptor,
    pub(super) output: MessageDescriptor,
    /// Whether the method has no side effects, so that clients may use GET.
    pub(super) is_safe: bool,
    /// Whether the method responds with a stream of messages.
    pub(super) is_streaming: bool,
}

/// The methods that clients can call.
pub(super) struct Schema {
    pub(super) pool: DescriptorPool,
    methods: HashMap<String, Method>,
}

impl Schema {
    /// Returns the methods of the contract and of the health service. Excludes RPCs with client
    /// streams, such as reflection.
    pub(super) fn contract() -> Self {
        let pool = POOL.clone();
        let methods = pool
            .services()
            .flat_map(|service| service.methods().collect::<Vec<_>>())
            .filter(|method| !method.is_client_streaming())
            .map(|method| {
                let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
                (path, Method::from(&method))
            })
            .collect();
        Self { pool, methods }
    }

    /// Returns the method of a path.
    pub(super) fn method(&self, path: &str) -> Option<&Method> {
        self.methods.get(path)
    }
}

impl From<&MethodDescriptor> for Method {
    fn from(method: &MethodDescriptor) -> Self {
        let options = method.method_descriptor_proto().options.as_ref();
        let level = options.map(MethodOptions::idempotency_level);
        Self {
            input: method.input(),
            output: method.output(),
            is_safe: level == Some(IdempotencyLevel::NoSideEffects),
            is_streaming: method.is_server_streaming(),
        }
    }
}
