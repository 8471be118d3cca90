//! Authorization: every RPC of the contract and every REST route, called with every credential.

mod body;
mod ended;
mod fields;

use std::collections::BTreeSet;

use bytes::Bytes;
use http::uri::PathAndQuery;
use prost::Message as _;
use screenerd::app::Operator;
use screenerd::pb::DESCRIPTOR;
use screenerd::transfer;
use tonic_types::StatusExt as _;

use crate::support::calls::request;
use crate::support::{PANEL, RESPONDENT, SERVICE, SPOT, Server};

/// The kind of credential that opens a call, in addition to a service token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opens {
    Spot,
    Respondent,
    Panel,
    /// A panelist key or a session link, and no other credential.
    Panelist,
    /// Service tokens only. No REST dialect has this call.
    Service,
    /// No credential is required.
    Everybody,
    /// The public address does not serve this call.
    Nobody,
}

/// One row for each RPC.
const RPCS: &[(&str, Opens)] = &[
    ("screener.v1.ScreenerSessionService/ListScreenerSessions", Opens::Spot),
    ("screener.v1.ScreenerSessionService/GetScreenerSession", Opens::Spot),
    ("screener.v1.ScreenerSessionService/RemoveScreenerSession", Opens::Spot),
    ("screener.v1.ScreenerSessionService/CreateScreenerSession", Opens::Spot),
    ("screener.v1.ScreenerSessionService/BatchCreateScreenerSessions", Opens::Spot),
    ("screener.v1.ScreenerSessionService/ArchiveScreenerSession", Opens::Spot),
    ("screener.v1.ScreenerSessionService/RestoreScreenerSession", Opens::Spot),
    ("screener.v1.ScreenerResponseService/ListScreenerResponses", Opens::Spot),
    ("screener.v1.ScreenerResponseService/ListEarlierResponses", Opens::Spot),
    ("screener.v1.ScreenerResponseService/ExportScreenerResponses", Opens::Spot),
    ("screener.v1.SubmissionService/GetSubmission", Opens::Respondent),
    ("screener.v1.SubmissionService/ListSubmissions", Opens::Respondent),
    ("screener.v1.SubmissionService/ExplainSubmission", Opens::Respondent),
    ("screener.v1.SubmissionService/RejectSubmission", Opens::Respondent),
    ("screener.v1.SubmissionService/QualifySubmission", Opens::Respondent),
    ("screener.v1.SubmissionService/DisqualifySubmission", Opens::Respondent),
    ("screener.v1.SubmissionService/InviteSubmission", Opens::Respondent),
    ("screener.v1.SubmissionService/CancelSubmissionInvite", Opens::Respondent),
    ("screener.v1.SubmissionService/ScheduleSubmission", Opens::Respondent),
    ("screener.v1.SubmissionService/CancelSubmissionBooking", Opens::Respondent),
    ("screener.v1.SubmissionService/ReinviteSubmission", Opens::Respondent),
    ("screener.v1.SubmissionService/CancelSubmissionBookingByParticipant", Opens::Respondent),
    ("screener.v1.SubmissionService/MarkSubmissionAttended", Opens::Respondent),
    ("screener.v1.SubmissionService/MarkSubmissionNoShow", Opens::Respondent),
    ("screener.v1.SubmissionService/MarkSubmissionPaid", Opens::Respondent),
    ("screener.v1.SubmissionService/HideSubmission", Opens::Respondent),
    ("screener.v1.SubmissionService/UnhideSubmission", Opens::Respondent),
    ("screener.v1.SubmissionService/FavoriteSubmission", Opens::Respondent),
    ("screener.v1.SubmissionService/ReportSubmission", Opens::Respondent),
    ("screener.v1.SubmissionService/SetSubmissionVisibility", Opens::Respondent),
    ("screener.v1.SubmissionService/BatchRejectSubmissions", Opens::Respondent),
    ("screener.v1.SubmissionService/BatchQualifySubmissions", Opens::Respondent),
    ("screener.v1.PanelistService/GetPanelistAccess", Opens::Panel),
    ("screener.v1.PanelistSessionService/GetQuestionnaire", Opens::Panelist),
    ("screener.v1.PanelistSessionService/SubmitAnswers", Opens::Panelist),
    ("screener.v1.PanelistSessionService/Dismiss", Opens::Panelist),
    ("screener.v1.ProjectService/CreateProject", Opens::Service),
    ("screener.v1.ProjectService/GetProject", Opens::Service),
    ("screener.v1.ProjectService/ListProjects", Opens::Service),
    ("screener.v1.ProjectService/UpdateProject", Opens::Service),
    ("screener.v1.ScreenerService/CreateScreener", Opens::Service),
    ("screener.v1.ScreenerService/GetScreener", Opens::Service),
    ("screener.v1.ScreenerService/ListScreeners", Opens::Service),
    ("screener.v1.ScreenerService/UpdateScreener", Opens::Service),
    ("screener.v1.ScreenerService/UpdateDraft", Opens::Service),
    ("screener.v1.ScreenerService/DiscardDraft", Opens::Service),
    ("screener.v1.ScreenerService/ValidateDraft", Opens::Service),
    ("screener.v1.ScreenerService/PublishScreener", Opens::Service),
    ("screener.v1.ScreenerService/CloseScreener", Opens::Service),
    ("screener.v1.ScreenerService/ReopenScreener", Opens::Service),
    ("screener.v1.ScreenerService/GetPublication", Opens::Service),
    ("screener.v1.ScreenerService/ListPublications", Opens::Service),
    ("screener.v1.ParticipantService/CreateParticipant", Opens::Service),
    ("screener.v1.ParticipantService/GetParticipant", Opens::Service),
    ("screener.v1.ParticipantService/GetScreenerParticipant", Opens::Service),
    ("screener.v1.ParticipantService/ListParticipants", Opens::Service),
    ("screener.v1.ParticipantService/UpdateParticipant", Opens::Service),
    ("screener.v1.ParticipantService/SetIdVerification", Opens::Service),
    ("screener.v1.FunnelService/GetFunnel", Opens::Service),
    ("screener.v1.LookService/GetLook", Opens::Service),
    ("screener.v1.LookService/SetLook", Opens::Service),
    ("screener.v1.HistoryService/ListChanges", Opens::Service),
    ("screener.v1.AdminService/CreateTenant", Opens::Nobody),
    ("screener.v1.AdminService/SetTenantDisabled", Opens::Nobody),
    ("screener.v1.AdminService/ListTenants", Opens::Nobody),
    ("screener.v1.AdminService/CreateKey", Opens::Nobody),
    ("screener.v1.AdminService/ListKeys", Opens::Nobody),
    ("screener.v1.AdminService/RevokeKey", Opens::Nobody),
    ("screener.v1.AdminService/Import", Opens::Nobody),
    ("screener.v1.AdminService/Export", Opens::Nobody),
];

