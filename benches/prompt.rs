//! Cost of a turn without its provider: writing the prompt, then decoding the stream.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run has nothing to measure")]

use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use chatbot_widget::domain::{
    Author, Dataset, Message, MessageId, NewMessage, SessionConfig, Status, Timestamp,
};
use chatbot_widget::prompt::tokens::estimate;
use chatbot_widget::prompt::{Operator, Prompt, draft};
use chatbot_widget::provider::sse::Decoder;
use chatbot_widget::tables::ingest::{IngestLimits, ingest};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use serde_json::{Value, json};

const SENTENCE: &str = "Our workshop in Main Street 12 repairs bicycles from 9 to 17 o'clock. ";

fn settings() -> SessionConfig {
    let rows: Vec<Value> = (0..500)
        .map(|n| json!({"sku": format!("A-{n}"), "name": "Tyre, 28\"", "price": n, "stock": null}))
        .collect();
    let settings = json!({
        "customInstructions": SENTENCE.repeat(10),
        "pageContext": {"title": "Shop", "url": "https://e.test/", "content": SENTENCE.repeat(300)},
        "jsonData": {"products": rows},
    });
    SessionConfig::new(settings.as_object().unwrap().clone())
}

fn file() -> Dataset {
    let rows = (0..100).map(|n| format!("{n},2025-01-{:02},{}\n", n % 28 + 1, n * 7 % 13));
    let csv = format!("id,date,amount\n{}", rows.collect::<String>());
    ingest("sales.csv", &Bytes::from(csv), Timestamp(0), &IngestLimits::default()).unwrap().dataset
}

fn conversation(messages: usize) -> Vec<Message> {
    let message = |at: usize| {
        let question = NewMessage::question(SENTENCE.to_owned(), Timestamp(0));
        let body = if at.is_multiple_of(2) {
            NewMessage { status: Status::Complete, ..question }
        } else {
            let content = SENTENCE.repeat(5);
            NewMessage {
                author: Author::Bot,
                answers: Some(MessageId(at as u64 - 1)),
                content,
                status: Status::Complete,
                ..question
            }
        };
        Message { id: MessageId(at as u64), body }
    };
    (0..messages).map(message).collect()
}

fn write(
    budget: usize,
    settings: &SessionConfig,
    file: &Dataset,
    messages: Vec<Message>,
) -> Prompt {
    let operator = Operator { bot_name: "Bot", instructions: Some(SENTENCE) };
    let draft = draft(budget, operator, settings, Some(file), "How many tyres are left?");
    let mut filling = draft.with_history();
    filling.add(messages);
    filling.finish()
}

fn prompt(c: &mut Criterion) {
    let (settings, file, messages) = (settings(), file(), conversation(200));
    let mut group = c.benchmark_group("prompt");
    for budget in [8_000, 100_000] {
        group.bench_function(format!("200 messages, {budget} tokens"), |b| {
            let write = |messages| write(budget, &settings, &file, messages);
            b.iter_batched(|| messages.clone(), write, BatchSize::SmallInput);
        });
    }
    group.finish();
}

fn tokens(c: &mut Criterion) {
    let mut group = c.benchmark_group("tokens");
    for (name, line) in [
        ("English", SENTENCE),
        ("Chinese", "我们的车间在主街十二号,上午九点到下午五点修理自行车。"),
        ("CSV", "17,2025-03-04,N,\"Laptop, 14\"\"\",3,1299.5,Customer 17,true,ok\r\n"),
    ] {
        let text = line.repeat(1_000_000 / line.len());
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(name, |b| b.iter(|| estimate(black_box(&text))));
    }
    group.finish();
}

fn sse(c: &mut Criterion) {
    let event = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\
                 \"delta\":{\"type\":\"text_delta\",\"text\":\"workshop \"}}\n\n";
    let stream = event.repeat(1_000);
    let mut group = c.benchmark_group("sse");
    group.throughput(Throughput::Elements(1_000));
    for piece in [64, 1_400, 16_384] {
        group.bench_function(format!("1000 events in pieces of {piece}"), |b| {
            b.iter(|| {
                let (mut decoder, mut events) = (Decoder::default(), 0);
                for piece in black_box(&stream).as_bytes().chunks(piece) {
                    decoder.feed(piece);
                    while decoder.next_event().unwrap().is_some() {
                        events += 1;
                    }
                }
                events
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3));
    targets = prompt, tokens, sse
}
criterion_main!(benches);
