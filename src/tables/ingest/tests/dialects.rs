//! Strange files by kind: the table that each must give, and what is noted.

use std::ops::ControlFlow;

use encoding_rs::Encoding;
use proptest::prelude::*;

use super::*;
use crate::tables::rows::{Cell, for_each_row};

/// The table as text: cells divided by `¦`, records by line feeds; `∅` for no value.
fn table(ingested: &Ingested) -> String {
    let names: Vec<&str> = names(&ingested.dataset);
    let mut out = names.join("¦");
    for_each_row(&ingested.dataset, &ingested.text, &mut |row| {
        let cells: Vec<String> = row.iter().map(shown).collect();
        out.push('\n');
        out.push_str(&cells.join("¦"));
        ControlFlow::Continue(())
    });
    out
}

fn shown(cell: &Cell<'_>) -> String {
    match cell {
        Cell::Null => "∅".to_owned(),
        Cell::Int(number) => number.to_string(),
        Cell::Real(number) => number.to_string(),
        Cell::Bool(value) => value.to_string(),
        Cell::Text(text) => text.to_string(),
    }
}

fn read(content: &[u8]) -> Result<Ingested, IngestError> {
    let bytes = Bytes::copy_from_slice(content);
    ingest("a.csv", &bytes, Timestamp(0), &IngestLimits::default())
}

/// Each case: the file, its table, and words of its notes in their order.
fn check(cases: &[(&str, &str, &[&str])]) {
    for (content, expected, notes) in cases {
        let ingested = read(content.as_bytes()).unwrap_or_else(|error| {
            panic!("{content:?} is refused: {error}");
        });
        assert_eq!(table(&ingested), *expected, "{content:?}");
        assert_notes(&ingested, notes, content);
    }
}

fn assert_notes(ingested: &Ingested, words: &[&str], content: &str) {
    let notes = &ingested.dataset.notes;
    assert_eq!(notes.len(), words.len(), "{content:?}: {notes:?}");
    for (note, words) in notes.iter().zip(words) {
        assert!(note.contains(words), "{content:?}: {note:?} has no {words:?}");
    }
}

#[test]
fn plain_files_are_stored_as_they_are() {
    for content in [
        "a,b\n1,2\n",
        "a;b\r\n1,5;x\r\n2,5;y\r\n",
        "a,b\n\"x, y\",\"say \"\"hi\"\"\"\n\"two\nlines\",z\n",
        "size,qty\n5\" pipe,3\n6\" pipe,4\n",
        "path,n\n\"C:\\dir\\\",1\n\"D:\\x\\\",2\n",
        "name,n\nO'Neil,1\n'tis,2\n'twas,3\n",
        "#id,name\n1,a\n2,b\n",
        "a,b,c\n1\n1,2,3,4\n1,2\n",
        "a\n1,2\n3,4\n",
        "name,city\n1,Anna,Rome,x\n",
        "note\nHello, world\nBye, all\n",
        "name;price\nTea, green;1,5\nCoffee, black;2,5\n",
        "city\nRome\nOslo\n",
        ",,\n1,2,3\n4,5,6\n",
        "id,text\n1,\"a\nb, c\"\n2,d\n",
        "id,text\n1,\"\"\n2,\"\"\"\"\n",
        "a,b\n,\n;,x\n",
        "x,y\n1,2\n\n3,4\n",
        "name,qty\nfoo,1\n\nname,qty\nbar,2\n",
        "country,2019,2020\nIT,1,2\nFR,3,4\n",
        "who,said\nJo,'yes'\nAn,no\n",
        "id,data\n1,{\"a\": 1, \"b\": 2}\n2,{\"a\": 1, \"b\": 2, \"c\": 3}\n3,{}\n",
        "id,code\n1,=\"007\"\n2,=\"008\"\n",
    ] {
        let ingested = read(content.as_bytes()).unwrap();
        assert_eq!(ingested.text, content.as_bytes(), "{content:?}");
        assert_notes(&ingested, &[], content);
    }
}