/// One row for each REST route. No tenant owns a resource at these paths, so an authorized call
/// returns 400 or 404 and changes nothing.
const ROUTES: &[(&str, &str, Opens)] = &[
    ("GET", "/screener-sessions", Opens::Spot),
    ("GET", "/screener-sessions/nobody", Opens::Spot),
    ("DELETE", "/screener-sessions/nobody", Opens::Spot),
    ("GET", "/screener-responses", Opens::Spot),
    ("GET", "/v1/projects/nothing/screener-responses", Opens::Respondent),
    ("GET", "/v1/projects/nothing/screener-responses/nobody", Opens::Respondent),
    ("PATCH", "/v1/projects/nothing/screener-responses/nobody/reject", Opens::Respondent),
    ("PATCH", "/v1/projects/nothing/screener-responses/nobody/qualify", Opens::Respondent),
    ("PATCH", "/v1/projects/nothing/screener-responses/nobody/disqualify", Opens::Respondent),
    ("PATCH", "/v1/projects/nothing/screener-responses/nobody/invite", Opens::Respondent),
    ("PATCH", "/v1/projects/nothing/screener-responses/nobody/cancel-invite", Opens::Respondent),
    ("PATCH", "/v1/projects/nothing/screener-responses/nobody/schedule", Opens::Respondent),
    ("PATCH", "/v1/projects/nothing/screener-responses/nobody/cancel-booking", Opens::Respondent),
    (
        "PATCH",
        "/v1/projects/nothing/screener-responses/nobody/cancel-booking-reinvite",
        Opens::Respondent,
    ),
    (
        "PATCH",
        "/v1/projects/nothing/screener-responses/nobody/participant-cancel-booking",
        Opens::Respondent,
    ),
    ("POST", "/v1/projects/nothing/screener-responses/nobody/payouts", Opens::Respondent),
    ("PATCH", "/v1/projects/nothing/screener-responses/nobody/attended", Opens::Respondent),
    ("PATCH", "/v1/projects/nothing/screener-responses/nobody/no-show", Opens::Respondent),
    ("PATCH", "/v1/projects/nothing/screener-responses/nobody/hide", Opens::Respondent),
    ("PATCH", "/v1/projects/nothing/screener-responses/nobody/unhide", Opens::Respondent),
    ("PATCH", "/v1/projects/nothing/screener-responses/nobody/favorite", Opens::Respondent),
    ("PATCH", "/v1/projects/nothing/screener-responses/nobody/report", Opens::Respondent),
    ("GET", "/tenant/surveys/nothing/panelists/nobody", Opens::Panel),
    ("GET", "/public/surveys/", Opens::Panelist),
    ("POST", "/public/surveys/", Opens::Panelist),
    ("POST", "/public/surveys/dismiss/", Opens::Panelist),
    ("GET", "/livez", Opens::Everybody),
    ("GET", "/readyz", Opens::Everybody),
    ("GET", "/descriptor.binpb", Opens::Everybody),
    ("GET", "/openapi.json", Opens::Everybody),
    ("GET", "/screeners/scr_123/nobody", Opens::Everybody),
    ("GET", "/s/nobody", Opens::Everybody),
    ("GET", "/app/panelist/vote/", Opens::Everybody),
    ("GET", "/s", Opens::Everybody),
    ("GET", "/s/", Opens::Everybody),
    ("GET", "/s/nobody/", Opens::Everybody),
    ("GET", "/s/nobody/x", Opens::Everybody),
    ("GET", "/screeners", Opens::Everybody),
    ("GET", "/screeners/", Opens::Everybody),
    ("GET", "/screeners/scr_123", Opens::Everybody),
    ("GET", "/screeners/scr_123/", Opens::Everybody),
    ("GET", "/screeners/scr_123/nobody/", Opens::Everybody),
    ("GET", "/screeners/scr_123/nobody/x", Opens::Everybody),
    ("GET", "/app", Opens::Everybody),
    ("GET", "/app/", Opens::Everybody),
    ("GET", "/app/x", Opens::Everybody),
    ("GET", "/assets/nothing", Opens::Everybody),
    ("GET", "/look/nothing", Opens::Everybody),
    ("POST", "/screeners/scr_123/nobody", Opens::Everybody),
    ("POST", "/s/nobody", Opens::Everybody),
    ("POST", "/app/panelist/vote/", Opens::Everybody),
];

