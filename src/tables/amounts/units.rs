//! Currencies and other units.

/// A unit beside a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitName {
    /// As written, but a currency's code in capitals.
    pub name: String,
    /// It is a currency's code.
    pub is_code: bool,
    /// It is a currency, a percentage or another unit in the lists below.
    pub is_known: bool,
}

/// Codes of ISO 4217 that are not words of English.
const CODES: &[&str] = &[
    "AED", "AFN", "AMD", "AOA", "ARS", "AUD", "AZN", "BDT", "BGN", "BHD", "BRL", "BYN", "CAD",
    "CDF", "CHF", "CLP", "CNY", "CRC", "CZK", "DKK", "DOP", "DZD", "EGP", "ETB", "EUR", "GBP",
    "GHS", "GTQ", "HKD", "HNL", "HRK", "HUF", "IDR", "ILS", "INR", "IQD", "IRR", "ISK", "JMD",
    "JOD", "JPY", "KES", "KHR", "KRW", "KWD", "KZT", "LBP", "LKR", "LYD", "MDL", "MKD", "MMK",
    "MUR", "MXN", "MYR", "MZN", "NGN", "NIO", "NOK", "NPR", "NZD", "OMR", "PAB", "PHP", "PKR",
    "PLN", "PYG", "QAR", "RMB", "RON", "RSD", "RUB", "SAR", "SEK", "SGD", "THB", "TND", "TRY",
    "TWD", "TZS", "UAH", "UGX", "USD", "UYU", "UZS", "VES", "VND", "XAF", "XOF", "ZAR", "ZMW",
    "BTC", "ETH", "USDT",
];

/// Codes that are also words or names, and so count only behind a number.
const LATE_CODES: &[&str] = &["ALL", "BAM", "BOB", "COP", "GEL", "MAD", "PEN"];

/// Other words for currencies, which stand on either side.
const MONEY: &[&str] = &[
    "kr", "Kr", "kr.", "Kr.", "Rs", "Rs.", "Fr", "Fr.", "SFr.", "sFr.", "Sfr.", "RM", "Rp", "zł",
    "Kč", "Ft", "TL", "lei", "Lei", "лв", "лв.", "руб", "руб.", "грн", "грн.", "din.", "Euro",
    "euro", "euros", "Euros", "dollars", "Dollar", "dollar", "DM", "KSh", "Ksh", "元", "円", "원",
    "万円",
];

/// Units that may follow a number without a blank. Case matters.
const UNITS: &[&str] = &[
    // Length, area, volume, mass.
    "nm", "µm", "mm", "cm", "dm", "m", "km", "in", "ft", "yd", "mi", "nmi", "inch", "inches",
    "feet", "miles", "mm²", "cm²", "m²", "km²", "m2", "km2", "cm2", "ft²", "ft2", "sqm", "sqft",
    "sq ft", "sq m", "qm", "ha", "ac", "acres", "cm³", "m³", "m3", "cm3", "ccm", "ft³", "ml", "mL",
    "cl", "cL", "dl", "dL", "l", "L", "hl", "gal", "qt", "fl oz", "bbl", "ng", "µg", "mcg", "mg",
    "g", "kg", "t", "kt", "Mt", "lb", "lbs", "oz", "tons", "tonnes", // Time.
    "ns", "µs", "ms", "s", "sec", "secs", "seconds", "min", "mins", "minutes", "h", "hr", "hrs",
    "hours", "days", "weeks", "months", "years", "yr", "yrs", "Std", "Std.", "Min.", "Sek.",
    "Tage", "Stunden", "Minuten", "Jahre", // Data.
    "bit", "kbit", "Mbit", "Gbit", "bps", "kbps", "Mbps", "Gbps", "Mbit/s", "kB", "KB", "MB", "GB",
    "TB", "PB", "KiB", "MiB", "GiB", "TiB", "MB/s", "GB/s", "bytes", "px", "dpi", "MP", "fps",
    // Physics and chemistry.
    "mV", "V", "kV", "µA", "mA", "A", "Ah", "mAh", "mW", "W", "kW", "kWp", "MW", "GW", "Wh", "kWh",
    "MWh", "GWh", "TWh", "VA", "kVA", "J", "kJ", "MJ", "GJ", "cal", "kcal", "N", "kN", "Nm", "Pa",
    "hPa", "kPa", "MPa", "bar", "mbar", "psi", "atm", "mmHg", "Hz", "kHz", "MHz", "GHz", "K", "C",
    "F", "°C", "°F", "°", "Ω", "kΩ", "MΩ", "lm", "lx", "dB", "dBm", "mol", "mmol", "mg/l", "mg/L",
    "mg/dl", "mg/dL", "g/l", "g/L", "g/km", "µg/m³", "mmol/l", "mmol/L", "µmol/l", "ng/ml", "U/l",
    "IU", "IE", "ppm", "ppb", "rpm", "bpm", "mph", "kph", "km/h", "kmh", "m/s", "kn", "hp", "PS",
    "ct", "pt", "bp", "pp", "l/100km", "kg/m³", "kg/m²", "mpg",
    // Counts and multiples.
    "pcs", "pcs.", "pc", "pc.", "Stk", "Stk.", "Stück", "szt", "szt.", "pz", "uds", "ud", "k", "M",
    "mn", "bn", "Mio", "Mio.", "Mrd", "Mrd.", "Tsd", "Tsd.", "million", "Million", "millions",
    "billion", "thousand", "lakh", "lakhs", "crore", "crores", "Cr", "tCO2", "tCO2e",
];

