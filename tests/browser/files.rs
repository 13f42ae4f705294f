//! Files: uploading, asking about them, refusals, removal.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::server::model::{claude_calls, claude_says};
use crate::support::{Key, Line, Model, OnDisk, Server, Site, visit, with_tag};

const FRUIT: &str = "fruit,price\napple,2\npear,3\nplum,4\n";

#[tokio::test]
async fn a_file_is_uploaded_asked_about_and_removed() {
    // More than fits in the system's buffers while the upload is held up.
    let note = "a row among others; ".repeat(8);
    let rows: String = (0..40_000).map(|n| format!("{n},{},{note}\n", n % 7)).collect();
    let big = OnDisk::new("orders.csv", format!("number,weekday,note\n{rows}"));
    let query = json!({"sql": "SELECT weekday, count(*) AS orders FROM data GROUP BY weekday",
        "chart": "bar"});
    let model =
        Model::start([claude_calls("", &[("t1", query)]), claude_says("All days are alike.")])
            .await;
    let flags = model.flags();
    let server = Server::with(&flags).await;
    let line = Line::to(server.address).await;
    let site = Site::of(with_tag(&line.base, "")).await;
    visit(async |visitor| {
        visitor.goto(&site.url("/")).await;
        visitor.open_chat().await;
        // The button opens a native dialog, which no test can see.
        visitor
            .eval(
                "$('#file-input').addEventListener('click',
                   (event) => { event.preventDefault(); window.dialog = true }, { once: true })",
            )
            .await;
        visitor.click("#attach-btn").await;
        visitor.until("window.dialog").await;

        line.hold_uploads(true);
        visitor.chooses(&big).await;
        visitor.until("seen('progress.file-progress')").await;
        visitor.until("$('.file-progress').value > 0 && $('.file-progress').value < 1").await;
        visitor.sees("#file-area", "%").await;
        visitor.sees("#file-area", "orders.csv").await;
        line.hold_uploads(false);
        visitor.sees(".file-chip .file-name", "orders.csv").await;
        visitor.sees(".file-chip .file-facts", "40,000 rows").await;
        visitor.sees(".file-chip .file-facts", "3 columns").await;

        visitor.ask("Which day has most orders?").await;
        visitor.reads_answer("All days are alike.").await;
        for reloaded in [false, true] {
            if reloaded {
                visitor.reload().await;
                visitor.open_chat().await;
                visitor.sees(".file-chip .file-facts", "40,000 rows").await;
            }
            visitor.sees(".computed", "40,000 rows").await;
            visitor.sees_no(".message.bot details pre").await;
            visitor.click(".computed").await;
            visitor.sees(".message.bot details pre", "GROUP BY weekday").await;
            visitor.until("seen('svg.chart[role=img]')").await;
            let words = visitor.attribute("svg.chart", "aria-label").await.unwrap();
            assert!(words.len() > 20, "the picture in words: {words}");
            let [_, _, width, height] = visitor.place("svg.chart").await;
            assert!(width > 200.0 && height > 100.0, "{width} × {height}");
        }

        visitor.click("button.file-remove").await;
        visitor.sees_no(".file-chip").await;
        visitor.until("document.activeElement.id === 'attach-btn'").await;
        visitor.reload().await;
        visitor.open_chat().await;
        visitor.reads_answer("All days are alike.").await;
        assert_eq!(visitor.count(".file-chip").await, 0, "removed on the server");
    })
    .await;
}

#[tokio::test]
async fn an_upload_can_be_cancelled_and_survives_an_expired_session() {
    let rows: String = (0..60_000).map(|n| format!("{n},a row among others\n")).collect();
    let big = OnDisk::new("big.csv", format!("number,note\n{rows}"));
    let small = OnDisk::new("small.csv", FRUIT);
    let server = Server::with(&["--chat-session-timeout", "60"]).await;
    let line = Line::to(server.address).await;
    let site = Site::of(with_tag(&line.base, "")).await;
    visit(async |visitor| {
        visitor.expects("404");
        visitor.goto(&site.url("/")).await;
        visitor.open_chat().await;
        line.hold_uploads(true);
        visitor.chooses(&big).await;
        visitor.click("button.file-cancel").await;
        visitor.sees_no("progress.file-progress").await;
        visitor.until("document.activeElement.id === 'attach-btn'").await;
        line.hold_uploads(false);
        visitor.chooses(&small).await;
        visitor.sees(".file-chip .file-facts", "3 rows").await;
        server.clock.advance(Duration::from_secs(61));
        visitor.chooses(&small).await;
        visitor.until("seen('.file-chip') && !seen('progress.file-progress')").await;
        visitor.ask("What is in it?").await;
        visitor.until("$('#messages-list .message.bot:not(.streaming)')").await;
        assert_eq!(visitor.eval("return seen('#error-modal')").await, false);
        visitor.sees(".file-chip .file-facts", "3 rows").await;
    })
    .await;
}