/// The expected outcome of a call with some credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    LetIn,
    Unauthorized,
    Forbidden,
}

type Headers = Vec<(&'static str, &'static str)>;

/// Returns every credential to try, with the outcome where this kind opens the call.
fn attempts(opens: Opens) -> Vec<(&'static str, Headers, Verdict)> {
    use Verdict::{Forbidden, LetIn, Unauthorized};
    let (own, others, wrong): (Headers, Vec<Headers>, Headers) = match opens {
        Opens::Spot => (
            SPOT.to_vec(),
            vec![RESPONDENT.to_vec(), PANEL.to_vec()],
            vec![("x-spot-api-key", "acct_123"), ("x-spot-api-secret", "sk_live_wrong")],
        ),
        Opens::Respondent => (
            RESPONDENT.to_vec(),
            vec![SPOT.to_vec(), PANEL.to_vec()],
            vec![("x-api-key", "respondent_123"), ("x-api-secret", "wrong")],
        ),
        Opens::Panel => (
            PANEL.to_vec(),
            vec![SPOT.to_vec(), RESPONDENT.to_vec()],
            vec![("x-api-key", "vtt_wrong")],
        ),
        Opens::Service => (
            SERVICE.to_vec(),
            vec![SPOT.to_vec(), RESPONDENT.to_vec(), PANEL.to_vec()],
            vec![("authorization", "Bearer sk_live_abcd")],
        ),
        Opens::Panelist => return panelist_attempts(),
        Opens::Everybody => return vec![("no credential", vec![], LetIn)],
        Opens::Nobody => return vec![],
    };
    let [disabled, scopeless] = strangers(opens);
    let mut two_kinds = own.clone();
    two_kinds.extend(if opens == Opens::Service { SPOT } else { SERVICE });
    let mut twice = own.clone();
    twice.push(own[0]);
    let mut attempts = vec![
        ("no credential", vec![], Unauthorized),
        ("a wrong secret", wrong, Unauthorized),
        ("two kinds at once", two_kinds, Unauthorized),
        ("a header twice", twice, Unauthorized),
        ("a wrong bearer", vec![("authorization", "Bearer sdk_wrong")], Unauthorized),
        ("another scheme", vec![("authorization", "Basic c2RrX2RlbW8=")], Unauthorized),
        ("a public key id as a token", vec![("x-api-key", "acct_123")], Unauthorized),
        ("a disabled tenant", disabled, Forbidden),
        ("a disabled tenant's service token", vec![("authorization", "Bearer sdk_off")], Forbidden),
        ("without the scope", scopeless, Forbidden),
        ("a service token without it", vec![("authorization", "Bearer sdk_none")], Forbidden),
        ("its own kind", own.clone(), LetIn),
        ("a service token", SERVICE.to_vec(), LetIn),
    ];
    attempts.extend(others.into_iter().map(|headers| ("another kind", headers, Unauthorized)));
    // Only a key pair can be incomplete. A token is a single header.
    if own.len() == 2 {
        attempts.push(("half a pair", own[1..].to_vec(), Unauthorized));
    }
    attempts
}