/// Words that follow numbers which are not amounts: ordinals, times of day, eras.
const NOT_UNITS: &[&str] = &[
    "st", "nd", "rd", "th", "er", "re", "ère", "ème", "eme", "am", "pm", "a.m.", "p.m.", "uhr",
    "bc", "ad", "bce", "ce", "chr", "v.chr.", "n.chr.", "bis", "ter", "of", "to", "or", "and",
    "und", "et", "no", "yes",
];

/// Months and days of the week in English, German, French, Spanish, Italian and Portuguese:
/// abbreviations, and how longer words begin.
const CALENDAR: (&[&str], &[&str]) = (
    &[
        "jan", "jän", "feb", "fév", "fev", "mar", "mär", "apr", "avr", "abr", "may", "mai", "mag",
        "jun", "giu", "jul", "lug", "aug", "aoû", "ago", "sep", "set", "oct", "okt", "ott", "out",
        "nov", "dec", "dez", "déc", "dic", "ene", "gen", "mon", "tue", "wed", "thu", "fri", "sat",
        "sun", "mayo", "juin", "août", "mars", "märz", "mit", "don", "fre", "sam", "son",
    ],
    &[
        "janu", "janv", "jänn", "janei", "febr", "févr", "fever", "march", "marzo", "março",
        "april", "avril", "abril", "maio", "maggio", "june", "juni", "junh", "giugn", "july",
        "juil", "juli", "julh", "lugl", "augu", "agost", "sept", "setem", "sette", "octo", "octu",
        "okto", "ottob", "outub", "nove", "dece", "déce", "deze", "dici", "ener", "genn", "monda",
        "tuesd", "wednes", "thurs", "frida", "satur", "sunda", "montag", "dienst", "mittw",
        "donner", "freit", "samst", "sonnt",
    ],
);

/// A currency's sign (category Sc of Unicode).
fn is_currency_sign(c: char) -> bool {
    matches!(
        c,
        '$' | '\u{a2}'..='\u{a5}' | '\u{58f}' | '\u{60b}' | '\u{9f2}' | '\u{9f3}' | '\u{af1}'
            | '\u{bf9}' | '\u{e3f}' | '\u{17db}' | '\u{20a0}'..='\u{20c0}' | '\u{fdfc}'
            | '\u{fe69}' | '\u{ff04}' | '\u{ffe0}' | '\u{ffe1}' | '\u{ffe5}' | '\u{ffe6}'
    )
}

fn is_percent(c: char) -> bool {
    matches!(c, '%' | '‰' | '\u{66a}' | '\u{ff05}')
}

/// The length of a currency sign with up to three capitals before it, as in `R$` and `US$`.
fn sign_length(text: &str) -> Option<usize> {
    let letters = text.bytes().take_while(u8::is_ascii_uppercase).count();
    let sign = text[letters..].chars().next().filter(|c| letters <= 3 && is_currency_sign(*c))?;
    Some(letters + sign.len_utf8())
}

fn code(word: &str) -> Option<String> {
    let capitals = word.to_ascii_uppercase();
    // `Eur` and `usd` are written too, `Cad` is a name.
    let is_uniform = word == capitals || word == word.to_ascii_lowercase() || capitals == "EUR";
    (is_uniform && CODES.contains(&capitals.as_str())).then_some(capitals)
}

