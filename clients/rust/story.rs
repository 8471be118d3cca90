//! A client in Rust, against the example data of `screenerd serve --demo`.
//!
//! ```sh
//! cargo run --example story 127.0.0.1:8080
//! ```

use std::error::Error;
use std::time::Duration;

use screenerd::client::answer_value::Value;
use screenerd::client::panelist_service_client::PanelistServiceClient;
use screenerd::client::panelist_session_service_client::PanelistSessionServiceClient;
use screenerd::client::screener_session_service_client::ScreenerSessionServiceClient;
use screenerd::client::submission_service_client::SubmissionServiceClient;
use screenerd::client::{
    AnswerValue, GetPanelistAccessRequest, GetScreenerSessionRequest, IdFilter, IdList,
    ListScreenerSessionsRequest, Pagination, RejectSubmissionRequest, Rejection,
    ScreenerSessionFilter, ScreenerSessionState, SubmitAnswersRequest, call,
};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt as _;

type Outcome = Result<(), Box<dyn Error>>;

/// The service token of the example data. It authorizes every call except a panelist's own.
const KEY: &str = "Bearer sdk_demo_acct_123";
/// The deadline of every call.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Returns a request with a deadline and a credential.
fn with<T>(authorization: &str, message: T) -> Result<Request<T>, Box<dyn Error>> {
    let mut request = Request::new(message);
    request.set_timeout(TIMEOUT);
    request.metadata_mut().insert("authorization", authorization.parse()?);
    Ok(request)
}

