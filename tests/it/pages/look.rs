//! The look and the size of pages.

use screenerd::client as pb;
use screenerd::client::look_service_client::LookServiceClient;

use super::walk::life;
use crate::support::audit::{audit, demo_on_file};
use crate::support::browser::Browser;
use crate::support::unary::{Refused, unary};
use crate::support::{SERVICE, STRANGER, Server};

/// The largest page on the wire, without a logo.
const PAGE_MAX_BYTES: usize = 30 * 1024;
const PNG: &[u8] = b"\x89PNG\r\n\x1a\nnot much of a picture";
const KIM: &str = "/s/onboarding-003-kim";

fn look(name: &str) -> pb::Look {
    pb::Look {
        display_name: Some(name.into()),
        logo: Some(PNG.to_vec()),
        accent_color: Some("#ffcc00".into()),
        privacy_text: Some("Kept for a <year>.".into()),
        privacy_url: Some("https://example.com/privacy?a=1&b=2".into()),
    }
}

async fn set(
    server: &Server,
    credential: &[(&str, &str)],
    screener: Option<&str>,
    look: pb::Look,
) -> Result<pb::Look, Refused> {
    let message = pb::SetLookRequest { screener_id: screener.map(str::to_owned), look: Some(look) };
    let answer = unary!(server, credential, LookServiceClient.set_look(message))?;
    Ok(answer.look.expect("a look"))
}

async fn get(server: &Server, screener: Option<&str>) -> Result<pb::Look, Refused> {
    let message = pb::GetLookRequest { screener_id: screener.map(str::to_owned) };
    let answer = unary!(server, SERVICE, LookServiceClient.get_look(message))?;
    Ok(answer.look.expect("a look"))
}

#[tokio::test]
async fn a_look_is_set_told_and_shown_and_a_screener_s_own_comes_first() {
    let server = Server::demo().await;
    assert_eq!(get(&server, None).await, Ok(pb::Look::default()));
    assert_eq!(set(&server, SERVICE, None, look("The Panel")).await, Ok(look("The Panel")));
    assert_eq!(get(&server, None).await, Ok(look("The Panel")));
    let page = Browser::open(&server, KIM).await;
    page.says("alt=\"The Panel\"");
    page.says("Kept for a <year>.");
    assert!(page.text().contains("href=\"https://example.com/privacy?a=1&#38;b=2\""));
    page.says(":root{--fill:#ffcc00;--on-fill:#1a1d21}");
    let logo = page.text().split("<img src=\"").nth(1).and_then(|rest| rest.split('"').next());
    let logo = logo.expect("a logo");
    let picture = server.http.get(server.url(logo)).send().await.expect("an answer");
    assert_eq!(picture.status(), 200);
    assert_eq!(picture.headers()["content-type"], "image/png");
    assert_eq!(picture.headers()["x-content-type-options"], "nosniff");
    assert!(picture.headers()["cache-control"].to_str().expect("a text").contains("immutable"));
    assert_eq!(picture.bytes().await.expect("it arrives"), PNG);
    let own = pb::Look { accent_color: Some("#0B6157".into()), ..pb::Look::default() };
    let own = set(&server, SERVICE, Some("scr_124"), own).await.expect("it is set");
    assert_eq!(own.accent_color.as_deref(), Some("#0b6157"));
    assert_eq!(get(&server, Some("scr_124")).await, Ok(own));
    let page = Browser::open(&server, KIM).await;
    page.says(":root{--fill:#0b6157;--on-fill:#ffffff}");
    page.says("alt=\"The Panel\"");
    let other = Browser::open(&server, "/s/onboarding-001-alex").await;
    other.says(":root{--fill:#ffcc00;");
    // A logo that no look uses is deleted.
    set(&server, SERVICE, None, pb::Look::default()).await.expect("it is set");
    Browser::open(&server, KIM).await.hides("The Panel");
    assert_eq!(server.send("GET", logo, &[]).await.status, 404);
    server.stop().await;
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_and_the_ratio_told() {
    let server = Server::demo().await;
    let gray = pb::Look { accent_color: Some("#808080".into()), ..pb::Look::default() };
    let refused = set(&server, SERVICE, None, gray).await.expect_err("nothing is readable on it");
    refused.is("INVALID_ARGUMENT", &["look.accent_color"]);
    assert!(refused.message.contains("4.28 to 1"), "{}", refused.message);
    let bad = pb::Look {
        display_name: Some("a\nb".into()),
        logo: Some(b"<svg/>".to_vec()),
        accent_color: Some("red".into()),
        privacy_text: Some(String::new()),
        privacy_url: Some("javascript:alert(1)".into()),
    };
    let refused = set(&server, SERVICE, Some(""), bad).await.expect_err("all is wrong");
    assert_eq!(refused.fields.len(), 6, "{:?}", refused.fields);
    assert_eq!(get(&server, None).await, Ok(pb::Look::default()));
    for screener in ["nothing", "scr_999"] {
        let refused = set(&server, SERVICE, Some(screener), look("X")).await;
        refused.expect_err("it is not there").is("NOT_FOUND", &[]);
        get(&server, Some(screener)).await.expect_err("it is not there").is("NOT_FOUND", &[]);
    }
    set(&server, STRANGER, None, look("Strangers")).await.expect("it is theirs");
    assert_eq!(get(&server, None).await, Ok(pb::Look::default()));
    Browser::open(&server, KIM).await.hides("Strangers");
    server.stop().await;
}

#[tokio::test]
async fn a_look_is_on_record_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let (server, file) = demo_on_file(&folder).await;
    for _ in 0..2 {
        set(&server, SERVICE, None, look("The Panel")).await.expect("it is set");
        set(&server, SERVICE, Some("scr_124"), look("The Panel")).await.expect("it is set");
    }
    assert_eq!(audit(&file).await, ["UPDATE TENANT - -", "UPDATE SCREENER - -"]);
    server.stop().await;
}

#[tokio::test]
async fn pages_are_light_and_their_script_is_loaded_once() {
    let (server, link) = life().await;
    set(&server, SERVICE, None, look("The Panel")).await.expect("it is set");
    let zipped = [("accept-encoding", "gzip")];
    let mut script = String::new();
    for path in [KIM, &link, &format!("{link}&page=3"), "/s/nobody"] {
        let plain = server.send("GET", path, &[]).await;
        assert_eq!(plain.header("content-encoding"), None, "{path}");
        let request = zipped.iter().fold(server.http.get(server.url(path)), |request, header| {
            request.header(header.0, header.1)
        });
        let reply = request.send().await.expect("an answer");
        assert_eq!(reply.headers()["content-encoding"], "gzip", "{path}");
        let headers: usize =
            reply.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        let bytes = reply.bytes().await.expect("it arrives").len() + headers;
        assert!(bytes < PAGE_MAX_BYTES, "{path}: {bytes} bytes");
        assert!(bytes < plain.text.len(), "{path}: {bytes} bytes");
        let source = plain.text.split("<script src=\"").nth(1);
        script.extend(source.and_then(|rest| rest.split('"').next()).filter(|_| path == KIM));
    }
    let asset = server.send("GET", &script, &zipped).await;
    assert_eq!(asset.status, 200, "{script}");
    assert_eq!(asset.header("content-type"), Some("text/javascript; charset=utf-8"));
    assert_eq!(asset.header("cache-control"), Some("public, max-age=31536000, immutable"));
    assert_eq!(asset.header("content-encoding"), Some("gzip"));
    server.stop().await;
}
