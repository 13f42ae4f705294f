use proptest::prelude::*;

use super::super::weigh::{MAX_REFERENCES, weigh};
use super::*;

const TOO_MANY: &str = "the statement reads too many tables: at most 64, and each use of a common \
                        table expression counts as all tables in it";

fn references(sql: &str) -> u64 {
    weigh(sql, 1).unwrap_or_else(|error| panic!("{sql}: {error}")).references
}

fn refusal(sql: &str) -> String {
    weigh(sql, 1).unwrap_err().to_string()
}

/// `levels` common table expressions, each of which reads the one before twice.
fn doubling(levels: usize) -> String {
    let definitions: String = (1..levels)
        .map(|at| format!(", c{at} as (select x.id from c{0} x, c{0} y)", at - 1))
        .collect();
    format!("with c0 as (select id from data){definitions} select count(*) from c{}", levels - 1)
}

fn joined(tables: usize) -> String {
    let tables: Vec<String> = (0..tables).map(|at| format!("data t{at}")).collect();
    format!("select t0.id from {} limit 1", tables.join(", "))
}

/// Found by an attack: 559 bytes kept SQLite compiling for 28 seconds, and no limit ended it.
#[test]
fn nested_table_expressions_are_refused_before_they_are_compiled() {
    assert_eq!(references(&doubling(7)), 64);
    for levels in [8, 15, 16, 18] {
        assert_eq!(refusal(&doubling(levels)), TOO_MANY);
        let error = ask("a.csv", CSV, &doubling(levels)).unwrap_err();
        assert_eq!(error, SqlError::Refused(TOO_MANY.to_owned()));
    }
    assert!(refusal(&doubling(200)).contains("nested too deeply"));
}

#[test]
fn tables_are_limited() {
    assert_eq!(references(&joined(64)), MAX_REFERENCES);
    assert!(ask("a.csv", CSV, &joined(64)).is_ok());
    assert_eq!(refusal(&joined(65)), TOO_MANY);
    assert!(ask("a.csv", CSV, &joined(65)).is_err());
}

#[test]
fn a_table_is_found_wherever_it_may_stand() {
    for (sql, expected) in [
        ("select 1", 1),
        ("select a, b, data from data", 1),
        ("select data.a, data.b from data order by data.a, data.b", 1),
        ("select 1 from main.data, Main.'DATA' x, \"data\" as y, [data] z, `data`", 5),
        ("select 1 from data a left outer join data b on a.x = b.x, data c using (x, y), data", 4),
        ("select 1 from (data a, data b) join ((data c join data d)), (select 1 from data)", 5),
        ("select 1 from data natural join data cross join data inner join data", 4),
        ("select a is distinct from b, c, d from data", 1),
        ("select a from data where a is not distinct from b order by c, d", 1),
        ("select a in data, b not in main.data, c in json_each(c), d in (d, e) from data", 4),
        ("select a, value from data, json_each(data.tags, a), json_tree(tags)", 3),
        ("select (select count(*) from data), exists (select 1 from data d) from data", 3),
        ("select a from data where a in (select a from data union select b from data)", 3),
        ("select f(a, b), g(a, (b), (c, d)) from data group by a, b having a, b limit 1, 2", 1),
        ("values (1, 2), (3, (select 1 from data, data))", 2),
        ("select 1 from data union all values (1) except select 2 from data", 3),
        ("with data as (values (1)) select 1 from data, data", 2),
        ("with t as (select 1 from data, data) select t.a, t from t, T, \"t\"", 6),
        (
            "with t(a, b) as not materialized (select 1), u as materialized (select 1 from t, t) \
          select 1 from u, u",
            4,
        ),
        ("with u as (select 1 from t, t), t as (select 1 from data, data) select 1 from u", 4),
        ("with t as (with t as (select 1 from data, data) select 1 from t, t) select 1 from t", 4),
        ("select (with t as (select 1 from data, data) select 1 from t, t), (select 1 from t)", 5),
        ("with t as (select 1 from data, data) select a in t, b from (t, (t)) where x in T", 8),
        (
            "with recursive t(n) as (select 1 from data union all select n + 1 from t) \
          select 1 from t, t",
            4,
        ),
        (
            "with first as (select 1), with as (select 1 from data, data) select 1 from with, first",
            3,
        ),
        ("select 1 /* from data, data */ from data -- , data\n, data;;", 2),
        ("select 'from data, data', \"from data\", 'it''s from data, ''' from data", 1),
        ("select 1 from data /* from data", 1),
        ("select 1 from data where a > 1e+5 and b < .5 and x'0a' = 0x1F", 1),
    ] {
        assert_eq!(references(sql), expected, "{sql}");
    }
}

