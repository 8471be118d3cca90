//! Submissions with all data that they refer to: one, or pages of them.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use super::{read_review, review_columns};
use crate::domain::error::{Error, Result};
use crate::domain::id::{ProjectId, PublicationId, ScreenerId, SessionId, TenantId};
use crate::domain::list::{PAGE_MAX_BYTES, Page, Pagination};
use crate::domain::participant::Participant;
use crate::domain::project::Project;
use crate::domain::publication::Publication;
use crate::domain::review::{Review, ReviewStatus, Visibility};
use crate::domain::session::Session;
use crate::domain::submission::Submission;
use crate::domain::time::Timestamp;
use crate::domain::verdict::Verdict;
use crate::store::engine::read_int;
use crate::store::list::{Length, List, PageRows, Paging, Walk, walk};
use crate::store::participant::read_participant;
use crate::store::session::{TagCache, read_session_after, session_columns};
use crate::store::sql::{Arg, ListArgs, args};
use crate::store::verdict::read_verdict;
use crate::store::{Row, Tx};

/// The filter of a list of submissions. All conditions that are set must match.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SubmissionFilter {
    /// The project.
    pub project: Option<ProjectId>,
    /// The screener.
    pub screener: Option<ScreenerId>,
    /// The statuses. An empty set matches nothing.
    pub statuses: Option<BTreeSet<ReviewStatus>>,
    /// Whether the participant qualifies.
    pub qualified: Option<bool>,
    /// Whether it is a favorite.
    pub favorite: Option<bool>,
    /// Whether it is hidden.
    pub hidden: Option<bool>,
    /// The visibilities. An empty set matches all.
    pub visibilities: BTreeSet<Visibility>,
    /// The earliest creation time, inclusive.
    pub created_from: Option<Timestamp>,
    /// The latest creation time, exclusive.
    pub created_to: Option<Timestamp>,
}

/// The most rows of a short page: each submission includes all its answers, tens of rows.
const SHORT_PAGE_MAX_ROWS: i64 = 25;

impl SubmissionFilter {
    /// Returns how long a page takes to read. Filtering by attributes reads the whole part.
    #[must_use]
    pub fn length(&self, pagination: Pagination) -> Length {
        if self.has_attributes() {
            Length::Long
        } else {
            Length::of_rows(pagination, SHORT_PAGE_MAX_ROWS)
        }
    }

    /// Returns whether the filter has conditions on single submissions.
    fn has_attributes(&self) -> bool {
        let mut conditions = Conditions::default();
        conditions.add_attributes(self);
        !conditions.args.is_empty()
    }
}

static BY_SCREENER: Walk = walk!(List::Submissions, "submissions", "screener", "screener_id");
static BY_PROJECT: Walk = walk!(List::Submissions, "submissions", "project", "project_id");

/// The part of the tenant's list that a filter selects.
enum Part<'a> {
    Nothing,
    /// One screener or project: its walk, the comparison with its id, and the id.
    Of(&'static Walk, &'static str, &'a str),
    All,
}

/// The conditions after WHERE, with their arguments.
#[derive(Default)]
struct Conditions<'a> {
    sql: String,
    args: Vec<Arg<'a>>,
}

impl<'a> Conditions<'a> {
    /// Adds a comparison with one of these values, unless there are none.
    fn add(&mut self, comparison: &str, values: impl IntoIterator<Item = Arg<'a>>) {
        let count = self.args.len();
        for value in values {
            if self.args.len() == count {
                self.sql.extend([" AND ", comparison, " ("]);
            } else {
                self.sql.push_str(", ");
            }
            self.args.push(value);
            // Writing to a String cannot fail.
            let _ = write!(self.sql, "${}", self.args.len());
        }
        if self.args.len() > count {
            self.sql.push(')');
        }
    }