#[test]
fn blanks_may_surround_quoted_cells() {
    let blanks: &[&str] = &["Blanks around quoted cells"];
    check(&[
        (
            "id, \"name\", qty\n1, \"Miller, Jo\", 5\n2, \"Li, An\", 7\n",
            "id¦name¦qty\n1¦Miller, Jo¦5\n2¦Li, An¦7",
            blanks,
        ),
        (
            "\"id\", \"name\", \"qty\"\n\"1\", \"Miller\", \"5\"\n\"2\", \"Li\", \"6\"\n",
            "id¦name¦qty\n1¦Miller¦5\n2¦Li¦6",
            blanks,
        ),
        ("id,name\n1,\"x\" \n2,\"y, z\" \n", "id¦name\n1¦x\n2¦y, z", blanks),
        ("id;\tname\n1;\t\"x;y\"\n2;\t\"z\"\t\n", "id¦name\n1¦x;y\n2¦z", blanks),
        ("id\tname\n1\t \"x\ty\" \n2\tz\n", "id¦name\n1¦x\ty\n2¦z", blanks),
        (
            "id | name | qty\r\n1 | \"a|b\" | 2\r\n3 | \"c\" | 4\r\n",
            "id¦name¦qty\n1¦a|b¦2\n3¦c¦4",
            blanks,
        ),
        ("a, b\n1, \"two\nlines\"\n2, x\n", "a¦b\n1¦two\nlines\n2¦ x", blanks),
        ("a, b\n1, \"say \"\"hi\"\", ok\"\n2, x\n", "a¦b\n1¦say \"hi\", ok\n2¦ x", blanks),
    ]);
}