/// Returns the credentials of a participant. The example data marks its links as trusted.
fn panelist_attempts() -> Vec<(&'static str, Headers, Verdict)> {
    use Verdict::{LetIn, Unauthorized};
    const LINK: (&str, &str) =
        ("authorization", "https://screener.example/screeners/scr_123/scses_789");
    vec![
        ("no credential", vec![], Unauthorized),
        ("a service token", SERVICE.to_vec(), Unauthorized),
        ("another kind", PANEL.to_vec(), Unauthorized),
        ("a forged key", vec![("authorization", "abc123:xyz789")], Unauthorized),
        ("an unknown slug", vec![("authorization", "/s/nobody")], Unauthorized),
        ("a session's link", vec![LINK], LetIn),
        ("a header twice", vec![LINK, LINK], Unauthorized),
        ("two kinds at once", vec![LINK, PANEL[0]], Unauthorized),
    ]
}

/// Returns two valid credentials of this kind: of a disabled tenant, and without any scope.
fn strangers(opens: Opens) -> [Headers; 2] {
    match opens {
        Opens::Spot => [
            vec![("x-spot-api-key", "acct_disabled"), ("x-spot-api-secret", "sk_live_disabled")],
            vec![("x-spot-api-key", "spot_none"), ("x-spot-api-secret", "sk_live_none")],
        ],
        Opens::Respondent => [
            vec![("x-api-key", "respondent_off"), ("x-api-secret", "rsk_off")],
            vec![("x-api-key", "respondent_none"), ("x-api-secret", "rsk_none")],
        ],
        Opens::Panel => [vec![("x-api-key", "vtt_off")], vec![("x-api-key", "vtt_no_panel_scope")]],
        Opens::Service => {
            [vec![("authorization", "Bearer sdk_off")], vec![("authorization", "Bearer sdk_none")]]
        }
        Opens::Panelist | Opens::Everybody | Opens::Nobody => [vec![], vec![]],
    }
}

/// Starts a server on the example data and the credentials of [`strangers`] that it lacks.
async fn server_with_strangers() -> Server {
    let server = Server::demo().await;
    let mut file = String::from("{\"format\": \"screenerd-import\", \"version\": 1}\n");
    for (tenant, id, kind, secret, is_scopeless) in [
        ("acct_123", "spot_none", "spot", "sk_live_none", true),
        ("acct_123", "respondent_none", "respondent", "rsk_none", true),
        ("acct_123", "service_none", "service", "sdk_none", true),
        ("acct_disabled", "respondent_off", "respondent", "rsk_off", false),
        ("acct_disabled", "panel_off", "panel", "vtt_off", false),
        ("acct_disabled", "service_off", "service", "sdk_off", false),
    ] {
        let record = serde_json::json!({
            "type": "credential", "tenant": tenant, "id": id, "kind": kind, "secret": secret,
            "scopes": is_scopeless.then(Vec::<String>::new), "createdAt": "2024-05-01T12:00:00Z",
        });
        file.push_str(&record.to_string());
        file.push('\n');
    }
    let reader = std::io::Cursor::new(file);
    transfer::import_lines(server.running.app(), &Operator::trusted(), reader, false)
        .await
        .expect("it imports");
    server
}

