//! Responses in large numbers, read in pieces along an index, without a snapshot between them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{ResponseFilter, ResponseWalk};
use crate::domain::answer::Answer;
use crate::domain::error::{Error, Result};
use crate::domain::id::{
    AssignmentId, PageId, ParticipantId, PublicationId, QuestionId, ScreenerId, SessionId, TenantId,
};
use crate::domain::list::Pagination;
use crate::domain::participant::ExternalUid;
use crate::domain::question::QuestionKind;
use crate::domain::response::{Asked, Origin, ScreenerResponse};
use crate::store::list::{List, TENANT_SCOPE};
use crate::store::question::{answer_of, read_choices};
use crate::store::sql::{ListArgs, args};
use crate::store::{Arg, Corrupt, Row, Tx};

/// The range of an export.
#[derive(Clone, Debug)]
pub struct ResponseSpan {
    /// The way in which it is read.
    pub walk: ResponseWalk,
    /// The number of the next response to arrive.
    pub end: i64,
    /// The current number of matching responses.
    pub total: i64,
}

/// A response with its number.
pub type Numbered = (i64, ScreenerResponse);

/// The most ids of one lookup.
const LOOKUP_MAX_IDS: usize = 512;
/// The most entries of the cache. A long prompt counts as several. A row of an export is seldom the
/// first of its question or of its choice. If most are, the cache is cleared.
const CACHED_MAX: usize = 8192;
/// The longest cached choices. Longer ones contain a text that a participant typed.
const CACHED_MAX_BYTES: usize = 256;

/// Questions and choices of the rows read so far, which later rows repeat.
#[derive(Debug, Default)]
pub struct QuestionCache {
    publications: HashMap<PublicationId, HashMap<QuestionId, Question>>,
    entries: usize,
}

/// A question, and the known choices in its answers.
#[derive(Debug)]
struct Question {
    asked: Arc<Asked>,
    skipped: Arc<Answer>,
    chosen: HashMap<String, Arc<Answer>>,
}

/// The ids in a row, without its participant, who is read later.
struct Place {
    session: SessionId,
    screener: ScreenerId,
    publication: PublicationId,
    assignment: AssignmentId,
}

/// A row of the table.
struct Found {
    number: i64,
    /// The index of its place.
    place: usize,
    asked: Arc<Asked>,
    answer: Arc<Answer>,
}

/// The limits of a piece.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// The most rows.
    pub rows: usize,
    /// The most bytes of their prompts and answers together. The row that exceeds it is the last
    /// one, so a piece is never empty for lack of room.
    pub bytes: usize,
}

/// The rows of a piece.
struct Reading<'s> {
    cache: &'s mut QuestionCache,
    places: Vec<Place>,
    rows: Vec<Found>,
    left_bytes: usize,
    /// The publications whose questions must be read before these rows.
    unknown: HashSet<PublicationId>,
}

impl Place {
    fn parse([session, screener, publication, assignment]: [&str; 4]) -> Result<Self> {
        let corrupt = |column| {
            move |reason| Error::internal(Corrupt::new("responses", column, session, reason))
        };
        Ok(Self {
            session: SessionId::parse(session).map_err(corrupt("session_id"))?,
            screener: ScreenerId::parse(screener).map_err(corrupt("screener_id"))?,
            publication: PublicationId::parse(publication).map_err(corrupt("publication_id"))?,
            assignment: AssignmentId::parse(assignment).map_err(corrupt("assignment_id"))?,
        })
    }

    fn is(&self, [session, screener, publication, assignment]: [&str; 4]) -> bool {
        self.session.as_str() == session
            && self.screener.as_str() == screener
            && self.publication.as_str() == publication
            && self.assignment.as_str() == assignment
    }
}

