//! Verdicts: their stored form, in the row of the submission.

use serde::{Deserialize, Serialize};

use super::funnel::Noted;
use super::sql::args;
use super::{Row, WriteTx};
use crate::domain::answer::Score;
use crate::domain::content_hash::ContentHash;
use crate::domain::error::{Error, Result};
use crate::domain::id::{QuestionId, SessionId, TenantId};
use crate::domain::verdict::{TraceLine, Verdict};

/// The stored form of a line of the trace.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct StoredLine {
    question: String,
    rule: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    score: String,
}

pub(super) fn trace_text(trace: &[TraceLine]) -> Result<String> {
    let stored = |line: &TraceLine| {
        let TraceLine { question, rule, value, score } = line.clone();
        StoredLine { question: question.to_string(), rule, value, score: score.as_str().into() }
    };
    let lines: Vec<_> = trace.iter().map(stored).collect();
    serde_json::to_string(&lines).map_err(Error::internal)
}

fn parse_trace(text: &str) -> Result<Vec<TraceLine>, String> {
    let stored: Vec<StoredLine> = serde_json::from_str(text).map_err(|it| it.to_string())?;
    let line = |StoredLine { question, rule, value, score }| {
        let (question, score) = (QuestionId::parse(&question)?, Score::parse(&score)?);
        Ok(TraceLine { question, rule, value, score })
    };
    stored.into_iter().map(line).collect()
}

/// Reads the columns `publication_hash, percentage, questions_qualified, first_disqualifying,
/// verdict`: a whole verdict, or `None` if the submission is older than stored verdicts.
pub(super) fn read_verdict(row: &mut Row<'_>) -> Result<Option<Verdict>> {
    let hash = row.opt_parse(ContentHash::parse)?;
    let percentage = row.opt_int()?;
    let questions_qualified = row.opt_flag()?;
    let first_disqualifying = row.opt_parse(QuestionId::parse)?;
    let trace = row.opt_parse(parse_trace)?;
    match (hash, percentage, questions_qualified, trace) {
        (None, None, None, None) if first_disqualifying.is_none() => Ok(None),
        (Some(publication_hash), Some(percentage), Some(questions_qualified), Some(trace))
            if questions_qualified == first_disqualifying.is_none() =>
        {
            let percentage = u32::try_from(percentage).ok().filter(|it| *it <= 100);
            let percentage = percentage.ok_or_else(|| row.corrupt("a percentage is 0 to 100"))?;
            Ok(Some(Verdict {
                publication_hash,
                percentage,
                questions_qualified,
                first_disqualifying,
                trace,
            }))
        }
        _ => Err(row.corrupt("a verdict is complete")),
    }
}

impl WriteTx {
    /// Replaces the stored verdict of a submission, and its derived values.
    pub async fn store_verdict(
        &mut self,
        tenant: &TenantId,
        session: &SessionId,
        verdict: &Verdict,
        noted: Noted,
    ) -> Result<()> {
        let Verdict { publication_hash, percentage, first_disqualifying, trace, .. } = verdict;
        self.must(
            "UPDATE submissions SET publication_hash = $1, percentage = $2,
                questions_qualified = $3, first_disqualifying = $4, verdict = $5, qualified = $6,
                created_at = $7
             WHERE tenant_id = $8 AND session_id = $9",
            args![
                &publication_hash.to_string(),
                i64::from(*percentage),
                verdict.questions_qualified,
                first_disqualifying.as_ref(),
                &trace_text(trace)?,
                noted.qualified,
                noted.created,
                tenant,
                session,
            ],
            1,
        )
        .await
    }
}