/// Calls an RPC by its path with an empty message and returns its status.
async fn call(server: &Server, path: &str, headers: &[(&str, &str)]) -> tonic::Status {
    let mut grpc = tonic::client::Grpc::new(server.channel().await);
    grpc.ready().await.expect("the channel is ready");
    let path = PathAndQuery::try_from(format!("/{path}")).expect("a path");
    let codec = tonic_prost::ProstCodec::<(), ()>::default();
    let answer = grpc.unary(request((), headers), path, codec).await;
    answer.err().unwrap_or_else(|| tonic::Status::ok(""))
}

#[tokio::test]
async fn every_rpc_takes_its_own_kind_of_credential_and_service_tokens_only() {
    let server = server_with_strangers().await;
    for (path, opens) in RPCS {
        for (name, headers, verdict) in attempts(*opens) {
            let status = call(&server, path, &headers).await;
            let code = status.code();
            let received = if code == tonic::Code::Unauthenticated {
                Verdict::Unauthorized
            } else if code == tonic::Code::PermissionDenied {
                Verdict::Forbidden
            } else {
                use tonic::Code::{InvalidArgument, NotFound, Ok};
                assert!(
                    [Ok, InvalidArgument, NotFound].contains(&code),
                    "{path}, {name}: {code:?}"
                );
                Verdict::LetIn
            };
            assert_eq!(received, verdict, "{path}, {name}");
        }
        if *opens == Opens::Nobody {
            let status = call(&server, path, SERVICE).await;
            assert_eq!(status.code(), tonic::Code::Unimplemented, "{path}");
            let reason = status.get_details_error_info().map(|info| info.reason);
            assert_eq!(reason.as_deref(), Some("NOT_FOUND"), "{path}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn every_route_takes_its_own_kind_of_credential_and_service_tokens_only() {
    let server = server_with_strangers().await;
    for (method, path, opens) in ROUTES {
        for (name, headers, verdict) in attempts(*opens) {
            let reply = server.send(method, path, &headers).await;
            let received = match reply.status {
                401 => Verdict::Unauthorized,
                403 => Verdict::Forbidden,
                200 | 308 | 400 | 404 => Verdict::LetIn,
                status => panic!("{method} {path}, {name}: {status}"),
            };
            assert_eq!(received, verdict, "{method} {path}, {name}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn a_credential_without_the_scope_is_forbidden_but_still_works_for_the_rest() {
    let server = Server::demo().await;
    let readonly =
        [("x-spot-api-key", "acct_123_readonly"), ("x-spot-api-secret", "sk_live_readonly")];
    let path = "/screener-sessions/scses_791";
    assert_eq!(server.send("GET", path, &readonly).await.status, 200);
    let refused = server.send("DELETE", path, &readonly).await;
    assert_eq!(refused.status, 403);
    assert_eq!(refused.json()["error"], "forbidden");
    assert!(refused.json()["detail"].as_str().expect("a sentence").contains("sessions:write"));
    let rpc = "screener.v1.ScreenerSessionService/RemoveScreenerSession";
    let status = call(&server, rpc, &readonly).await;
    assert_eq!(status.code(), tonic::Code::PermissionDenied);
    server.stop().await;
}

#[tokio::test]
async fn another_tenant_s_credential_sees_nothing_of_this_one() {
    let server = Server::demo().await;
    let spot = [("x-spot-api-key", "acct_999"), ("x-spot-api-secret", "sk_live_wxyz")];
    let respondent = [("x-api-key", "respondent_999"), ("x-api-secret", "respondent_secret_999")];
    let panel = [("x-api-key", "vtt_other_tenant")];
    let bearer = [("authorization", "Bearer sdk_demo_acct_999")];
    for credential in [&spot[..], &bearer[..]] {
        let list = server.send("GET", "/screener-sessions", credential).await.json();
        assert_eq!(list["total"], 1);
        assert_eq!(list["items"][0]["id"], "scses_999");
        for method in ["GET", "DELETE"] {
            let reply = server.send(method, "/screener-sessions/scses_789", credential).await;
            assert_eq!(reply.status, 404);
        }
    }
    let path = "/v1/projects/proj_123/screener-responses/scses_789/reject";
    assert_eq!(server.send("PATCH", path, &respondent).await.status, 404);
    let path = "/tenant/surveys/survey-123/panelists/customer-456";
    let reply = server.send("GET", path, &panel).await;
    assert_eq!((reply.status, &reply.json()["error"]), (404, &"survey_not_found".into()));
    server.stop().await;
}

#[tokio::test]
async fn authentication_comes_before_validation_and_an_unknown_route_before_authentication() {
    let server = Server::demo().await;
    for path in ["/screener-sessions?nonsense=1", "/screener-sessions/nobody?x=1"] {
        let refused = server.send("GET", path, &[]).await;
        assert_eq!(refused.status, 401, "{path}");
        assert!(refused.header("www-authenticate").is_some());
        let detail = refused.json()["detail"].as_str().expect("a sentence").to_owned();
        assert!(detail.contains("X-Spot-Api-Key"), "{detail}");
        assert_ne!(server.send("GET", path, SPOT).await.status, 401);
    }
    assert_eq!(server.send("GET", "/nowhere", &[]).await.status, 404);
    server.stop().await;
}

#[test]
fn every_rpc_of_the_contract_has_a_row() {
    let descriptors =
        prost_types::FileDescriptorSet::decode(Bytes::from_static(DESCRIPTOR)).expect("it decodes");
    let mut contract = BTreeSet::new();
    for file in &descriptors.file {
        for service in &file.service {
            for method in &service.method {
                let package = file.package();
                contract.insert(format!("{package}.{}/{}", service.name(), method.name()));
            }
        }
    }
    let rows: BTreeSet<String> = RPCS.iter().map(|(path, _)| (*path).to_owned()).collect();
    assert_eq!(rows, contract);
}

/// Returns the string literals of a source, before its unit tests, that are paths.
fn paths_in(source: &str) -> BTreeSet<String> {
    let code = source.split("#[cfg(test)]").next().unwrap_or_default();
    let texts = code.split('"').skip(1).step_by(2);
    texts.filter(|text| text.len() > 1 && text.starts_with('/')).map(str::to_owned).collect()
}

/// Whether a path matches a route template.
fn fits(path: &str, template: &str) -> bool {
    let (own, segments): (Vec<_>, Vec<_>) =
        (path.split('/').collect(), template.split('/').collect());
    let fits = |(own, it): (&&str, &&str)| it.starts_with('{') || own == it;
    own.len() == segments.len() && own.iter().zip(&segments).all(fits)
}

#[test]
fn every_page_has_a_row() {
    let mut routes = BTreeSet::new();
    for entry in std::fs::read_dir("src/pages").expect("the folder") {
        let source = std::fs::read_to_string(entry.expect("an entry").path()).expect("a source");
        routes.extend(paths_in(&source));
    }
    assert!(routes.contains("/s/{slug}"), "the routes were found: {routes:?}");
    for route in routes {
        assert!(ROUTES.iter().any(|(_, path, _)| fits(path, &route)), "no row for {route}");
    }
}

#[tokio::test]
async fn every_operation_of_the_openapi_document_has_a_row_that_agrees() {
    let server = Server::demo().await;
    let document = server.send("GET", "/openapi.json", &[]).await.json();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("methods") {
            let mut rows = ROUTES.iter();
            let row = rows.find(|(own, it, _)| own.eq_ignore_ascii_case(method) && fits(it, path));
            let (_, _, opens) = row.unwrap_or_else(|| panic!("no row for {method} {path}"));
            let expected = match opens {
                Opens::Spot => "X-Spot-Api-Key",
                Opens::Respondent => "x-api-key",
                Opens::Panel => "X-API-Key",
                Opens::Panelist => "Authorization",
                Opens::Service | Opens::Everybody | Opens::Nobody => "none",
            };
            let schemes = operation["security"][0].as_object();
            let scheme = schemes.and_then(|schemes| schemes.keys().next());
            assert_eq!(scheme.map_or("none", String::as_str), expected, "{method} {path}");
        }
    }
    server.stop().await;
}
