use bytes::Bytes;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::domain::Timestamp;
use crate::tables::ingest::{IngestLimits, Ingested, ingest};

fn take(name: &str, content: &str) -> Ingested {
    let bytes = Bytes::copy_from_slice(content.as_bytes());
    ingest(name, &bytes, Timestamp(0), &IngestLimits::default()).unwrap()
}

fn find(file: &Ingested, query: &str) -> SearchResult {
    search(&file.dataset, &file.text, query, None, 0, 10).unwrap()
}

const SHOP: &str =
    "id,name,note\n1,\"Laptop, 14\"\"\",ok\n2,PHONE,\n3,Müller & Söhne,phone home\n4\n";

#[test]
fn any_value_is_found_regardless_of_case() {
    let file = take("a.csv", SHOP);
    for (query, total) in [
        ("phone", 2),
        ("MÜLLER", 1),
        ("söhne", 1),
        ("ü", 1),
        ("laptop, 14\"", 1),
        ("14\"", 1),
        ("ok", 1),
        ("3", 1),
        (",", 1),
        ("note", 0),
        ("1,laptop", 0),
        ("\n", 0),
        ("zzz", 0),
        ("", 4),
    ] {
        assert_eq!(find(&file, query).total, total, "{query:?}");
    }
    let result = find(&file, "phone");
    assert_eq!(result.rows[0], json!({"id": "2", "name": "PHONE", "note": ""}));
    assert_eq!(result.searched, ["id", "name", "note"]);
    assert_eq!(find(&file, "4").rows[1], json!({"id": "4", "name": null, "note": null}));
}

#[test]
fn a_search_is_limited_to_columns_and_paged() {
    let file = take("a.csv", SHOP);
    let only = |columns: &[&str], query: &str| {
        let columns: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
        search(&file.dataset, &file.text, query, Some(&columns), 0, 10)
    };
    let found = only(&["note"], "phone").unwrap();
    assert_eq!((found.total, found.searched), (1, vec!["note".to_owned()]));
    assert_eq!(only(&["id", "note"], "laptop").unwrap().total, 0);
    assert_eq!(only(&["nothing"], "x"), Err(SearchError::UnknownColumn));
    let mut text = "n,t\n".to_owned();
    (0..100).for_each(|n| text.push_str(&format!("{n},row\n")));
    let file = take("a.csv", &text);
    let page = search(&file.dataset, &file.text, "ROW", None, 98, 5).unwrap();
    assert_eq!(page.total, 100);
    assert_eq!(page.rows, [json!({"n": "98", "t": "row"}), json!({"n": "99", "t": "row"})]);
    assert!(search(&file.dataset, &file.text, "row", None, 100, 5).unwrap().rows.is_empty());
}

#[test]
fn the_header_and_partial_lines_are_not_rows() {
    for text in ["key,b\nx,1\nkey,2\n", "key,b\r\nx,1\r\nkey,2", "\"key\",b\nx,1\n\"key\",2\n"] {
        assert_eq!(find(&take("a.csv", text), "KEY").total, 1, "{text:?}");
    }
    let broken = take("a.csv", "a,b\n1,\"one\ntwo\none\"\n2,one\n");
    assert_eq!(find(&broken, "one").total, 2);
    assert_eq!(find(&broken, "two\none").total, 1);
}

#[test]
fn json_items_are_returned_unchanged() {
    let text = r#"[{"name": "Z\u00fcrich \"x\"", "n": 12.50, "deep": {"key": ["Inner"]}, "b": true},
        {"name": "other", "path": "a\/b"}, "plain", null]"#;
    let file = take("a.json", text);
    for (query, total) in [
        ("zürich", 1),
        ("\"x", 1),
        ("inner", 1),
        ("key", 0),
        ("name", 0),
        ("12.5", 1),
        ("TRUE", 1),
        ("a/b", 1),
        ("plain", 1),
        ("null", 0),
        ("", 4),
    ] {
        assert_eq!(find(&file, query).total, total, "{query:?}");
    }
    let found = find(&file, "other");
    assert_eq!(found.rows, [json!({"name": "other", "path": "a/b"})]);
    assert_eq!(found.searched, ["name", "n", "deep", "b", "path", "value"]);
    let columns = ["path".to_owned()];
    let other = search(&file.dataset, &file.text, "other", Some(&columns), 0, 10).unwrap();
    assert_eq!(other.total, 0);
    let only =
        |name: &str| search(&file.dataset, &file.text, "inner", Some(&[name.to_owned()]), 0, 10);
    for name in ["deep", "deep.key"] {
        let found = only(name).unwrap();
        assert_eq!((found.total, found.searched), (1, vec!["deep".to_owned()]));
    }
    assert_eq!(only("deep.x"), Err(SearchError::UnknownColumn));
    let parts = take("a.json", r#"[{"a": {"b": "x", "c": "y"}}]"#);
    let found = search(&parts.dataset, &parts.text, "x", Some(&["a.c".to_owned()]), 0, 10).unwrap();
    assert_eq!((found.total, found.searched), (0, vec!["a.c".to_owned()]));
    assert_eq!(find(&take("a.json", "{\"a\":\"x\"}\n{\"a\":\"X y\"}\n"), "x").total, 2);
    assert_eq!(
        find(&take("a.json", r#"{"n": 1, "rows": [{"a": "x"}, {"a": "y"}]}"#), "x").total,
        1
    );
    assert_eq!(find(&take("a.json", "\"some text\""), "TEXT").total, 1);
}

proptest! {
    #[test]
    fn a_search_finds_what_comparing_every_cell_finds(
        table in prop::collection::vec(prop::collection::vec("[abAB\", \nüÜk\u{212a}]{0,6}", 3), 0..10),
        query in "[abAB\", üÜkK]{0,3}",
    ) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["x", "y", "z"]).unwrap();
        table.iter().for_each(|row| writer.write_record(row).unwrap());
        let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        let fold = |text: &str| text.chars().flat_map(char::to_lowercase).collect::<String>();
        let query_folded = fold(&query);
        let file = take("a.csv", &text);
        prop_assume!(file.dataset.columns.len() == 3);
        let expected =
            table.iter().filter(|row| row.iter().any(|cell| fold(cell).contains(&query_folded))).count();
        prop_assert_eq!(find(&file, &query).total, expected as u64);
        let items: Vec<Value> = table.iter().map(|row| json!({"x": row[0], "y": row[1..]})).collect();
        let file = take("a.json", &serde_json::to_string_pretty(&items).unwrap());
        prop_assert_eq!(find(&file, &query).total, expected as u64);
    }
}

#[test]
fn composed_and_decomposed_letters_meet() {
    let text = "id,city\n1,KÖLN\n2,Köln\n3,Ko\u{308}ln\n4,İzmir\n5,I\u{307}zmir\n6,kiosk ko\n7,ko\u{308} ko\n";
    let json = r#"[{"c": "KÖLN"}, {"c": "Ko\u0308ln"}, {"c": "İzmir"}]"#;
    for (query, csv, items) in [
        ("köln", 3, 2),
        ("KO\u{308}LN", 3, 2),
        ("öl", 3, 2),
        ("ko", 2, 0),
        ("izmir", 2, 1),
        ("İZMİR", 2, 1),
        ("ko ko", 0, 0),
        ("zmir", 2, 1),
    ] {
        assert_eq!(find(&take("a.csv", text), query).total, csv, "{query}");
        assert_eq!(find(&take("a.json", json), query).total, items, "{query}");
    }
}