#[test]
fn the_header_is_found_below_other_lines() {
    let one: &[&str] = &["1 line above the header was"];
    let two: &[&str] = &["2 lines above the header were"];
    let three: &[&str] = &["3 lines above the header were"];
    check(&[
        ("sep=;\na;b\n1;2\n3;4\n", "a¦b\n1¦2\n3¦4", one),
        ("SEP=,\r\na,b\r\n1,2\r\n", "a¦b\n1¦2", one),
        ("\"sep=|\"\na|b;c\n1|2;3\n", "a¦b;c\n1¦2;3", one),
        ("sep=\t\na\tb\n1\t2\n", "a¦b\n1¦2", one),
        ("sep=;\rx;y\r1;2\r", "x¦y\n1¦2", one),
        ("\u{feff}sep=;\na,x;b\n1,5;2\n", "a,x¦b\n1.5¦2", one),
        ("sep=;\nReport of May\n\na;b;c\n1;2;3\n", "a¦b¦c\n1¦2¦3", two),
        (
            "Report of 2025-01-06\nid;owner;place\n1;x;Rome\n2;y;Bari\n",
            "id¦owner¦place\n1¦x¦Rome\n2¦y¦Bari",
            one,
        ),
        ("# exported by tool\n# at noon\nid,name\n1,a\n2,b\n", "id¦name\n1¦a\n2¦b", two),
        ("# by a tool, at noon\nid,name\n1,a\n2,b\n", "id¦name\n1¦a\n2¦b", one),
        ("# exported by tool\nname\nAnna\n", "name\nAnna", one),
        ("#\n# x\nid\tn\n1\t2\n", "id¦n\n1¦2", two),
        (",,\nid,name,qty\n1,a,2\n2,b,3\n", "id¦name¦qty\n1¦a¦2\n2¦b¦3", one),
        (";;\r\n;;\r\n\r\nid;name;qty\r\n1;a;2\r\n", "id¦name¦qty\n1¦a¦2", two),
        (
            "Sales report,,\n,,\nid,owner,place\n1,x,Rome\n2,y,Bari\n",
            "id¦owner¦place\n1¦x¦Rome\n2¦y¦Bari",
            two,
        ),
        (
            "Sales report, 2025\nid,owner,place\n1,x,Rome\n2,y,Bari\n",
            "id¦owner¦place\n1¦x¦Rome\n2¦y¦Bari",
            one,
        ),
        (
            "Report, Jan 2025\nby me\n\nid;owner;place\n1;x;Rome\n2;y;Bari\n",
            "id¦owner¦place\n1¦x¦Rome\n2¦y¦Bari",
            two,
        ),
        (
            "Account:;DE12\nFrom:;1.1.2025\n\nDate;Text;Amount\n2.1.2025;Rent;-5\n3.1.2025;Pay;9\n",
            "Date¦Text¦Amount\n2025-01-02¦Rent¦-5\n2025-01-03¦Pay¦9",
            two,
        ),
        (
            "Account,12345\nCurrency,EUR\n\nDate,Amount\n2025-01-02,5\n2025-01-03,6\n",
            "Date¦Amount\n2025-01-02¦5\n2025-01-03¦6",
            two,
        ),
        (
            "Holder;Jo Doe\nCurrency;EUR\nKind;giro\n\nDay;Sum\n2025-01-02;5\n2025-01-03;6\n2025-01-04;7\n",
            "Day¦Sum\n2025-01-02¦5\n2025-01-03¦6\n2025-01-04¦7",
            three,
        ),
        (
            "\"Data Source\",\"Indicators\",\n\n\"Last Updated\",\"2025-01-06\",\n\n\"Country\",\"Code\",\"2019\",\"2020\"\n\"Italy\",\"IT\",\"1\",\"2\"\n\"France\",\"FR\",\"3\",\"4\"\n",
            "Country¦Code¦2019¦2020\nItaly¦IT¦1¦2\nFrance¦FR¦3¦4",
            two,
        ),
        ("My list\nid,name\n1,a\n2,b\n", "id¦name\n1¦a\n2¦b", one),
        ("\"A title, quoted\"\nid,name,x\n1,a,b\n2,c,d\n", "id¦name¦x\n1¦a¦b\n2¦c¦d", one),
        (
            "# c\nid,name\n1,a\n# between, these, rows\n2,b\n",
            "id¦name\n1¦a\n2¦b",
            &["1 line above", "1 comment line between"],
        ),
        ("   \n\t\n# c\nid|name\n1|a\n", "id¦name\n1¦a", one),
        (
            "Sales of 2024, January\nday;sum\n1.1.2024;1,5\n2.1.2024;2,5\n3.1.2024;3,5\n4.1.2024;4,5\n5.1.2024;5,5\n6.1.2024;6,5\n7.1.2024;7,5\n",
            "day¦sum\n2024-01-01¦1.5\n2024-01-02¦2.5\n2024-01-03¦3.5\n2024-01-04¦4.5\n2024-01-05¦5.5\n2024-01-06¦6.5\n2024-01-07¦7.5",
            one,
        ),
        (
            "Export;6.1.2025;;;\n;;;;\nid;a;b;c;d\n1;x;y;z;w\n2;x;y;z;w\n",
            "id¦a¦b¦c¦d\n1¦x¦y¦z¦w\n2¦x¦y¦z¦w",
            two,
        ),
    ]);
}

#[test]
fn backslashes_may_escape() {
    let note: &[&str] = &["Backslashes"];
    check(&[
        (
            "id,name,qty\n1,\"5\\\" pipe, long\",3\n2,\"ok\",4\n",
            "id¦name¦qty\n1¦5\" pipe, long¦3\n2¦ok¦4",
            note,
        ),
        (
            "id;name;qty\n1;\"a\\\";b\";3\n2;\"c\\\\d\\\"\";4\n3;\"e\";5\n",
            "id¦name¦qty\n1¦a\";b¦3\n2¦c\\d\"¦4\n3¦e¦5",
            note,
        ),
        ("id\tname\n1\t\"say \\\"hi\\\"\tnow\"\n2\tx\n", "id¦name\n1¦say \"hi\"\tnow\n2¦x", note),
        ("id,name\n1,a\\,b\n2,c\\,d\n3,e\n", "id¦name\n1¦a,b\n2¦c,d\n3¦e", note),
        (
            "id,name,n\n1,\"two\nlines \\\"x\\\", y\",5\n2,b,6\n",
            "id¦name¦n\n1¦two\nlines \"x\", y¦5\n2¦b¦6",
            note,
        ),
        (
            "id,name,n\r\n\"1\",\"\\\"all\\\"\",\"5\"\r\n\"2\",\"b\",\"6\"\r\n",
            "id¦name¦n\n1¦\"all\"¦5\n2¦b¦6",
            note,
        ),
    ]);
}

