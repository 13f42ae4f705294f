//! Checks of CSS colours and icon addresses: what may go into a style or an `src`.

/// Maximum length of a colour in bytes; real ones are well below it.
const MAX_COLOUR: usize = 100;

/// Whether `text` is one CSS colour: a name, `#` with 3, 4, 6 or 8 hex digits, or a colour
/// function in its older (commas) or newer (spaces) syntax, as in CSS Color 4. Anything that is
/// accepted has balanced parentheses and none of `;{}"'\`, so it cannot end the declaration it is
/// put into.
pub fn is_colour(text: &str) -> bool {
    if text.len() > MAX_COLOUR || !text.is_ascii() {
        return false;
    }
    let text = text.trim_matches(' ').to_ascii_lowercase();
    if let Some(digits) = text.strip_prefix('#') {
        return matches!(digits.len(), 3 | 4 | 6 | 8)
            && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    }
    match text.split_once('(') {
        Some((name, rest)) => {
            rest.strip_suffix(')').is_some_and(|arguments| is_function(name, arguments))
        }
        None => NAMES.split_ascii_whitespace().any(|name| name == text),
    }
}

/// Whether `text` is the address of a picture: `http(s)://host…`, `data:image/…` or a relative
/// path. Every character must be legal in a URL (RFC 3986, plus letters of other scripts), which
/// excludes quotes, angle brackets, backslashes and white space.
pub fn is_icon(text: &str) -> bool {
    if text.is_empty() || !text.chars().all(is_url_char) {
        return false;
    }
    match scheme(text) {
        Some("http" | "https") => url::Url::parse(text).is_ok_and(|url| {
            url.has_host() && url.username().is_empty() && url.password().is_none()
        }),
        Some("data") => is_image_data(text),
        Some(_) => false,
        // `//host/path` would load the picture from another host without looking like it.
        None => !text.starts_with("//"),
    }
}

/// The part before the first colon, unless a slash, a question mark or a hash comes earlier: a
/// known scheme in lower case, an empty string for any other.
fn scheme(text: &str) -> Option<&'static str> {
    let end = text.find([':', '/', '?', '#'])?;
    if !text[end..].starts_with(':') {
        return None;
    }
    let found = &text[..end];
    ["http", "https", "data"]
        .into_iter()
        .find(|known| found.eq_ignore_ascii_case(known))
        .or(Some(""))
}

/// `data:image/<subtype>`, then parameters or the data itself.
fn is_image_data(text: &str) -> bool {
    let Some((head, data)) = text.split_once(',') else {
        return false;
    };
    let media_type = head.split(';').next().unwrap_or_default().to_ascii_lowercase();
    let subtype = media_type.strip_prefix("data:image/").unwrap_or_default();
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    !data.is_empty() && !subtype.is_empty() && subtype.bytes().all(is_token)
}

fn is_url_char(c: char) -> bool {
    c.is_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=%".contains(c)
}

/// An argument of a colour function.
#[derive(Clone, Copy)]
enum Component {
    /// A number or a percentage.
    Amount,
    /// A percentage; in the newer syntax a number too.
    Share,
    /// An angle, with or without a unit.
    Hue,
}

use Component::{Amount, Hue, Share};

impl Component {
    /// Whether `text` is one. `legacy` is the syntax with commas.
    fn accepts(self, text: &str, legacy: bool) -> bool {
        if text == "none" {
            return !legacy;
        }
        match self {
            Amount => is_number(text) || is_percentage(text),
            Share => is_percentage(text) || (!legacy && is_number(text)),
            Hue => {
                // `grad` before `rad`, which it ends in.
                let number = ["deg", "grad", "rad", "turn"]
                    .into_iter()
                    .find_map(|unit| text.strip_suffix(unit))
                    .unwrap_or(text);
                is_number(number)
            }
        }
    }
}

fn is_function(name: &str, arguments: &str) -> bool {
    let (components, has_legacy) = match name {
        "rgb" | "rgba" => ([Amount; 3], true),
        "hsl" | "hsla" => ([Hue, Share, Share], true),
        "hwb" => ([Hue, Share, Share], false),
        "lab" | "oklab" => ([Amount; 3], false),
        "lch" | "oklch" => ([Amount, Amount, Hue], false),
        "color" => {
            let Some((space, rest)) = arguments.trim_matches(' ').split_once(' ') else {
                return false;
            };
            return SPACES.contains(&space) && is_modern([Amount; 3], rest);
        }
        _ => return false,
    };
    if arguments.contains(',') {
        has_legacy && is_legacy(components, arguments, name.starts_with("rgb"))
    } else {
        is_modern(components, arguments)
    }
}

