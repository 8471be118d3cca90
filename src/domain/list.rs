//! Pages and filters of lists.

use std::collections::BTreeSet;

use super::error::Violations;
use super::id::check_id;

/// The default page size.
pub const LIMIT_DEFAULT_ROWS: i64 = 100;
/// The largest page. Larger limits are clamped; the response contains the effective limit.
pub const LIMIT_MAX_ROWS: i64 = 500;
/// The largest page, as protobuf: the default limit of gRPC libraries. A page of one row is served
/// regardless of its size.
pub const PAGE_MAX_BYTES: usize = 4 << 20;
/// The size of a page without its rows: three numbers.
pub const PAGE_HEAD_MAX_BYTES: usize = 36;
/// The most values in one `in` or `nin` list: five pages of the default size. Their ids must fit
/// into the head of a request (`net::limits`) and into the messages of lists (`grpc::rpcs`).
pub const FILTER_MAX_VALUES: usize = 500;

/// The requested rows of a list: `limit` rows from the zero-based `offset`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Pagination {
    limit: i64,
    offset: i64,
}

impl Pagination {
    /// The page of the first row, for callers that need only the total.
    pub const FIRST_ROW: Self = Self { limit: 1, offset: 0 };

    /// Checks and clamps the caller's values.
    pub fn parse(
        limit: Option<i64>,
        offset: Option<i64>,
        fields: [&str; 2],
        violations: &mut Violations,
    ) -> Self {
        let limit = limit.unwrap_or(LIMIT_DEFAULT_ROWS);
        if limit < 1 {
            violations.add(fields[0], "Must be at least 1.");
        }
        let offset = offset.unwrap_or(0);
        if offset < 0 {
            violations.add(fields[1], "Must be at least 0.");
        }
        Self { limit: limit.clamp(1, LIMIT_MAX_ROWS), offset: offset.max(0) }
    }

    /// Returns the page size after clamping.
    #[must_use]
    pub fn limit(self) -> i64 {
        self.limit
    }

    /// Returns the zero-based position of the first row.
    #[must_use]
    pub fn offset(self) -> i64 {
        self.offset
    }
}

/// One page of a list. The total and the items come from one snapshot.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// The rows of the page, in arrival order.
    pub items: Vec<T>,
    /// How many rows match the filters.
    pub total: i64,
    /// The effective pagination, after clamping.
    pub pagination: Pagination,
}

impl<T> Page<T> {
    /// Converts the items of a page.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(f).collect(),
            total: self.total,
            pagination: self.pagination,
        }
    }
}

/// The operators of one id filter as the caller sent them. All of them must match.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct IdFilter {
    /// Equal to this id.
    pub eq: Option<String>,
    /// Not equal to this id.
    pub ne: Option<String>,
    /// One of these ids. An empty list matches nothing.
    pub is_in: Option<Vec<String>>,
    /// None of these ids.
    pub not_in: Option<Vec<String>>,
}

impl IdFilter {
    /// Checks every value and reduces the operators to a set.
    pub fn parse(self, field: &str, separator: FieldStyle, violations: &mut Violations) -> IdSet {
        let Self { eq, ne, is_in, not_in } = self;
        let mut check = |operator: &str, value: &str| {
            if let Err(reason) = check_id(value) {
                violations.add(separator.join(field, operator), reason);
            }
        };
        for (operator, value) in [("eq", &eq), ("ne", &ne)] {
            if let Some(value) = value {
                check(operator, value);
            }
        }
        for (operator, values) in [("in", &is_in), ("nin", &not_in)] {
            // Values beyond the limit are not checked: one message can contain millions of bad
            // values, and each would cost a violation.
            for value in values.iter().flatten().take(FILTER_MAX_VALUES) {
                check(operator, value);
            }
        }
        for (operator, values) in [("in", &is_in), ("nin", &not_in)] {
            if values.as_ref().is_some_and(|values| values.len() > FILTER_MAX_VALUES) {
                violations.add(
                    separator.join(field, operator),
                    format!("At most {FILTER_MAX_VALUES} values."),
                );
            }
        }
        let never: BTreeSet<String> = ne.into_iter().chain(not_in.into_iter().flatten()).collect();
        let only = match (eq, is_in) {
            (None, None) => None,
            (Some(eq), None) => Some(BTreeSet::from([eq])),
            (None, Some(values)) => Some(values.into_iter().collect::<BTreeSet<_>>()),
            (Some(eq), Some(values)) => {
                Some(values.into_iter().filter(|value| *value == eq).collect())
            }
        };
        match only {
            None => IdSet::AllBut(never),
            Some(only) => IdSet::Only(only.difference(&never).cloned().collect()),
        }
    }
}

/// The syntax of field paths in a dialect.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FieldStyle {
    /// `filter.screener_id.eq`
    Dotted,
    /// `filter[screenerId][eq]`
    Bracketed,
}

impl FieldStyle {
    /// Returns the path of `name` within `parent`.
    #[must_use]
    pub fn join(self, parent: &str, name: &str) -> String {
        match self {
            Self::Dotted => format!("{parent}.{name}"),
            Self::Bracketed => format!("{parent}[{name}]"),
        }
    }
}

/// The ids that match: either only the listed ones, or all but those.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum IdSet {
    /// Exactly these.
    Only(BTreeSet<String>),
    /// All but these. All, if it is empty.
    AllBut(BTreeSet<String>),
}

impl Default for IdSet {
    fn default() -> Self {
        Self::AllBut(BTreeSet::new())
    }
}