#[test]
fn apostrophes_may_quote() {
    let note: &[&str] = &["Apostrophes"];
    check(&[
        (
            "id,name,qty\n1,'Miller, Jo',5\n2,'Li, An',7\n",
            "id¦name¦qty\n1¦Miller, Jo¦5\n2¦Li, An¦7",
            note,
        ),
        ("'id','name'\n'1','Jo'\n'2','An'\n", "id¦name\n1¦Jo\n2¦An", note),
        (
            "id;name;n\n1;'it''s; so';5\n2;'x';6\n3;O'Neil;7\n",
            "id¦name¦n\n1¦it's; so¦5\n2¦x¦6\n3¦O'Neil¦7",
            note,
        ),
        (
            "id,name,n\n1,'it\\'s, so',5\n2,'x, y',6\n",
            "id¦name¦n\n1¦it's, so¦5\n2¦x, y¦6",
            &["Apostrophes", "Backslashes"],
        ),
        (
            "id, name, n\n1, 'a, b', 5\n2, 'c, d', 6\n",
            "id¦name¦n\n1¦a, b¦5\n2¦c, d¦6",
            &["Apostrophes", "Blanks around"],
        ),
    ]);
}

#[test]
fn an_open_quote_swallows_no_rows() {
    check(&[
        (
            "id,size,qty\n1,\"5 inch,3\n2,6 inch,4\n3,7 inch,5\n",
            "id¦size¦qty\n1¦\"5 inch¦3\n2¦6 inch¦4\n3¦7 inch¦5",
            &["A quote in line 2 is never closed"],
        ),
        (
            "id,size,qty\n1,\"5 inch,3\n2,6 inch,4\n3,7\",5\n4,8,6\n5,9,7\n",
            "id¦size¦qty\n1¦\"5 inch¦3\n2¦6 inch¦4\n3¦7\"¦5\n4¦8¦6\n5¦9¦7",
            &["line 2 is never"],
        ),
        (
            "id,size,qty\n1,\"5 inch,3\n2,6 inch,4\n3,7\",5\n",
            "id¦size¦qty\n1¦\"5 inch¦3\n2¦6 inch¦4\n3¦7\"¦5",
            &["line 2 is never"],
        ),
        (
            "id,size,qty\n1,\"5 inch,3\n2,\"6 inch\",4\n3,7 inch,5\n",
            "id¦size¦qty\n1¦\"5 inch¦3\n2¦6 inch¦4\n3¦7 inch¦5",
            &["line 2 is never"],
        ),
        (
            "id,t\n1,\"smart ending”\n2,\"ok\"\n3,\"fine\"\n",
            "id¦t\n1¦\"smart ending”\n2¦ok\n3¦fine",
            &["line 2 is never"],
        ),
        (
            "a;b\r\n1;\"x\r\n2;\"y\r\n3;\"z\r\n4;\"w\r\n5;ok\r\n",
            "a¦b\n1¦\"x\n2¦\"y\n3¦\"z\n4¦\"w\n5¦ok",
            &["Quotes in lines 2, 3, 4 and 1 more are never closed"],
        ),
        ("a,b\r1,\"x\r2,y\r", "a¦b\n1¦\"x\n2¦y", &["line 2 is never"]),
        ("a,b\n1,x\n2,\"y", "a¦b\n1¦x\n2¦\"y", &["line 3 is never"]),
        ("id,\"size,qty\n1,2,3\n4,5,6\n", "id¦\"size¦qty\n1¦2¦3\n4¦5¦6", &["line 1 is never"]),
        (
            "id,t,n\n1,\"He said \"hi\" to me, twice\",3\n2,x,4\n",
            "id¦t¦n\n1¦He said \"hi\" to me, twice¦3\n2¦x¦4",
            &["Quotes within cells in line 2"],
        ),
        (
            "id,t\n1,\"two\nlines, well\"\n2,\"x\n3,\"y\"\n",
            "id¦t\n1¦two\nlines, well\n2¦\"x\n3¦y",
            &["line 4 is never"],
        ),
    ]);
}