/// The currency or the percent sign that `text` begins with, and what follows it.
pub fn prefix(text: &str) -> Option<(UnitName, &str)> {
    let first = text.chars().next()?;
    if is_percent(first) {
        let (name, rest) = text.split_at(first.len_utf8());
        return Some((known(percent(name)), rest));
    }
    if let Some(length) = sign_length(text) {
        let (name, rest) = text.split_at(length);
        return Some((known(name), rest));
    }
    if let Some(rest) = text.strip_prefix("S/") {
        let rest = rest.strip_prefix('.').unwrap_or(rest);
        return Some((known(&text[..text.len() - rest.len()]), rest));
    }
    let letters = text.find(|c: char| !c.is_alphabetic())?;
    if letters == 0 {
        return None;
    }
    let end = letters + usize::from(text[letters..].starts_with('.'));
    if let Some(word) = MONEY.iter().find(|word| **word == &text[..end]) {
        return Some((known(word), &text[end..]));
    }
    let (word, rest) = text.split_at(letters);
    if let Some(word) = MONEY.iter().find(|known| **known == word) {
        return Some((known(word), rest));
    }
    let rand = (word == "R").then(|| word.to_owned());
    let name = rand.or_else(|| code(word).filter(|code| code == word))?;
    Some((UnitName { name, is_code: true, is_known: true }, rest))
}

fn percent(sign: &str) -> &str {
    if sign == "‰" { sign } else { "%" }
}

fn known(name: &str) -> UnitName {
    UnitName { name: name.to_owned(), is_code: false, is_known: true }
}

/// The unit that `text`, which follows a number, is. `has_blank` says whether there is white space
/// between them: without it only known units are units.
pub fn suffix(text: &str, has_blank: bool) -> Option<UnitName> {
    let first = text.chars().next()?;
    if is_percent(first) && text.len() == first.len_utf8() {
        return Some(known(percent(text)));
    }
    if sign_length(text) == Some(text.len()) || MONEY.contains(&text) {
        return Some(known(text));
    }
    if let Some(name) = code(text).or_else(|| LATE_CODES.contains(&text).then(|| text.to_owned())) {
        return Some(UnitName { name, is_code: true, is_known: true });
    }
    // The Greek letter and the sign look alike.
    let plain = text.replace('\u{3bc}', "µ");
    let is_letter = matches!(plain.as_str(), "A" | "B" | "C" | "F" | "J" | "N");
    if UNITS.contains(&plain.as_str()) && (has_blank || !is_letter) {
        return Some(known(&plain));
    }
    if let Some((money, per)) = text.split_once('/')
        && suffix(money, true).is_some_and(|unit| unit.is_known)
        && is_word(per)
    {
        return Some(known(text));
    }
    let is_unit = has_blank && is_word(text) && text.chars().count() > 1 && !is_excluded(text);
    is_unit.then(|| UnitName { name: text.to_owned(), is_code: false, is_known: false })
}

/// Longest word that counts as a unit, in characters.
const MAX_WORD: usize = 12;

fn is_word(text: &str) -> bool {
    let fits = |c: char| c.is_alphabetic() || matches!(c, '²' | '³' | '°');
    text.chars().all(fits) && (1..=MAX_WORD).contains(&text.chars().count())
}

fn is_excluded(word: &str) -> bool {
    let word = word.to_lowercase();
    let (words, starts) = CALENDAR;
    NOT_UNITS.contains(&word.as_str())
        || words.contains(&word.trim_end_matches('.'))
        || starts.iter().any(|start| word.starts_with(start))
}

/// Whether two spellings mean one unit.
pub fn same_unit(a: &str, b: &str) -> bool {
    let spelling = |unit: &str| match unit {
        "EUR" | "Euro" | "euro" | "euros" | "Euros" => "€".to_owned(),
        "US$" => "USD".to_owned(),
        other => other.trim_end_matches('.').to_owned(),
    };
    a == b || spelling(a) == spelling(b)
}

/// Whether a unit is a currency.
pub fn is_money(unit: &str) -> bool {
    let unit = unit.split([' ', '/']).next().unwrap_or(unit);
    sign_length(unit) == Some(unit.len())
        || MONEY.contains(&unit)
        || CODES.contains(&unit)
        || LATE_CODES.contains(&unit)
}