/// `a, b, c` or `a, b, c, alpha`. `alike`: the first three are all numbers or all percentages, as
/// `rgb()` requires.
fn is_legacy(components: [Component; 3], arguments: &str, alike: bool) -> bool {
    let parts: Vec<&str> = arguments.split(',').map(|part| part.trim_matches(' ')).collect();
    let (Some(first), Some(alpha)) = (parts.get(..3), parts.get(3..)) else {
        return false;
    };
    let percentages = first.iter().filter(|part| part.ends_with('%')).count();
    alpha.len() <= 1
        && alpha.iter().all(|alpha| Amount.accepts(alpha, true))
        && components.iter().zip(first).all(|(component, part)| component.accepts(part, true))
        && (!alike || percentages == 0 || percentages == 3)
}

/// `a b c` or `a b c / alpha`.
fn is_modern(components: [Component; 3], arguments: &str) -> bool {
    let (colour, alpha) = match arguments.split_once('/') {
        Some((colour, alpha)) => (colour, Some(alpha.trim_matches(' '))),
        None => (arguments, None),
    };
    let parts: Vec<&str> = colour.split(' ').filter(|part| !part.is_empty()).collect();
    parts.len() == 3
        && components.iter().zip(parts).all(|(component, part)| component.accepts(part, false))
        && alpha.is_none_or(|alpha| Amount.accepts(alpha, false))
}

fn is_percentage(text: &str) -> bool {
    text.strip_suffix('%').is_some_and(is_number)
}

/// A CSS number: `12`, `-.5`, `1.5e3`, but not `1.`.
fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once('e') {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let mantissa = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole.is_empty() || digits(whole)) && digits(fraction),
        None => digits(mantissa),
    };
    mantissa && exponent.is_none_or(|text| digits(text.strip_prefix(['+', '-']).unwrap_or(text)))
}

/// Colour spaces of `color()`.
const SPACES: [&str; 9] = [
    "srgb",
    "srgb-linear",
    "display-p3",
    "a98-rgb",
    "prophoto-rgb",
    "rec2020",
    "xyz",
    "xyz-d50",
    "xyz-d65",
];

