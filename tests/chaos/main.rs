//! Faults and floods against the executable.
//!
//! Each scenario kills, starves or floods a server while a [`probe`] uses it as other visitors do,
//! and then compares what is there with what was acknowledged. The tests are the short form;
//! `tests/run --chaos` runs the long one, [`long_form`], on a release build, and prints a table.
//!
//! `CHATBOT_EXECUTABLE` names another executable to test.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod client;
mod descriptors;
mod disk;
mod floods;
mod kill;
mod log;
mod model;
mod probe;
mod report;
mod server;
mod stop;

use std::sync::{Mutex, PoisonError};

use report::{Row, Scale};

/// A scenario; `None` if this machine cannot run it.
type Scenario = fn(Scale) -> Option<Row>;

/// Runs a scenario by itself: two at a time would measure each other.
fn short(scenario: Scenario) {
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    // For the descriptors of many connections.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    scenario(Scale::Short);
}

/// Names the tests of the short form, and lists all scenarios for the long one.
macro_rules! scenarios {
    ($($name:ident: $scenario:path,)*) => {
        $(#[test]
        fn $name() {
            short($scenario);
        })*

        const SCENARIOS: &[(&str, Scenario)] = &[$((stringify!($name), $scenario),)*];
    };
}

scenarios! {
    nothing_acknowledged_is_lost_by_kill_9: kill::kill_9_under_load,
    a_full_disk_refuses_writes_until_there_is_room: disk::full_and_back,
    without_descriptors_it_waits_and_recovers: descriptors::none_left,
    a_burst_of_connections_waits: descriptors::burst,
    abandoned_statements_of_one_session: floods::abandoned_statements,
    slow_statements_of_one_address: floods::statements_of_one_address,
    slow_statements_of_many_addresses: floods::statements_of_many_addresses,
    unfinished_uploads_of_one_address: floods::uploads_of_one_address,
    unfinished_uploads_of_many_addresses: floods::uploads_of_many_addresses,
    settings_that_pile_up: floods::settings,
    page_data_with_thousands_of_tables: floods::json_data,
    idle_connections_and_slow_heads: floods::connections,
    readers_of_one_stream: floods::readers,
    messages_beyond_the_rate_limit: floods::messages,
    statements_that_take_long_to_compile: floods::compile_bombs,
    an_idle_server_stops_at_once: stop::idle,
    answers_are_finished_at_stop: stop::with_short_answers,
    answers_that_take_too_long_are_cut_at_stop: stop::with_long_answers,
    it_stops_in_the_middle_of_a_flood: stop::during_a_flood,
    a_log_whose_reader_is_gone: log::closed,
    a_log_whose_reader_has_stopped: log::stopped,
}

/// All scenarios in their long form, or those whose names contain `CHAOS_ONLY`.
#[test]
#[ignore = "takes minutes and wants a release build: tests/run --chaos"]
fn long_form() {
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let only = std::env::var("CHAOS_ONLY").unwrap_or_default();
    let (mut rows, mut failed) = (Vec::new(), Vec::new());
    for (name, scenario) in SCENARIOS.iter().filter(|(name, _)| name.contains(&only)) {
        report::print(&format!("\n{name}\n"));
        match std::panic::catch_unwind(|| scenario(Scale::Long)) {
            Ok(row) => rows.extend(row),
            // What it was is on standard error already.
            Err(_) => failed.push(*name),
        }
    }
    report::print(&format!("\n{}", report::table(&rows)));
    assert_eq!(failed, [""; 0], "failed");
}
