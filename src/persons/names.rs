//! Names as they are compared: folded for Spanish, Quechua and Aymara spellings, and by sound. Pure.
//!
//! Owns what counts as the same name. Must not know keys, tables or requests.
//!
//! A name becomes tokens: upper case, no marks (ñ is an n), no apostrophes (`Q'uispe`), hyphens and points as spaces,
//! no particles (`de la`), saints in one piece (`San Martín` is `SANMARTIN`). Stored keys are made of these forms:
//! a change here needs every index built again.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Words that stand between names and tell no persons apart.
const PARTICLES: [&str; 19] =
    ["DE", "DEL", "LA", "LAS", "LO", "LOS", "EL", "Y", "E", "I", "DA", "DAS", "DI", "DO", "DOS", "VON", "VAN", "DER", "DU"];
/// Words that are one with the next.
const SAINTS: [&str; 4] = ["SAN", "SANTA", "SANTO", "STA"];
/// Letters of a key by sound.
const SOUND_LENGTH: usize = 6;
/// Letters of a key by beginning.
const BEGINNING_LENGTH: usize = 4;
/// Tokens of one name beyond which the rest is left out.
const MOST: usize = 6;

/// The words of a name: upper case, no marks, no points.
fn words(name: &str) -> Vec<String> {
    let mut bare = String::with_capacity(name.len());
    for letter in name.nfkd().filter(|c| !is_combining_mark(*c)) {
        match letter {
            // Apostrophes of every make: they mark a sound, and stand in names that are as often written without.
            '\'' | '\u{2019}' | '\u{2018}' | '\u{02bc}' | '\u{00b4}' | '`' => {}
            c if c.is_alphanumeric() => bare.extend(c.to_uppercase()),
            _ => bare.push(' '),
        }
    }
    // Upper case can bring marks of its own.
    let bare: String = bare.nfkd().filter(|c| !is_combining_mark(*c)).collect();
    bare.split_whitespace().map(str::to_owned).collect()
}

/// Without the words that tell nothing apart, unless there are no others.
fn without(words: Vec<String>, idle: &[&str]) -> Vec<String> {
    let kept: Vec<String> = words.iter().filter(|w| !idle.contains(&w.as_str())).cloned().collect();
    if kept.is_empty() { words } else { kept }
}

/// The tokens of a name.
pub fn fold(name: &str) -> Vec<String> {
    let kept = without(words(name), &PARTICLES);
    let mut tokens: Vec<String> = Vec::new();
    let mut saint: Option<String> = None;
    for word in kept {
        if let Some(saint) = saint.take() {
            tokens.push(format!("{saint}{word}"));
        } else if SAINTS.contains(&word.as_str()) {
            saint = Some(if word == "STA" { "SANTA".to_owned() } else { word });
        } else {
            // As it stands on documents.
            tokens.push(if word == "MA" { "MARIA".to_owned() } else { word });
        }
    }
    tokens.extend(saint);
    tokens.truncate(MOST);
    tokens
}

/// Whether a token is an initial, which tells too little to be looked for.
pub fn is_initial(token: &str) -> bool {
    token.chars().count() < 2
}

/// How a token begins.
pub fn beginning(token: &str) -> String {
    token.chars().take(BEGINNING_LENGTH).collect()
}