/// The named colours of CSS Color 4, section 6.1, and its two keywords.
const NAMES: &str = "
aliceblue antiquewhite aqua aquamarine azure beige bisque black blanchedalmond blue blueviolet
brown burlywood cadetblue chartreuse chocolate coral cornflowerblue cornsilk crimson cyan darkblue
darkcyan darkgoldenrod darkgray darkgreen darkgrey darkkhaki darkmagenta darkolivegreen darkorange
darkorchid darkred darksalmon darkseagreen darkslateblue darkslategray darkslategrey darkturquoise
darkviolet deeppink deepskyblue dimgray dimgrey dodgerblue firebrick floralwhite forestgreen
fuchsia gainsboro ghostwhite gold goldenrod gray green greenyellow grey honeydew hotpink indianred
indigo ivory khaki lavender lavenderblush lawngreen lemonchiffon lightblue lightcoral lightcyan
lightgoldenrodyellow lightgray lightgreen lightgrey lightpink lightsalmon lightseagreen
lightskyblue lightslategray lightslategrey lightsteelblue lightyellow lime limegreen linen magenta
maroon mediumaquamarine mediumblue mediumorchid mediumpurple mediumseagreen mediumslateblue
mediumspringgreen mediumturquoise mediumvioletred midnightblue mintcream mistyrose moccasin
navajowhite navy oldlace olive olivedrab orange orangered orchid palegoldenrod palegreen
paleturquoise palevioletred papayawhip peachpuff peru pink plum powderblue purple rebeccapurple
red rosybrown royalblue saddlebrown salmon sandybrown seagreen seashell sienna silver skyblue
slateblue slategray slategrey snow springgreen steelblue tan teal thistle tomato turquoise violet
wheat white whitesmoke yellow yellowgreen transparent currentcolor";

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn css_colours_are_accepted() {
        let colours = "#fff|#FFF8|#667eea|#667EEA80|red|RebeccaPurple|transparent|currentColor|\
            rgb(1,2,3)|rgb( 1 , 2 , 3 )|RGB(10%, 20%, 30%)|rgba(1,2,3,.5)|rgba(1,2,3,50%)|\
            rgb(1,2,3,1)|rgb(1 2 3)|rgb(1 2 3/50%)|rgb(1 2 3 / 0.5)|rgb(10% 2 none)|rgb(300 -1 0)|\
            hsl(120,50%,50%)|hsl(120deg, 50%, 50%)|hsla(120, 50%, 50%, 0.3)|hsl(.5turn 50% 50%)|\
            hsl(120 50 50 / none)|hsl(1.5rad 50% 50%)|hsl(200grad 5% 5%)|hwb(194 0% 0% / .5)|\
            lab(29.2345% 39.3825 20.0664)|oklab(40.1% 0.1143 0.045)|lch(52.2% 72.2 50)|\
            oklch(0.7 0.15 250deg / 1e-1)|oklch(none none none)|color(display-p3 1 0.5 0)|\
            color(srgb 1 0% 0 / .5)| red ";
        for colour in colours.split('|') {
            assert!(is_colour(colour), "{colour}");
        }
        assert_eq!(NAMES.split_ascii_whitespace().count(), 148 + 2);
        assert!(NAMES.split_ascii_whitespace().all(is_colour));
    }

    #[test]
    fn anything_else_is_refused_as_a_colour() {
        let others = "|#|#ff|#fffff|#1234567|#ggg|667eea|##fff|redd|inherit|blue-ish|url(x)|\
            url(javascript:alert(1))|red;}body{}|red; background: url(//e.test)|#fff;|expression(1)|\
            rgb(1,2)|rgb(1,2,3,4,5)|rgb(1,2,3|rgb 1,2,3)|rgb(1,2,3))|rgb((1,2,3)|rgb (1,2,3)|\
            rgb(1,2%,3)|rgb(1,2,none)|rgb(a,b,c)|rgb(1 2,3)|rgb(1 2 3 4)|rgb(1 2 3 /)|rgb(1 2 / 3)|\
            rgb(1 2 3 / 4 / 5)|rgb(1. 2 3)|rgb(1e 2 3)|rgb(1px 2px 3px)|hsl(120,50,50)|hsl(50%,1%,1%)|\
            hwb(1,2%,3%)|lab(1,2,3)|oklch(1 2 3%)|color(1 2 3)|color(nope 1 2 3)|var(--x)|calc(1)|\
            rgb(calc(1) 2 3)|rgb(1\n2\n3)|rot|röt|rgb(1/**/ 2 3)|\\72 ed|()|rgb()|,|rgb(,,)";
        for text in others.split('|') {
            assert!(!is_colour(text), "{text}");
        }
        assert!(!is_colour(&format!("rgb(1 2 {})", "3".repeat(200))));
    }

    #[test]
    fn icons_are_urls_paths_or_image_data() {
        let icons = "https://e.test/bot.png|HTTP://e.test|http://e.test:8080/a(b)?c=d&e='f'#g|/bot.png|\
            bot.png|./a/b.svg|../b.svg?x=1:2|?x|#y|/bilder/größe.png|icons/a:b.png|/a%20b.png|\
            data:image/png;base64,iVBORw0KGgo=|DATA:image/svg+xml,%3Csvg%3E|\
            data:image/svg+xml;charset=utf-8,%3Csvg/%3E|https://[::1]/i.png";
        for icon in icons.split('|') {
            assert!(is_icon(icon), "{icon}");
        }
        let others = "|//e.test/a.png|javascript:alert(1)|JavaScript:alert(1)|java\tscript:alert(1)|\
            vbscript:x|data:text/html,x|data:image/|data:image/png|data:image/,x|data:image/png,|\
            data:image/p ng,x|data:,x|data:text/html;x=image/png,y|file:///etc/passwd|ftp://e.test/a|\
            blob:https://e.test/1|http://|https:///|http:|https://user:pass@e.test/|/\\e.test|\\\\e.test|\
            https://e.test/\"onerror=|a<b|a b.png| /a.png|/a.png\n|/a\0b|x:y|:x|'\u{202e}'.png|🤖|\
            https://e test/|/a`b`|a{b}";
        for text in others.split('|') {
            assert!(!is_icon(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn accepted_values_are_harmless_in_a_style_and_an_attribute(
            text in prop_oneof![".*", "[rgbhslaoc#0-9%(),/ .e+-]{0,24}", "(rgb|hsl)a?\\([^)]{0,12}\\)?"]
        ) {
            if is_colour(&text) {
                let is_harmful = |c: char| ";{}\"'\\<>:@*".contains(c) || c.is_control();
                prop_assert!(!text.contains(is_harmful));
                prop_assert_eq!(text.matches('(').count(), text.matches(')').count());
            }
            if is_icon(&text) {
                let is_harmful = |c: char| "\"<>\\`".contains(c) || c.is_whitespace();
                prop_assert!(!text.contains(is_harmful));
            }
        }
    }
}
