//! `ProjectService`.

use screenerd::client as pb;
use screenerd::client::project_service_client::ProjectServiceClient;

use crate::support::audit::{audit, demo_on_file};
use crate::support::unary::{Refused, unary};
use crate::support::{SERVICE, STRANGER, Server};

fn named(name: &str) -> pb::CreateProjectRequest {
    pb::CreateProjectRequest { name: name.into(), ..pb::CreateProjectRequest::default() }
}

async fn create(
    server: &Server,
    message: pb::CreateProjectRequest,
) -> Result<pb::Project, Refused> {
    let answer = unary!(server, SERVICE, ProjectServiceClient.create_project(message))?;
    Ok(answer.project.expect("a project"))
}

async fn get(
    server: &Server,
    credential: &[(&str, &str)],
    id: &str,
) -> Result<pb::Project, Refused> {
    let message = pb::GetProjectRequest { id: id.into() };
    let answer = unary!(server, credential, ProjectServiceClient.get_project(message))?;
    Ok(answer.project.expect("a project"))
}

async fn update(
    server: &Server,
    credential: &[(&str, &str)],
    (id, name, incentive): (&str, Option<&str>, Option<f64>),
) -> Result<pb::Project, Refused> {
    let name = name.map(str::to_owned);
    let message = pb::UpdateProjectRequest { id: id.into(), name, incentive };
    let answer = unary!(server, credential, ProjectServiceClient.update_project(message))?;
    Ok(answer.project.expect("a project"))
}

async fn list(
    server: &Server,
    credential: &[(&str, &str)],
    (limit, offset): (Option<i32>, Option<i32>),
) -> Result<pb::ListProjectsResponse, Refused> {
    let pagination = Some(pb::Pagination { limit, offset });
    let message = pb::ListProjectsRequest { pagination };
    unary!(server, credential, ProjectServiceClient.list_projects(message))
}

#[tokio::test]
async fn a_project_is_created_with_what_is_said_and_defaults_for_the_rest() {
    let server = Server::demo().await;
    let plain = create(&server, named("Plain")).await.expect("it is created");
    assert!(plain.id.starts_with("proj_") && plain.id.len() == 31, "{}", plain.id);
    let expected = pb::Project {
        id: plain.id.clone(),
        name: "Plain".into(),
        incentive: Some(0.0),
        organization_id: "acct_123".into(),
        team_id: "acct_123".into(),
    };
    assert_eq!(plain, expected);
    assert_eq!(get(&server, SERVICE, &plain.id).await, Ok(expected));
    let full = pb::CreateProjectRequest {
        id: Some("my project/é".into()),
        name: "Full".into(),
        incentive: Some(12.5),
        organization_id: Some("org".into()),
        team_id: Some("team".into()),
    };
    let made = create(&server, full.clone()).await.expect("it is created");
    assert_eq!(
        (made.id.as_str(), made.incentive, made.organization_id.as_str(), made.team_id.as_str()),
        ("my project/é", Some(12.5), "org", "team")
    );
    create(&server, full).await.expect_err("the id is taken").is("ALREADY_EXISTS", &["id"]);
    server.stop().await;
}

#[tokio::test]
async fn an_update_changes_what_it_names_and_submissions_show_it() {
    let server = Server::demo().await;
    let before = get(&server, SERVICE, "proj_123").await.expect("it is there");
    let same = update(&server, SERVICE, ("proj_123", None, None)).await;
    assert_eq!(same.as_ref(), Ok(&before));
    let paid = update(&server, SERVICE, ("proj_123", None, Some(80.5))).await.expect("it changes");
    assert_eq!(paid, pb::Project { incentive: Some(80.5), ..before.clone() });
    let renamed = update(&server, SERVICE, ("proj_123", Some("New"), None)).await;
    assert_eq!(renamed, Ok(pb::Project { name: "New".into(), ..paid.clone() }));
    assert_eq!(get(&server, SERVICE, "proj_123").await, renamed);
    let path = "/v1/projects/proj_123/screener-responses/scses_790/reject";
    let body = server.send("PATCH", path, SERVICE).await.json();
    assert_eq!(
        (&body["project"]["name"], &body["project"]["incentive"]),
        (&"New".into(), &80.5.into())
    );
    let refused = update(&server, SERVICE, ("proj_123", Some(""), Some(-1.0))).await;
    refused.expect_err("both are wrong").is("INVALID_ARGUMENT", &["name", "incentive"]);
    let refused = update(&server, SERVICE, ("nothing", None, None)).await;
    refused.expect_err("there is none").is("NOT_FOUND", &[]);
    server.stop().await;
}

