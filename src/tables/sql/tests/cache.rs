use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::*;

const ENDLESS: &str = "with recursive t(n) as (select 1 union all select n + 1 from t) \
                       select count(*) from t";

/// Whether the table had to be loaded for a statement.
fn loads(tables: &Tables, key: TableKey, source: &(Dataset, Vec<u8>)) -> bool {
    let loaded = !tables.has(key);
    assert_eq!(
        query(tables, key, source, "select count(*) > 0 from data", 10).unwrap().rows,
        [[1]]
    );
    assert!(tables.has(key) || source.0.rows == 0);
    loaded
}

#[test]
fn the_cache_loads_once_and_drops_the_oldest() {
    // A table of 400 rows of 1,000 letters takes 400 to 520 kB: two fit.
    let limits = SqlLimits { cache_bytes: 1 << 20, work_bytes: 191 << 20, ..SqlLimits::default() };
    let tables = Tables::new(limits);
    let source =
        dataset("a.csv", &("a\n".to_owned() + &format!("{}\n", "x".repeat(1000)).repeat(400)));
    let ask = |session: u8, version| {
        loads(&tables, TableKey { session: [session; 16], version }, &source)
    };
    assert!(ask(1, 1));
    assert!(!ask(1, 1));
    let one = tables.bytes();
    assert!((400_000..520_000).contains(&one), "{one}");
    assert!(ask(2, 1));
    assert!(!ask(1, 1));
    assert!(ask(3, 1), "the third does not fit");
    assert!(!ask(1, 1), "used later than 2");
    assert!(ask(2, 1), "the oldest was dropped");
    assert!(tables.bytes() <= limits.cache_bytes);
    for session in 1..=3 {
        tables.forget([session; 16]);
    }
    assert_eq!(tables.bytes(), 0);
    assert!(ask(1, 2));
}

#[test]
fn only_the_last_version_of_a_session_is_kept() {
    let tables = Tables::default();
    let source = dataset("a.csv", CSV);
    let key = |version| TableKey { session: [1; 16], version };
    // Versions are random numbers: a later one may be lower.
    for version in [5, 9, 2, 7] {
        assert!(loads(&tables, key(version), &source));
        let kept: Vec<u64> = (0..10).filter(|version| tables.has(key(*version))).collect();
        assert_eq!(kept, [version]);
    }
    let other = TableKey { session: [2; 16], version: 1 };
    assert!(loads(&tables, other, &source));
    assert!(tables.has(key(7)), "another session's table stays");
}

#[test]
fn idle_tables_are_forgotten() {
    let tables = Tables::default();
    loads(&tables, KEY, &dataset("a.csv", CSV));
    tables.forget_idle(Duration::from_secs(3600));
    assert!(tables.has(KEY));
    tables.forget_idle(Duration::ZERO);
    assert!(!tables.has(KEY));
    assert_eq!(tables.bytes(), 0);
}

#[test]
fn a_table_that_is_not_loaded_needs_a_source() {
    let tables = Tables::default();
    let interrupt = Interrupt::default();
    let deadline = Instant::now() + Duration::from_secs(60);
    let request = Request { sql: "select 1", limit: 1, deadline, interrupt: &interrupt };
    assert!(!tables.has(KEY));
    assert_eq!(tables.query(KEY, None, &request).unwrap(), None);
    assert!(!tables.has(KEY));
    assert!(loads(&tables, KEY, &dataset("a.csv", CSV)));
    assert_eq!(tables.query(KEY, None, &request).unwrap().unwrap().rows, [[json!(1)]]);
    tables.forget(KEY.session);
    assert_eq!(tables.query(KEY, None, &request).unwrap(), None);
}

#[test]
fn a_failed_load_is_tried_again() {
    let limits = SqlLimits { cache_bytes: 1 << 20, work_bytes: 191 << 20, ..SqlLimits::default() };
    let tables = Tables::new(limits);
    let large = "a\n".to_owned() + &format!("{}\n", "x".repeat(1000)).repeat(1500);
    assert!(query(&tables, KEY, &dataset("a.csv", &large), "select 1", 1).is_err());
    assert!(!tables.has(KEY));
    assert!(loads(&tables, KEY, &dataset("a.csv", CSV)));
}

#[test]
fn threads_share_a_table() {
    let tables = Tables::default();
    let source = dataset("a.csv", CSV);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let result = query(&tables, KEY, &source, "select sum(id) from data", 1).unwrap();
                assert_eq!(result.rows, [[json!(6)]]);
            });
        }
    });
}

/// Statements over one table waited for each other without a limit, on threads that others need.
#[test]
fn a_statement_waits_for_its_table_until_its_deadline() {
    let tables = Tables::default();
    let source = dataset("a.csv", CSV);
    loads(&tables, KEY, &source);
    let (first, second) = (Interrupt::default(), Interrupt::default());
    let run = |sql: &str, deadline, interrupt: &Interrupt| {
        tables.query(KEY, None, &Request { sql, limit: 1, deadline, interrupt })
    };
    let far = Instant::now() + Duration::from_secs(60);
    thread::scope(|scope| {
        let leaves = first.on_drop();
        let running = scope.spawn(|| run(ENDLESS, far, &first));
        // Until the endless statement has the table, this one fails at its syntax.
        let timeout = Err(SqlError::Timeout(tables.limits().time));
        while run("nonsense", Instant::now(), &Interrupt::default()) != timeout {
            thread::yield_now();
        }
        let waiting = scope.spawn(|| run("select 1", far, &second));
        second.set();
        assert_eq!(waiting.join().unwrap(), Err(SqlError::Interrupted), "while it waits");
        assert!(!running.is_finished());
        drop(leaves);
        assert_eq!(running.join().unwrap(), Err(SqlError::Interrupted), "while it runs");
    });
    // The table is as it was.
    assert!(!loads(&tables, KEY, &source));
}

#[test]
fn a_load_can_be_interrupted() {
    let tables = Tables::default();
    let (dataset, text) = dataset("a.csv", CSV);
    let interrupt = Interrupt::default();
    interrupt.set();
    let deadline = Instant::now() + Duration::from_secs(600);
    let request = Request { sql: "select 1", limit: 1, deadline, interrupt: &interrupt };
    let source = Source { dataset: &dataset, text: &text };
    assert_eq!(tables.query(KEY, Some(source), &request), Err(SqlError::Interrupted));
    assert!(!tables.has(KEY));
}