#[tokio::test]
async fn a_refused_file_is_explained_and_leaves_the_earlier_one() {
    let good = OnDisk::new("<img src=x onerror=hacked=1>.csv", FRUIT);
    let refused = [
        (OnDisk::new("notes.txt", "hello"), "CSV and JSON"),
        (OnDisk::new("large.csv", format!("a\n{}", "1\n".repeat(2000))), "2 kB"),
        (OnDisk::new("picture.csv", b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0"), ""),
        (OnDisk::new("broken.json", "{\"a\": "), ""),
    ];
    let server = Server::with(&["--max-upload-bytes", "2048"]).await;
    let site = Site::of(with_tag(&server.base, "")).await;
    visit(async |visitor| {
        visitor.expects("status of 4");
        visitor.goto(&site.url("/")).await;
        visitor.open_chat().await;
        visitor.chooses(&good).await;
        visitor.sees(".file-chip .file-name", "<img src=x onerror=hacked=1>.csv").await;
        for (file, words) in &refused {
            visitor.chooses(file).await;
            visitor.until("seen('#error-modal') && $('#notice-text').innerText.length > 10").await;
            visitor.sees("#notice-text", words).await;
            visitor.sees(".file-chip .file-name", "<img").await;
            assert_eq!(visitor.count("progress").await, 0);
            visitor.click("#notice-dismiss").await;
            visitor.sees_no("#error-modal").await;
        }
        assert_eq!(visitor.eval("return window.hacked ?? null").await, Value::Null);
        assert_eq!(visitor.count("#file-area img").await, 0);
    })
    .await;
}

#[tokio::test]
async fn files_can_be_dropped_and_pasted() {
    let file = OnDisk::new("fruit.csv", FRUIT);
    let server = Server::start().await;
    let site = Site::of(with_tag(&server.base, "")).await;
    visit(async |visitor| {
        visitor.goto(&site.url("/")).await;
        visitor.open_chat().await;
        visitor.leave_frame().await;
        let [x, y, width, height] = visitor.place("chatbot-widget >>> iframe").await;
        let inside = [x + width / 2.0, y + height / 2.0];
        let drag = async |kind: &str, [x, y]: [f64; 2]| {
            let event = json!({"type": kind, "x": x, "y": y,
                "data": {"items": [], "files": [file.path()], "dragOperationsMask": 1}});
            visitor.cdp("Input.dispatchDragEvent", event).await;
        };
        visitor.enter_chat().await;
        for (last, at) in [("dragOver", [10.0, 10.0]), ("drop", inside)] {
            drag("dragEnter", inside).await;
            drag("dragOver", inside).await;
            visitor.until("seen('#drop-hint')").await;
            drag(last, at).await;
            visitor.sees_no("#drop-hint").await;
        }
        visitor.sees(".file-chip .file-name", "fruit.csv").await;

        // Scripts cannot put files on the clipboard, so the event is synthetic.
        visitor
            .eval(
                "const data = new DataTransfer();
                 data.items.add(new File(['[{\"tea\": \"green\"}]'], 'tea.json'));
                 $('#message-input').dispatchEvent(new ClipboardEvent('paste',
                   { clipboardData: data, bubbles: true, cancelable: true }))",
            )
            .await;
        visitor.sees(".file-chip .file-name", "tea.json").await;
        // Text is pasted as text.
        visitor.types("#message-input", "some words").await;
        visitor.types("#message-input", Key::Control + "a").await;
        visitor.types("#message-input", Key::Control + "x").await;
        visitor.types("#message-input", Key::Control + "v").await;
        visitor.until("$('#message-input').value === 'some words'").await;
        visitor.sees(".file-chip .file-name", "tea.json").await;
    })
    .await;
}
