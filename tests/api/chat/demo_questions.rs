//! Questions to the demo in all its languages, and the figures of the right answers, which were
//! computed with Python from the same files.

use serde_json::json;

use crate::files::upload;
use crate::support::Server;

/// A file's name, its content, and questions with what the answer must contain.
type Questions = (&'static str, &'static [u8], &'static [(&'static str, &'static [&'static str])]);

const FILES: [Questions; 5] = [
    (
        "seattle-weather.csv",
        include_bytes!("../../fixtures/data/seattle-weather.csv"),
        &[
            ("How many rows are there?", &["1,461"]),
            ("How many rainy days were there?", &["641"]),
            ("How many rows have wind over 5?", &["174"]),
            ("Which month was the rainiest?", &["2015-12", "284.5"]),
            ("What was the hottest day?", &["35.6", "2014-08-11"]),
            ("What was the coldest day?", &["-7.1", "2013-12-07"]),
            ("average wind in 2014", &["3.39"]),
            ("How many days of rain in 2014?", &["148"]),
            ("total precipitation by year", &["1,226", "828", "1,232.8", "1,139.2"]),
            ("What is the average maximum temperature by weather?", &["19.86", "5.57"]),
            ("Which was the windiest day?", &["9.5", "2012-12-17"]),
            ("What is the most common weather?", &["rain", "641"]),
            ("Wie viele Zeilen gibt es?", &["1.461"]),
            ("Wie viele Regentage gab es?", &["641"]),
            ("Welcher Monat war am regnerischsten?", &["2015-12", "284,5"]),
            ("Wie hoch war der durchschnittliche Wind in 2014?", &["3,39"]),
            ("Durchschnittlicher Wind nach Wetter", &["3,67", "2,37"]),
            ("Was war der heißeste Tag?", &["35,6", "2014-08-11"]),
            ("Gesamtniederschlag pro Jahr", &["1.226", "828", "1.139,2"]),
            ("An wie vielen Tagen war Wind über 5?", &["174"]),
            ("Combien de jours de pluie y a-t-il ?", &["641"]),
            ("Quelle est la moyenne du vent par météo ?", &["3,67", "2,37"]),
            ("Quel mois a été le plus pluvieux ?", &["2015-12", "284,5"]),
            ("Quel est le jour le plus chaud ?", &["35,6"]),
            ("¿Cuántas filas hay?", &["1.461"]),
            ("¿Cuál fue el día más caluroso?", &["35,6", "2014-08-11"]),
            ("¿Cuál es la media de viento en 2014?", &["3,39"]),
            ("¿Cuántos días de lluvia hay en 2014?", &["148"]),
            ("Quantas linhas há?", &["1.461"]),
            ("Qual foi o dia mais quente?", &["35,6"]),
            ("Qual é a média do vento por clima?", &["3,67"]),
            ("كم عدد الصفوف؟", &["1,461"]),
            ("ما هو متوسط الرياح حسب الطقس؟", &["3.67"]),
            ("כמה שורות יש?", &["1,461"]),
            ("מהו הממוצע של הרוח לפי מזג האוויר?", &["3.67"]),
            ("有多少行？", &["1,461"]),
            ("每种天气的平均风速是多少？", &["3.67", "2.37"]),
            ("哪个月降雨最多？", &["2015-12", "284.5"]),
            ("2014年的平均风速是多少？", &["3.39"]),
            ("行数は？", &["1,461"]),
            ("天気ごとの平均風速は？", &["3.67", "2.37"]),
            ("一番暑い日は？", &["35.6"]),
            ("2014年の平均風速は？", &["3.39"]),
        ],
    ),
    (
        "cars.json",
        include_bytes!("../../fixtures/data/cars.json"),
        &[
            ("Which car has the best mileage?", &["46.6", "mazda glc"]),
            ("How many cars are there?", &["406"]),
            ("How many cars by origin?", &["254", "79", "73"]),
            ("Which car is the heaviest?", &["5,140", "pontiac safari"]),
            ("average miles per gallon for Japan", &["30.45"]),
            ("How many cars have horsepower above 200?", &["10"]),
            ("Histogram of weight", &["1,500"]),
            ("Wie viele Autos gibt es?", &["406"]),
            ("Welches Auto ist am schwersten?", &["5.140"]),
            ("Durchschnittsgewicht nach Herkunft", &["3.372,7", "2.221,23"]),
            ("Combien de voitures par origine ?", &["254", "79"]),
            ("¿Cuántos coches hay por origen?", &["254", "79"]),
        ],
    ),
    (
        "orders.csv",
        include_bytes!("../../fixtures/data/orders.csv"),
        &[
            ("How many orders are there?", &["60"]),
            ("total revenue by city", &["453.05", "626.04", "595.65"]),
            ("How many orders were returned?", &["22"]),
            ("Wie viele Bestellungen gibt es?", &["60"]),
            ("Total des ventes par ville", &["453,05", "626,04"]),
            ("total de ingresos por ciudad", &["453,05", "626,04"]),
            ("sum of quantity by product", &["126", "94"]),
        ],
    ),
    (
        "nested.json",
        include_bytes!("../../fixtures/data/nested.json"),
        &[
            ("total revenue by city", &["268.31", "211.44", "337.99"]),
            ("What is the average revenue?", &["27.26"]),
        ],
    ),
    (
        "umsatz.csv",
        include_bytes!("../../fixtures/data/umsatz.csv"),
        &[
            ("Gesamter Umsatz nach Filiale", &["21.801", "21.501", "19.295"]),
            ("Wie hoch ist der Durchschnitt von Umsatz?", &["2.608,21"]),
            ("Summe Umsatz", &["62.597"]),
            ("Wie viele Kunden gibt es?", &["5"]),
        ],
    ),
];