#[test]
fn repeated_columns_and_expressions_are_limited() {
    let stars = |columns, levels: usize| {
        let definitions: String = (1..levels)
            .map(|at| {
                format!(", c{at} as (select * from c{0} union all select * from c{0})", at - 1)
            })
            .collect();
        let last = levels - 1;
        weigh(
            &format!("with c0 as (select * from data){definitions} select 1 from c{last}"),
            columns,
        )
    };
    assert!(stars(10, 7).is_ok());
    assert!(stars(1_000, 4).is_ok());
    let nested = |sum: &str, levels: usize| {
        let open = format!("select {sum} as a from (").repeat(levels);
        weigh(&format!("{open}select a from data{}", ")".repeat(levels)), 1)
    };
    assert!(nested("a + a", 10).is_ok());
    let arms = |arms: usize, tables: usize| {
        let union = vec!["select a from data"; arms].join(" union all ");
        let tables: Vec<String> = (0..tables).map(|at| format!("u u{at}")).collect();
        let columns = vec!["u0.a + 1"; 100].join(", ");
        weigh(&format!("with u as ({union}) select {columns} from {}", tables.join(", ")), 1)
    };
    assert!(arms(4, 2).is_ok());
    let windows = |columns, windows: usize| {
        let windows: String =
            (0..windows).map(|at| format!(", sum(a) over (order by a + {at})")).collect();
        weigh(&format!("select *{windows} from data"), columns)
    };
    assert!(windows(20, 40).is_ok());
    let aliases = |uses: usize| {
        let sum = vec!["a"; 300].join(" + ");
        weigh(
            &format!("select {sum} as b from data order by {}", vec!["b + 1"; uses].join(", ")),
            1,
        )
    };
    assert!(aliases(10).is_ok());
    for error in [
        stars(1_000, 5),
        stars(1_000, 11),
        nested("a + a", 15),
        nested(&vec!["a"; 100].join(" + "), 3),
        arms(2, 10),
        arms(30, 2),
        windows(1_000, 60),
        windows(10, 400),
        aliases(1_000),
    ] {
        let error = error.unwrap_err();
        assert!(error.to_string().starts_with("the statement is too large: "), "{error}");
    }
}

/// A column may be used under names that its query does not spell.
#[test]
fn a_large_column_is_large_under_any_name() {
    let sum = vec!["a"; 300].join(" + ");
    let uses = |name: &str| vec![name; 300].join(" || ");
    for sql in [
        format!("select {} from (select {sum} as b from data)", uses("b")),
        format!("select {} from (select {sum} b from data)", uses("\"B\"")),
        format!("select {} from (select {sum} from data)", uses(&format!("\"{sum}\""))),
        format!("select {} from (select 1 as b, {sum} as b from data)", uses("\"b:1\"")),
        format!("select {} from (select * from (select {sum} as b from data))", uses("[b]")),
        format!("select {} from (select 1 as b union all select {sum} from data)", uses("b")),
        format!("select {} from (values ({sum}))", uses("column1")),
        format!("with t(b) as (select {sum} as c from data) select {} from t x", uses("x.b")),
        format!("select (select {}) from (select {sum} as b from data)", uses("b")),
        format!("select {sum} as b from data where {} > ''", uses("b")),
        format!("select {sum} as b from data order by {}", vec!["1"; 300].join(", ")),
        format!("select {sum} as b from data group by {}", vec!["(+1)"; 300].join(", ")),
    ] {
        let error = weigh(&sql, 1).expect_err(&sql);
        assert!(error.to_string().starts_with("the statement is too large: "), "{error}");
    }
    let small = format!("select {} from (select {sum} as b, a as c from data)", uses("c"));
    assert!(weigh(&small, 1).is_ok());
}