#[tokio::test]
async fn projects_are_paged_in_the_order_in_which_they_came() {
    let server = Server::demo().await;
    let mut ids = vec!["proj_123".to_owned(), "proj_surveys".to_owned()];
    // Another order than the sorted one.
    for id in ["z", "a", "m", "b", "k"] {
        let message = pb::CreateProjectRequest { id: Some(id.into()), ..named(id) };
        ids.push(create(&server, message).await.expect("it is created").id);
    }
    for (limit, offset) in [(1, 0), (3, 0), (3, 3), (3, 6), (7, 0), (500, 2), (2, 7), (2, 99)] {
        let page = list(&server, SERVICE, (Some(limit), Some(offset))).await.expect("a page");
        let listed: Vec<String> = page.items.iter().map(|project| project.id.clone()).collect();
        let begin = usize::try_from(offset).expect("small").min(ids.len());
        let end = (begin + usize::try_from(limit).expect("small")).min(ids.len());
        assert_eq!(listed, ids[begin..end], "{limit}, {offset}");
        assert_eq!((page.total, page.limit, page.offset), (Some(7), limit, Some(offset)));
    }
    let whole = list(&server, SERVICE, (Some(501), None)).await.expect("a page");
    assert_eq!((whole.items.len(), whole.limit, whole.offset), (7, 500, Some(0)));
    let refused = list(&server, SERVICE, (Some(0), Some(-1))).await;
    let fields = ["pagination.limit", "pagination.offset"];
    refused.expect_err("both are wrong").is("INVALID_ARGUMENT", &fields);
    server.stop().await;
}

#[tokio::test]
async fn another_tenants_projects_are_neither_seen_nor_changed_nor_in_the_way() {
    let server = Server::demo().await;
    let refused = get(&server, STRANGER, "proj_123").await;
    refused.expect_err("it is another's").is("NOT_FOUND", &[]);
    let refused = update(&server, STRANGER, ("proj_123", Some("Mine"), None)).await;
    refused.expect_err("it is another's").is("NOT_FOUND", &[]);
    let own = list(&server, STRANGER, (None, None)).await.expect("a page");
    let ids: Vec<&str> = own.items.iter().map(|project| project.id.as_str()).collect();
    assert_eq!((ids, own.total), (vec!["proj_999"], Some(1)));
    let message = pb::CreateProjectRequest { id: Some("proj_999".into()), ..named("Ours") };
    create(&server, message).await.expect("an id is unique within the tenant only");
    let theirs = get(&server, STRANGER, "proj_999").await.expect("it is there");
    assert_eq!(theirs.name, "Another project");
    server.stop().await;
}

#[tokio::test]
async fn what_changes_a_project_is_on_record_and_what_does_not_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let (server, file) = demo_on_file(&folder).await;
    let made = create(&server, named("One")).await.expect("it is created");
    for _ in 0..2 {
        update(&server, SERVICE, (&made.id, Some("Two"), None)).await.expect("it changes");
        update(&server, SERVICE, (&made.id, None, Some(3.0))).await.expect("it changes");
    }
    let message = pb::CreateProjectRequest { id: Some(made.id), ..named("Again") };
    create(&server, message).await.expect_err("the id is taken");
    let twice_changed = ["CREATE PROJECT - -", "UPDATE PROJECT - -", "UPDATE PROJECT - -"];
    assert_eq!(audit(&file).await, twice_changed);
    server.stop().await;
}
