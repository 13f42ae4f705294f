//! Questions and the SQL that they lead to.

use super::*;

#[test]
fn questions_lead_to_sql() {
    const AVERAGE: &str = "SELECT \"weather\", round(avg(\"temp_max\"), 2) AS \"average_temp_max\" \
                           FROM data GROUP BY \"weather\" ORDER BY 2 DESC, 1";
    const MONTHS: &str = "SELECT substr(\"date\", 1, 7) AS \"month\", round(avg(\"temp_max\"), 2) AS \
                          \"average_temp_max\" FROM data GROUP BY substr(\"date\", 1, 7) ORDER BY 1";
    const COUNTS: &str = "SELECT \"weather\", count(*) AS \"count\" FROM data GROUP BY \"weather\" \
                          ORDER BY 2 DESC, 1";
    const TOP: &str = "SELECT \"date\", \"temp_max\" FROM data WHERE \"temp_max\" IS NOT NULL \
                       ORDER BY \"temp_max\" DESC LIMIT";
    const ROWS: &str = "SELECT count(*) AS \"count\" FROM data";
    let mean = |column: &str| {
        format!("SELECT round(avg(\"{column}\"), 2) AS \"average_{column}\" FROM data")
    };
    for (question, sql, chart) in [
        ("What is the average maximum temperature by weather?", AVERAGE, "bar"),
        ("average temp_max by weather", AVERAGE, "bar"),
        ("Mean of TEMP MAX per weather type, please", AVERAGE, "bar"),
        ("show me the average max temp for each weather", AVERAGE, "bar"),
        ("Draw a bar chart of average temp_max by weather", AVERAGE, "bar"),
        ("pie chart of the average temp_max by weather", AVERAGE, "pie"),
        ("chart temp_max by weather", AVERAGE, "bar"),
        ("Which weather has the highest average temp_max?", AVERAGE, "bar"),
        ("Average of the minimum temperature", &mean("temp_min"), ""),
        ("What's the average wind speed?", &mean("wind"), ""),
        ("How many rows?", ROWS, ""),
        ("how many records are in the seattle weather file", ROWS, ""),
        ("What is the total number of rows?", ROWS, ""),
        ("count the rows", ROWS, ""),
        ("How many by weather?", COUNTS, "bar"),
        ("count by weather", COUNTS, "bar"),
        ("Number of rows per weather", COUNTS, "bar"),
        ("What is the most common weather?", COUNTS, "bar"),
        ("distribution of weather", COUNTS, "bar"),
        ("Pie chart of weather", COUNTS, "pie"),
        ("plot temp_max over time", MONTHS, "line"),
        ("line chart of temp_max", MONTHS, "line"),
        ("What is the monthly average temp_max?", MONTHS, "line"),
        ("average temp_max by month as a bar chart", MONTHS, "bar"),
        ("Top 5 temp_max", &format!("{TOP} 5"), "bar"),
        ("the three highest temp_max", &format!("{TOP} 3"), "bar"),
        ("When was the highest temp_max?", &format!("{TOP} 1"), ""),
        ("On which date was the maximum temperature the highest?", &format!("{TOP} 1"), ""),
        ("top 999 temp_max", &format!("{TOP} 50"), "bar"),
        ("Top 2 weather", &format!("{COUNTS} LIMIT 2"), "bar"),
        ("highest temp_max", "SELECT max(\"temp_max\") AS \"maximum_temp_max\" FROM data", ""),
        (
            "What is the maximum temperature?",
            "SELECT max(\"temp_max\") AS \"maximum_temp_max\" FROM data",
            "",
        ),
        ("minimum temp_max", "SELECT min(\"temp_max\") AS \"minimum_temp_max\" FROM data", ""),
        (
            "Which day had the most precipitation?",
            "SELECT \"date\", \"precipitation\" FROM data WHERE \"precipitation\" IS NOT NULL \
             ORDER BY \"precipitation\" DESC LIMIT 1",
            "",
        ),
        (
            "How much precipitation in total?",
            "SELECT round(sum(\"precipitation\"), 2) AS \"total_precipitation\" FROM data",
            "",
        ),
        (
            "How many days of rain?",
            "SELECT count(*) AS \"count\" FROM data WHERE \"weather\" = 'rain'",
            "",
        ),
        ("latest date", "SELECT max(\"date\") AS \"maximum_date\" FROM data", ""),
        (
            "Lowest wind per weather",
            "SELECT \"weather\", min(\"wind\") AS \"minimum_wind\" FROM data GROUP BY \"weather\" \
             ORDER BY 2 DESC, 1",
            "bar",
        ),
        (
            "which weather has the lowest average wind?",
            "SELECT \"weather\", round(avg(\"wind\"), 2) AS \"average_wind\" FROM data GROUP BY \
             \"weather\" ORDER BY 2, 1",
            "bar",
        ),
        (
            "top 3 weather by precipitation",
            "SELECT \"weather\", round(sum(\"precipitation\"), 2) AS \"total_precipitation\" FROM data \
             GROUP BY \"weather\" ORDER BY 2 DESC, 1 LIMIT 3",
            "bar",
        ),
        (
            "bottom 3 weather by wind",
            "SELECT \"weather\", min(\"wind\") AS \"minimum_wind\" FROM data GROUP BY \"weather\" \
             ORDER BY 2, 1 LIMIT 3",
            "bar",
        ),
        (
            "total precipitation by year",
            "SELECT substr(\"date\", 1, 4) AS \"year\", round(sum(\"precipitation\"), 2) AS \
             \"total_precipitation\" FROM data GROUP BY substr(\"date\", 1, 4) ORDER BY 1",
            "line",
        ),
        (
            "chart of wind by date",
            "SELECT substr(\"date\", 1, 7) AS \"month\", round(avg(\"wind\"), 2) AS \"average_wind\" \
             FROM data GROUP BY substr(\"date\", 1, 7) ORDER BY 1",
            "line",
        ),
        (
            "how many different weather types are there",
            "SELECT count(DISTINCT \"weather\") AS \"different_weather\" FROM data",
            "",
        ),
        ("count of weather", "SELECT count(\"weather\") AS \"count_weather\" FROM data", ""),
        (
            "How many rows are fog?",
            "SELECT count(*) AS \"count\" FROM data WHERE \"weather\" = 'fog'",
            "",
        ),
        (
            "average wind where the weather is rain",
            "SELECT round(avg(\"wind\"), 2) AS \"average_wind\" FROM data WHERE \"weather\" = 'rain'",
            "",
        ),
    ] {
        assert_eq!(query(WEATHER, question), (sql.to_owned(), chart.to_owned()), "{question}");
    }
}

