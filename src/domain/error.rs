//! The one error type below the transports.
//!
//! A kind is transport-neutral: `kinds!` is the only table that maps it to a gRPC code and an HTTP
//! status. Texts for the caller ([`Error::detail`], [`Error::violations`]) and texts for the
//! operator (the source) are different fields, so that an internal text cannot leak by accident.

use std::borrow::Cow;
use std::{fmt, io};

/// One row of the mapping of kinds to the transports.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Mapping {
    /// The stable code of REST bodies; in upper case the `ErrorReason` of gRPC.
    pub code: &'static str,
    /// The gRPC status code.
    pub grpc: i32,
    /// The HTTP status code.
    pub http: u16,
    /// The short title of the problem.
    pub title: &'static str,
}

/// Declares the kinds. Each row has the kind and the fields of its [`Mapping`] in order.
macro_rules! kinds {
    ($(
        $(#[$doc:meta])*
        $kind:ident = $code:literal, $grpc:literal, $http:literal, $title:literal;
    )*) => {
        /// The kind of an error, in terms of the caller's request.
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        pub enum Kind {
            $($(#[$doc])* $kind,)*
        }

        impl Kind {
            /// Every kind, in the order of the documentation.
            pub const ALL: [Self; 22] = [$(Self::$kind,)*];

            /// Returns its row in the table.
            #[must_use]
            pub const fn mapping(self) -> Mapping {
                match self {
                    $(Self::$kind => {
                        Mapping { code: $code, grpc: $grpc, http: $http, title: $title }
                    })*
                }
            }
        }
    };
}

// gRPC codes: 3 INVALID_ARGUMENT, 4 DEADLINE_EXCEEDED, 5 NOT_FOUND, 6 ALREADY_EXISTS,
// 7 PERMISSION_DENIED, 8 RESOURCE_EXHAUSTED, 9 FAILED_PRECONDITION, 10 ABORTED,
// 12 UNIMPLEMENTED, 13 INTERNAL, 14 UNAVAILABLE, 16 UNAUTHENTICATED.
kinds! {
    /// A field of the request breaks a rule. The violations list the details.
    InvalidArgument = "invalid_argument", 3, 400, "Invalid argument";
    /// The API version header names a version that does not exist.
    UnsupportedApiVersion = "unsupported_api_version", 3, 400, "Unsupported API version";
    /// The credential is missing, unknown, or of a kind that this call does not accept.
    Unauthorized = "unauthorized", 16, 401, "Unauthorized";
    /// The credential is valid but may not make this call.
    Forbidden = "forbidden", 7, 403, "Forbidden";
    /// The named resource does not exist or is not visible to the caller.
    NotFound = "not_found", 5, 404, "Not found";
    /// The survey does not exist or is not visible to the caller.
    SurveyNotFound = "survey_not_found", 5, 404, "Survey not found";
    /// A resource with that name exists already.
    AlreadyExists = "already_exists", 6, 409, "Already exists";
    /// The status of the submission, session or screener does not allow this step.
    InvalidStatusTransition = "invalid_status_transition", 9, 409, "Invalid status transition";
    /// The submission is not visible, so it cannot be reviewed.
    NotVisible = "not_visible", 9, 409, "Not visible";
    /// The survey is not open.
    NotOpen = "not_open", 9, 409, "Not open";
    /// The panelist has no response left.
    Exhausted = "exhausted", 9, 409, "Exhausted";
    /// A concurrent change came first, or the request conflicts with the current state.
    Conflict = "conflict", 10, 409, "Conflict";
    /// The path exists, but not with this method.
    MethodNotAllowed = "method_not_allowed", 12, 405, "Method not allowed";
    /// The resource existed and was removed.
    Gone = "gone", 5, 410, "Gone";
    /// The request is larger than the limit.
    PayloadTooLarge = "payload_too_large", 8, 413, "Payload too large";
    /// The page of a list is larger than the limit.
    PageTooLarge = "page_too_large", 8, 413, "Page too large";
    /// The path does not accept this content type.
    UnsupportedMediaType = "unsupported_media_type", 3, 415, "Unsupported media type";
    /// The request accepts none of the response formats of this path.
    NotAcceptable = "not_acceptable", 3, 406, "Not acceptable";
    /// Too many requests.
    RateLimited = "rate_limited", 8, 429, "Rate limited";
    /// The server cannot serve this now; the same request may succeed later.
    Unavailable = "unavailable", 14, 503, "Unavailable";
    /// The caller's deadline, or the server's own, passed.
    DeadlineExceeded = "deadline_exceeded", 4, 504, "Deadline exceeded";
    /// A fault of the server.
    Internal = "internal", 13, 500, "Internal error";
}

impl Kind {
    /// Returns the seconds after which a caller should retry: longer than a failover of
    /// connections, short enough for a person to wait.
    #[must_use]
    pub fn retry_after(self) -> Option<u64> {
        (self == Self::Unavailable).then_some(1)
    }

    /// Returns whether the server failed, independent of the request.
    #[must_use]
    pub const fn is_fault(self) -> bool {
        self.mapping().http >= 500
    }
}

/// A broken rule: the field, and its valid values.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Violation {
    /// The field as the caller wrote it, for example `pagination.limit`.
    pub field: String,
    /// The reason, as a sentence without the field's value.
    pub reason: String,
}

impl Violation {
    /// Creates a violation.
    pub fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        let mut field = field.into();
        shorten(&mut field);
        Self { field, reason: reason.into() }
    }
}

/// The longest field of a violation, because the caller may have made it up.
const FIELD_MAX_BYTES: usize = 1024;

/// Truncates a longer field, and marks the place with an ellipsis.
fn shorten(field: &mut String) {
    if field.len() > FIELD_MAX_BYTES {
        field.truncate(field.floor_char_boundary(FIELD_MAX_BYTES));
        field.push('…');
    }
}

/// How many violations an error lists. A caller fixes no more at a time, and each costs memory and
/// time that a hostile request could multiply.
pub const VIOLATIONS_MAX: usize = 100;

/// Replaces the violations beyond the limit by a remark that there are more.
fn cut(violations: &mut Vec<Violation>) {
    violations.truncate(VIOLATIONS_MAX - 1);
    let reason = format!("At most {VIOLATIONS_MAX} violations are listed. There are more.");
    violations.push(Violation::new("request", reason));
}

type Source = Box<dyn std::error::Error + Send + Sync>;

/// A refusal or a fault. See the module's documentation.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    detail: Cow<'static, str>,
    violations: Vec<Violation>,
    max_rows: Option<u32>,
    source: Option<Source>,
}

