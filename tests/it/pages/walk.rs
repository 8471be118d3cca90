//! Walks through questionnaires, and their results in the API.

use serde_json::{Value, json};

use super::link::panelist_link;
use crate::support::browser::Browser;
use crate::support::panelist::{LIFE, add_life, earlier_responses};
use crate::support::{PANEL, SPOT, Server};

/// Returns the answers of a screener's sessions, by question.
pub(super) async fn responses(server: &Server, screener: &str) -> Vec<(String, Value)> {
    let path = format!("/screener-responses?filter[screenerId][eq]={screener}");
    let list = server.send("GET", &path, SPOT).await.json();
    let pair = |item: &Value| {
        let question = item["screenerQuestionId"].as_str().expect("an id");
        (question.to_owned(), item["answer"].clone())
    };
    list["items"].as_array().expect("items").iter().map(pair).collect()
}

/// Returns the states of a screener's sessions.
async fn states(server: &Server, screener: &str) -> Vec<Value> {
    let path = format!("/screener-sessions?filter[screenerId][eq]={screener}");
    let list = server.send("GET", &path, SPOT).await.json();
    list["items"].as_array().expect("items").iter().map(|it| it["state"].clone()).collect()
}

fn answer(question: &str, answer: Value) -> (String, Value) {
    (question.into(), answer)
}

pub(super) async fn life() -> (Server, String) {
    let server = Server::demo().await;
    add_life(&server, false).await;
    let link = panelist_link(&server, LIFE, "crm-new").await;
    (server, link)
}

#[tokio::test]
async fn a_walk_over_every_kind_of_question_is_what_the_api_then_tells() {
    let (server, link) = life().await;
    let mut browser = Browser::open(&server, &link).await;
    browser.says("Page 1 of 3");
    assert_eq!(states(&server, LIFE).await, [json!(null); 0], "looking starts nothing");
    assert_eq!(browser.press("next", &[("a0", "Ada"), ("a1", "4.5")]).await, 303);
    assert_eq!(states(&server, LIFE).await, ["IN_PROGRESS"]);
    browser.says("Page 2 of 3");
    let other = [("a2", "3"), ("w2.3", "Huge <b>"), ("a3", "One\r\ntwo")];
    assert_eq!(browser.press("next", &other).await, 303);
    browser.says("Page 3 of 3");
    let last = [("a4", "0"), ("a4", "2"), ("w4.2", "Slides"), ("a5", "ABC")];
    assert_eq!(browser.press("finish", &last).await, 303);
    browser.says("Thank you!");
    assert_eq!(states(&server, LIFE).await, ["COMPLETED"]);
    let expected = [
        answer("q_name", json!("Ada")),
        answer("q_years", json!(4.5)),
        answer("q_size", json!({ "text": "s_other: Huge <b>", "isWriteIn": true })),
        answer("q_team", json!("One\ntwo")),
        answer(
            "q_tools",
            json!([
                { "text": "t_must", "isWriteIn": false },
                { "text": "t_other: Slides", "isWriteIn": true },
            ]),
        ),
        answer("q_code", json!("ABC")),
    ];
    assert_eq!(responses(&server, LIFE).await, expected);
    let again = Browser::open(&server, &link).await;
    assert_eq!(again.page.status, 200);
    again.says("Already answered");
    again.hides("<form");
    server.stop().await;
}

#[tokio::test]
async fn the_demo_s_link_goes_on_where_it_was_left_and_ends() {
    let server = Server::demo().await;
    let mut browser = Browser::open(&server, "/s/onboarding-001-alex").await;
    browser.says("Page 1 of 2");
    let fields = browser.fields();
    assert!(fields.contains(&("a0".into(), "VP of Research".into())), "{fields:?}");
    assert_eq!(browser.press("next", &[("a1", "7"), ("a2", "0.5")]).await, 303);
    let fields = browser.fields();
    for kept in [("a4", "0"), ("a4", "2"), ("w4.2", "Insights Hub")] {
        assert!(fields.contains(&(kept.0.into(), kept.1.into())), "{kept:?} in {fields:?}");
    }
    // Another device continues on the same page.
    let mut other = Browser::open(&server, "/screeners/scr_123/scses_789").await;
    other.says("Page 2 of 2");
    assert_eq!(other.press("finish", &[("a3", "1"), ("a5", "  ")]).await, 303);
    other.says("Thank you!");
    browser.hides("Thank you!");
    assert_eq!(browser.press("finish", &[("a3", "2")]).await, 303);
    browser.says("Already answered");
    let answers = responses(&server, "scr_123").await;
    let of = |id: &str| answers.iter().find(|(it, _)| it == id).expect("an answer").1.clone();
    assert_eq!((of("scq_years"), of("scq_budget")), (json!(7), json!(0.5)));
    assert_eq!(of("scq_size"), json!({ "text": "11-200", "isWriteIn": false }));
    assert_eq!(of("scq_note"), json!(null));
    assert_eq!(answers.len(), 6);
    server.stop().await;
}

