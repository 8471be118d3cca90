//! A browser without a script: it opens a link, keeps what stands in the form, and follows where it
//! is led.

use super::{Reply, Server};

pub(crate) const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

pub(crate) struct Browser<'s> {
    server: &'s Server,
    path: String,
    /// The query of the page that is shown.
    pub(crate) query: String,
    /// The page that is shown.
    pub(crate) page: Reply,
}

/// The value of an attribute of a tag.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    let (value, _) = rest.split_once('"')?;
    Some(unescaped(value))
}

fn unescaped(text: &str) -> String {
    let quoted = text.replace("&#34;", "\"").replace("&#39;", "'");
    quoted.replace("&#60;", "<").replace("&#62;", ">").replace("&#38;", "&")
}

/// What begins with a name, up to the end of the tag.
fn tags<'t>(html: &'t str, name: &'t str) -> impl Iterator<Item = &'t str> {
    let begin = format!("<{name}");
    let parts: Vec<_> = html.split(&begin[..]).skip(1).collect();
    parts.into_iter().filter_map(|rest| rest.split('>').next())
}

/// A field of a form, percent-encoded.
fn pair((name, value): (&str, &str)) -> String {
    let encoded = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    format!("{}={}", encoded(name), encoded(value))
}

impl<'s> Browser<'s> {
    /// Opens a link.
    pub(crate) async fn open(server: &'s Server, link: &str) -> Self {
        let (path, query) = link.split_once('?').unwrap_or((link, ""));
        let (path, query) = (path.to_owned(), query.to_owned());
        let page = server.send("GET", link, &[]).await;
        Self { server, path, query, page }
    }

    /// The text of the page.
    pub(crate) fn text(&self) -> &str {
        &self.page.text
    }

    /// Asserts what the page says.
    pub(crate) fn says(&self, words: &str) {
        assert!(unescaped(self.text()).contains(words), "{words}: {}", self.text());
    }

    /// Asserts what the page does not say.
    pub(crate) fn hides(&self, words: &str) {
        assert!(!unescaped(self.text()).contains(words), "{words}: {}", self.text());
    }

    /// What stands in the form: what is hidden, typed and chosen.
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

    /// The form as it would be sent: what stands in it, with these fields in place of those of the
    /// same names.
    pub(crate) fn filled(&self, go: &str, changed: &[(&str, &str)]) -> String {
        let fields = self.fields();
        let kept = fields.iter().filter(|(name, _)| !changed.iter().any(|it| it.0 == name));
        let kept = kept.map(|(name, value)| (name.as_str(), value.as_str()));
        let all: Vec<_> = kept.chain(changed.iter().copied()).chain([("go", go)]).collect();
        all.into_iter().map(pair).collect::<Vec<_>>().join("&")
    }

    /// Sends a form as it is, to where the page's own leads.
    pub(crate) async fn send(&self, body: &str) -> Reply {
        let action = tags(self.text(), "form").find_map(|tag| attribute(tag, "action"));
        let path = format!("{}{}", self.path, action.expect("a form leads somewhere"));
        self.server.send_body("POST", &path, &[FORM], Some(body)).await
    }

    /// Fills in the form, presses a button, and follows where that leads; the status of what was
    /// sent.
    pub(crate) async fn press(&mut self, go: &str, changed: &[(&str, &str)]) -> u16 {
        let reply = self.send(&self.filled(go, changed)).await;
        let status = reply.status;
        self.follow(reply).await;
        status
    }

    /// Shows an answer, or what it leads to.
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