impl Question {
    /// Reads the answer in the next columns. Returns it with the bytes of it and the prompt, and
    /// whether it was added to the cache.
    fn answer(&mut self, row: &mut Row<'_>) -> Result<(Arc<Answer>, usize, bool)> {
        let kind = self.asked.kind;
        let (text, number, choices) = (row.opt_str()?, row.opt_real()?, row.opt_str()?);
        let answer_bytes = text.or(choices).map_or(0, str::len);
        let bytes = self.asked.prompt.len() + answer_bytes;
        match (text, number, choices) {
            (None, None, None) => return Ok((Arc::clone(&self.skipped), bytes, false)),
            (None, None, Some(choices)) => {
                if let Some(known) = self.chosen.get(choices) {
                    return Ok((Arc::clone(known), bytes, false));
                }
            }
            _ => {}
        }
        let read = choices.map(read_choices).transpose().map_err(|reason| row.corrupt(reason))?;
        let answer = answer_of(kind, text.map(str::to_owned), number, read);
        let answer = Arc::new(answer.map_err(|reason| row.corrupt(reason))?);
        let cached = choices.filter(|choices| choices.len() <= CACHED_MAX_BYTES);
        if let Some(choices) = cached {
            self.chosen.insert(choices.to_owned(), Arc::clone(&answer));
        }
        Ok((answer, bytes, cached.is_some()))
    }
}

impl QuestionCache {
    /// Adds a question.
    fn add(&mut self, publication: PublicationId, asked: Asked) {
        self.entries += 1 + asked.prompt.len() / CACHED_MAX_BYTES;
        let question = asked.question.clone();
        let (asked, skipped) = (Arc::new(asked), Arc::new(Answer::Skipped));
        let new = Question { asked, skipped, chosen: HashMap::new() };
        self.publications.entry(publication).or_default().insert(question, new);
    }

    /// Clears the cache if it has too many entries.
    fn make_room(&mut self) {
        if self.entries > CACHED_MAX {
            *self = Self::default();
        }
    }
}

impl Reading<'_> {
    fn read(&mut self, row: &mut Row<'_>) -> Result<()> {
        if self.left_bytes == 0 {
            return Ok(());
        }
        row.of("responses");
        let ids = [row.str()?, row.str()?, row.str()?, row.str()?];
        if !self.places.last().is_some_and(|place| place.is(ids)) {
            self.places.push(Place::parse(ids)?);
        }
        let place = self.places.len() - 1;
        let number = row.int()?;
        let Some(questions) = self.cache.publications.get_mut(ids[2]) else {
            self.unknown.insert(self.places[place].publication.clone());
            return Ok(());
        };
        let question = questions.get_mut(row.str()?);
        let question = question.ok_or_else(|| row.corrupt("there is none of this id"))?;
        let (answer, bytes, cached) = question.answer(row)?;
        self.left_bytes = self.left_bytes.saturating_sub(bytes);
        self.cache.entries += usize::from(cached);
        self.rows.push(Found { number, place, asked: Arc::clone(&question.asked), answer });
        Ok(())
    }
}

impl Tx {
    /// Returns the range of an export with a filter.
    pub async fn response_span(
        &mut self,
        tenant: &TenantId,
        filter: &ResponseFilter,
    ) -> Result<ResponseSpan> {
        let end = self.list_count(tenant, List::Responses, TENANT_SCOPE).await?.arrived();
        let mut walk = self.response_walk(tenant, filter).await?;
        let total = if let ResponseWalk::Numbered(numbers) = &mut walk {
            numbers.sort_unstable();
            i64::try_from(numbers.len()).unwrap_or(i64::MAX)
        } else {
            self.list_responses(tenant, filter, Pagination::FIRST_ROW).await?.total
        };
        Ok(ResponseSpan { walk, end, total })
    }