#[tokio::test]
async fn what_is_wrong_is_told_in_words_beside_its_field_and_nothing_is_kept() {
    let (server, link) = life().await;
    let mut browser = Browser::open(&server, &link).await;
    for (name, years, errors) in [
        (
            "",
            "",
            &["This question needs an answer", "Enter a number from 0 to 50, in steps of 0.5."][..],
        ),
        ("A", "51", &["Add 1 more character (2 needed).", "Enter a number from 0 to 50"]),
        ("Ada", "five", &["Enter a number from 0 to 50, in steps of 0.5."]),
        ("Ada", "12h", &["Enter a number from 0 to 50"]),
        ("Ada", "--", &["Enter a number from 0 to 50"]),
        ("Ada", "NaN", &["Enter a number from 0 to 50"]),
        ("Ada", "1.25", &["Enter a number from 0 to 50, in steps of 0.5."]),
        ("two\r\nlines", "1", &["Write this on one line."]),
        ("nul\0", "1", &["characters that can’t be stored"]),
    ] {
        assert_eq!(browser.press("next", &[("a0", name), ("a1", years)]).await, 422);
        for error in errors {
            browser.says(error);
        }
        browser.says("to check");
        let count = |words| browser.text().matches(words).count();
        assert_eq!(count(" autofocus"), 1, "the summary has the focus");
        assert_eq!(count("aria-invalid=\"true\""), errors.len());
        assert_eq!(count("<a href=\"#q"), errors.len());
        let fields = browser.fields();
        let kept = name.replace("\r\n", "\n");
        assert!(fields.contains(&("a0".into(), kept)), "{fields:?}");
        assert!(fields.contains(&("a1".into(), years.into())), "{fields:?}");
    }
    assert_eq!(states(&server, LIFE).await, [json!(null); 0]);
    assert_eq!(browser.press("next", &[("a0", "Ada"), ("a1", "1.5")]).await, 303);
    assert_eq!(browser.press("next", &[("a2", "3"), ("w2.3", " ")]).await, 422);
    browser.says("Enter your answer for “<bdi>s_other</bdi>”");
    assert_eq!(browser.press("next", &[("a2", "1")]).await, 303);
    let many = [("a4", "0"), ("a4", "1"), ("a4", "3"), ("w4.2", "Four"), ("a5", "abc")];
    assert_eq!(browser.press("finish", &many).await, 422);
    browser.says("Choose 1 to 3");
    browser.says("Check the format.");
    browser.hides("[A-Z]{3}");
    server.stop().await;
}

#[tokio::test]
async fn a_choice_leads_past_questions_and_back_again() {
    let (server, link) = life().await;
    let mut browser = Browser::open(&server, &link).await;
    browser.press("next", &[("a0", "Ada"), ("a1", "3")]).await;
    // The choice in `a2` skips the team, a question further down on the same page.
    assert_eq!(browser.press("next", &[("a2", "2"), ("a3", "ignored")]).await, 303);
    browser.says("Page 3 of 3");
    browser.says("Tools?");
    assert_eq!(browser.press("back", &[("a5", "ABC")]).await, 303);
    browser.says("Page 2 of 3");
    browser.hides("Your team?");
    let ids = async || -> Vec<String> {
        responses(&server, LIFE).await.into_iter().map(|(id, _)| id).collect()
    };
    assert_eq!(ids().await, ["q_name", "q_years", "q_size", "q_code"], "back keeps what is valid");
    // The path includes the team again. It was not shown yet, so this page is shown again.
    assert_eq!(browser.press("next", &[("a2", "1")]).await, 303);
    browser.says("Page 2 of 3");
    browser.says("Your team?");
    assert_eq!(browser.press("next", &[("a3", "Ours")]).await, 303);
    browser.says("Page 3 of 3");
    assert_eq!(browser.press("back", &[("a5", "wrong")]).await, 303);
    // The choice ends the path, so this page is the last one.
    assert_eq!(browser.press("next", &[("a2", "0")]).await, 303);
    browser.says("Page 2 of 2");
    browser.says("That was the last question.");
    assert_eq!(ids().await, ["q_name", "q_years", "q_size"]);
    assert_eq!(browser.press("finish", &[]).await, 303);
    browser.says("Thank you!");
    assert_eq!(states(&server, LIFE).await, ["COMPLETED"]);
    server.stop().await;
}

