//! Uploads, and what is known of the file.

use serde_json::json;

use super::{Part, WEATHER, form, send, upload};
use crate::support::Server;

#[tokio::test]
async fn the_history_names_the_sessions_file() {
    let server = Server::start().await;
    let id = server.session(json!({})).await;
    let history = format!("/api/chat/history/{id}");
    assert_eq!(server.get(&history).await.expect(200).get("file"), None);
    upload(&server, &id, "seattle-weather.csv", WEATHER).await.expect(200);
    let mut file = server.get(&history).await.expect(200)["file"].take();
    let info = server.get(&format!("/api/files/info/{id}")).await.expect(200);
    assert_eq!(file["uploadedAt"].take(), info["uploadedAt"]);
    let expected = json!({"fileName": "seattle-weather.csv", "fileType": "csv",
        "fileSize": WEATHER.len(), "uploadedAt": null, "rowCount": 1461, "columnCount": 6,
        "notes": []});
    assert_eq!(file, expected);
    server.delete(&format!("/api/files/{id}")).await.expect(200);
    assert_eq!(server.get(&history).await.expect(200).get("file"), None);
}

#[tokio::test]
async fn a_csv_file_is_read_and_described() {
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
async fn the_fields_of_a_form_may_come_in_any_order_and_among_others() {
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
        ("a.csv", b"a,b\n1,\"x, y\n2,z\n".to_vec(), 400, "unclosed_quote"),
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
async fn an_interrupted_upload_leaves_the_earlier_file() {
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