#[test]
fn names_of_all_kinds_are_found_and_quoted() {
    for (question, sql, chart) in [
        (
            "sum of sales eur by product name",
            "SELECT \"Product Name\", round(sum(\"Sales \"\"EUR\"\"\"), 2) AS \
             \"total_Sales \"\"EUR\"\"\" FROM data GROUP BY \"Product Name\" ORDER BY 2 DESC, 1",
            "bar",
        ),
        (
            "What is the average unit price?",
            "SELECT round(avg(\"unitPrice\"), 4) AS \"average_unitPrice\" FROM data",
            "",
        ),
        (
            "average total_bill by country",
            "SELECT \"country\", round(avg(\"total_bill\"), 2) AS \"average_total_bill\" FROM data \
             GROUP BY \"country\" ORDER BY 2 DESC, 1",
            "bar",
        ),
        (
            "top 2 products by sales",
            "SELECT \"Product Name\", round(sum(\"Sales \"\"EUR\"\"\"), 2) AS \
             \"total_Sales \"\"EUR\"\"\" FROM data GROUP BY \"Product Name\" ORDER BY 2 DESC, 1 LIMIT 2",
            "bar",
        ),
        (
            "top 2 total_bill",
            "SELECT \"Product Name\", \"total_bill\" FROM data WHERE \"total_bill\" IS NOT NULL \
             ORDER BY \"total_bill\" DESC LIMIT 2",
            "bar",
        ),
        (
            "how many countries",
            "SELECT count(DISTINCT \"country\") AS \"different_country\" FROM data",
            "",
        ),
        (
            "How many rows are O'Neill's Honey?",
            "SELECT count(*) AS \"count\" FROM data WHERE \"Product Name\" = 'O''Neill''s Honey'",
            "",
        ),
        (
            "average of paid by country",
            "SELECT \"country\", round(avg(\"paid\"), 2) AS \"average_paid\" FROM data \
             GROUP BY \"country\" ORDER BY 2 DESC, 1",
            "bar",
        ),
    ] {
        assert_eq!(query(SALES, question), (sql.to_owned(), chart.to_owned()), "{question}");
    }
}

const CARS: &str = "\
File: cars.json (json, 100.5 KB), 406 rows, 5 columns; query it as table `data`
Columns:
- \"Name\" (string): 311 distinct, top: ford pinto (6), toyota corolla (5)
- \"Miles_per_Gallon\" (number): 9 to 46.6, mean 23.51, 129 distinct
- \"Weight_in_lbs\" (number): 1613 to 5140, mean 2979.41, 356 distinct
- \"Year\" (date): 1970-01-01 to 1982-01-01, 12 distinct
- \"Origin\" (string): 3 distinct, top: USA (254), Japan (79), Europe (73)
";

#[test]
fn words_such_as_per_and_year_may_be_part_of_a_name() {
    for (question, sql, chart) in [
        (
            "which origin has the highest average miles per gallon?",
            "SELECT \"Origin\", round(avg(\"Miles_per_Gallon\"), 2) AS \
             \"average_Miles_per_Gallon\" FROM data GROUP BY \"Origin\" ORDER BY 2 DESC, 1",
            "bar",
        ),
        (
            "average weight by year",
            "SELECT \"Year\", round(avg(\"Weight_in_lbs\"), 2) AS \"average_Weight_in_lbs\" \
             FROM data GROUP BY \"Year\" ORDER BY 1",
            "line",
        ),
        (
            "Which year has the highest average weight?",
            "SELECT \"Year\", round(avg(\"Weight_in_lbs\"), 2) AS \"average_Weight_in_lbs\" \
             FROM data GROUP BY \"Year\" ORDER BY 2 DESC, 1 LIMIT 10",
            "bar",
        ),
        (
            "Which car has the highest weight?",
            "SELECT \"Name\", \"Weight_in_lbs\" FROM data WHERE \"Weight_in_lbs\" IS NOT NULL \
             ORDER BY \"Weight_in_lbs\" DESC LIMIT 1",
            "",
        ),
        (
            "how many cars by origin",
            "SELECT \"Origin\", count(*) AS \"count\" FROM data GROUP BY \"Origin\" \
             ORDER BY 2 DESC, 1",
            "bar",
        ),
        (
            "average miles per gallon for japan",
            "SELECT round(avg(\"Miles_per_Gallon\"), 2) AS \"average_Miles_per_Gallon\" FROM data \
             WHERE \"Origin\" = 'Japan'",
            "",
        ),
    ] {
        assert_eq!(query(CARS, question), (sql.to_owned(), chart.to_owned()), "{question}");
    }
}