#[tokio::test]
async fn whoever_jumps_ahead_is_led_back_to_what_is_missing() {
    let (server, link) = life().await;
    let mut browser = Browser::open(&server, &format!("{link}&page=3")).await;
    browser.says("Page 3 of 3");
    assert_eq!(browser.press("finish", &[("a5", "ABC")]).await, 303);
    browser.says("Page 1 of 3");
    browser.says("There are 2 answers to check");
    assert_eq!(states(&server, LIFE).await, ["IN_PROGRESS"]);
    browser.press("next", &[("a0", "Ada"), ("a1", "3")]).await;
    browser.press("next", &[("a2", "1")]).await;
    assert!(browser.fields().contains(&("a5".into(), "ABC".into())), "{:?}", browser.fields());
    assert_eq!(browser.press("finish", &[]).await, 303);
    browser.says("Thank you!");
    server.stop().await;
}

#[tokio::test]
async fn a_double_click_is_one_submission_and_an_edit_after_it_traps_nobody() {
    let (server, link) = life().await;
    let mut browser = Browser::open(&server, &link).await;
    let body = browser.filled("next", &[("a0", "Ada"), ("a1", "3")]);
    let (one, two) = tokio::join!(browser.send(&body), browser.send(&body));
    assert_eq!((one.status, two.status), (303, 303));
    assert_eq!(one.header("location"), two.header("location"));
    assert_eq!(states(&server, LIFE).await, ["IN_PROGRESS"]);
    assert_eq!(responses(&server, LIFE).await.len(), 2);
    // Sends the first page again, with the state from before it was sent.
    assert_eq!(browser.press("next", &[("a0", "Eve"), ("a1", "3")]).await, 409);
    browser.says("You already sent this page with different answers.");
    assert_eq!(browser.press("next", &[]).await, 303);
    assert_eq!(responses(&server, LIFE).await[0], answer("q_name", json!("Eve")));
    browser.press("next", &[("a2", "0")]).await;
    let body = browser.filled("finish", &[]);
    let (one, two) = (browser.send(&body).await, browser.send(&body).await);
    assert_eq!((one.status, two.status), (303, 303));
    assert_eq!(one.header("location"), two.header("location"));
    browser.follow(two).await;
    browser.says("Thank you!");
    assert_eq!(states(&server, LIFE).await, ["COMPLETED"]);
    server.stop().await;
}

#[tokio::test]
async fn what_is_kept_while_one_types_is_partial_and_what_is_wrong_is_left_for_later() {
    let (server, link) = life().await;
    let browser = Browser::open(&server, &link).await;
    let body = browser.filled("save", &[("a0", "Ada"), ("a1", "99")]);
    for _ in 0..2 {
        let kept = browser.send(&body).await;
        let told = json!({"saved": true, "unfinished": [1], "missing": []});
        assert_eq!((kept.status, kept.json()), (200, told));
    }
    assert_eq!(responses(&server, LIFE).await, [answer("q_name", json!("Ada"))]);
    assert_eq!(states(&server, LIFE).await, ["IN_PROGRESS"]);
    let nothing = browser.send(&browser.filled("save", &[("a0", ""), ("a1", "")])).await;
    let told = json!({"saved": true, "unfinished": [], "missing": [0, 1]});
    assert_eq!((nothing.status, nothing.json()), (200, told));
    assert_eq!(responses(&server, LIFE).await, [], "an emptied field is emptied here, too");
    let again = browser.send(&browser.filled("save", &[("a0", ""), ("a1", "x")])).await;
    assert_eq!(again.json(), json!({"saved": false, "unfinished": [1], "missing": [0]}));
    server.stop().await;
}

