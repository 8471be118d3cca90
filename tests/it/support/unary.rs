//! One call over gRPC, and its refusal.

use std::collections::HashMap;

use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// A refusal as a program reads it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Refused {
    pub(crate) reason: String,
    pub(crate) fields: Vec<String>,
    pub(crate) message: String,
    pub(crate) code: Code,
    pub(crate) metadata: HashMap<String, String>,
}

impl Refused {
    pub(crate) fn of(status: &Status) -> Self {
        let details = status.get_error_details();
        let info = details.error_info().unwrap_or_else(|| panic!("no ErrorInfo: {status:?}"));
        let violations = details.bad_request().into_iter().flat_map(|bad| &bad.field_violations);
        Self {
            reason: info.reason.clone(),
            fields: violations.map(|violation| violation.field.clone()).collect(),
            message: status.message().to_owned(),
            code: status.code(),
            metadata: info.metadata.clone(),
        }
    }

    /// Asserts the reason and the fields of the refusal.
    pub(crate) fn is(&self, reason: &str, fields: &[&str]) {
        assert_eq!(self.reason, reason, "{}", self.message);
        assert_eq!(self.fields, fields, "{}", self.message);
    }
}

/// Calls `Client.method(message)` with a credential. Returns the response or the refusal.
macro_rules! unary {
    ($server:expr, $credential:expr, $client:ident.$method:ident($message:expr)) => {{
        let mut client = $client::new($server.channel().await);
        let message = $crate::support::calls::request($message, $credential);
        let answer = client.$method(message).await.map(tonic::Response::into_inner);
        answer.map_err(|status| $crate::support::unary::Refused::of(&status))
    }};
}
pub(crate) use unary;
