//! Upload, info, search, SQL, delete.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Server};

const WEATHER: &[u8] = include_bytes!("../fixtures/data/seattle-weather.csv");
const CARS: &[u8] = include_bytes!("../fixtures/data/cars.json");

/// A form's part: name, file name, content.
type Part<'a> = (&'a str, Option<&'a str>, &'a [u8]);

pub fn form(parts: &[Part<'_>]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, file, content) in parts {
        let file = file.map(|file| format!("; filename=\"{file}\"")).unwrap_or_default();
        body.extend_from_slice(
            format!("--xyz\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n")
                .as_bytes(),
        );
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--xyz--\r\n");
    body
}

async fn send(server: &Server, body: Vec<u8>) -> Answer {
    let request = server
        .request(Method::POST, "/api/files/upload")
        .header("content-type", "multipart/form-data; boundary=xyz")
        .body(body);
    server.send(request).await
}

pub async fn upload(server: &Server, id: &str, name: &str, content: &[u8]) -> Answer {
    let parts: [Part<'_>; 2] = [("sessionId", None, id.as_bytes()), ("file", Some(name), content)];
    send(server, form(&parts)).await
}

async fn query(server: &Server, id: &str, body: Value) -> Answer {
    server.post(&format!("/api/files/query/{id}"), body).await
}

#[tokio::test]
async fn the_history_names_the_file_for_those_who_come_back() {
    let server = Server::start().await;
    let id = server.session(json!({})).await;
    let history = format!("/api/chat/history/{id}");
    assert_eq!(server.get(&history).await.expect(200).get("file"), None);
    upload(&server, &id, "seattle-weather.csv", WEATHER).await.expect(200);
    let mut file = server.get(&history).await.expect(200)["file"].take();
    let info = server.get(&format!("/api/files/info/{id}")).await.expect(200);
    assert_eq!(file["uploadedAt"].take(), info["uploadedAt"]);
    let expected = json!({"fileName": "seattle-weather.csv", "fileType": "csv",
        "fileSize": WEATHER.len(), "uploadedAt": null, "rowCount": 1461, "columnCount": 6});
    assert_eq!(file, expected);
    server.delete(&format!("/api/files/{id}")).await.expect(200);
    assert_eq!(server.get(&history).await.expect(200).get("file"), None);
}

#[tokio::test]
async fn a_csv_file_is_taken_in_and_described() {
    let server = Server::start().await;
    let id = server.session(json!({})).await;
    let info = format!("/api/files/info/{id}");
    server.get(&info).await.expect_error(404, "file_not_found");
    let taken = upload(&server, &id, "seattle-weather.csv", WEATHER).await.expect(200);
    assert_eq!(taken["success"], true);
    assert_eq!(taken["fileName"], "seattle-weather.csv");
    assert_eq!(taken["fileType"], "csv");
    assert_eq!(taken["fileSize"], WEATHER.len());
    assert_eq!(taken["sessionId"], id);
    assert!(taken["message"].as_str().unwrap().contains("seattle-weather.csv"));
    assert_eq!((&taken["rowCount"], &taken["columnCount"]), (&json!(1461), &json!(6)));
    let summary = &taken["summary"];
    assert_eq!((&summary["columnCount"], &summary["rowCount"]), (&json!(6), &json!(1461)));
    assert_eq!(
        summary["columns"],
        json!(["date", "precipitation", "temp_max", "temp_min", "wind", "weather"])
    );
    assert_eq!(
        summary["columnTypes"],
        json!({"date": "date", "precipitation": "number", "temp_max": "number",
            "temp_min": "number", "wind": "number", "weather": "string"})
    );
    assert_eq!(summary["sampleData"].as_array().unwrap().len(), 3);
    assert_eq!(summary["sampleData"][0]["weather"], "drizzle");
    assert_eq!(summary["stats"]["temp_max"]["max"], 35.6);
    assert_eq!(summary["stats"]["weather"]["distinct"], 5);

    let read = server.get(&info).await.expect(200);
    assert_eq!(read["summary"], *summary);
    assert_eq!(read["uploadedAt"], "2026-01-31T12:00:00.000Z");
}

#[tokio::test]
async fn keywords_are_found_in_all_rows() {
    let server = Server::start().await;
    let id = server.session(json!({})).await;
    upload(&server, &id, "w.csv", WEATHER).await.expect(200);
    let found = query(&server, &id, json!({"query": "DRIZZLE"})).await.expect(200);
    assert_eq!((&found["query"], &found["fileName"]), (&json!("DRIZZLE"), &json!("w.csv")));
    let results = &found["results"];
    assert_eq!(results["totalMatches"], 53);
    assert_eq!(results["matchingRows"].as_array().unwrap().len(), 10);
    assert_eq!(results["matchingRows"][0]["date"], "2012-01-01");
    assert_eq!(results["searchedColumns"].as_array().unwrap().len(), 6);
    let page = json!({"query": "drizzle", "limit": 5, "offset": 50, "columns": ["weather"]});
    let results = &query(&server, &id, page).await.expect(200)["results"];
    assert_eq!(results["matchingRows"].as_array().unwrap().len(), 3);
    assert_eq!(results["searchedColumns"], json!(["weather"]));
    query(&server, &id, json!({"query": "x", "columns": ["nope"]}))
        .await
        .expect_error(400, "unknown_column");

    upload(&server, &id, "cars.json", CARS).await.expect(200);
    let found = query(&server, &id, json!({"query": "chevelle"})).await.expect(200);
    assert_eq!(found["fileType"], "json");
    let items = found["results"]["matchingItems"].as_array().unwrap();
    assert_eq!(found["results"]["totalMatches"], items.len());
    assert_eq!(items[0]["Cylinders"], 8, "items come as they are in the file");
}

#[tokio::test]
async fn sql_runs_over_every_row() {
    let server = Server::start().await;
    let id = server.session(json!({})).await;
    upload(&server, &id, "w.csv", WEATHER).await.expect(200);
    let sql = "SELECT weather, round(avg(temp_max), 2) AS average, count(*) AS days FROM data \
               GROUP BY weather ORDER BY average";
    for _ in 0..2 {
        let found = query(&server, &id, json!({ "sql": sql })).await.expect(200);
        let results = &found["results"];
        assert_eq!(results["columns"], json!(["weather", "average", "days"]));
        assert_eq!(
            results["rows"],
            json!([
                ["snow", 5.57, 26],
                ["rain", 13.45, 641],
                ["drizzle", 15.93, 53],
                ["fog", 16.76, 101],
                ["sun", 19.86, 640]
            ])
        );
        assert_eq!((&results["rowCount"], &results["truncated"]), (&json!(5), &json!(false)));
        assert!(results["elapsedMs"].is_number());
    }
    let all = query(&server, &id, json!({"sql": "SELECT * FROM data"})).await.expect(200);
    assert_eq!(
        (&all["results"]["rowCount"], &all["results"]["truncated"]),
        (&json!(1000), &json!(true))
    );
    assert_eq!(all["results"]["rows"][0][0], "2012-01-01");
    let few =
        query(&server, &id, json!({"sql": "SELECT * FROM data", "limit": 2})).await.expect(200);
    assert_eq!(few["results"]["rows"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_new_file_answers_for_the_old_one() {
    let server = Server::start().await;
    let id = server.session(json!({})).await;
    let count = json!({"sql": "SELECT count(*) FROM data"});
    for rows in [1, 2, 3] {
        let text = format!("a\n{}", "1\n".repeat(rows));
        upload(&server, &id, "a.csv", text.as_bytes()).await.expect(200);
        let found = query(&server, &id, count.clone()).await.expect(200);
        assert_eq!(found["results"]["rows"], json!([[rows]]));
    }
}

#[tokio::test]
async fn only_a_select_is_allowed() {
    let server = Server::start().await;
    let id = server.session(json!({})).await;
    upload(&server, &id, "a.csv", b"a,b\n1,2\n").await.expect(200);
    for sql in [
        "DELETE FROM data",
        "DROP TABLE data",
        "INSERT INTO data VALUES (1, 2)",
        "UPDATE data SET a = 2",
        "CREATE TABLE t (x)",
        "ATTACH 'x.db' AS x",
        "PRAGMA table_info(data)",
        "SELECT load_extension('x')",
        "SELECT randomblob(1000000000)",
        "SELECT zeroblob(1000000000)",
        "SELECT printf('%1000000000d', 1)",
        "SELECT 1; SELECT 2",
        "BEGIN",
        "",
        "nonsense",
        "SELECT nope FROM data",
        "SELECT * FROM other",
    ] {
        let said = query(&server, &id, json!({ "sql": sql })).await.expect(400);
        let code = said["code"].as_str().unwrap();
        assert!(["invalid_sql", "sql_not_allowed"].contains(&code), "{sql}: {said}");
    }
    let rows = query(&server, &id, json!({"sql": "SELECT * FROM data;"})).await.expect(200);
    assert_eq!(rows["results"]["rows"], json!([[1, 2]]), "nothing has changed");
}

#[tokio::test]
async fn bad_questions_are_refused() {
    let server = Server::start().await;
    let id = server.session(json!({})).await;
    query(&server, &id, json!({"query": "x"})).await.expect_error(404, "file_not_found");
    upload(&server, &id, "a.csv", b"a,b\n1,2\n").await.expect(200);
    for body in [
        json!({}),
        json!({"query": ""}),
        json!({"query": "  "}),
        json!({"query": 5}),
        json!({"query": "x", "sql": "SELECT 1"}),
        json!({"query": "x", "limit": 0}),
        json!({"query": "x", "limit": 1001}),
        json!({"query": "x", "limit": "many"}),
        json!({"query": "x", "offset": -1}),
        json!({"query": "x", "columns": "a"}),
        json!({"sql": 1}),
        json!({"query": "x".repeat(2000)}),
    ] {
        query(&server, &id, body).await.expect_error(400, "invalid_request");
    }
    let unknown = "0d6f1f0e-5d3c-4c5e-9d0a-3a4f1c2b7e58";
    query(&server, unknown, json!({"query": "x"})).await.expect_error(404, "session_not_found");
}

#[tokio::test]
async fn a_deleted_file_is_gone() {
    let server = Server::start().await;
    let id = server.session(json!({})).await;
    let path = format!("/api/files/{id}");
    server.delete(&path).await.expect_error(404, "file_not_found");
    upload(&server, &id, "a.csv", b"a,b\n1,2\n").await.expect(200);
    query(&server, &id, json!({"sql": "SELECT a FROM data"})).await.expect(200);
    let deleted = server.delete(&path).await.expect(200);
    assert_eq!(deleted["success"], true);
    assert!(deleted["message"].is_string());
    for answer in [
        server.get(&format!("/api/files/info/{id}")).await,
        query(&server, &id, json!({"sql": "SELECT a FROM data"})).await,
        query(&server, &id, json!({"query": "1"})).await,
        server.delete(&path).await,
    ] {
        answer.expect_error(404, "file_not_found");
    }
    server.get(&format!("/api/sessions/{id}")).await.expect(200);
}

#[tokio::test]
async fn forms_come_in_any_order_and_with_more_than_was_asked_for() {
    let server = Server::start().await;
    let id = server.session(json!({})).await;
    let (session, file): (Part<'_>, Part<'_>) =
        (("sessionId", None, id.as_bytes()), ("file", Some("a.CSV"), b"a\n1\n"));
    let extra: Part<'_> = ("description", None, b"mine");
    for parts in [vec![session, file], vec![file, session], vec![extra, file, extra, session]] {
        let taken = send(&server, form(&parts)).await.expect(200);
        assert_eq!(taken["fileName"], "a.CSV");
    }
    for (parts, says) in [
        (vec![file], "`sessionId` is missing."),
        (vec![session], "`file` is missing."),
        (vec![], "`sessionId` is missing."),
    ] {
        let sentence = send(&server, form(&parts)).await.expect_error(400, "invalid_request");
        assert_eq!(sentence, says);
    }
    let wrong: Part<'_> = ("sessionId", None, b"nope");
    send(&server, form(&[wrong, file])).await.expect_error(400, "invalid_session_id");
    let unknown: Part<'_> = ("sessionId", None, b"0d6f1f0e-5d3c-4c5e-9d0a-3a4f1c2b7e58");
    send(&server, form(&[unknown, file])).await.expect_error(404, "session_not_found");
    let json = server.post("/api/files/upload", json!({"sessionId": id})).await;
    json.expect_error(415, "unsupported_media_type");
    let mut broken = form(&[session, file]);
    broken.truncate(broken.len() - 30);
    send(&server, broken).await.expect_error(400, "invalid_request");
    send(&server, b"no form at all".to_vec()).await.expect_error(400, "invalid_request");
}

#[tokio::test]
async fn a_refused_upload_leaves_the_earlier_file() {
    let server = Server::with(&["--max-upload-bytes", "200000"]).await;
    let id = server.session(json!({})).await;
    upload(&server, &id, "first.csv", b"a\n1\n").await.expect(200);
    let deep = format!("{}1{}", "[".repeat(70), "]".repeat(70));
    let wide = (0..1001).map(|n| format!("c{n}")).collect::<Vec<_>>().join(",");
    let rows: Vec<(&str, Vec<u8>, u16, &str)> = vec![
        ("a.csv", b"".to_vec(), 400, "empty_file"),
        ("a.csv", b" \n\r\n\t ".to_vec(), 400, "empty_file"),
        ("a.csv", b"a,b\n\0\0,2\n".to_vec(), 415, "not_text"),
        ("a.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec(), 415, "not_text"),
        ("a.csv", b"PK\x03\x04\x14\0\0\0\x08\0".to_vec(), 415, "not_text"),
        ("a.txt", b"a\n1\n".to_vec(), 415, "unsupported_file_type"),
        ("a.csv.html", b"a\n1\n".to_vec(), 415, "unsupported_file_type"),
        ("", b"a\n1\n".to_vec(), 415, "unsupported_file_type"),
        ("a.csv", wide.into_bytes(), 400, "too_many_columns"),
        ("a.json", deep.into_bytes(), 400, "nested_too_deeply"),
        ("a.json", b"{\"a\": NaN}".to_vec(), 400, "invalid_json_file"),
        ("a.json", b"[1] tail".to_vec(), 400, "invalid_json_file"),
        ("a.json", b"[1,]".to_vec(), 400, "invalid_json_file"),
        ("a.csv", vec![b'a'; 200_001], 413, "file_too_large"),
        ("a.csv", vec![b'a'; 5_000_000], 413, "body_too_large"),
    ];
    for (name, content, status, code) in rows {
        upload(&server, &id, name, &content).await.expect_error(status, code);
    }
    let info = server.get(&format!("/api/files/info/{id}")).await.expect(200);
    assert_eq!(info["fileName"], "first.csv");
}

#[tokio::test]
async fn names_are_reduced_to_what_can_be_shown() {
    let server = Server::start().await;
    let id = server.session(json!({})).await;
    for (raw, name) in [
        ("../../etc/passwd.csv", "passwd.csv"),
        ("C:\\Users\\me\\data.csv", "data.csv"),
        ("Größe 世界.csv", "Größe 世界.csv"),
    ] {
        let taken = upload(&server, &id, raw, b"a\n1\n").await.expect(200);
        assert_eq!(taken["fileName"], name, "{raw}");
    }
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_the_earlier_file() {
    use tokio::io::AsyncWriteExt;
    let server = Server::start().await;
    let id = server.session(json!({})).await;
    upload(&server, &id, "first.csv", b"a\n1\n").await.expect(200);
    let body = form(&[("sessionId", None, id.as_bytes()), ("file", Some("second.csv"), b"b\n2\n")]);
    let head = format!(
        "POST /api/files/upload HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\
         Content-Type: multipart/form-data; boundary=xyz\r\n\r\n",
        body.len()
    );
    let mut stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&body[..body.len() - 10]).await.unwrap();
    drop(stream);
    let info = server.get(&format!("/api/files/info/{id}")).await.expect(200);
    assert_eq!(info["fileName"], "first.csv");
}

#[tokio::test]
async fn a_file_expires_with_its_session() {
    let server = Server::with(&["--chat-session-timeout", "60"]).await;
    let id = server.session(json!({})).await;
    upload(&server, &id, "a.csv", b"a\n1\n").await.expect(200);
    server.clock.advance(std::time::Duration::from_secs(60));
    server.get(&format!("/api/files/info/{id}")).await.expect_error(404, "session_not_found");
    query(&server, &id, json!({"sql": "SELECT 1"})).await.expect_error(404, "session_not_found");
}
