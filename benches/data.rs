//! Cost of a 10 MB upload: ingestion, keyword search, SQL.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run has nothing to measure")]

mod support;

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::Bytes;
use chatbot_widget::domain::{Dataset, QueryResult, Timestamp};
use chatbot_widget::tables::ingest::{IngestLimits, Ingested, ingest};
use chatbot_widget::tables::search::search;
use chatbot_widget::tables::sql::{Interrupt, Request, Source, TableKey, Tables};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use serde_json::{Map, Value};

const KEY: TableKey = TableKey { session: [0; 16], version: 1 };
const BY_REGION: &str = "SELECT region, count(*), avg(unit_price) FROM data GROUP BY region";

fn ingest_all(name: &str, bytes: &Bytes) -> Ingested {
    ingest(
        name,
        bytes,
        Timestamp(0),
        &IngestLimits { max_bytes: usize::MAX, ..IngestLimits::default() },
    )
    .unwrap()
}

fn ask(tables: &Tables, dataset: &Dataset, text: &Bytes, sql: &str) -> QueryResult {
    let deadline = Instant::now() + tables.limits().time;
    let request = Request { sql, limit: 1_000, deadline, interrupt: &Interrupt::default() };
    tables.query(KEY, Some(Source { dataset, text }), &request).unwrap().unwrap()
}

/// The first 50,000 rows as a JSON array, about 8 MB.
fn as_json(csv: &Bytes) -> Bytes {
    let mut reader = csv::Reader::from_reader(csv.as_ref());
    let header = reader.headers().unwrap().clone();
    let rows = reader.records().take(50_000).map(|record| {
        let record = record.unwrap();
        let fields = header.iter().zip(&record).map(|(name, cell)| {
            let value = serde_json::from_str(cell).unwrap_or_else(|_| cell.into());
            (name.to_owned(), value)
        });
        Value::Object(fields.collect::<Map<String, Value>>())
    });
    Value::Array(rows.collect()).to_string().into()
}

fn ingesting(c: &mut Criterion) {
    let csv = Bytes::from(support::orders());
    let json = as_json(&csv);
    let mut group = c.benchmark_group("ingest");
    for (name, bytes) in [("orders.csv", &csv), ("orders.json", &json)] {
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(name, |b| b.iter(|| ingest_all(name, black_box(bytes))));
    }
    group.finish();
}

fn searching(c: &mut Criterion) {
    let csv = Bytes::from(support::orders());
    let Ingested { dataset, text } = ingest_all("orders.csv", &csv);
    let mut group = c.benchmark_group("search");
    group.throughput(Throughput::Bytes(text.len() as u64));
    // Matches no row, about 30, every third, and cells that are quoted in the file.
    for (name, query) in
        [("absent", "tablet"), ("sparse", "customer 4001"), ("dense", "dock"), ("quoted", "14\"")]
    {
        group.bench_function(name, |b| {
            b.iter(|| search(&dataset, &text, black_box(query), None, 0, 10).unwrap());
        });
    }
    group.bench_function("one column", |b| {
        let columns = ["customer".to_owned()];
        b.iter(|| search(&dataset, &text, black_box("4001"), Some(&columns), 0, 10).unwrap());
    });
    group.finish();
}

fn querying(c: &mut Criterion) {
    let csv = Bytes::from(support::orders());
    let Ingested { dataset, text } = ingest_all("orders.csv", &csv);
    let mut group = c.benchmark_group("sql");
    // Includes loading the table, but not dropping it.
    group.bench_function("first query", |b| {
        let query = |tables: Tables| {
            ask(&tables, &dataset, &text, BY_REGION);
            tables
        };
        b.iter_batched(Tables::default, query, BatchSize::PerIteration);
    });
    let tables = Tables::default();
    ask(&tables, &dataset, &text, BY_REGION);
    for (name, sql) in [
        ("second query, groups", BY_REGION),
        ("second query, filter", "SELECT * FROM data WHERE customer = 'Customer 4001'"),
        ("second query, top 10", "SELECT * FROM data ORDER BY unit_price DESC LIMIT 10"),
    ] {
        group.bench_function(name, |b| b.iter(|| ask(&tables, &dataset, &text, black_box(sql))));
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(4));
    targets = ingesting, searching, querying
}
criterion_main!(benches);