impl IdSet {
    /// Returns whether an id matches.
    #[must_use]
    pub fn contains(&self, id: &str) -> bool {
        match self {
            Self::Only(ids) => ids.contains(id),
            Self::AllBut(ids) => !ids.contains(id),
        }
    }

    /// Returns whether every id matches.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        matches!(self, Self::AllBut(ids) if ids.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parses a page, and returns its limit, its offset and the refused fields.
    fn page(limit: Option<i64>, offset: Option<i64>) -> (i64, i64, Vec<String>) {
        let mut found = Violations::new();
        let page = Pagination::parse(limit, offset, ["limit", "offset"], &mut found);
        let refused = found.into_inner().into_iter().map(|it| it.field).collect();
        (page.limit(), page.offset(), refused)
    }

    #[test]
    fn a_page_has_1_to_500_rows_and_100_unless_the_caller_says() {
        assert_eq!(page(None, None), (100, 0, vec![]));
        assert_eq!(page(Some(1), Some(7)), (1, 7, vec![]));
        assert_eq!(page(Some(500), Some(i64::MAX)), (500, i64::MAX, vec![]));
        assert_eq!(page(Some(501), Some(0)).0, 500, "a larger page is cut without a refusal");
        assert_eq!(page(Some(i64::MAX), None), (500, 0, vec![]));
        for limit in [0, -1, i64::MIN] {
            assert_eq!(page(Some(limit), None).2, ["limit"], "{limit}");
        }
        for offset in [-1, i64::MIN] {
            assert_eq!(page(None, Some(offset)).2, ["offset"], "{offset}");
        }
        assert_eq!(page(Some(0), Some(-1)).2, ["limit", "offset"], "all that is wrong is named");
    }

    #[test]
    fn a_page_is_at_most_4_mib_as_grpc_libraries_take_it() {
        assert_eq!(PAGE_MAX_BYTES, 4 * 1024 * 1024);
    }

    #[test]
    fn a_page_of_other_items_is_of_the_same_rows() {
        let pagination = Pagination { limit: 2, offset: 4 };
        let page = Page { items: vec![1, 2], total: 9, pagination };
        let expected = Page { items: vec!["1", "2"], total: 9, pagination };
        assert_eq!(page.map(|item| if item == 1 { "1" } else { "2" }), expected);
    }

    fn ids(ids: &[&str]) -> Vec<String> {
        ids.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_id_matches_if_every_operator_that_is_there_holds() {
        let texts = [None, Some("a"), Some("b")];
        let lists = [None, Some(&[][..]), Some(&["a"]), Some(&["b", "c"]), Some(&["a", "b"])];
        for (eq, ne) in texts.iter().flat_map(|eq| texts.map(|ne| (*eq, ne))) {
            for (is_in, not_in) in lists.iter().flat_map(|some| lists.map(|none| (*some, none))) {
                let filter = IdFilter {
                    eq: eq.map(str::to_owned),
                    ne: ne.map(str::to_owned),
                    is_in: is_in.map(ids),
                    not_in: not_in.map(ids),
                };
                let mut found = Violations::new();
                let set = filter.parse("id", FieldStyle::Dotted, &mut found);
                assert_eq!(found.total(), 0);
                for id in ["a", "b", "c", "d"] {
                    let matches = eq.is_none_or(|it| it == id)
                        && ne.is_none_or(|it| it != id)
                        && is_in.is_none_or(|them| them.contains(&id))
                        && not_in.is_none_or(|them| !them.contains(&id));
                    let said = format!("{id}: {eq:?} {ne:?} {is_in:?} {not_in:?}");
                    assert_eq!(set.contains(id), matches, "{said}");
                }
                let forbids = [eq, ne].iter().any(Option::is_some)
                    || is_in.is_some()
                    || not_in.is_some_and(|them| !them.is_empty());
                assert_eq!(set.is_everything(), !forbids, "{eq:?} {ne:?} {is_in:?} {not_in:?}");
            }
        }
    }

    #[test]
    fn every_operator_refuses_what_is_no_id_under_its_own_name() {
        for (style, fields) in [
            (FieldStyle::Dotted, ["id.eq", "id.ne", "id.in", "id.nin"]),
            (FieldStyle::Bracketed, ["id[eq]", "id[ne]", "id[in]", "id[nin]"]),
        ] {
            let (eq, ne) = (Some(String::new()), Some("a\0".into()));
            let (is_in, not_in) = (Some(ids(&["a", ""])), Some(ids(&["", "b"])));
            let mut found = Violations::new();
            IdFilter { eq, ne, is_in, not_in }.parse("id", style, &mut found);
            let refused: Vec<_> = found.into_inner().into_iter().map(|it| it.field).collect();
            assert_eq!(refused, fields);
        }
    }

    #[test]
    fn a_list_of_500_ids_is_taken_and_a_longer_one_refused_once_by_its_length() {
        for (values, refused) in [
            (vec!["a".to_owned(); FILTER_MAX_VALUES], 0),
            (vec!["a".to_owned(); FILTER_MAX_VALUES + 1], 1),
            // Values beyond the limit are not checked.
            ([vec!["a".to_owned(); FILTER_MAX_VALUES], vec![String::new(); 9]].concat(), 1),
        ] {
            let mut found = Violations::new();
            let filter = IdFilter { is_in: Some(values.clone()), ..IdFilter::default() };
            filter.parse("id", FieldStyle::Dotted, &mut found);
            assert_eq!(found.total(), refused, "in");
            let filter = IdFilter { not_in: Some(values), ..IdFilter::default() };
            filter.parse("id", FieldStyle::Dotted, &mut found);
            assert_eq!(found.total(), 2 * refused, "nin");
        }
    }
}