#[test]
fn an_open_quote_in_an_irregular_table_is_refused_with_its_line() {
    for (content, line) in [
        ("a,b\n1,\"x, y\n2,z\n", 2),
        ("a,b\n1,x\n2,\"first line\nsecond line\nthird\n", 3),
        ("a,b,c\n1,2,3\n4,5,6\n7,\"8\n", 4),
        ("# c\na,b\n1,\"x, y\n2,z\n", 3),
        ("\n\na;b\n\n1;\"x; y\n2;z\n", 5),
    ] {
        let error = read(content.as_bytes()).unwrap_err();
        assert_eq!(error, IngestError::OpenQuote { line }, "{content:?}");
        assert_eq!(error.code(), "unclosed_quote");
        assert!(error.to_string().contains(&format!("line {line}")));
    }
}

#[test]
fn quoted_line_breaks_stay() {
    check(&[
        (
            "id,text,n\n1,\"Dear John, hi\nwell, bye\",2\n2,x,3\n3,y,4\n",
            "id¦text¦n\n1¦Dear John, hi\nwell, bye¦2\n2¦x¦3\n3¦y¦4",
            &[],
        ),
        (
            "text,n\n\"Hello, you\nbye\",2\n\"a\n\nb\",3\nc,4\n",
            "text¦n\nHello, you\nbye¦2\na\n\nb¦3\nc¦4",
            &[],
        ),
        (
            "id;address\r\n1;\"Main St 1\r\nRome; Italy\"\r\n2;\"x\r\ny\"\r\n3;z\r\n",
            "id¦address\n1¦Main St 1\r\nRome; Italy\n2¦x\r\ny\n3¦z",
            &[],
        ),
    ]);
}

#[test]
fn line_ends_of_all_kinds() {
    check(&[
        ("a,b\r1,2\r3,4\r", "a¦b\n1¦2\n3¦4", &[]),
        ("a,b\r\n1,2\n3,4\r5,6\n", "a¦b\n1¦2\n3¦4\n5¦6", &[]),
        ("a,b\r\r\n1,2\r\r\n3,4\r\r\n", "a¦b\n1¦2\n3¦4", &[]),
        (
            "id,t,n\n1,one\rtwo,3\n2,x,4\n3,y,5\n",
            "id¦t¦n\n1¦one\rtwo¦3\n2¦x¦4\n3¦y¦5",
            &["Carriage returns"],
        ),
        ("a,b\n1,2\n\u{1a}", "a¦b\n1¦2", &[]),
        ("a,b\r\n1,2\r\n\u{1a}\r\n", "a¦b\n1¦2", &[]),
        ("a,b\n1,2\u{1a}\u{1a}\u{1a}", "a¦b\n1¦2", &[]),
    ]);
}

fn encoded(label: &str, text: &str) -> Vec<u8> {
    let (bytes, _, bad) = Encoding::for_label(label.as_bytes()).unwrap().encode(text);
    assert!(!bad, "{text:?} in {label}");
    bytes.into_owned()
}

fn decoded(bytes: &[u8]) -> (String, Vec<String>) {
    let ingested = read(bytes).unwrap();
    let mut notes = ingested.dataset.notes;
    // Units are no matter of the encoding.
    notes.retain(|note| !note.contains("with the unit") && !note.contains("with a unit"));
    (String::from_utf8(ingested.text.to_vec()).unwrap(), notes)
}