/// How a token sounds in Spanish, with the spellings that Quechua and Aymara names are given: `Huamán`, `Guamán` and
/// `Waman` are one; so are `Vásquez` and `Basques`.
pub fn sound(token: &str) -> String {
    let letters: Vec<char> = token.chars().collect();
    let at = |index: usize| letters.get(index).copied().unwrap_or(' ');
    let vowel = |c: char| matches!(c, 'A' | 'E' | 'I' | 'O' | 'U');
    let soft = |c: char| matches!(c, 'E' | 'I');
    let mut heard = String::new();
    let mut index = 0;
    while index < letters.len() {
        let (one, two, three) = (at(index), at(index + 1), at(index + 2));
        // A glide: at the start or after a vowel.
        let open = index == 0 || vowel(at(index - 1));
        let (says, length) = match one {
            'C' | 'S' if two == 'H' => ("C", 2),
            'S' if two == 'C' && soft(three) => ("S", 2),
            'C' if soft(two) => ("S", 1),
            'C' => ("K", 1),
            'L' if two == 'L' => ("Y", 2),
            'I' if index == 0 && vowel(two) => ("Y", 1),
            'Q' if two == 'U' && soft(three) => ("K", 2),
            'Q' => ("K", 1),
            'G' if two == 'U' && soft(three) => ("G", 2),
            'G' if two == 'U' && vowel(three) && open => ("W", 2),
            'G' if soft(two) => ("J", 1),
            'H' if two == 'U' && vowel(three) && open => ("W", 2),
            'H' => ("", 1),
            'X' if index == 0 => ("J", 1),
            'X' => ("KS", 1),
            'Z' => ("S", 1),
            'P' if two == 'H' => ("F", 2),
            'V' => ("B", 1),
            'N' if two == 'Y' => ("N", 2),
            'N' if two == 'V' => ("NB", 2),
            'M' if matches!(two, 'B' | 'V') => ("NB", 2),
            'Y' if index > 0 && !vowel(two) => ("I", 1),
            other => {
                heard.push(other);
                index += 1;
                continue;
            }
        };
        heard.push_str(says);
        index += length;
    }
    let mut key = String::new();
    let mut before = None;
    for (index, letter) in heard.chars().enumerate() {
        let again = before == Some(letter);
        before = Some(letter);
        if !again && (index == 0 || !vowel(letter)) {
            key.push(letter);
        }
        if key.chars().count() == SOUND_LENGTH {
            break;
        }
    }
    key
}

/// The digits of a telephone number that tell it apart: the last nine; none if there are fewer than six.
pub fn telephone(number: &str) -> Option<String> {
    let digits: Vec<char> = number.chars().filter_map(|c| c.to_digit(10)).filter_map(|d| char::from_digit(d, 10)).collect();
    let tail = digits.get(digits.len().saturating_sub(9)..)?;
    (tail.len() >= 6).then(|| tail.iter().collect())
}

/// The parts of a name that was written in one piece, as they stand in Spanish: one given name and one or two
/// surnames, or two and two.
pub fn split(tokens: Vec<String>) -> (Vec<String>, Vec<String>) {
    let given = match tokens.len() {
        0 | 1 => tokens.len(),
        2 | 3 => 1,
        _ => 2,
    };
    let mut given_names = tokens;
    let surnames = given_names.split_off(given);
    (given_names, surnames)
}

/// Words that say only what kind of company it is.
const COMPANY_FORMS: [&str; 9] = ["SA", "SAC", "SAA", "SRL", "SCRL", "EIRL", "LTDA", "CIA", "EMPRESA"];

