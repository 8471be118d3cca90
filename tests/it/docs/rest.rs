//! The routes of `docs/rest.md`, generated from the OpenAPI document.

use serde_json::Value;

use super::compare_part;
use super::markdown::read;

/// Returns the kinds of credential that the header of a security scheme carries.
fn kind(header: &str) -> &'static str {
    match header {
        "X-Spot-Api-Key" => "spot, service",
        "x-api-key" => "respondent, service",
        "X-API-Key" => "panel, service",
        "Authorization" => "a panelist's key or a session's link",
        header => panic!("no kind of credential is known for {header}"),
    }
}

fn row(method: &str, path: &str, operation: &Value) -> String {
    let text = |name: &str| operation[name].as_str().unwrap_or_default();
    let schemes = operation["security"].as_array().into_iter().flatten();
    let headers = schemes.filter_map(|scheme| scheme.as_object()?.keys().next());
    let credential = headers.map(|header| kind(header)).next().unwrap_or("none");
    let scope = text("description").split("scope `").nth(1).and_then(|rest| rest.split('`').next());
    let scope = scope.map_or("–".to_owned(), |scope| format!("`{scope}`"));
    let summary = text("summary");
    format!("| `{} {path}` | {credential} | {scope} | {summary} |\n", method.to_uppercase())
}

#[test]
fn the_documented_routes_are_those_of_the_openapi_document() {
    let document: Value = serde_json::from_str(&read("docs/openapi.json")).expect("JSON");
    let mut table = "| route | credential | scope | |\n|---|---|---|---|\n".to_owned();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("methods") {
            table.push_str(&row(method, path, operation));
        }
    }
    compare_part("docs/rest.md", "routes", table.trim_end());
}
