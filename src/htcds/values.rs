//! Cells as values of the standard's fields, and what was lost on the way. Pure.

use super::dates::{self, Epoch, Order};
use super::files::Cell;
use super::record::{Value, tidy};
use super::report::NoteCode;
use super::table::{Field, Kind, Meaning, fold, standard};

/// How a file writes what can be read in two ways.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Habits {
    /// Day or month first.
    pub order: Order,
    /// From which day a number counts.
    pub epoch: Epoch,
}

/// A cell as read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The value; none where nothing of it could be read.
    pub value: Option<Value>,
    /// What is to be told.
    pub notes: Vec<NoteCode>,
    /// Whether the cell itself must be kept beside the value.
    pub keep: bool,
}

impl Reading {
    fn plain(value: Value) -> Self {
        Self { value: Some(value), ..Self::default() }
    }

    fn failed(code: NoteCode) -> Self {
        Self { value: None, notes: vec![code], keep: true }
    }

    fn with(mut self, code: NoteCode) -> Self {
        self.notes.push(code);
        self
    }
}

/// Longest text of a field, characters.
pub const LONGEST: usize = 10_000;

/// The text of a cell; none of an empty one.
pub fn text_of(cell: &Cell) -> Option<String> {
    match cell {
        Cell::Text(text) => tidy(text),
        Cell::Number(number) | Cell::Day(number) => Some(plain(*number)),
        Cell::Flag(flag) => Some(Value::Flag(*flag).text()),
        Cell::Error => None,
    }
}

