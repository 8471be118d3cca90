//! The end of a credential: it expires, or the operator revokes it. From then on every call rejects
//! it like a credential that never existed.

use screenerd::app::{NewKey, Operator};
use screenerd::domain::credential::CredentialKind;
use screenerd::domain::id::{CredentialId, TenantId};
use tonic::Code;

use super::{Opens, ROUTES, RPCS, call};
use crate::support::Server;
use crate::support::account::good;

/// The lifetime of the credentials in these tests.
const LIFETIME_SECONDS: i64 = 60;

/// Creates a credential and returns its id and its headers.
async fn create(server: &Server, kind: CredentialKind) -> (CredentialId, Vec<(String, String)>) {
    let tenant = good(TenantId::parse("acct_123"));
    let new = NewKey::new(tenant, kind, vec![], Some(LIFETIME_SECONDS)).expect("well-formed");
    let created = server.running.app().create_key(&Operator::trusted(), new).await;
    let (credential, secret) = created.expect("it is created");
    let id = credential.id.to_string();
    let headers = match kind {
        CredentialKind::Spot => vec![("x-spot-api-key", id), ("x-spot-api-secret", secret)],
        CredentialKind::Respondent => vec![("x-api-key", id), ("x-api-secret", secret)],
        CredentialKind::Panel => vec![("x-api-key", secret)],
        CredentialKind::Service => vec![("authorization", format!("Bearer {secret}"))],
    };
    let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value));
    (credential.id, headers.collect())
}

/// Returns the kind of call that a credential of this kind opens.
fn opened_by(kind: CredentialKind) -> Opens {
    match kind {
        CredentialKind::Spot => Opens::Spot,
        CredentialKind::Respondent => Opens::Respondent,
        CredentialKind::Panel => Opens::Panel,
        CredentialKind::Service => Opens::Service,
    }
}

/// Makes every call that the credential opens, over gRPC, Connect and REST. Asserts that each is
/// accepted while the credential is live and refused afterwards.
async fn every_call(
    server: &Server,
    kind: CredentialKind,
    headers: &[(&str, &str)],
    is_live: bool,
) {
    let opens = opened_by(kind);
    for (path, _) in RPCS.iter().filter(|(_, it)| *it == opens) {
        let status = call(server, path, headers).await;
        assert_eq!(status.code() != Code::Unauthenticated, is_live, "{path}: {status:?}");
        let json = [headers, &[("content-type", "application/json")]].concat();
        let reply = server.send_body("POST", &format!("/{path}"), &json, Some("{}")).await;
        // A streaming method requires another content type.
        if reply.status != 415 {
            assert_eq!(reply.status != 401, is_live, "Connect {path}: {reply:?}");
            assert_eq!(reply.json()["code"] != "unauthenticated", is_live, "{path}: {reply:?}");
        }
    }
    for (method, path, _) in ROUTES.iter().filter(|(_, _, it)| *it == opens) {
        let reply = server.send(method, path, headers).await;
        assert_eq!(reply.status != 401, is_live, "{method} {path}: {reply:?}");
        assert_eq!(reply.header("www-authenticate").is_none(), is_live, "{method} {path}");
    }
}

#[tokio::test]
async fn a_credential_works_until_the_instant_of_its_expiry_and_not_at_it() {
    for kind in CredentialKind::ALL {
        let server = Server::demo().await;
        let (_, headers) = create(&server, *kind).await;
        let headers: Vec<_> = headers.iter().map(|(name, it)| (&name[..], &it[..])).collect();
        server.clock.advance_seconds(LIFETIME_SECONDS);
        server.clock.advance_micros(-1);
        every_call(&server, *kind, &headers, true).await;
        // The server has just looked up the credential and must not serve it from its cache.
        server.clock.advance_micros(1);
        every_call(&server, *kind, &headers, false).await;
        server.clock.advance_seconds(3600);
        every_call(&server, *kind, &headers, false).await;
        server.stop().await;
    }
}

#[tokio::test]
async fn a_revoked_credential_is_refused_from_the_next_call_on() {
    for kind in CredentialKind::ALL {
        let server = Server::demo().await;
        let (id, headers) = create(&server, *kind).await;
        let headers: Vec<_> = headers.iter().map(|(name, it)| (&name[..], &it[..])).collect();
        every_call(&server, *kind, &headers, true).await;
        let revoked = server.running.app().revoke_key(&Operator::trusted(), id).await;
        revoked.expect("it is revoked");
        every_call(&server, *kind, &headers, false).await;
        server.stop().await;
    }
}
