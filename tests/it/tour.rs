//! The tour: a script over every RPC, every REST route and every page, with a recording of each
//! response, byte for byte.
//!
//! The recordings are the files `tour/*.txt`, one for each chapter. A change without an effect on
//! responses leaves them as they are. For any other change, `UPDATE_DOCS=1 cargo test --test it
//! tour` shows the changed responses as a diff. Commit them with the reason.
//!
//! Clock, random numbers and keys belong to the test, so that new ids, links and times are
//! reproducible.

mod admin;
mod answering;
mod authoring;
mod gateway;
mod guide;
mod pages;
mod raw;
mod refusals;
mod review;
mod sessions;

use std::path::Path;

use prost_reflect::DescriptorPool;
use screenerd::pb::DESCRIPTOR;
use serde_json::Value;

use guide::Tour;

/// Declares each chapter as a test with servers and a recording of its own.
macro_rules! chapters {
    ($($name:ident: $test:ident;)*) => {
        const CHAPTERS: &[&str] = &[$(stringify!($name)),*];

        $(#[tokio::test]
        async fn $test() {
            let mut tour = Tour::begin(stringify!($name)).await;
            $name::visit(&mut tour).await;
            tour.end().await;
        })*
    };
}

chapters! {
    admin: the_operator_is_answered_as_recorded;
    answering: participants_are_answered_as_recorded;
    authoring: authors_are_answered_as_recorded;
    gateway: rest_is_answered_as_recorded;
    pages: pages_are_shown_as_recorded;
    refusals: refusals_are_as_recorded;
    review: researchers_are_answered_as_recorded;
    sessions: sessions_and_responses_are_answered_as_recorded;
}

/// Returns a text of the repository.
fn text(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns the titles of the recorded calls, and whether each succeeded.
fn recorded() -> Vec<(String, bool)> {
    let mut calls = Vec::new();
    for chapter in CHAPTERS {
        for entry in text(&format!("tests/it/tour/{chapter}.txt")).split("=== ").skip(1) {
            let title = entry.lines().next().unwrap_or_default().to_owned();
            let has = |line: &str| entry.lines().any(|it| it.starts_with(line));
            let is_http = has("http ");
            calls.push((title, if is_http { has("http 2") } else { has("grpc Ok") }));
        }
    }
    calls
}

#[test]
fn every_rpc_is_on_the_tour_with_a_success_and_a_refusal() {
    let calls = recorded();
    let pool = DescriptorPool::decode(DESCRIPTOR).expect("it decodes");
    let mut missing = Vec::new();
    for method in pool.services().flat_map(|it| it.methods().collect::<Vec<_>>()) {
        let rpc = format!("{}/{} ", method.parent_service().name(), method.name());
        for wanted in [true, false] {
            if !calls.iter().any(|(title, success)| title.starts_with(&rpc) && *success == wanted) {
                missing.push(format!("{rpc}with success: {wanted}"));
            }
        }
    }
    assert_eq!(missing, [""; 0]);
}

/// Whether the title of a call matches a route.
fn is_of(title: &str, method: &str, route: &str) -> bool {
    let call = title.split(" as ").next().unwrap_or_default();
    let Some(path) = call.strip_prefix(method).and_then(|rest| rest.strip_prefix(' ')) else {
        return false;
    };
    let path: Vec<_> = path.split('?').next().unwrap_or_default().split('/').collect();
    let route: Vec<_> = route.split('/').collect();
    path.len() == route.len()
        && path.iter().zip(&route).all(|(segment, name)| name.starts_with('{') || segment == name)
}

#[test]
fn every_route_and_page_is_on_the_tour_with_a_success() {
    let calls = recorded();
    let document: Value = serde_json::from_str(&text("docs/openapi.json")).expect("JSON");
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for method in item.as_object().expect("methods").keys() {
            routes.push((method.to_uppercase(), path.clone()));
        }
    }
    for source in ["src/pages/address.rs", "src/pages/assets.rs"] {
        let source = text(source);
        let literals = source.lines().filter_map(|line| line.split_once(": &str = \"/"));
        let paths = literals.filter_map(|(_, rest)| rest.strip_suffix("\";"));
        routes.extend(paths.map(|path| ("GET".to_owned(), format!("/{path}"))));
    }
    assert!(routes.len() > 30, "{routes:?}");
    let missing = |(method, route): &&(String, String)| {
        !calls.iter().any(|(title, success)| *success && is_of(title, method, route))
    };
    let missing: Vec<_> = routes.iter().filter(missing).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