/// A number as people write it: telephone and identity numbers are numbers to a spreadsheet.
fn plain(number: f64) -> String {
    let text = format!("{number}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

/// Reads a cell as a value of a field; none for an empty one.
pub fn read(field: &Field, cell: &Cell, habits: Habits) -> Option<Reading> {
    if *cell == Cell::Error {
        return Some(Reading { notes: vec![NoteCode::CellError], ..Reading::default() });
    }
    let text = text_of(cell)?;
    if text.chars().count() > LONGEST {
        return Some(Reading { notes: vec![NoteCode::MaxLength], ..Reading::default() });
    }
    let list = field.list.as_deref().unwrap_or_default();
    Some(match field.kind {
        Kind::Text | Kind::Long => Reading::plain(Value::Text(text)),
        Kind::Phone if is_e164(&text) => Reading::plain(Value::Text(text)),
        Kind::Phone => Reading::plain(Value::Text(text)).with(NoteCode::NotE164),
        Kind::Date => date(cell, &text, habits),
        Kind::Number => match text.strip_suffix(".0").unwrap_or(&text).parse::<u32>() {
            Ok(number) if number <= 200 => Reading::plain(Value::Number(number)),
            _ => Reading::failed(NoteCode::Unreadable),
        },
        Kind::Decimal => {
            decimal(&text).map_or_else(|| Reading::failed(NoteCode::Unreadable), |t| Reading::plain(Value::Text(t)))
        }
        Kind::Flag => flag(&text).map_or_else(|| Reading::failed(NoteCode::Unreadable), |f| Reading::plain(Value::Flag(f))),
        Kind::Code => codes(list, &text, true),
        Kind::Codes => codes(list, &text, false),
        Kind::Country => countries(&text, true),
        Kind::Countries => countries(&text, false),
        Kind::Language => {
            let code = text.to_lowercase();
            let shape = matches!(code.len(), 2 | 3) && code.bytes().all(|b| b.is_ascii_lowercase());
            if shape { Reading::plain(Value::Codes(vec![code])) } else { Reading::failed(NoteCode::Unreadable) }
        }
    })
}

fn date(cell: &Cell, text: &str, habits: Habits) -> Reading {
    let found = match cell {
        // What the spreadsheet shows as a date needs no word about it.
        Cell::Day(serial) => return of_serial(*serial, habits, false),
        // A year is written as a number, too.
        Cell::Number(number) if !(1900.0..=2200.0).contains(number) => return of_serial(*number, habits, true),
        _ => dates::read(text, habits.order, habits.epoch),
    };
    let Some(found) = found else { return Reading::failed(NoteCode::Unreadable) };
    let mut reading = Reading::plain(Value::Date(found.date));
    if found.serial {
        reading = reading.with(NoteCode::SerialDate);
    }
    if found.ambiguous {
        reading = Reading { keep: true, ..reading.with(NoteCode::AmbiguousDate) };
    }
    reading
}

fn of_serial(serial: f64, habits: Habits, tell: bool) -> Reading {
    match dates::of_serial(serial, habits.epoch) {
        None => Reading::failed(NoteCode::Unreadable),
        Some(date) if tell => Reading::plain(Value::Date(date)).with(NoteCode::SerialDate),
        Some(date) => Reading::plain(Value::Date(date)),
    }
}

/// E.164: a plus or none, up to fifteen digits, the first not zero.
pub fn is_e164(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    (2..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit())
}

/// Decimal degrees, with a point.
fn decimal(text: &str) -> Option<String> {
    let text = text.replace(',', ".");
    let bare = text.strip_prefix('-').unwrap_or(&text);
    let (whole, part) = bare.split_once('.').unwrap_or((bare, "0"));
    let digits = |t: &str, most: usize| (1..=most).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_digit());
    (digits(whole, 3) && digits(part, 17)).then_some(text)
}

/// Yes or no, in three languages and the languages of machines.
pub fn flag(text: &str) -> Option<bool> {
    match fold(text).as_str() {
        "true" | "yes" | "y" | "1" | "si" | "s" | "verdadero" | "oui" | "o" | "vrai" | "x" => Some(true),
        "false" | "no" | "n" | "0" | "falso" | "non" | "faux" => Some(false),
        _ => None,
    }
}

/// Texts of a cell that names several things: the whole if it is one, else its parts.
///
/// Between them stands `;`, `|` or a line end, or a comma, or a blank; labels have commas and blanks in them, so the
/// longest run of pieces that means something is taken.
fn each<T>(text: &str, mean: impl Fn(&str) -> Option<T>) -> (Vec<T>, bool) {
    let mut found = Vec::new();
    let mut all = true;
    for piece in text.split([';', '|', '\n']).map(str::trim).filter(|p| !p.is_empty()) {
        if let Some(one) = mean(piece) {
            found.push(one);
            continue;
        }
        let by = |sign: char| longest(piece, sign, &mean).filter(|several| !several.is_empty());
        match by(',').or_else(|| by(' ')) {
            Some(several) => found.extend(several),
            // What can be read of it is read.
            None => {
                all = false;
                found.extend(piece.split(',').filter_map(&mean));
            }
        }
    }
    let all = all && !found.is_empty();
    (found, all)
}

/// Cuts a text at a sign into runs that each mean something; none if a piece is left over.
fn longest<T>(text: &str, sign: char, mean: &impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    let pieces: Vec<&str> = text.split(sign).map(str::trim).filter(|p| !p.is_empty()).collect();
    // The longest label of the standard has fewer pieces than this.
    const LONGEST_RUN: usize = 20;
    let mut found = Vec::new();
    let mut at = 0;
    while at < pieces.len() {
        let rest = pieces.get(at..)?;
        let (one, used) = (1..=rest.len().min(LONGEST_RUN))
            .rev()
            .find_map(|n| Some((mean(&rest.get(..n)?.join(&sign.to_string()))?, n)))?;
        found.push(one);
        at += used;
    }
    Some(found)
}

fn codes(list: &str, text: &str, single: bool) -> Reading {
    let known = standard().list(list);
    let (meanings, all) = each(text, |piece| standard().meaning(list, &fold(piece)));
    let mut reading = Reading { keep: !all, ..Reading::default() };
    if !all {
        reading.notes.push(NoteCode::UnknownCode);
    }
    let mut places = Vec::new();
    for meaning in meanings {
        match meaning {
            Meaning::Code(place) => places.push(*place),
            Meaning::Older(older, lossy) => {
                places.extend(older);
                reading.notes.push(NoteCode::OlderValue);
                reading.keep |= lossy;
            }
            Meaning::Beyond => {
                places.extend(known.iter().position(|c| c.code == "Other"));
                reading.notes.push(NoteCode::BeyondStandard);
                reading.keep = true;
            }
        }
    }
    let first = places.first().copied();
    places.sort_unstable();
    places.dedup();
    if single && places.len() > 1 {
        reading.notes.push(NoteCode::SeveralCodes);
        reading.keep = true;
        places = first.into_iter().collect();
    }
    let codes: Vec<String> = places.into_iter().filter_map(|p| known.get(p)).map(|c| c.code.clone()).collect();
    reading.value = (!codes.is_empty()).then_some(Value::Codes(codes));
    reading.notes.dedup();
    reading
}

fn countries(text: &str, single: bool) -> Reading {
    let (found, all) = each(text, |piece| standard().country(&fold(piece)));
    let mut codes: Vec<String> = Vec::new();
    for code in found {
        if !codes.iter().any(|c| c == code) {
            codes.push(code.to_owned());
        }
    }
    let mut reading = Reading { keep: !all, ..Reading::default() };
    if !all {
        reading.notes.push(NoteCode::UnknownCode);
    }
    if single && codes.len() > 1 {
        reading.notes.push(NoteCode::SeveralCodes);
        reading.keep = true;
        codes.truncate(1);
    }
    reading.value = (!codes.is_empty()).then_some(Value::Codes(codes));
    reading
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(name: &str, text: &str) -> Reading {
        let field = standard().fields().iter().find(|f| f.name == name).unwrap();
        read(field, &Cell::Text(text.to_owned()), Habits::default()).unwrap_or_default()
    }

    fn text(name: &str, given: &str) -> String {
        let Reading { value, notes, keep } = of(name, given);
        let mut shown = value.map(|v| v.text()).unwrap_or_default();
        for note in notes {
            shown += &format!(" {note:?}");
        }
        if keep { shown + " kept" } else { shown }
    }

    #[test]
    fn several_codes_are_read_however_they_are_put_together() {
        for given in [
            "PhysicalThreats;DebtBondage",
            "PhysicalThreats DebtBondage ",
            "debt bondage, physical threats",
            "DEBTBONDAGE|Amenazas físicas",
            "Servitude pour dettes\nphysicalthreats;PhysicalThreats",
        ] {
            assert_eq!(text("vic_MethodsOfControl", given), "PhysicalThreats;DebtBondage", "{given}");
        }
        let long = "Agriculture, forestry and fishing";
        assert_eq!(text("vic_ForcedLabourIndustry", long), "A_AgricultureForestryAndFishing");
        let two = format!("Construction, {long}");
        assert_eq!(text("vic_ForcedLabourIndustry", &two), "F_Construction SeveralCodes kept");
        assert_eq!(text("prs_Citizenship", "Peru, Bolivia (Plurinational State of); COL"), "PE;BO;CO");
        assert_eq!(text("prs_Citizenship", "Congo, Democratic Republic of the"), "CD");
        assert_eq!(text("prs_Citizenship", "pe bo"), "PE;BO");
    }

    #[test]
    fn what_is_not_known_is_told_and_kept() {
        assert_eq!(text("vic_TypeOfExploitation", "ForcedLabour, carrying things"), "ForcedLabour UnknownCode kept");
        assert_eq!(text("vic_TypeOfExploitation", "ForcedCriminality"), "Other BeyondStandard kept");
        assert_eq!(text("prs_Gender", "Male"), "Masculine OlderValue");
        assert_eq!(text("prs_Gender", "Transgender/NonConforming"), "NonConforming OlderValue kept");
        let old = "Internet (social media, online advertisement)";
        let new = "ThroughOnlineSocialNetworks;ThroughAnOnlineAdvertisement OlderValue kept";
        assert_eq!(text("vic_MethodOfRecruitment", old), new);
        assert_eq!(text("prs_Birthdate", "4/3/2012"), "2012-03-04 AmbiguousDate kept");
        assert_eq!(text("prs_Birthdate", "soon"), " Unreadable kept");
        assert_eq!(text("prs_HomePhone", "+51900000000"), "+51900000000");
        assert_eq!(text("prs_HomePhone", "01 427-0000"), "01 427-0000 NotE164");
        assert_eq!(text("prs_NumberOfChildren", "-1"), " Unreadable kept");
        assert_eq!(text("prs_MailingLatitude", "-12,05"), "-12.05");
        assert_eq!(text("prs_PrimaryLanguage", "QUE"), "que");
        assert_eq!(text("prs_Deceased", "Sí"), "TRUE");
    }

    #[test]
    fn numbers_are_what_they_stand_for() {
        let field = |name: &str| standard().fields().iter().find(|f| f.name == name).unwrap();
        let number = |name: &str, cell: Cell| read(field(name), &cell, Habits::default()).unwrap();
        let shown = |name: &str, cell: Cell| number(name, cell).value.unwrap().text();
        assert_eq!(shown("prs_MobilePhone", Cell::Number(51_900_000_000.0)), "51900000000");
        assert_eq!(shown("prs_NumberOfChildren", Cell::Number(3.0)), "3");
        assert_eq!(shown("prs_Birthdate", Cell::Number(2012.0)), "2012");
        assert_eq!(shown("prs_Birthdate", Cell::Day(40_982.0)), "2012-03-14");
        assert_eq!(number("prs_Birthdate", Cell::Number(40_982.0)).notes, [NoteCode::SerialDate]);
        assert_eq!(shown("con_Consent", Cell::Number(1.0)), "TRUE");
        assert_eq!(shown("con_Consent", Cell::Flag(false)), "FALSE");
    }

    proptest! {
        #[test]
        fn no_text_stops_a_reader_and_nothing_is_lost_in_silence(given in "\\PC{1,60}") {
            for field in standard().fields() {
                if let Some(reading) = read(field, &Cell::Text(given.clone()), Habits::default()) {
                    let told = !reading.notes.is_empty();
                    prop_assert!(reading.value.is_some() || (told && reading.keep), "{}: {given}", field.name);
                }
            }
        }
    }
}
