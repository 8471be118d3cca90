//! Lists of screeners and of publications.

use screenerd::client as pb;
use screenerd::client::screener_service_client::ScreenerServiceClient;

use super::{asking, call, create, new, publish, update_draft};
use crate::support::unary::unary;
use crate::support::{SERVICE, STRANGER, Server};

/// Returns the limit and offset of every page of a list with this many items.
fn pages(total: usize) -> impl Iterator<Item = (i32, i32)> {
    let offsets = 0..=i32::try_from(total).expect("small") + 1;
    offsets.flat_map(|offset| [1, 3, 500].map(|limit| (limit, offset)))
}

fn cut(ids: &[String], limit: i32, offset: i32) -> Vec<String> {
    let [limit, offset] = [limit, offset].map(|it| usize::try_from(it).expect("small"));
    ids.iter().skip(offset).take(limit).cloned().collect()
}

#[tokio::test]
async fn screeners_are_paged_in_the_order_in_which_they_came() {
    let server = Server::demo().await;
    let list = async |project: Option<&str>, limit, offset| {
        let pagination = Some(pb::Pagination { limit: Some(limit), offset: Some(offset) });
        let project_id = project.map(|id| pb::IdEqFilter { eq: Some(id.into()) });
        let filter = Some(pb::ScreenerFilter { project_id });
        call!(&server, list_screeners(pb::ListScreenersRequest { filter, pagination }))
    };
    // Another order than the sorted one, alternating between two projects.
    for (id, project) in [("z", "proj_123"), ("a", "proj_surveys"), ("m", "proj_123")] {
        let message = new(id, Some(asking("One?")));
        let message = pb::CreateScreenerRequest { project_id: project.into(), ..message };
        create(&server, message).await.expect("it is created");
    }
    let all = list(None, 500, 0).await.expect("a page").items;
    for project in [None, Some("proj_123"), Some("proj_surveys"), Some("nothing")] {
        let of = all.iter().filter(|it| project.is_none_or(|project| it.project_id == project));
        let ids: Vec<String> = of.map(|it| it.id.clone()).collect();
        for (limit, offset) in pages(ids.len()) {
            let page = list(project, limit, offset).await.expect("a page");
            let listed: Vec<String> = page.items.iter().map(|it| it.id.clone()).collect();
            assert_eq!(listed, cut(&ids, limit, offset), "{project:?} {limit} {offset}");
            let total = i32::try_from(ids.len()).expect("small");
            assert_eq!((page.total, page.limit, page.offset), (Some(total), limit, Some(offset)));
        }
    }
    let newest: Vec<&str> = all.iter().rev().take(3).map(|it| it.id.as_str()).collect();
    assert_eq!(newest, ["m", "a", "z"]);
    assert!(all.iter().all(|it| it.draft.is_none()), "drafts are not listed");
    assert!(all.last().is_some_and(|it| it.draft_hash.is_some()), "their digests are");
    let refused = list(Some(""), 0, -1).await.expect_err("everything is wrong");
    let fields = ["filter.project_id.eq", "pagination.limit", "pagination.offset"];
    refused.is("INVALID_ARGUMENT", &fields);
    let message = pb::ListScreenersRequest::default();
    let theirs = call!(&server, STRANGER, list_screeners(message)).expect("a page");
    assert!(theirs.items.iter().all(|it| it.project_id == "proj_999"));
    server.stop().await;
}

#[tokio::test]
async fn publications_are_paged_in_the_order_in_which_they_were_published_without_the_draft() {
    let server = Server::demo().await;
    let mut published = Vec::new();
    for id in ["one", "two"] {
        create(&server, new(id, None)).await.expect("it is created");
    }
    for number in 0..5 {
        let draft = asking(&format!("Question {number}?"));
        update_draft(&server, "one", draft, None).await.expect("a draft");
        let done = publish(&server, "one", None).await.expect("it is published");
        published.extend(done.publication);
        // Publications of another screener arrive in between.
        update_draft(&server, "two", asking("Two?"), None).await.expect("a draft");
        publish(&server, "two", None).await.expect("it is published");
    }
    update_draft(&server, "one", asking("Last?"), None).await.expect("a draft");
    let ids: Vec<String> = published.iter().map(|it| it.id.clone()).collect();
    for (limit, offset) in pages(ids.len()) {
        let pagination = Some(pb::Pagination { limit: Some(limit), offset: Some(offset) });
        let message = pb::ListPublicationsRequest { screener_id: "one".into(), pagination };
        let page = call!(&server, list_publications(message)).expect("a page");
        let listed: Vec<String> = page.items.iter().map(|it| it.id.clone()).collect();
        assert_eq!(listed, cut(&ids, limit, offset), "{limit} {offset}");
        assert_eq!((page.total, page.limit, page.offset), (Some(5), limit, Some(offset)));
        assert!(page.items.iter().all(|it| published.contains(it)), "{page:?}");
    }
    let message = pb::ListPublicationsRequest { screener_id: "nothing".into(), pagination: None };
    call!(&server, list_publications(message)).expect_err("there is none").is("NOT_FOUND", &[]);
    let pagination = Some(pb::Pagination { limit: Some(0), offset: Some(-1) });
    let message = pb::ListPublicationsRequest { screener_id: String::new(), pagination };
    let fields = ["screener_id", "pagination.limit", "pagination.offset"];
    let refused = call!(&server, list_publications(message)).expect_err("everything is wrong");
    refused.is("INVALID_ARGUMENT", &fields);
    server.stop().await;
}
