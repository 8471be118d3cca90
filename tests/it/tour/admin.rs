//! The operator's calls: tenants, keys, imports and exports.

use data_encoding::BASE64;
use serde_json::{Value, json};

use super::authoring::history;
use super::guide::Tour;

async fn tenants_and_keys(tour: &mut Tour) {
    for message in [
        json!({ "id": "acct_new", "name": "New" }),
        json!({ "id": "acct_new", "name": "Again" }),
        json!({ "name": "Minted" }),
        json!({ "id": "", "name": "" }),
    ] {
        tour.admin("AdminService/CreateTenant", &[message]).await;
    }
    let mut minted = Vec::new();
    for message in [
        json!({ "tenantId": "acct_new", "kind": "CREDENTIAL_KIND_SPOT" }),
        json!({ "tenantId": "acct_new", "kind": "CREDENTIAL_KIND_RESPONDENT" }),
        json!({ "tenantId": "acct_new", "kind": "CREDENTIAL_KIND_PANEL", "expiresIn": "3600s" }),
        json!({ "tenantId": "acct_new", "kind": "CREDENTIAL_KIND_SERVICE",
            "scopes": ["sessions:read"] }),
        json!({ "tenantId": "acct_new", "kind": "CREDENTIAL_KIND_PANEL",
            "scopes": ["sessions:read", "none"], "expiresIn": "-1s" }),
        json!({ "tenantId": "none", "kind": "CREDENTIAL_KIND_SPOT" }),
        json!({}),
    ] {
        let answers = tour.admin("AdminService/CreateKey", &[message]).await;
        minted.extend(answers.iter().map(|it| it["credential"]["id"].clone()));
    }
    for tenant in ["acct_new", "acct_123", "none", ""] {
        tour.admin("AdminService/ListKeys", &[json!({ "tenantId": tenant })]).await;
    }
    for id in minted.into_iter().take(1).chain([json!("acct_123_readonly"), json!("none")]) {
        for _ in 0..2 {
            tour.wait(10);
            tour.admin("AdminService/RevokeKey", &[json!({ "id": id })]).await;
        }
    }
    let list = "ScreenerSessionService/ListScreenerSessions";
    tour.call(list, "readonly", json!({ "pagination": { "limit": 1 } })).await;
    for disabled in [true, true, false] {
        let message = json!({ "id": "acct_999", "disabled": disabled });
        tour.admin("AdminService/SetTenantDisabled", &[message]).await;
        tour.wait(10);
        tour.call(list, "stranger", json!({ "pagination": { "limit": 1 } })).await;
    }
    for message in [json!({ "id": "none", "disabled": true }), json!({})] {
        tour.admin("AdminService/SetTenantDisabled", &[message]).await;
    }
    tour.admin("AdminService/ListTenants", &[json!({})]).await;
}

/// Returns a file to import as the messages of its call.
fn file(lines: &[Value]) -> Vec<Value> {
    let lines: Vec<_> = lines.iter().map(ToString::to_string).collect();
    let file = lines.join("\n");
    let options = json!({ "trustLinks": true, "sizeBytes": file.len().to_string() });
    vec![json!({ "options": options }), json!({ "chunk": BASE64.encode(file.as_bytes()) })]
}

async fn imports(tour: &mut Tour) {
    let head = json!({ "format": "screenerd-import", "version": 1 });
    let project = json!({ "type": "project", "tenant": "acct_new", "id": "proj_i", "name": "I",
        "incentive": 1, "organizationId": "o", "teamId": "t" });
    let screener = json!({ "type": "screener", "tenant": "acct_new", "id": "scr_i",
        "projectId": "proj_i", "title": "I", "status": "DRAFT" });
    let renamed = json!({ "type": "project", "tenant": "acct_new", "id": "proj_i", "name": "J",
        "incentive": 1, "organizationId": "o", "teamId": "t" });
    let session = json!({ "type": "screenerSession", "tenant": "acct_123", "id": "scses_i" });
    let response = |question: &str, answer: Value| {
        json!({ "type": "screenerResponse", "tenant": "acct_123", "screenerSessionId": "scses_791",
            "screenerQuestionId": question, "answer": answer })
    };
    let files = [
        vec![head.clone(), project.clone(), screener.clone()],
        vec![head.clone(), project.clone(), screener],
        vec![head.clone(), renamed],
        vec![head.clone()],
        vec![project],
        vec![json!({ "format": "screenerd-import", "version": 2 })],
        vec![head.clone(), session],
        vec![head.clone(), json!({ "type": "none" }), json!(1)],
        vec![head.clone(), response("scq_years", json!(200))],
        vec![head.clone(), response("none", json!("x"))],
        vec![head, response("scq_role", json!("Analyst"))],
    ];
    for lines in files {
        tour.admin("AdminService/Import", &file(&lines)).await;
    }
    tour.admin("AdminService/Import", &[]).await;
    tour.admin("AdminService/Import", &[json!({})]).await;
}

async fn exports(tour: &mut Tour) {
    for format in ["NDJSON", "CSV", "PARQUET", "UNSPECIFIED"] {
        let format = format!("EXPORT_FORMAT_{format}");
        for message in [
            json!({ "tenantId": "acct_123", "format": format }),
            json!({ "tenantId": "acct_999", "format": format,
                "filter": { "screenerId": { "eq": "scr_999" } } }),
            json!({ "tenantId": "none", "format": format }),
            json!({ "format": format, "filter": { "screenerId": { "eq": "" } } }),
        ] {
            tour.admin("AdminService/Export", &[message]).await;
        }
    }
}

pub(super) async fn visit(tour: &mut Tour) {
    tenants_and_keys(tour).await;
    imports(tour).await;
    exports(tour).await;
    history(tour, &[("CREDENTIAL", "acct_123_readonly"), ("SESSION", "scses_791")]).await;
}