    /// Adds the conditions of a filter on single submissions.
    fn add_attributes(&mut self, filter: &'a SubmissionFilter) {
        let SubmissionFilter {
            project: _,
            screener: _,
            statuses,
            qualified,
            favorite,
            hidden,
            visibilities,
            created_from,
            created_to,
        } = filter;
        self.add("status IN", statuses.iter().flatten().map(|it| it.as_str().into()));
        self.add("qualified =", qualified.map(Arg::from));
        self.add("favorite =", favorite.map(Arg::from));
        self.add("hidden =", hidden.map(Arg::from));
        self.add("visibility IN", visibilities.iter().map(|it| it.as_str().into()));
        self.add("created_at >=", created_from.map(Arg::from));
        self.add("created_at <", created_to.map(Arg::from));
    }
}

/// A submission without the data that it shares with others.
struct Filed {
    session: Session,
    review: Review,
    verdict: Option<Verdict>,
    project: ProjectId,
    participant: Participant,
}

/// The columns of a submission, in the order in which [`read_filed`] reads them.
macro_rules! select_filed {
    ($rest:literal) => {
        concat!(
            "SELECT ",
            session_columns!(),
            ", ",
            review_columns!("v."),
            ", v.publication_hash, v.percentage, v.questions_qualified, v.first_disqualifying,
                v.verdict, v.project_id, t.id, t.external_uid, t.name, t.email, t.id_verification
             FROM submissions v
             JOIN sessions s ON s.tenant_id = v.tenant_id AND s.id = v.session_id
             JOIN publications p ON p.tenant_id = s.tenant_id AND p.id = s.publication_id
             JOIN assignments a ON a.tenant_id = s.tenant_id AND a.id = s.assignment_id
             JOIN participants t ON t.tenant_id = a.tenant_id AND t.id = a.participant_id ",
            $rest
        )
    };
}

fn read_filed(row: &mut Row<'_>, tags: &mut TagCache) -> Result<Filed> {
    Ok(Filed {
        session: read_session_after(row, tags)?,
        review: read_review(row)?,
        verdict: read_verdict(row)?,
        project: row.parse(ProjectId::parse)?,
        participant: read_participant(row)?,
    })
}

impl Tx {
    /// Returns a submission of a project. Returns `None` if it does not exist, belongs to another
    /// tenant or project, or has no first submission.
    pub async fn get_submission(
        &mut self,
        tenant: &TenantId,
        project: &ProjectId,
        id: &SessionId,
    ) -> Result<Option<Submission>> {
        let filed = self
            .all(
                select_filed!("WHERE v.tenant_id = $1 AND v.session_id = $2 AND v.project_id = $3"),
                args![tenant, id, project],
                |row| read_filed(row, &mut TagCache::default()),
            )
            .await?;
        let mut rows = Paging::from(Pagination::FIRST_ROW).rows();
        self.submissions(tenant, filed, &mut rows).await?;
        Ok(rows.page(1).items.pop())
    }

    /// Returns a page of a tenant's submissions, in arrival order.
    ///
    /// The whole list, a project's and a screener's cost the same at any offset. A filter by
    /// attributes walks the index of the screener, the project or the tenant, and reads the rows of
    /// its entries.
    pub async fn list_submissions(
        &mut self,
        tenant: &TenantId,
        filter: &SubmissionFilter,
        paging: impl Into<Paging> + Send,
    ) -> Result<Page<Submission>> {
        let paging = paging.into();
        let part = self.part(tenant, filter).await?;
        let mut conditions =
            Conditions { sql: "tenant_id = $1".into(), args: args![tenant].into() };
        if let Part::Of(_, comparison, id) = part {
            conditions.add(comparison, [id.into()]);
        }
        conditions.add_attributes(filter);
        let (total, seqs) = match part {
            Part::Nothing => (0, Vec::new()),
            Part::Of(..) | Part::All if filter.has_attributes() => {
                self.matching_page(conditions, &paging).await?
            }
            Part::Of(walk, _, id) => walk.page(self, tenant, id, &paging).await?,
            Part::All => self.dense_page(tenant, List::Submissions, &paging).await?,
        };
        let mut rows = paging.rows();
        if !seqs.is_empty() {
            let list = ListArgs::new(args![tenant], &seqs);
            let head = select_filed!("WHERE v.tenant_id = $1 AND v.seq IN (");
            let sql = format!("{head}{}) ORDER BY v.seq", list.placeholders);
            let mut tags = TagCache::default();
            let filed = self.all(sql, &list.args, |row| read_filed(row, &mut tags)).await?;
            self.submissions(tenant, filed, &mut rows).await?;
        }
        Ok(rows.page(total))
    }

