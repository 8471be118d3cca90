//! The contract of the store: named tests that run on every engine with a database of their own.

mod alone;
mod change;
mod corrupt;
mod declared;
mod earlier;
mod embedded;
mod funnel;
mod holes;
mod isolation;
mod log;
mod look;
mod nouns;
mod opening;
mod participant;
mod publication;
mod response;
mod scan;
mod session;
mod submission;
mod write;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use tokio::time::Instant;

use crate::support::backend::{Backend, run, say};

/// Declares the contract. On SQLite it declares one test for each name. On PostgreSQL
/// [`the_contract_holds_on_postgres_or_is_left_out`] runs the list, because without a server
/// separate tests would be reported as passed.
macro_rules! contract {
    ($($room:ident: $($test:ident,)+;)+) => {
        mod sqlite {
            use crate::support::backend::{Backend, run};
            $($(
                #[test]
                fn $test() {
                    run(&Backend::Sqlite, async |db| super::$room::$test(db).await);
                }
            )+)+
        }

        const CONTRACT: &[(&str, fn(&Backend))] = &[$($(
            (stringify!($test), |backend| run(backend, async |db| $room::$test(db).await)),
        )+)+];
    };
}

contract! {
    declared:
        a_write_reads_before_it_puts,
        a_write_touches_what_it_has_locked,
        a_write_touches_the_persons_whom_it_has_locked,
    ;
    session:
        every_combination_of_session_filters_matches_the_model,
        session_pages_of_every_size_make_up_the_list,
        session_pages_near_a_block_and_past_the_end_are_right,
        a_page_continues_behind_long_runs_that_are_excluded,
        a_removed_session_keeps_its_instants,
        removing_a_session_twice_writes_one_audit_row,
    ;
    response:
        every_combination_of_response_filters_matches_the_model,
        response_pages_of_every_size_make_up_the_list,
        response_pages_near_a_block_and_past_the_end_are_right,
        a_publication_of_another_screener_has_no_responses,
        the_answers_of_a_session_are_its_own,
    ;
    holes:
        lists_with_holes_match_the_model_at_every_offset,
        holes_are_found_across_blocks_of_every_level,
        a_row_that_leaves_moves_no_other_and_frees_no_number,
        an_answer_is_dropped_once_whoever_drops_it,
        a_changed_answer_keeps_its_place,
        sessions_are_not_merged_where_one_has_left,
        a_merge_of_a_damaged_list_ends,
    ;
    submission:
        every_filter_of_submissions_matches_a_plain_search,
        submission_pages_of_every_size_make_up_the_list,
        a_verdict_comes_back_as_it_was_stored,
        submissions_from_before_are_numbered_and_settled,
    ;
    funnel:
        the_funnel_is_what_counting_the_rows_gives,
    ;
    write:
        a_failed_write_leaves_nothing,
        a_failed_statement_leaves_nothing,
        a_panicking_write_is_an_error_and_the_next_one_runs,
        a_write_whose_caller_gave_up_never_begins,
        a_write_given_up_behind_others_of_its_batch_never_begins,
        a_read_sees_every_acknowledged_write,
        a_read_is_one_snapshot,
        a_read_cannot_write,
        concurrent_appends_are_dense_and_counted,
        what_an_undone_write_counted_is_counted_by_no_other,
    ;
    alone:
        a_lone_write_that_fails_or_panics_leaves_nothing_and_counts_nothing,
    ;
    scan:
        a_scan_is_one_snapshot_that_has_every_acknowledged_write,
    ;
    nouns:
        every_noun_comes_back_as_it_was_stored,
        tenants_are_listed_by_the_bytes_of_their_ids,
        a_tenant_is_created_once_disabled_and_enabled,
        a_credential_is_created_once_and_revoked,
        a_server_secret_is_the_first_one_offered,
        a_submission_is_rejected,
        a_dismissal_is_recorded_once,
        panelist_activity_is_of_one_panelist_and_one_survey,
    ;
    participant:
        projects_and_participants_are_paged_in_arrival_order,
        rows_from_before_are_numbered_by_the_migration,
        a_person_who_is_locked_is_made_once,
        updates_of_different_members_both_hold,
        what_a_session_is_created_from_is_its_tenants_own,
    ;
    publication:
        a_draft_is_no_publication_until_it_is_published,
        a_draft_is_deleted_whole,
        every_member_of_a_screener_is_changed,
        screeners_and_publications_are_paged_across_blocks,
    ;
    look:
        a_look_is_its_tenants_and_its_logo_stays_as_long_as_it_is_shown,
        a_look_that_cannot_be_one_is_corrupt,
        whoever_holds_a_tenant_changes_its_looks_alone,
    ;
    change:
        changes_come_back_in_order_and_by_what_they_were_made_to,
        words_from_before_become_fields,
    ;
    earlier:
        earlier_answers_are_paged_by_their_sessions,
        values_leave_old_entries_for_a_table_of_their_own,
    ;
    isolation:
        no_getter_shows_another_tenants_row,
        no_change_reaches_another_tenants_row,
        lists_hold_one_tenants_rows,
        session_ids_and_slugs_are_unique_across_tenants,
    ;
    corrupt:
        a_corrupt_row_is_named_and_is_no_panic,
        a_corrupt_row_does_not_stop_the_store,
    ;
    opening:
        reopening_keeps_everything,
        a_closed_store_is_unavailable,
    ;
}

/// Databases that are tested concurrently.
const POSTGRES_THREADS: usize = 4;

#[test]
fn the_contract_holds_on_postgres_or_is_left_out() {
    let left_out = format!("{} tests of the store's contract", CONTRACT.len());
    let Some(backend) = Backend::postgres(&left_out) else { return };
    let queue = Mutex::new(CONTRACT.iter());
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..POSTGRES_THREADS {
            scope.spawn(|| {
                let next = || queue.lock().expect("no test runs under this lock").next();
                while let Some((name, test)) = next() {
                    let begun = Instant::now();
                    let outcome = catch_unwind(AssertUnwindSafe(|| test(&backend)));
                    let word = if outcome.is_ok() { "ok" } else { "FAILED" };
                    let seconds = begun.elapsed().as_secs_f32();
                    say(&format!("test store::postgres::{name} ... {word} ({seconds:.2} s)"));
                    if outcome.is_err() {
                        failed.lock().expect("no test runs under this lock").push(*name);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().expect("no test runs under this lock");
    assert!(failed.is_empty(), "on PostgreSQL these tests failed: {failed:?}");
}
