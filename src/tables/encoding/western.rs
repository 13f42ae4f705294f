//! Whether 8-bit text is CP1252 although statistics of letters say otherwise: they have little to go
//! by in tables, where a pound sign or a single accent may be all that is not ASCII.

use encoding_rs::{
    Encoding, ISO_8859_2, ISO_8859_4, ISO_8859_10, ISO_8859_13, ISO_8859_16, WINDOWS_1250,
    WINDOWS_1257,
};

/// Letters of CP1252 that occur alone in the words of western languages and that `rival` reads as
/// other letters. Those that are frequent in the rival's languages are left to statistics.
fn lone_letters(rival: &'static Encoding) -> &'static [u8] {
    if rival == ISO_8859_4 {
        // ì, î, ï, ò, ù, Ï, Ø, ø, û; the encoding is hardly found in files
        &[0xec, 0xee, 0xef, 0xf2, 0xf9, 0xcf, 0xd8, 0xf8, 0xfb]
    } else if [WINDOWS_1257, ISO_8859_10, ISO_8859_13].contains(&rival) {
        // ï, Ø, ø, û
        &[0xef, 0xd8, 0xf8, 0xfb]
    } else if [WINDOWS_1250, ISO_8859_2, ISO_8859_16].contains(&rival) {
        // ê, ï
        &[0xea, 0xef]
    } else {
        &[]
    }
}

/// How many different letters such as ï are few enough to doubt statistics.
const FEW: usize = 2;

/// Whether `text` is more likely CP1252 than in the encoding `guess`: all of its bytes beyond ASCII
/// are signs where signs stand, or letters that both encodings share, or a few single ones.
pub fn is_likely(text: &[u8], guess: &'static Encoding) -> bool {
    let lone = lone_letters(guess);
    let quoting = text.contains(&0xab) && text.contains(&0xbb);
    let mut letters: Vec<u8> = Vec::new();
    let mut signs = 0;
    for (at, &byte) in text.iter().enumerate().filter(|(_, byte)| !byte.is_ascii()) {
        let place = LetterPlace::of(text, at);
        // Two signs may touch, such as a no-break space and a guillemet; more are a word.
        let alone = place.run == 1 || (place.run == 2 && guess.is_single_byte());
        let (before, after) = (at.checked_sub(1).map(|at| text[at]), text.get(at + 1).copied());
        // œu, Œu, and aî, oî, uî: in French only.
        let french = (matches!(byte, 0x8c | 0x9c) && matches!(after, Some(b'u' | b'U')))
            || (byte == 0xee && matches!(before, Some(b'a' | b'o' | b'u')));
        if alone && place.is_sign(byte, quoting) {
            signs += 1;
        } else if place.run == 1 && (lone.contains(&byte) || french) {
            letters.push(byte);
        } else if !is_shared(byte, guess) {
            return false;
        }
    }
    letters.sort_unstable();
    letters.dedup();
    letters.len() <= FEW && signs + letters.len() > 0
}

/// Whether `byte` is the same letter in CP1252 and in `guess`.
fn is_shared(byte: u8, guess: &'static Encoding) -> bool {
    let read = |encoding: &'static Encoding| {
        let bytes = [byte];
        encoding
            .decode_without_bom_handling_and_without_replacement(&bytes)
            .and_then(|text| text.chars().next())
    };
    let western = read(encoding_rs::WINDOWS_1252);
    guess.is_single_byte() && western == read(guess) && western.is_some_and(char::is_alphabetic)
}

/// What surrounds a byte.
struct LetterPlace {
    /// Length of the ASCII word before it and after it, up to 4.
    before: usize,
    after: usize,
    /// Length of the run of bytes beyond ASCII around it, up to 9.
    run: usize,
}

impl LetterPlace {
    fn of(text: &[u8], at: usize) -> Self {
        let (left, right) = (&text[..at], &text[at + 1..]);
        let word = |byte: &&u8| byte.is_ascii_alphabetic();
        let beyond = |byte: &&u8| !byte.is_ascii();
        // The letter of an escape such as `\n` in JSON is not part of a word.
        let escape = matches!(left, [.., b'\\', byte] if byte.is_ascii_alphabetic());
        let before = left.iter().rev().take(4).take_while(word).count();
        Self {
            before: if escape { 0 } else { before },
            after: right.iter().take(4).take_while(word).count(),
            run: 1
                + left.iter().rev().take(4).take_while(beyond).count()
                + right.iter().take(4).take_while(beyond).count(),
        }
    }

    /// Whether `byte` is a sign in CP1252, and stands where it is used.
    fn is_sign(&self, byte: u8, quoting: bool) -> bool {
        let sign = matches!(byte, 0x80 | 0x85 | 0x91..=0x97 | 0x99 | 0xa0..=0xbf | 0xd7 | 0xf7);
        // No-break space, soft hyphen, middle dot, apostrophe, dashes.
        let anywhere = matches!(byte, 0xa0 | 0xad | 0xb7 | 0x92 | 0x96 | 0x97);
        let there = match (self.before, self.after) {
            (0, 0) => true,
            (before, 0) => match byte {
                // ° ® © ´ ™ ” … €
                0xb0 | 0xae | 0xa9 | 0xb4 | 0x99 | 0x94 | 0x85 | 0x80 => true,
                // m², km³
                0xb2 | 0xb3 => before <= 3,
                // Nº, 1ª
                0xaa | 0xba => before <= 2,
                0xbb => quoting,
                _ => false,
            },
            (0, after) => match byte {
                // ¡ ¿ ‘ “ § €
                0xa1 | 0xbf | 0x91 | 0x93 | 0xa7 | 0x80 => true,
                0xab => quoting,
                // °C
                0xb0 => after == 1,
                // µg, µmol
                0xb5 => after <= 3,
                // £m, ¥bn
                0xa2 | 0xa3 | 0xa5 => after <= 2,
                _ => false,
            },
            _ => false,
        };
        sign && (anywhere || there)
    }
}