    async fn part<'a>(
        &mut self,
        tenant: &TenantId,
        filter: &'a SubmissionFilter,
    ) -> Result<Part<'a>> {
        if filter.statuses.as_ref().is_some_and(BTreeSet::is_empty) {
            return Ok(Part::Nothing);
        }
        let Some(screener) = &filter.screener else {
            let of = |id: &'a ProjectId| Part::Of(&BY_PROJECT, "project_id =", id.as_str());
            return Ok(filter.project.as_ref().map_or(Part::All, of));
        };
        if let Some(project) = &filter.project {
            // A screener belongs to one project, so the two select all of the screener or nothing.
            let found = self.get_screener(tenant, screener).await?;
            if found.is_none_or(|it| it.project != *project) {
                return Ok(Part::Nothing);
            }
        }
        Ok(Part::Of(&BY_SCREENER, "screener_id =", screener.as_str()))
    }

    /// Returns the positions of a page of matches, and the number of matches.
    async fn matching_page(
        &mut self,
        conditions: Conditions<'_>,
        paging: &Paging,
    ) -> Result<(i64, Vec<i64>)> {
        let Conditions { sql: conditions, mut args } = conditions;
        let sql = format!("SELECT COUNT(*) FROM submissions WHERE {conditions}");
        let total = self.one(sql, &args, read_int).await?.unwrap_or(0);
        if paging.offset() >= total {
            return Ok((total, Vec::new()));
        }
        args.extend_from_slice(args![paging.limit(), paging.offset()]);
        let sql = format!(
            "SELECT seq FROM submissions WHERE {conditions}
             ORDER BY seq LIMIT ${} OFFSET ${}",
            args.len() - 1,
            args.len()
        );
        Ok((total, self.all(sql, &args, read_int).await?))
    }

    /// Adds the data that submissions refer to. Shared data is read once. The answers are read
    /// together if they fit into a page. Otherwise they are read one submission after the other
    /// until the page is too large, so that the error can state how many fit.
    async fn submissions(
        &mut self,
        tenant: &TenantId,
        filed: Vec<Filed>,
        rows: &mut PageRows<Submission>,
    ) -> Result<()> {
        let mut publications: BTreeMap<PublicationId, Arc<Publication>> = BTreeMap::new();
        let mut projects: BTreeMap<ProjectId, Project> = BTreeMap::new();
        let missing = |what: &str| Error::internal(format!("a submission without its {what}"));
        let ids: Vec<_> = filed.iter().map(|it| &it.session.id).collect();
        let mut together = self.answers_of(tenant, &ids, PAGE_MAX_BYTES).await?;
        for Filed { session, review, verdict, project, participant } in filed {
            let publication = match publications.entry(session.publication.clone()) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(vacant) => {
                    let found = self.get_publication(tenant, vacant.key()).await?;
                    let found = found.ok_or_else(|| missing("publication"))?;
                    rows.hold(found.heap_bytes())?;
                    vacant.insert(Arc::new(found))
                }
            };
            let project = match projects.entry(project) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(vacant) => {
                    let found = self.get_project(tenant, vacant.key()).await?;
                    vacant.insert(found.ok_or_else(|| missing("project"))?)
                }
            };
            let (publication, project) = (Arc::clone(publication), project.clone());
            let answers = match &mut together {
                Some(answers) => answers.remove(&session.id).unwrap_or_default(),
                None => self.session_answers(tenant, &session.id).await?,
            };
            rows.push(Submission::new(
                session,
                review,
                project,
                participant,
                publication,
                answers,
                verdict,
            )?)?;
        }
        Ok(())
    }
}
