//! Letters beyond ASCII in `lower`, `upper`, `LIKE` and `NOCASE`.

use proptest::prelude::*;
use serde_json::json;

use super::{ask, rows};
use crate::tables::fold::{composed, fold};

/// The last of them is decomposed.
const CITIES: &str =
    "id,city\n1,KÖLN\n2,Köln\n3,Ko\u{308}ln\n4,İzmir\n5,IZMIR\n6,Straße\n7,ΟΔΟΣ\n8,\n";

#[test]
fn letters_are_compared_regardless_of_case() {
    for (condition, ids) in [
        ("lower(city) = 'köln'", "1,2,3"),
        ("upper(city) = 'KÖLN'", "1,2,3"),
        ("upper(city) = 'STRASSE'", "6"),
        ("city like 'köln'", "1,2,3"),
        ("city like 'KO\u{308}LN'", "1,2,3"),
        ("city like 'k_ln'", "1,2,3"),
        ("city like '%ÖL%'", "1,2,3"),
        ("city like '%ln' and city not like 'köln'", ""),
        ("city like 'izmir'", "4,5"),
        ("city like 'İZMİR'", "4,5"),
        ("city like 'οδος'", "7"),
        ("lower(city) like '%straße'", "6"),
        ("like('kö%', city)", "1,2,3"),
        ("city = 'köln' collate nocase", "1,2,3"),
        ("city collate nocase in ('köln', 'izmir')", "1,2,3,4,5"),
        ("city glob 'K?ln'", "2"),
        ("city glob 'KÖ*'", "1"),
        ("instr(lower(city), 'öl')", "1,2,3"),
    ] {
        let sql = format!("select coalesce(group_concat(id), '') from data where {condition}");
        assert_eq!(json!(ask("a.csv", CITIES, &sql).unwrap().rows), json!([[ids]]), "{condition}");
    }
    let sql = "select count(*) from (select 1 from data group by city collate nocase)";
    assert_eq!(json!(ask("a.csv", CITIES, sql).unwrap().rows), json!([[5]]));
    let sql = "select group_concat(city, ' ') from (select column1 as city from \
               (values ('b'), ('Ä'), ('A'), ('ä'), ('B')) order by 1 collate nocase, 1)";
    assert_eq!(rows(sql), json!([["A B b Ä ä"]]));
}

#[test]
fn case_functions_behave_like_those_of_sqlite_otherwise() {
    for (sql, expected) in [
        (
            "select lower('ABC'), upper('aß'), lower(12), upper(null), lower(1.5)",
            json!(["abc", "ASS", "12", null, "1.5"]),
        ),
        ("select 'a%b' like 'a!%b' escape '!', 'axb' like 'a!%b' escape '!'", json!([1, 0])),
        (
            "select 'a_b' like 'aX_b' escape 'X', 'xxb' like 'x_b', 'a!' like 'a!' escape '!'",
            json!([1, 1, 0]),
        ),
        (
            "select null like 'a', 'a' like null, 'a' like 'a' escape null",
            json!([null, null, null]),
        ),
        (
            "select '' like '', '' like '%', 'a' like '', 'aab' like '%a%b', 'ab' like 'a%ab'",
            json!([1, 1, 0, 1, 0]),
        ),
        ("select 12 like '1_', 12 like 12, x'61' like 'A'", json!([1, 1, 1])),
        (
            "select 'a' like 'A%%' , 'ab' like '_', '🎉' like '_', 'a' like '%_', '' like '%_'",
            json!([1, 0, 1, 1, 0]),
        ),
        ("select like('A', 'a'), like('a!%', 'a%', '!')", json!([1, 1])),
        ("select x like 'A' from (select 'a' as x union all select 'b') order by 1", json!([0])),
    ] {
        assert_eq!(rows(sql)[0], expected, "{sql}");
    }
    for escape in ["", "ab"] {
        let error = ask("a.csv", CITIES, &format!("select 'a' like 'a' escape '{escape}'"));
        let error = error.unwrap_err().to_string();
        assert_eq!(error, "ESCAPE expression must be a single character");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn case_is_that_of_unicode(text in "[^\0]{0,12}") {
        let quoted = text.replace('\'', "''");
        let sql = format!("select lower('{quoted}'), upper('{quoted}'), '{quoted}' like '%{{}}', \
                           '{quoted}' = '{{}}' collate nocase");
        let folded = fold(&text).replace('\'', "''").replace(['%', '_'], "_");
        let same = fold(&text).replace('\'', "''");
        let sql = sql.replacen("{}", &folded, 1).replacen("{}", &same, 1);
        let lower = composed(&composed(&text).to_lowercase()).into_owned();
        let upper = composed(&composed(&text).to_uppercase()).into_owned();
        prop_assert_eq!(&rows(&sql)[0], &json!([lower, upper, 1, 1]));
    }
}
