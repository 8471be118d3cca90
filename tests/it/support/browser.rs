//! A browser without scripts: opens a link, keeps the values of the form, and follows redirects.

use super::{Reply, Server};

pub(crate) const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

pub(crate) struct Browser<'s> {
    server: &'s Server,
    path: String,
    /// The query of the current page.
    pub(crate) query: String,
    /// The current page.
    pub(crate) page: Reply,
}

/// Returns the value of an attribute of a tag.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    let (value, _) = rest.split_once('"')?;
    Some(unescaped(value))
}

fn unescaped(text: &str) -> String {
    let quoted = text.replace("&#34;", "\"").replace("&#39;", "'");
    quoted.replace("&#60;", "<").replace("&#62;", ">").replace("&#38;", "&")
}

/// Returns the text of every tag of a name, after the name and up to the tag's end.
fn tags<'t>(html: &'t str, name: &'t str) -> impl Iterator<Item = &'t str> {
    let begin = format!("<{name}");
    let parts: Vec<_> = html.split(&begin[..]).skip(1).collect();
    parts.into_iter().filter_map(|rest| rest.split('>').next())
}

/// Returns a form field, percent-encoded.
fn pair((name, value): (&str, &str)) -> String {
    let encoded = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    format!("{}={}", encoded(name), encoded(value))
}

impl<'s> Browser<'s> {
    pub(crate) async fn open(server: &'s Server, link: &str) -> Self {
        let (path, query) = link.split_once('?').unwrap_or((link, ""));
        let (path, query) = (path.to_owned(), query.to_owned());
        let page = server.send("GET", link, &[]).await;
        Self { server, path, query, page }
    }

    /// Returns the text of the page.
    pub(crate) fn text(&self) -> &str {
        &self.page.text
    }

    /// Asserts that the page contains these words.
    pub(crate) fn says(&self, words: &str) {
        assert!(unescaped(self.text()).contains(words), "{words}: {}", self.text());
    }

    /// Asserts that the page does not contain these words.
    pub(crate) fn hides(&self, words: &str) {
        assert!(!unescaped(self.text()).contains(words), "{words}: {}", self.text());
    }

    /// Returns the hidden, typed and chosen values of the form.
    pub(crate) fn fields(&self) -> Vec<(String, String)> {
        let mut fields = Vec::new();
        for tag in tags(self.text(), "input") {
            let Some(name) = attribute(tag, "name") else { continue };
            let kind = attribute(tag, "type").unwrap_or_default();
            if matches!(kind.as_str(), "radio" | "checkbox") && !tag.contains(" checked") {
                continue;
            }
            fields.push((name, attribute(tag, "value").unwrap_or_default()));
        }
        for part in self.text().split("<textarea").skip(1) {
            let (tag, rest) = part.split_once('>').expect("a tag ends");
            let value = rest.split("</textarea>").next().unwrap_or_default();
            let value = value.strip_prefix('\n').unwrap_or(value);
            fields.push((attribute(tag, "name").expect("a name"), unescaped(value)));
        }
        fields
    }

    /// Returns the body of the form with a button. These fields replace those with the same names.
    pub(crate) fn filled(&self, go: &str, changed: &[(&str, &str)]) -> String {
        let fields = self.fields();
        let kept = fields.iter().filter(|(name, _)| !changed.iter().any(|it| it.0 == name));
        let kept = kept.map(|(name, value)| (name.as_str(), value.as_str()));
        let all: Vec<_> = kept.chain(changed.iter().copied()).chain([("go", go)]).collect();
        all.into_iter().map(pair).collect::<Vec<_>>().join("&")
    }

    /// Sends a body to the address of the page's form.
    pub(crate) async fn send(&self, body: &str) -> Reply {
        let action = tags(self.text(), "form").find_map(|tag| attribute(tag, "action"));
        let path = format!("{}{}", self.path, action.expect("a form leads somewhere"));
        self.server.send_body("POST", &path, &[FORM], Some(body)).await
    }

    /// Fills in the form, presses a button and follows the redirect. Returns the first status.
    pub(crate) async fn press(&mut self, go: &str, changed: &[(&str, &str)]) -> u16 {
        let reply = self.send(&self.filled(go, changed)).await;
        let status = reply.status;
        self.follow(reply).await;
        status
    }

    /// Shows a response, or the page to which it redirects.
    pub(crate) async fn follow(&mut self, reply: Reply) {
        self.page = reply;
        if self.page.status == 303 {
            let location = self.page.header("location").expect("it leads on").to_owned();
            let query = location.strip_prefix('?').expect("it leads to this link");
            query.clone_into(&mut self.query);
            let path = format!("{}{location}", self.path);
            self.page = self.server.send("GET", &path, &[]).await;
        }
    }
}