    /// Returns the next responses with numbers from `from` to below `end`, in arrival order, up to
    /// the limits of `room`. The result is empty only at the end.
    pub async fn responses_from(
        &mut self,
        tenant: &TenantId,
        walk: &ResponseWalk,
        cache: &mut QuestionCache,
        (from, end): (i64, i64),
        room: Room,
    ) -> Result<Vec<Numbered>> {
        let rows = i64::try_from(room.rows).unwrap_or(i64::MAX);
        let mut left_bytes = room.bytes;
        let left = &mut left_bytes;
        let within = "seq >= $3 AND seq < $4 ORDER BY seq LIMIT $5";
        let scoped = |column| rows_where(&format!("{column} = $2 AND {within}"));
        match walk {
            ResponseWalk::Nothing => Ok(Vec::new()),
            ResponseWalk::All => {
                let sql = rows_where("seq >= $2 AND seq < $3 ORDER BY seq LIMIT $4");
                self.rows_of(tenant, cache, sql, args![tenant, from, end, rows], left).await
            }
            ResponseWalk::Screener(id) => {
                let args = args![tenant, id, from, end, rows];
                self.rows_of(tenant, cache, scoped("screener_id"), args, left).await
            }
            ResponseWalk::Publication(id) => {
                let args = args![tenant, id, from, end, rows];
                self.rows_of(tenant, cache, scoped("publication_id"), args, left).await
            }
            ResponseWalk::Numbered(numbers) => {
                let numbers = &numbers[numbers.partition_point(|number| *number < from)..];
                let numbers = &numbers[..numbers.partition_point(|number| *number < end)];
                self.rows_at(tenant, cache, numbers, room.rows, left).await
            }
        }
    }

    /// Returns the rows of these numbers that still exist.
    async fn rows_at(
        &mut self,
        tenant: &TenantId,
        cache: &mut QuestionCache,
        numbers: &[i64],
        limit: usize,
        left_bytes: &mut usize,
    ) -> Result<Vec<Numbered>> {
        let mut rows = Vec::new();
        for numbers in numbers.chunks(limit) {
            let list = ListArgs::new(args![tenant], numbers);
            let sql = rows_where(&format!("seq IN ({}) ORDER BY seq", list.placeholders));
            rows.extend(self.rows_of(tenant, cache, sql, &list.args, left_bytes).await?);
            // If rows have left, the next ones fill the piece.
            if rows.len() >= limit || *left_bytes == 0 {
                rows.truncate(limit);
                break;
            }
        }
        Ok(rows)
    }