async fn read(channel: Channel) -> Outcome {
    let mut sessions = ScreenerSessionServiceClient::new(channel);
    let wanted = ["scses_790", "scses_792", "scses_793", "scses_none"].map(str::to_owned);
    let filter = ScreenerSessionFilter {
        screener_id: Some(IdFilter { eq: Some("scr_124".to_owned()), ..IdFilter::default() }),
        id: Some(IdFilter { r#in: Some(IdList { values: wanted.into() }), ..IdFilter::default() }),
    };
    let mut ids: Vec<String> = Vec::new();
    let mut pages = 0;
    let total = loop {
        // The server may lower the limit, so advance by the number of items received.
        let offset = i32::try_from(ids.len())?;
        let pagination = Pagination { limit: Some(2), offset: Some(offset) };
        let request = ListScreenerSessionsRequest {
            filter: Some(filter.clone()),
            pagination: Some(pagination),
        };
        let page = call(sessions.list_screener_sessions(with(KEY, request)?)).await?;
        let is_last = page.items.is_empty();
        ids.extend(page.items.into_iter().map(|session| session.id));
        pages += 1;
        if is_last || i32::try_from(ids.len())? >= page.total.unwrap_or_default() {
            break page.total.unwrap_or_default();
        }
    };
    println!("sessions: {} ({total} in {pages} pages)", ids.join(", "));

    let request = GetScreenerSessionRequest { id: "scses_790".to_owned() };
    let answer = call(sessions.get_screener_session(with(KEY, request)?)).await?;
    let session = answer.screener_session.unwrap_or_default();
    // An unset time is `None`.
    let completed = session.completed_at.unwrap_or_default();
    println!("session: {}, completed at {completed}", session.id);
    Ok(())
}

async fn answer(channel: Channel) -> Outcome {
    let request = GetPanelistAccessRequest {
        survey_id: "survey-123".to_owned(),
        panelist_id: "customer-456".to_owned(),
    };
    let mut panelists = PanelistServiceClient::new(channel.clone());
    let access = call(panelists.get_panelist_access(with(KEY, request)?)).await?.panelist_access;
    let panelist = access.and_then(|access| access.panelist).unwrap_or_default();
    let can = if panelist.can_respond() { "can respond" } else { "cannot respond" };
    let active = if panelist.activity_started_at.is_some() { "active" } else { "never active" };
    println!("panelist: customer-456 {can}, {active} before");

    let four = AnswerValue { value: Some(Value::Number(4.0)) };
    let request = SubmitAnswersRequest {
        answers: [("scq_satisfaction".to_owned(), four)].into(),
        is_final: true,
        // An id of your choice makes a repeated call idempotent.
        request_id: Some("customer-456-first".to_owned()),
        screener_publication_id: None,
    };
    // The participant gets the panelist key, the only credential of these calls.
    let mut answers = PanelistSessionServiceClient::new(channel);
    let submitted = call(answers.submit_answers(with(&panelist.public_key, request)?)).await?;
    let done = submitted.state() == ScreenerSessionState::Completed;
    println!("answered: {}", if done { "completed" } else { "in progress" });
    Ok(())
}

async fn reject(channel: Channel) -> Outcome {
    let mut submissions = SubmissionServiceClient::new(channel);
    let request = RejectSubmissionRequest {
        project_id: "proj_123".to_owned(),
        id: "scses_790".to_owned(),
        message: Some("The answers contradict each other.".to_owned()),
    };
    let rejected = call(submissions.reject_submission(with(KEY, request.clone())?)).await?;
    let rejection = rejected.submission.as_ref().and_then(|it| it.rejection.as_ref());
    println!("rejected: {}", rejection.map(Rejection::message).unwrap_or_default());
    let again = call(submissions.reject_submission(with(KEY, request)?)).await?;
    println!("rejected again: {} changed", if again == rejected { "nothing" } else { "something" });
    Ok(())
}

/// Returns the reason of a refusal. It is stable; the message is for people.
fn reason(status: &Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

async fn refused(channel: Channel) -> Outcome {
    let mut sessions = ScreenerSessionServiceClient::new(channel);
    let none = GetScreenerSessionRequest { id: "scses_none".to_owned() };
    match sessions.get_screener_session(with(KEY, none.clone())?).await {
        Err(status) if status.code() == Code::NotFound => {
            println!("not found: {}", reason(&status));
        }
        other => drop(other?),
    }
    match sessions.get_screener_session(none).await {
        Err(status) if status.code() == Code::Unauthenticated => {
            println!("no key: {}", reason(&status));
        }
        other => drop(other?),
    }
    let pagination = Some(Pagination { limit: Some(0), offset: Some(-1) });
    let request = ListScreenerSessionsRequest { pagination, filter: None };
    match sessions.list_screener_sessions(with(KEY, request)?).await {
        Err(status) if status.code() == Code::InvalidArgument => {
            let details = status.get_details_bad_request();
            for violation in details.iter().flat_map(|it| &it.field_violations) {
                println!("invalid: {}: {}", violation.field, violation.description);
            }
        }
        other => drop(other?),
    }
    Ok(())
}

async fn watch(channel: Channel) -> Outcome {
    // The server ends this stream only at shutdown, so the deadline ends it.
    let mut request = Request::new(HealthCheckRequest::default());
    request.set_timeout(Duration::from_secs(2));
    let mut stream = HealthClient::new(channel).watch(request).await?.into_inner();
    loop {
        match stream.message().await {
            Ok(Some(health)) => {
                let serving = health.status() == ServingStatus::Serving;
                println!("watch: {}", if serving { "serving" } else { "not serving" });
            }
            Ok(None) => return Ok(()),
            Err(status) if status.code() == Code::DeadlineExceeded => {
                println!("deadline: exceeded");
                return Ok(());
            }
            Err(status) => return Err(status.into()),
        }
    }
}

#[tokio::main]
async fn main() -> Outcome {
    let address = std::env::args().nth(1).ok_or("usage: story ADDRESS")?;
    let channel = Endpoint::from_shared(format!("http://{address}"))?.connect().await?;
    read(channel.clone()).await?;
    answer(channel.clone()).await?;
    reject(channel.clone()).await?;
    refused(channel.clone()).await?;
    watch(channel).await
}
