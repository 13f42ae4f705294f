//! Small rules about text that several modules share.

/// Whether a character shows nothing of its own: a control, a joiner, a mark of direction, a
/// variation selector or a tag. White space is not included.
///
/// Unicode's `Default_Ignorable_Code_Point` (DerivedCoreProperties.txt), the controls, and the
/// annotation characters U+FFF9 to U+FFFB.
pub fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}'
            | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}'
            | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

/// `1200` as `1,200`.
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([0, 999, 1200, 1_234_567].map(thousands), ["0", "999", "1,200", "1,234,567"]);
    }

    #[test]
    fn invisible_characters_are_neither_letters_nor_spaces() {
        assert!("\0\n\u{AD}\u{200B}\u{202E}\u{FE0F}\u{FEFF}\u{E0041}".chars().all(is_invisible));
        assert!(!"a ä中‼\u{A0}\u{3000}👍".chars().any(is_invisible));
    }
}