#[tokio::test]
async fn what_the_answers_pass_over_is_not_said_to_be_saved() {
    let (server, link) = life().await;
    let mut browser = Browser::open(&server, &link).await;
    browser.press("next", &[("a0", "Ada"), ("a1", "3")]).await;
    for (size, team, unfinished) in
        [("1", "Ours", json!([])), ("2", "Ours", json!([3])), ("2", " ", json!([]))]
    {
        let saved = browser.send(&browser.filled("save", &[("a2", size), ("a3", team)])).await;
        let told = json!({ "saved": true, "unfinished": unfinished, "missing": [] });
        assert_eq!(saved.json(), told, "{size} {team}");
        let stored = responses(&server, LIFE).await;
        let is_stored = stored.contains(&answer("q_team", json!("Ours")));
        assert_eq!(is_stored, size == "1", "{stored:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn what_the_page_saves_by_itself_leaves_no_earlier_answer() {
    let (server, link) = life().await;
    let mut browser = Browser::open(&server, &link).await;
    let mut years = Vec::new();
    for typed in ["A?", "Ad", "Ada"] {
        browser.send(&browser.filled("save", &[("a0", typed), ("a1", "4")])).await;
        years = responses(&server, LIFE).await;
        assert_eq!(years[0], answer("q_name", json!(typed)));
    }
    assert_eq!(years[1], answer("q_years", json!(4)));
    // A submission with another value also overwrites the saved one.
    assert_eq!(browser.press("next", &[("a0", "Ada L."), ("a1", "4")]).await, 303);
    assert_eq!(earlier_responses(&server, None).await, []);
    // Back on the page, only the first save replaces submitted answers. A saved answer counts as
    // submitted once it is submitted unchanged.
    let mut browser = Browser::open(&server, &format!("{link}&page=1")).await;
    for typed in ["Eva", "Eve"] {
        browser.send(&browser.filled("save", &[("a0", typed), ("a1", "5")])).await;
    }
    let replaced = |question: &str, value| (question.to_owned(), value, "REPLACED".to_owned());
    let mut expected = vec![
        replaced("q_name", json!({ "text": "Ada L." })),
        replaced("q_years", json!({ "number": 4.0 })),
    ];
    assert_eq!(earlier_responses(&server, None).await, expected);
    assert_eq!(browser.press("next", &[("a0", "Eve"), ("a1", "6")]).await, 303);
    assert_eq!(earlier_responses(&server, None).await, expected);
    let mut browser = Browser::open(&server, &format!("{link}&page=1")).await;
    assert_eq!(browser.press("next", &[("a0", "Eva"), ("a1", "7")]).await, 303);
    expected.push(replaced("q_name", json!({ "text": "Eve" })));
    expected.push(replaced("q_years", json!({ "number": 6.0 })));
    assert_eq!(earlier_responses(&server, None).await, expected);
    server.stop().await;
}

#[tokio::test]
async fn a_link_that_is_removed_in_the_middle_says_so_at_the_next_page() {
    let server = Server::demo().await;
    let mut browser = Browser::open(&server, "/s/onboarding-003-kim").await;
    browser.press("next", &[("a0", "Kim"), ("a1", "3"), ("a2", "1")]).await;
    browser.says("Page 2 of 2");
    let before = responses(&server, "scr_124").await;
    assert_eq!(server.send("DELETE", "/screener-sessions/scses_791", SPOT).await.status, 200);
    assert_eq!(browser.press("finish", &[("a3", "1")]).await, 410);
    browser.says("This link is no longer valid");
    assert_eq!(responses(&server, "scr_124").await, before);
    server.stop().await;
}

#[tokio::test]
async fn not_now_is_for_whoever_holds_a_key_and_can_be_taken_back() {
    let (server, link) = life().await;
    let mut browser = Browser::open(&server, &link).await;
    browser.says("Not now");
    assert_eq!(browser.press("dismiss", &[("a0", "Ada")]).await, 303);
    browser.says("Use the same link if you change your mind.");
    browser.says("Answer now");
    let path = format!("/tenant/surveys/{LIFE}/panelists/crm-new");
    let access = server.send("GET", &path, PANEL).await.json();
    assert_eq!(access["panelist"]["dismissedMostRecentUnixTs"], 1_717_243_200, "{access}");
    assert_eq!(responses(&server, LIFE).await, []);
    let mut browser = Browser::open(&server, &link).await;
    assert_eq!(browser.press("next", &[("a0", "Ada"), ("a1", "3")]).await, 303);
    let session = Browser::open(&server, "/s/onboarding-003-kim").await;
    session.hides("Not now");
    server.stop().await;
}

#[tokio::test]
async fn who_may_answer_again_is_offered_to() {
    let server = Server::demo().await;
    add_life(&server, true).await;
    let link = panelist_link(&server, LIFE, "crm-new").await;
    for count in 1..=2 {
        let mut browser = Browser::open(&server, &link).await;
        browser.says("Page 1 of 3");
        browser.press("next", &[("a0", "Ada"), ("a1", "3")]).await;
        browser.press("next", &[("a2", "0")]).await;
        assert_eq!(browser.press("finish", &[]).await, 303);
        browser.says("Thank you!");
        browser.says("Answer again");
        assert_eq!(states(&server, LIFE).await.len(), count);
    }
    server.stop().await;
}