/// The tokens of a company's name: without its legal form, however it is pointed.
pub fn fold_company(name: &str) -> Vec<String> {
    // `S.A.C.` and `S. A. C.` are one word.
    let mut joined: Vec<String> = Vec::new();
    let mut letters = String::new();
    for word in words(name) {
        if is_initial(&word) {
            letters.push_str(&word);
            continue;
        }
        if !letters.is_empty() {
            joined.push(std::mem::take(&mut letters));
        }
        joined.push(word);
    }
    joined.extend(Some(letters).filter(|l| !l.is_empty()));
    let mut tokens = without(without(joined, &COMPANY_FORMS), &PARTICLES);
    tokens.truncate(MOST);
    tokens
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_normalization::UnicodeNormalization;

    use super::*;

    #[test]
    fn spellings_of_one_name_have_one_sound() {
        for family in [
            &["Rodríguez", "Rodrigues", "RODRIGUEZ"][..],
            &["Jiménez", "Giménez", "Ximénez"],
            &["Vásquez", "Vázquez", "Básquez"],
            &["Huamán", "Guamán", "Waman"],
            &["Quispe", "Kispe", "Quizpe", "Q'uispe"],
            &["Chávez", "Chaves", "Chabez"],
            &["Yupanqui", "Llupanqui", "Yupanki"],
            &["Hernández", "Ernández", "Hernandes"],
            &["Núñez", "Nunes", "Nuñes"],
            &["Cusi", "Kusi", "Cussi"],
            &["Ccori", "Qori", "Kori"],
            &["Condori", "Kondori"],
            &["Mamani", "Mamany"],
            &["Yahuar", "Yawar"],
            &["Huanca", "Wanka", "Guanca"],
            &["Espinoza", "Espinosa"],
            &["Ñaupari", "Naupari"],
        ] {
            let sounds: Vec<String> = family.iter().map(|name| sound(&fold(name)[0])).collect();
            assert!(sounds.iter().all(|s| *s == sounds[0]), "{family:?}: {sounds:?}");
        }
        let apart: Vec<String> = ["RODRIGUEZ", "RAMIREZ", "ROJAS", "CHAVEZ", "GUEVARA"].map(sound).to_vec();
        assert_eq!(apart, ["RDRGS", "RMRS", "RJS", "CBS", "GBR"]);
    }

    #[test]
    fn marks_case_particles_and_hyphens_make_no_difference() {
        for (name, tokens) in [
            ("María de la Cruz", &["MARIA", "CRUZ"][..]),
            ("MARIA DELA CRUZ", &["MARIA", "DELA", "CRUZ"]),
            ("del Águila", &["AGUILA"]),
            ("Quispe-Mamani", &["QUISPE", "MAMANI"]),
            ("Ma. Núñez", &["MARIA", "NUNEZ"]),
            ("San Martín", &["SANMARTIN"]),
            ("Sta. María", &["SANTAMARIA"]),
            ("D’Angelo", &["DANGELO"]),
            ("De la", &["DE", "LA"]),
            ("San", &["SAN"]),
            ("  ", &[]),
        ] {
            assert_eq!(fold(name), tokens, "{name}");
        }
        assert_eq!(fold_company("Hotel El Sol S.A.C."), fold_company("HOTEL SOL, S. A. C."));
        assert_eq!(fold_company("Inversiones Luna E.I.R.L."), ["INVERSIONES", "LUNA"]);
        assert_eq!(telephone("+51 987 654 321"), telephone("987654321"));
        assert_eq!(telephone("12 345"), None);
        let names = |text: &str| split(fold(text));
        assert_eq!(names("Rosa Quispe Mamani").0, ["ROSA"]);
        assert_eq!(names("Rosa Luz Quispe Mamani").1, ["QUISPE", "MAMANI"]);
        assert_eq!(names("Chato"), (vec!["CHATO".to_owned()], Vec::new()));
    }

    proptest! {
        #[test]
        fn folding_twice_is_folding_once(name in "[\\p{L} '.-]{0,40}") {
            let once = fold(&name);
            prop_assert_eq!(fold(&once.join(" ")).len() <= MOST, true);
            for token in &once {
                prop_assert!(!token.contains(' ') && !token.is_empty());
                prop_assert!(!token.chars().any(is_combining_mark));
            }
        }

        #[test]
        fn composition_case_and_accents_make_no_difference(name in "[A-Za-zÁÉÍÓÚÑÜáéíóúñü ]{0,40}") {
            let tokens = fold(&name);
            prop_assert_eq!(&fold(&name.nfd().collect::<String>()), &tokens);
            prop_assert_eq!(&fold(&name.to_uppercase()), &tokens);
            prop_assert_eq!(&fold(&name.to_lowercase()), &tokens);
            prop_assert_eq!(&fold(&name.nfd().filter(|c| !is_combining_mark(*c)).collect::<String>()), &tokens);
        }

        #[test]
        fn a_sound_is_short_and_has_no_vowel_but_the_first(token in "[A-Z]{1,30}") {
            let key = sound(&token);
            prop_assert!(key.chars().count() <= SOUND_LENGTH);
            prop_assert!(key.chars().skip(1).all(|c| !"AEIOU".contains(c)), "{}", key);
            prop_assert_eq!(sound(&token), key);
        }

        #[test]
        fn no_text_makes_it_panic(name in "\\PC{0,60}") {
            for token in fold(&name) {
                let _ = (sound(&token), beginning(&token));
            }
            let _ = (fold_company(&name), telephone(&name));
        }
    }
}
