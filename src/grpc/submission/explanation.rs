//! Conversion of the explanation why a participant qualifies or does not.

use crate::domain::answer::Score;
use crate::domain::submission::Explanation;
use crate::domain::verdict::{TraceLine, Verdict};
use crate::grpc::convert::wire_words;
use crate::pb::screener::v1;

impl From<Explanation> for v1::ExplainSubmissionResponse {
    fn from(explanation: Explanation) -> Self {
        let stored = explanation.stored().cloned();
        let Explanation { submission, recomputed } = explanation;
        let hash = recomputed.publication_hash;
        let review = &submission.review;
        Self {
            is_equal: stored.as_ref().map(|stored| *stored == recomputed),
            is_publication_unchanged: stored.as_ref().map(|it| it.publication_hash == hash),
            stored: stored.map(Into::into),
            recomputed: Some(recomputed.into()),
            r#override: review.qualified_override.map(|qualified| v1::QualificationOverride {
                qualified: Some(qualified),
                disqualification: review.disqualification.clone().map(Into::into),
            }),
            id_verification: v1::IdVerification::from(submission.participant.id_verification)
                .into(),
            qualified: Some(submission.qualified()),
        }
    }
}

impl From<Verdict> for v1::Verdict {
    fn from(verdict: Verdict) -> Self {
        let Verdict {
            publication_hash,
            percentage,
            questions_qualified,
            first_disqualifying,
            trace,
        } = verdict;
        Self {
            publication_hash: publication_hash.to_string(),
            percentage: Some(percentage.into()),
            questions_qualified: Some(questions_qualified),
            first_disqualifying_question_id: first_disqualifying.map(|id| id.to_string()),
            trace: trace.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<TraceLine> for v1::TraceLine {
    fn from(line: TraceLine) -> Self {
        let TraceLine { question, rule, value, score } = line;
        let score = v1::Score::from(score).into();
        Self { question_id: question.to_string(), rule, value, score }
    }
}

wire_words!(Score => Score { None, Qualifies, Disqualifies });