/// A result with the crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Creates an error of a kind, with the sentence for the caller.
    pub fn new(kind: Kind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, detail: detail.into(), violations: Vec::new(), max_rows: None, source: None }
    }

    /// Creates an invalid argument with all of its violations, of which there must be at least one.
    #[must_use]
    pub fn invalid(mut violations: Vec<Violation>) -> Self {
        debug_assert!(!violations.is_empty(), "an invalid argument names its fields");
        let has_more = violations.len() > VIOLATIONS_MAX;
        if has_more {
            cut(&mut violations);
        }
        let detail = match violations.as_slice() {
            [one] => format!("{}: {}", one.field, one.reason),
            _ if has_more => {
                format!("More than {VIOLATIONS_MAX} fields of the request are invalid.")
            }
            many => format!("{} fields of the request are invalid.", many.len()),
        };
        Self { violations, ..Self::new(Kind::InvalidArgument, detail) }
    }

    /// Creates an error of another kind that names the parts of the request that it concerns.
    #[must_use]
    pub fn about(kind: Kind, mut violations: Vec<Violation>) -> Self {
        debug_assert!(!violations.is_empty(), "what is about something names it");
        let detail = match violations.as_slice() {
            [one] => format!("{}: {}", one.field, one.reason),
            [first, ..] => {
                let others = violations.len() - 1;
                format!("{}: {} {others} more violations.", first.field, first.reason)
            }
            [] => String::new(),
        };
        if violations.len() > VIOLATIONS_MAX {
            cut(&mut violations);
        }
        Self { violations, ..Self::new(kind, detail) }
    }

    /// Creates the error of a page that is too large to send, with how many rows fit.
    #[must_use]
    pub fn page_too_large(detail: String, max_rows: usize) -> Self {
        let max_rows = u32::try_from(max_rows).ok();
        Self { max_rows, ..Self::new(Kind::PageTooLarge, detail) }
    }

    /// Creates the error of a value that must be unique and belongs to another row.
    pub fn taken(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::about(Kind::AlreadyExists, vec![Violation::new(field, reason)])
    }

    /// Creates an invalid argument with one violation.
    pub fn invalid_field(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::invalid(vec![Violation::new(field, reason)])
    }

    /// Creates a "not found" error, the same for absent rows and those of another tenant.
    #[must_use]
    pub fn not_found(noun: &'static str) -> Self {
        Self::new(Kind::NotFound, format!("No such {noun}."))
    }

    /// Creates the error of a large response while too many are waiting for their peers.
    #[must_use]
    pub fn sending() -> Self {
        Self::new(
            Kind::Unavailable,
            "The limit of large responses in flight is reached. Try again later.",
        )
    }

    /// Creates the error of a call whose deadline passed.
    #[must_use]
    pub fn exceeded() -> Self {
        Self::new(Kind::DeadlineExceeded, "The deadline passed before the server responded.")
    }

    /// Creates a server fault. The source goes to the log, never to the caller.
    pub fn internal(source: impl Into<Source>) -> Self {
        Self::new(Kind::Internal, "The server failed. Its log has the cause under the request id.")
            .caused_by(source)
    }

    /// Sets the cause, which only the operator sees.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Source>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Returns the kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the sentence for the caller.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// Returns all broken rules of an invalid argument. For other kinds, returns the parts of the
    /// request that the error concerns, if any.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// Returns how many rows fit on a page that was too large.
    #[must_use]
    pub fn max_rows(&self) -> Option<u32> {
        self.max_rows
    }

    /// Returns the chain of causes for the log.
    #[must_use]
    pub fn internal_text(&self) -> Option<String> {
        let causes = std::iter::successors(std::error::Error::source(self), |cause| cause.source());
        let texts: Vec<_> = causes.map(ToString::to_string).collect();
        (!texts.is_empty()).then(|| texts.join(": "))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// Returns the reason of an I/O error, to be appended to a path: in lower case, without the error
/// number and the text after it.
#[must_use]
pub fn io_cause(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::NotFound {
        return "it does not exist".to_owned();
    }
    let text = error.to_string();
    let words = text.split(" (os error").next().unwrap_or_default();
    let mut characters = words.chars();
    characters
        .next()
        .map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}

/// A collector of the violations of a request. It counts all of them, and keeps only as many as are
/// listed.
#[derive(Debug)]
pub struct Violations {
    /// More than are listed, so that the error can report that there are more.
    kept: Vec<Violation>,
    listed_max: usize,
    total: usize,
    /// The order of fields. Without it, violations stay in the order in which they were added.
    place: Option<PlaceOf>,
}

/// The position of a field among others. Smaller positions come first.
type PlaceOf = fn(&str) -> [usize; 4];

impl Default for Violations {
    fn default() -> Self {
        Self::new()
    }
}

impl Violations {
    /// Creates an empty collector with the limit of an error.
    #[must_use]
    pub fn new() -> Self {
        Self::up_to(VIOLATIONS_MAX)
    }

    /// Creates an empty collector that lists up to `listed_max` violations.
    #[must_use]
    pub fn up_to(listed_max: usize) -> Self {
        Self { kept: Vec::new(), listed_max, total: 0, place: None }
    }

    /// Orders violations by the positions of their fields, then by when they were added.
    #[must_use]
    pub fn placed(mut self, place: PlaceOf) -> Self {
        self.place = Some(place);
        self
    }

    /// Adds a violation.
    pub fn add(&mut self, field: impl Into<String>, reason: impl Into<String>) {
        self.total += 1;
        // A later violation may sort before kept ones, so twice as many are kept for a while.
        let room =
            if self.place.is_some() { 2 * (self.listed_max + 1) } else { self.listed_max + 1 };
        if self.kept.len() < room {
            self.kept.push(Violation::new(field, reason));
        }
        if self.place.is_some() && self.kept.len() == room {
            self.put_in_order();
        }
    }

    fn put_in_order(&mut self) {
        if let Some(place) = self.place {
            self.kept.sort_by_cached_key(|violation| place(&violation.field));
            self.kept.truncate(self.listed_max + 1);
        }
    }

    /// Returns how many were added.
    #[must_use]
    pub fn total(&self) -> usize {
        self.total
    }

    /// Returns whether more violations were added than are listed.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.total > self.listed_max
    }

    /// Returns the value, or adds the reason under the field's name.
    pub fn keep<T>(&mut self, field: &str, result: Result<T, String>) -> Option<T> {
        result.map_err(|reason| self.add(field, reason)).ok()
    }

    /// Returns the listed violations.
    #[must_use]
    pub fn into_listed(mut self) -> Vec<Violation> {
        self.put_in_order();
        self.kept.truncate(self.listed_max);
        self.kept
    }

    /// Returns the violations for an error: one more than is listed, if there are more.
    #[must_use]
    pub fn into_inner(mut self) -> Vec<Violation> {
        self.put_in_order();
        self.kept
    }

    /// Fails with all collected violations, if there are any.
    pub fn finish(self) -> Result<()> {
        let broken = self.into_inner();
        if broken.is_empty() { Ok(()) } else { Err(Error::invalid(broken)) }
    }

    /// Returns the value if no violation was collected. Every `None` must have added a violation.
    pub fn finish_with<T>(self, value: Option<T>) -> Result<T> {
        self.finish()?;
        value.ok_or_else(|| Error::internal("a request was refused without naming a field"))
    }
}

#[cfg(test)]
mod tests;