#[test]
fn cp1252_is_preferred_for_signs_and_lone_letters() {
    for text in [
        "item,price\nTea,£2.50\nCake,£4.00\n",
        "a,b\n1,¥500\n",
        "name,dose\nX,100 µg\nY,200 µg\n",
        "µm,n\n1,2\n",
        "n,v\n5µl,10µl\n",
        "x,tol\n5,±2\n",
        "½ cup,1\n¼ cup,2\n¾ cup,3\n",
        "t,n\n« mot »,1\n«mot»,2\n",
        "t,n\n«\u{a0}mot\u{a0}»,1\n",
        "w,n\nnaïve,1\n",
        "w,n\nfaïence,1\n",
        "w,n\nmaître,1\nBenoît,2\n",
        "w,n\nForlì,1\n",
        "w,n\nŒuvre,1\n",
        "w,n\nmaïs,1\nnaïf,2\nhaïr,3\n",
        "w,n\nThaïs,1\nAnaïs,2\nHawaïi,3\n",
        "d,n\nØ 12,1\n",
        "d,n\nØ12 mm,1\n",
        "n,v\nTromsø,1\n",
        "n,v\nsûr,1\nmûr,2\n",
        "n,v\nfête,1\n",
        "n,v\nœuvre,1\n",
        "n,v\n50 °C ±1,£2\n",
        "n,v\n3¾ in,1\n",
        "n,v\n©2020 £,1\n",
        "n,v\n§ 5,£3\n",
        "n,v\n·x,1\n",
        "n,v\n¬5,¹ see\n",
        "n,v\n£m,1\n",
        "n,v\nMálaga,£5\nBogotá,£6\n",
        "n,v\n12 m²,£3\n12 m³,£4\n",
        "n,v\nNº 5,1ª\n",
        "n,v\nMüller,£5\n",
        "n,v\nIt’s “so” – ok…,€5\n",
        "n,v\n¿Qué?,¡Hola!\n",
        "n,v\nAcme®,Foo™\n",
        "n,v\nAçores,São Paulo\n",
        "n,v\nKøbenhavn,Smørrebrød\n",
        "n,v\n5 × 3,6 ÷ 2\n",
    ] {
        let (read, notes) = decoded(&encoded("windows-1252", text));
        // Amounts may have notes of their own.
        let doubtful = notes.iter().filter(|note| note.contains("UTF-8")).count();
        assert_eq!((read.as_str(), doubtful), (text, 0));
        let json = format!("[{{\"v\": {}}}]", serde_json::Value::from(text));
        let bytes = Bytes::from(encoded("windows-1252", &json));
        let file = ingest("a.json", &bytes, Timestamp(0), &IngestLimits::default()).unwrap();
        assert_eq!(file.text, json.as_bytes());
    }
}

#[test]
fn other_encodings_stay_right() {
    for (label, text) in [
        ("shift_jis", "名前,市\n太郎,東京\nアイス,大阪\n"),
        ("shift_jis", "n,v\nアイス,1\nソース,2\n"),
        ("euc-jp", "名前,市\n太郎,東京\nあい,うえ\n"),
        ("euc-jp", "n,v\nあい,1\n"),
        ("gb18030", "姓名,城市\n张三,北京\n李四,上海\n"),
        ("gb18030", "n,v\n中文,1\n"),
        ("big5", "姓名,城市\n張三,台北\n李四,高雄\n"),
        ("euc-kr", "이름,도시\n김철수,서울\n이영희,부산\n"),
        ("koi8-r", "имя,город\nОля,Москва\nИван,Тверь\n"),
        ("windows-1251", "имя,город\nОля,Рим\nИван,Тверь\n"),
        ("windows-1250", "jméno,město\nJiří,Děčín\nŘehoř,Ústí nad Labem\n"),
        ("windows-1250", "imię,miasto\nPaweł,Łódź\nŁucja,Wrocław\n"),
        ("windows-1250", "név,város\nJenő,Győr\nŐrs,Székesfehérvár\nerdő,fű\n"),
        ("windows-1250", "n,v\nPaweł,1\n"),
        ("windows-1250", "n,v\nBucureşti,1\n"),
        ("windows-1253", "όνομα,πόλη\nΓιάννης,Αθήνα\nΜαρία,Πάτρα\n"),
        ("windows-1255", "שם,עיר\nדוד,חיפה\nרחל,ירושלים\n"),
        ("windows-1256", "الاسم,المدينة\nمحمد,القاهرة\nفاطمة,بغداد\n"),
        ("ibm866", "имя,город\nОля,Москва\nИван,Тверь\n"),
        ("iso-8859-9", "ad,şehir\nIşık,İzmir\nAğa,Muğla\n"),
        ("iso-8859-2", "imię,miasto\nPaweł,Łódź\nŻaneta,Gdańsk\nŚwięta,Częstochowa\n"),
        ("windows-1257", "n,v\nRīga,1\n"),
    ] {
        let (read, notes) = decoded(&encoded(label, text));
        assert_eq!((read.as_str(), notes.len()), (text, 0), "{label}");
    }
}