#[test]
fn nesting_is_limited() {
    let parentheses = |depth| format!("select {}1{}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(rows(&parentheses(40)), json!([[1]]));
    assert_eq!(
        refusal(&parentheses(41)),
        "the statement has more than 40 parentheses within each other"
    );
    let queries = |depth: usize| {
        format!("{}select id from data{}", "select * from (".repeat(depth), ")".repeat(depth))
    };
    assert!(ask("a.csv", CSV, &queries(19)).is_ok());
    assert!(refusal(&queries(20)).starts_with("the statement is nested too deeply: at most 20"));
    let chain = |length: usize| {
        let definitions: String =
            (1..length).map(|at| format!(", c{at} as (select * from c{})", at - 1)).collect();
        format!("with c0 as (select id from data){definitions} select * from c{}", length - 1)
    };
    assert!(ask("a.csv", CSV, &chain(19)).is_ok());
    assert!(refusal(&chain(20)).starts_with("the statement is nested too deeply"));
    // The deepest that is allowed in both respects.
    let nested: String = (1..19)
        .map(|at| {
            format!(
                ", c{at} as (select {}(select 1 from c{}){})",
                "(".repeat(37),
                at - 1,
                ")".repeat(37)
            )
        })
        .collect();
    let _ = weigh(&format!("with c0 as (select 1){nested} select 1 from c18"), 1);
}

#[test]
fn what_is_not_one_query_is_refused_before_it_is_compiled() {
    for (sql, expected) in [
        ("select 1; select 2", "only one statement is allowed"),
        ("insert into data select 1", "only a SELECT over the table `data` is allowed"),
        ("explain select 1", "only a SELECT over the table `data` is allowed"),
        ("select ?", "parameters are not allowed: there are no values for them"),
        ("select $a(1)", "parameters are not allowed: there are no values for them"),
        ("select (1", "the parentheses of the statement do not match"),
        ("select 1)", "the parentheses of the statement do not match"),
        ("select 'a", "a quote is not closed: '"),
        ("select [a", "a quote is not closed: ["),
        ("with t as select 1", "syntax error in WITH"),
        (
            "with a as (select 1 from b), b as (select 1 from a) select 1 from a",
            "circular reference: a",
        ),
    ] {
        assert_eq!(refusal(sql), expected, "{sql}");
        assert!(ask("a.csv", CSV, sql).is_err());
    }
}

#[test]
fn analyses_are_not_refused() {
    for sql in [
        "with clean as (
           select id, day, coalesce(name, 'unknown') as name,
             case when price is null then 0 when price < 0 then -price else price end as price
           from data where day is not null),
         monthly as (
           select substr(day, 1, 7) as month, name, count(*) as n, sum(price) as price,
             sum(case when price > 1 then price else 0 end) as large
           from clean group by month, name),
         ranked as (
           select *, rank() over (partition by month order by price desc) as place,
             lag(price) over (partition by name order by month) as previous,
             sum(price) over (partition by name order by month
               rows between unbounded preceding and current row) as running
           from monthly),
         changes as (
           select month, name, n, price, place, running,
             round(100.0 * (price - previous) / nullif(previous, 0), 1) as change,
             case when previous is null then 'new' when price > previous then 'up'
               when price < previous then 'down' else 'same' end as trend
           from ranked where place <= 10),
         totals as (select month, sum(price) as price, sum(n) as n from monthly group by month)
         select c.month, c.name, c.price, c.change, c.trend, c.running,
           round(100.0 * c.price / nullif(t.price, 0), 2) as share, t.n
         from changes c join totals t on t.month = c.month
         order by c.month desc, share desc, c.name limit 50",
        "select a.name, b.name, c.name, d.name, e.name, f.name from data a
         join data b on b.id = a.id left join data c on c.id = b.id and c.price > 0
         join data d using (id) left join data e on e.day = d.day join data f on f.id = e.id
         where a.price > (select avg(price) from data x where x.day = a.day)
           or exists (select 1 from data y where y.id <> a.id and y.name = a.name)
         group by 1, 2, 3, 4, 5, 6 having count(*) > 0 order by count(*) desc",
        "with recursive days(day) as (select min(day) from data union all
           select date(day, '+1 day') from days where day < (select max(day) from data))
         select days.day, count(data.id) as n,
           avg(count(data.id)) over (order by days.day rows 6 preceding) as week
         from days left join data on data.day = days.day group by days.day",
        "select day, sum(price) filter (where ok), group_concat(distinct name),
           row_number() over w, ntile(4) over w, first_value(name) over w
         from data group by day window w as (order by sum(price) desc, day)",
        "select 'price' as field, min(price), max(price), median(price) from data
         union all select 'id', min(id), max(id), median(id) from data
         union all select name, count(*), null, null from data group by name order by 1",
    ] {
        let result = ask("a.csv", CSV, sql);
        assert!(result.is_ok(), "{sql}: {result:?}");
        let weight = weigh(sql, 60).unwrap();
        assert!(weight.references <= 16 && weight.terms < 20_000, "{sql}: {weight:?}");
    }
}