/// Questions that must not be computed: negations, values and columns that the file does not have,
/// and what has no meaning.
const UNANSWERABLE: [&str; 14] = [
    "How many days were not rainy?",
    "average temperature",
    "average humidity",
    "How many days without rain?",
    "total precipitation in Paris",
    "average wind in 1999",
    "How many days of hail?",
    "Wie viele Tage ohne Regen gab es?",
    "Durchschnittliche Luftfeuchtigkeit",
    "Combien de jours sans pluie ?",
    "¿Cuántos días sin lluvia?",
    "没有雨的天数",
    "median wind",
    "How many days were rain or snow?",
];

#[tokio::test]
async fn the_demo_answers_nine_of_ten_questions_and_none_wrongly() {
    let server = Server::with(&["--rate-limit", "0"]).await;
    let (mut right, mut asked) = (0, 0);
    let (mut refused, mut wrong) = (Vec::new(), Vec::new());
    for (name, content, questions) in FILES {
        let id = server.session(json!({})).await;
        upload(&server, &id, name, content).await.expect(200);
        for (question, expected) in questions {
            let answer = server.say(&id, question).await.expect(200);
            let text = answer["response"].as_str().unwrap_or_default();
            asked += 1;
            if expected.iter().all(|part| text.contains(part)) {
                right += 1;
            } else if answer.get("tools").is_none() {
                refused.push(format!("{question}: {text}"));
            } else {
                wrong.push(format!("{question}: {text} {}", answer["tools"][0]["sql"]));
            }
        }
    }
    println!("{right} of {asked}\nrefused: {refused:#?}");
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(asked >= 60 && right * 10 >= asked * 9, "{right} of {asked}: {refused:#?}");
}

#[tokio::test]
async fn the_demo_does_not_compute_what_it_does_not_understand() {
    let server = Server::with(&["--rate-limit", "0"]).await;
    let id = server.session(json!({})).await;
    let weather = include_bytes!("../../fixtures/data/seattle-weather.csv");
    upload(&server, &id, "seattle-weather.csv", weather).await.expect(200);
    for question in UNANSWERABLE {
        let answer = server.say(&id, question).await.expect(200);
        assert_eq!(answer.get("tools"), None, "{question}: {answer}");
    }
}

#[tokio::test]
async fn the_demo_says_what_it_can_do_in_every_language() {
    let server = Server::with(&["--rate-limit", "0"]).await;
    let id = server.session(json!({})).await;
    let weather = include_bytes!("../../fixtures/data/seattle-weather.csv");
    upload(&server, &id, "seattle-weather.csv", weather).await.expect(200);
    for question in [
        "What can you do?",
        "Was kannst du?",
        "Que peux-tu faire ?",
        "¿Qué puedes hacer?",
        "O que você pode fazer?",
        "ماذا يمكنك أن تفعل؟",
        "מה אתה יכול לעשות?",
        "你能做什么？",
        "何ができますか？",
    ] {
        let answer = server.say(&id, question).await.expect(200);
        let text = answer["response"].as_str().unwrap_or_default();
        assert!(text.contains("seattle-weather.csv"), "{question}: {text}");
        let examples: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("- ")).collect();
        assert!(examples.len() >= 3, "{question}: {text}");
        for example in examples {
            let answer = server.say(&id, example).await.expect(200);
            assert!(answer.get("tools").is_some(), "{example}: {answer}");
        }
    }
}