#[test]
fn utf8_with_foreign_bytes_stays_utf8() {
    let bad = |text: &[u8]| decoded(text);
    let mixed = b"id,n\n1,M\xc3\xbcller\n2,J\xc3\xa4ger\n3,K\xc3\xb6ln\n4,Jos\xe9\n";
    let (text, notes) = bad(mixed);
    assert_eq!(text, "id,n\n1,Müller\n2,Jäger\n3,Köln\n4,José\n");
    assert_eq!(notes, ["1 byte was not UTF-8 and was read as Windows-1252."]);
    let mut many = b"id,n\n".to_vec();
    for at in 0..40 {
        many.extend_from_slice(format!("{at},Jäger\n").as_bytes());
        if at % 8 == 0 {
            many.extend_from_slice(b"0,\x80 5\xa3\n");
        }
    }
    let (text, notes) = bad(&many);
    assert_eq!((text.matches("Jäger").count(), text.matches("€ 5£").count()), (40, 5));
    assert_eq!(notes, ["10 bytes were not UTF-8 and were read as Windows-1252."]);
    // One good character and two bad ones: western text, piece by piece.
    let (text, _) = bad(b"id,n\n1,M\xc3\xbcller\n2,J\xe4ger\n3,K\xf6ln\n");
    assert_eq!(text, "id,n\n1,Müller\n2,Jäger\n3,Köln\n");
    for cut in [&b"\xc3"[..], b"\xe2\x82", b"\xf0\x9f\x98", b"\xe6", b"\xf0\x9f"] {
        let mut bytes = "id,n\n1,Müller\n2,Jäger\n3,Grö".as_bytes().to_vec();
        bytes.extend_from_slice(cut);
        let (text, notes) = bad(&bytes);
        assert_eq!(text, "id,n\n1,Müller\n2,Jäger\n3,Grö");
        assert_eq!(notes, ["The file ends within a character, which was left out."]);
    }
    let (text, notes) = bad("id,n\n1,東京\n2,大阪\n".replace('阪', "").as_bytes());
    assert_eq!((text.as_str(), notes.len()), ("id,n\n1,東京\n2,大\n", 0));
    // The only foreign character of a western file is its last byte.
    assert_eq!(bad(b"n\nJos\xe9").0, "n\nJosé");
}

/// How a table is written.
#[derive(Clone, Debug)]
struct Style {
    delimiter: char,
    quote: char,
    backslash: bool,
    padding: bool,
    line_end: &'static str,
    above: &'static str,
    below: &'static str,
}

fn style() -> impl Strategy<Value = Style> {
    let fixed = (
        prop::sample::select(vec![',', ';', '\t', '|']),
        prop::sample::select(vec!['"', '\'']),
        any::<bool>(),
        any::<bool>(),
    );
    let around = (
        prop::sample::select(vec!["\n", "\r\n", "\r"]),
        prop::sample::select(vec!["", "Report of May\n", "# a tool\n# at noon\n", "T\n\n"]),
        prop::sample::select(vec!["", "\u{1a}", "\n\u{1a}\n"]),
    );
    (fixed, around).prop_map(
        |((delimiter, quote, backslash, padding), (line_end, above, below))| Style {
            delimiter,
            quote,
            backslash,
            padding,
            line_end,
            above,
            below,
        },
    )
}

impl Style {
    fn write(&self, rows: &[Vec<String>]) -> String {
        let escaped = |text: &str| {
            let quote = self.quote;
            if self.backslash {
                text.replace('\\', "\\\\").replace(quote, &format!("\\{quote}"))
            } else {
                text.replace(quote, &format!("{quote}{quote}"))
            }
        };
        let pad = if self.padding { " " } else { "" };
        let mut out = self.above.replace('\n', self.line_end);
        let header = ["id", "text", "more", "n"].map(str::to_owned).to_vec();
        for (at, row) in std::iter::once(&header).chain(rows).enumerate() {
            let cells = row.iter().enumerate().map(|(column, cell)| {
                let start = if column > 0 { pad } else { "" };
                // Texts are quoted, numbers and the header are not.
                if at > 0 && (column == 1 || column == 2) {
                    format!("{start}{0}{1}{0}", self.quote, escaped(cell))
                } else {
                    format!("{start}{cell}")
                }
            });
            let cells: Vec<String> = cells.collect();
            out.push_str(&cells.join(&self.delimiter.to_string()));
            out.push_str(self.line_end);
        }
        out + self.below
    }
}