/// A statement of common table expressions, and how many tables it reads.
fn nest() -> impl Strategy<Value = (String, u64)> {
    let uses = prop::collection::vec((any::<prop::sample::Index>(), 0..4_u8), 1..4);
    prop::collection::vec(uses, 1..12).prop_map(|levels| {
        let mut counts: Vec<u64> = Vec::new();
        let mut definitions = Vec::new();
        for uses in &levels {
            let (mut from, mut filter, mut count) = (Vec::new(), String::new(), 0_u64);
            for (index, form) in uses {
                // The last place is the table itself.
                let at = index.index(counts.len() + 1);
                let weight = counts.get(at).copied().unwrap_or(1);
                let name = counts.get(at).map_or("data".to_owned(), |_| format!("c{at}"));
                count = count.saturating_add(weight);
                match form {
                    0 => from.push(name),
                    1 => from.push(format!("(select id from {name})")),
                    2 => filter += &format!(" and id in (select id from \"{name}\")"),
                    _ => filter += &format!(" and id in {name}"),
                }
            }
            if from.is_empty() {
                from.push("DATA".to_owned());
                count = count.saturating_add(1);
            }
            let from: Vec<String> =
                from.iter().enumerate().map(|(at, name)| format!("{name} t{at}")).collect();
            let at = counts.len();
            let from = from.join(if at.is_multiple_of(2) { ", " } else { " cross join " });
            definitions.push(format!("c{at}(id) as (select t0.id from {from} where 1{filter})"));
            counts.push(count);
        }
        let last = counts.len() - 1;
        (format!("with {} select * from c{last}", definitions.join(", ")), counts[last])
    })
}

proptest! {
    #[test]
    fn a_nest_of_table_expressions_is_counted_or_refused((sql, tables) in nest()) {
        match weigh(&sql, 3) {
            Ok(weight) => {
                prop_assert_eq!(weight.references, tables, "{}", sql);
                prop_assert!(tables <= MAX_REFERENCES);
            }
            Err(SqlError::Refused(_)) => {}
            Err(error) => prop_assert!(false, "{}: {}", sql, error),
        }
    }

    #[test]
    fn weighing_never_panics(sql in "([a-z0-9 (),;*'\"=<>.\\[\\]`/-]|select |from |with |as \\(|union |over |\\PC){0,60}") {
        let _ = weigh(&sql, 5);
    }
}