    /// Returns the rows of a statement while `left_bytes` is not exhausted. Skips the others
    /// without reading them.
    async fn rows_of(
        &mut self,
        tenant: &TenantId,
        cache: &mut QuestionCache,
        sql: String,
        args: &[Arg<'_>],
        left_bytes: &mut usize,
    ) -> Result<Vec<Numbered>> {
        cache.make_room();
        loop {
            let (places, rows, unknown) = (Vec::new(), Vec::new(), HashSet::new());
            let mut reading =
                Reading { cache: &mut *cache, places, rows, left_bytes: *left_bytes, unknown };
            self.scan(sql.clone(), args, |row| reading.read(row)).await?;
            let Reading { cache: _, places, rows, left_bytes: left, unknown } = reading;
            if unknown.is_empty() {
                *left_bytes = left;
                return self.complete(tenant, places, rows).await;
            }
            // Seldom: most publications are known from the previous pieces.
            self.load_questions(tenant, cache, &unknown).await?;
        }
    }

    /// Adds the participant to each row.
    async fn complete(
        &mut self,
        tenant: &TenantId,
        places: Vec<Place>,
        rows: Vec<Found>,
    ) -> Result<Vec<Numbered>> {
        let people = self.people_of(tenant, &places).await?;
        let mut origins = Vec::with_capacity(places.len());
        for Place { session, screener, publication, assignment } in places {
            let (participant, external_uid) =
                people.get(&assignment).cloned().ok_or_else(|| {
                    let reason = "there is none of this id";
                    Error::internal(Corrupt::new("responses", "assignment_id", &session, reason))
                })?;
            origins.push(Arc::new(Origin {
                session,
                screener,
                publication,
                participant,
                external_uid,
                assignment,
            }));
        }
        let complete = |Found { number, place, asked, answer }| {
            (number, ScreenerResponse { origin: Arc::clone(&origins[place]), asked, answer })
        };
        Ok(rows.into_iter().map(complete).collect())
    }

    async fn people_of(
        &mut self,
        tenant: &TenantId,
        places: &[Place],
    ) -> Result<HashMap<AssignmentId, (ParticipantId, Option<ExternalUid>)>> {
        let distinct: HashSet<_> = places.iter().map(|place| &place.assignment).collect();
        let ids: Vec<_> = distinct.into_iter().collect();
        let mut people = HashMap::with_capacity(ids.len());
        for ids in ids.chunks(LOOKUP_MAX_IDS) {
            let list = ListArgs::new(args![tenant], ids);
            let sql = format!(
                "SELECT a.id, a.participant_id, p.external_uid FROM assignments a
                 JOIN participants p ON p.tenant_id = a.tenant_id AND p.id = a.participant_id
                 WHERE a.tenant_id = $1 AND a.id IN ({})",
                list.placeholders
            );
            self.scan(sql, &list.args, |row| {
                let id = row.of("assignments").parse(AssignmentId::parse)?;
                let participant = row.parse(ParticipantId::parse)?;
                people.insert(id, (participant, row.opt_parse(ExternalUid::parse)?));
                Ok(())
            })
            .await?;
        }
        Ok(people)
    }

    /// Reads the questions of publications into the cache.
    async fn load_questions(
        &mut self,
        tenant: &TenantId,
        cache: &mut QuestionCache,
        publications: &HashSet<PublicationId>,
    ) -> Result<()> {
        let ids: Vec<_> = publications.iter().collect();
        for ids in ids.chunks(LOOKUP_MAX_IDS) {
            // A publication without questions is also known.
            cache.publications.extend(ids.iter().map(|id| ((*id).clone(), HashMap::new())));
            let list = ListArgs::new(args![tenant], ids);
            let sql = format!(
                "SELECT id, publication_id, page_id, prompt, kind FROM questions
                 WHERE tenant_id = $1 AND publication_id IN ({})",
                list.placeholders
            );
            self.scan(sql, &list.args, |row| {
                let question = row.of("questions").parse(QuestionId::parse)?;
                let publication = row.parse(PublicationId::parse)?;
                let (page, prompt) = (row.parse(PageId::parse)?, row.text()?);
                let kind = row.parse(QuestionKind::parse)?;
                cache.add(publication, Asked { page, question, prompt, kind });
                Ok(())
            })
            .await?;
        }
        Ok(())
    }
}

/// Returns the statement that reads rows of a tenant.
fn rows_where(scope: &str) -> String {
    format!(
        "SELECT session_id, screener_id, publication_id, assignment_id, seq, question_id,
                text, number, choices
         FROM responses WHERE tenant_id = $1 AND {scope}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Adds questions until the cache is cleared, and returns their number.
    fn questions_until_cleared(prompt_bytes: usize) -> usize {
        let publication = PublicationId::parse("pub_1").expect("an id");
        let mut cache = QuestionCache::default();
        let mut add = |number: usize| {
            let asked = Asked {
                page: PageId::parse("page_1").expect("an id"),
                question: QuestionId::parse(&format!("q_{number}")).expect("an id"),
                prompt: "x".repeat(prompt_bytes),
                kind: QuestionKind::Text,
            };
            cache.add(publication.clone(), asked);
            cache.make_room();
            cache.publications.is_empty()
        };
        (1..=2 * CACHED_MAX).find(|number| add(*number)).expect("the cache is cleared")
    }

    #[test]
    fn a_cache_that_is_full_is_cleared_and_long_prompts_fill_it_sooner() {
        assert_eq!(questions_until_cleared(5), CACHED_MAX + 1);
        assert_eq!(questions_until_cleared(100 * CACHED_MAX_BYTES), CACHED_MAX / 101 + 1);
    }
}
