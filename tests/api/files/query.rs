//! Searches and SQL.

use serde_json::json;

use super::{CARS, WEATHER, query, upload};
use crate::support::Server;

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
