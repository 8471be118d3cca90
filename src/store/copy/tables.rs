//! The tables of a database, each with its key and its columns.
//!
//! A test compares this list with the schemas of the databases.

/// The type of a column.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ColumnKind {
    /// A text.
    Text,
    /// An integer.
    Int,
    /// A floating-point number.
    Real,
    /// Bytes, never null.
    Blob,
}

/// A table.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// The number of leading columns that form the primary key.
    pub key: usize,
    /// Its columns, in order.
    pub columns: &'static [(&'static str, ColumnKind)],
}

macro_rules! tables {
    ($($name:ident[$key:literal] { $($column:ident $kind:ident,)+ })+) => {
        /// Every table, after those that it refers to. Credentials come last: an incomplete copy
        /// admits no caller.
        pub const TABLES: &[Table] = &[$(Table {
            name: stringify!($name),
            key: $key,
            columns: &[$((stringify!($column), ColumnKind::$kind)),+],
        }),+];
    };
}

tables! {
    tenants[1] {
        id Text, name Text, created_at Int, disabled_at Int,
    }
    projects[2] {
        tenant_id Text, id Text, name Text, incentive Real, organization_id Text, team_id Text,
        seq Int,
    }
    screeners[2] {
        tenant_id Text, id Text, project_id Text, title Text, status Text,
        allow_multiple_responses Int, active_publication_id Text, survey_ref Blob, seq Int,
        draft_publication_id Text,
    }
    publications[2] {
        tenant_id Text, id Text, screener_id Text, tags Text, seq Int, state Text, published_at Int,
        content_hash Text, language Text, introduction Text, thanks_qualified Text,
        thanks_disqualified Text,
    }
    questions[3] {
        tenant_id Text, publication_id Text, id Text, position Int, page_id Text, kind Text,
        prompt Text, required Int, multi_line Int, slider Int, min Real, max Real,
        qualifies_min Real, qualifies_max Real, min_length Int, max_length Int, pattern Text,
        step Real, min_choices Int, max_choices Int, pattern_hint Text,
    }
    options[4] {
        tenant_id Text, publication_id Text, question_id Text, id Text, position Int, text Text,
        rule Text, write_in Int, go_to_question_id Text, go_to_end Int,
    }
    participants[2] {
        tenant_id Text, id Text, external_uid Text, name Text, email Text, id_verification Text,
        seq Int,
    }
    assignments[2] {
        tenant_id Text, id Text, screener_id Text, participant_id Text, key_epoch Int,
    }
    dismissals[3] {
        tenant_id Text, assignment_id Text, dismissed_at Int,
    }
    sessions[2] {
        tenant_id Text, id Text, seq Int, screener_id Text, publication_id Text, assignment_id Text,
        link_slug Text, link_trusted Int, status Text, started_at Int, last_active_at Int,
        completed_at Int, created_at Int, removed_at Int, removed_by Text, funnel_cell Text,
    }
    responses[3] {
        tenant_id Text, session_id Text, question_id Text, seq Int, screener_id Text,
        publication_id Text, assignment_id Text, text Text, number Real, choices Text,
        provisional Int,
    }
    earlier_responses[2] {
        tenant_id Text, seq Int, session_id Text, question_id Text, at Int, reason Text, text Text,
        number Real, choices Text,
    }
    submissions[2] {
        tenant_id Text, session_id Text, status Text, visibility Text, favorite Int, hidden Int,
        is_new Int, qualified_override Int, invite_sent_at Int, scheduled_at Int,
        status_updated_at Int, actor Text, reason Text, short_notice_cancel Int, message Text,
        rejection_message Text, rejected_at Int, disqualification_reason Text,
        disqualification_message Text, status_before_invite Text, seq Int, screener_id Text,
        project_id Text, created_at Int, qualified Int, publication_hash Text, percentage Int,
        questions_qualified Int, first_disqualifying Text, verdict Text, timezone Text,
        booking_url Text, cancel_url Text, report_reasons Text, report_message Text,
    }
    changes[2] {
        tenant_id Text, seq Int, at Int, actor Text, action Text, subject Text, subject_id Text,
        fields Text,
    }
    list_totals[4] {
        tenant_id Text, list Text, scope Text, scope_id Text, total Int, holes Int,
    }
    list_marks[5] {
        tenant_id Text, list Text, scope Text, scope_id Text, block Int, first_seq Int,
    }
    list_holes[6] {
        tenant_id Text, list Text, scope Text, scope_id Text, level Int, block Int, holes Int,
    }
    funnel_cells[4] {
        tenant_id Text, screener_id Text, publication_id Text, cell Text, sessions Int,
    }
    unsettled_sessions[2] {
        tenant_id Text, id Text,
    }
    submission_keys[3] {
        tenant_id Text, assignment_id Text, key Text, digest Blob, receipt Text, created_at Int,
    }
    logos[2] {
        tenant_id Text, hash Text, bytes Blob,
    }
    looks[2] {
        tenant_id Text, screener_id Text, display_name Text, logo_hash Text, accent_color Text,
        privacy_text Text, privacy_url Text,
    }
    server_secrets[1] {
        name Text, value Blob,
    }
    credentials[1] {
        id Text, tenant_id Text, kind Text, secret_hash Blob, scopes Text, created_at Int,
        expires_at Int, revoked_at Int,
    }
}