proptest! {
    #[test]
    fn tables_of_every_dialect_are_read_back(
        style in style(),
        texts in prop::collection::vec(("[a-z\"'\\\\,;|\t ]{0,6}x", "x[a-z\"'é,;|\n ]{0,6}"), 3..12),
    ) {
        let rows: Vec<Vec<String>> = texts
            .into_iter()
            .enumerate()
            .map(|(at, (text, more))| {
                // Proves how quotes are written.
                let proof = format!("q{}{}x", style.quote, style.delimiter);
                let text = if at == 0 { proof } else { text };
                // Where apostrophes quote, a quote at the start of a line may be read as one.
                let more = if style.quote == '"' { more } else { more.replace('"', "") };
                vec![(at + 1).to_string(), text, format!("{more}y"), (at * 7).to_string()]
            })
            .collect();
        let content = style.write(&rows);
        let ingested = read(content.as_bytes());
        prop_assert!(ingested.is_ok(), "{:?}: {:?}", content, ingested.err());
        let mut expected = "id¦text¦more¦n".to_owned();
        for row in &rows {
            expected.push('\n');
            expected.push_str(&row.join("¦"));
        }
        let ingested = ingested.unwrap();
        prop_assert_eq!(table(&ingested), expected, "{:?} {:?}", content, ingested.dataset.notes);
    }
}

/// Regression: of dates that can be read both ways, the month was taken first without a word.
#[test]
fn the_order_of_dates_is_proved_or_noted() {
    let dates = |text: &str| {
        let file =
            ingest("a.csv", &Bytes::from(text.to_owned()), Timestamp(0), &IngestLimits::default());
        let dataset = file.unwrap().dataset;
        let notes = dataset.notes.iter().filter(|note| note.contains("first")).count();
        let max = dataset.columns[0].stats.max.as_ref().map(ToString::to_string);
        (max.unwrap_or_default(), notes)
    };
    for (text, max, notes) in [
        ("d,v\n01/02/2024,1\n03/04/2024,2\n", "2024-03-04", 1),
        ("d;v\n01/02/2024;1\n03/04/2024;2\n", "2024-04-03", 1),
        ("d,e\n01/02/2024,31/12/2024\n03/04/2024,01/01/2024\n", "2024-04-03", 0),
        ("d,e\n01/02/2024,12/31/2024\n03/04/2024,01/01/2024\n", "2024-03-04", 0),
        ("d,v\n01.02.2024,1\n03.04.2024,2\n", "2024-04-03", 0),
        ("d,v\n2024-01-02,1\n2024-03-04,2\n", "2024-03-04", 0),
        ("d,v\n01/01/2024,1\n02/02/2024,2\n", "2024-02-02", 0),
    ] {
        let (found, noted) = dates(text);
        assert!(found.contains(max), "{text}: {found}");
        assert_eq!(noted, notes, "{text}");
    }
}

/// Regression: each open quote of a long line was searched for its end, for as long as the line is,
/// so a megabyte took minutes and kept all other uploads of the address waiting. This must only end:
/// in vain, it would take an hour.
#[test]
fn open_quotes_of_one_long_line_are_read_in_linear_time() {
    for cell in [r#"1,"\"\"\""#, r#"1,"x"#, r#"1,"x"" y"#, r#"'a\',"b"c"#, r#"1;"\";"#] {
        let text = format!("a,b\n{}\"\n", cell.repeat(30_000));
        let bytes = Bytes::from(text);
        let _ = ingest("a.csv", &bytes, Timestamp(0), &IngestLimits::default());
    }
}
