//! Which column is which field: by machine name or label, in any spelling, with the defects of the official files.
//! Pure.

use super::files::{Row, Sheet};
use super::record::{MOST_REPEATS, Slot};
use super::report::{Note, NoteCode};
use super::table::{Kind, Meaning, fold, standard};
use super::values::text_of;

/// Rows among which the headings are looked for.
const LOOKED_AT: usize = 20;

/// What a column holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// A field.
    Field(Slot),
    /// Whether one code of a field applies: its place in the list.
    Option(Slot, usize),
    /// The other system's number of the case.
    Key,
    /// Something that the standard does not know, under its heading.
    Extension(String),
}

/// The headings of a sheet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headings {
    /// Columns that have one, by column.
    pub columns: Vec<(u32, Role)>,
    /// Rows of the sheet that they take, counted from its first.
    pub rows: usize,
    /// Which version the file was made for.
    pub version: &'static str,
}

impl Headings {
    /// What a column holds.
    pub fn role(&self, column: u32) -> Option<&Role> {
        self.columns.iter().find(|(c, _)| *c == column).map(|(_, role)| role)
    }
}

/// What one heading could mean.
#[derive(Clone, Debug, Default)]
struct Clue {
    named: Option<usize>,
    labelled: Vec<usize>,
    nth: Option<u16>,
    option: Option<usize>,
    key: bool,
}

impl Clue {
    fn knows(&self) -> bool {
        self.named.is_some() || !self.labelled.is_empty()
    }
}

fn clue(text: &str) -> Clue {
    let one = |folded: &str| {
        let key = standard().is_case_key(folded);
        Clue { named: standard().named(folded), labelled: standard().labelled(folded).to_vec(), key, ..Clue::default() }
    };
    let whole = fold(text);
    let found = one(&whole);
    if found.knows() || found.key {
        return found;
    }
    // `hte_Type_2`: another one of several.
    let bare = whole.trim_end_matches(|c: char| c.is_ascii_digit());
    if let Some(nth) = whole.strip_prefix(bare).and_then(|n| n.parse::<u16>().ok()) {
        let found = one(bare);
        let repeats = |place: &usize| standard().field(*place).is_some_and(|f| f.part.repeats());
        let places = found.named.iter().chain(&found.labelled);
        if (1..=MOST_REPEATS).contains(&nth) && places.clone().count() > 0 && places.clone().all(repeats) {
            return Clue { nth: Some(nth - 1), ..found };
        }
    }
    // `vic_MethodsOfControl/DebtBondage`: one code of several. `group/prs_Gender`: a question in a group of a form.
    if let Some((left, right)) = text.rsplit_once(['/', ':', '.']) {
        let field = left.rsplit('/').find_map(|part| Some(one(&fold(part))).filter(Clue::knows));
        if let Some(field) = field {
            let places = field.named.iter().chain(&field.labelled);
            let option = places.filter_map(|p| standard().field(*p)).find_map(|f| {
                let several = f.kind == Kind::Codes || f.kind == Kind::Code;
                match standard().meaning(f.list.as_deref().filter(|_| several)?, &fold(right))? {
                    Meaning::Code(place) => Some(*place),
                    _ => None,
                }
            });
            if option.is_some() {
                return Clue { option, ..field };
            }
        }
        let question = one(&fold(right));
        if question.named.is_some() || question.key {
            return question;
        }
    }
    Clue::default()
}

fn clues(row: &Row) -> Vec<(u32, String, Clue)> {
    let texts = row.cells.iter().filter_map(|placed| Some((placed.column, text_of(&placed.cell)?)));
    texts.map(|(column, text)| (column, text.clone(), clue(&text))).collect()
}

/// The headings of a sheet; none if the standard knows too few of any row.
pub fn find(sheet: &Sheet, notes: &mut Vec<Note>) -> Option<Headings> {
    let heads = |row: &Row| {
        let clues = clues(row);
        let fields = clues.iter().filter_map(|(_, _, c)| c.named.or(c.labelled.first().copied()));
        let known = fields.collect::<std::collections::BTreeSet<usize>>().len();
        // Two words of any table can be labels of the standard by chance: they must be a good part of what is there.
        known >= 5 || known >= 2 && known * 3 >= clues.len()
    };
    let first = sheet.rows.iter().take(LOOKED_AT).position(heads)?;
    let row = sheet.rows.get(first)?;
    let (upper, line) = (clues(row), row.line);
    // The official template has two: machine names, hidden, and labels.
    let second = sheet.rows.get(first + 1).filter(|r| r.line <= line + 1 && heads(r));
    let lower = second.map(clues).unwrap_or_default();
    let mut columns: Vec<u32> = upper.iter().chain(&lower).map(|(c, ..)| *c).collect();
    columns.sort_unstable();
    columns.dedup();
    let mut taken = Taken::default();
    let mut found = Headings {
        rows: first + 1 + usize::from(second.is_some()),
        version: version(&upper, &lower),
        ..Headings::default()
    };
    for column in columns {
        let at = |row: &[(u32, String, Clue)]| row.iter().find(|(c, ..)| *c == column).cloned();
        let (above, below) = (at(&upper), at(&lower));
        let role = taken.role(column, line, above, below, notes);
        found.columns.push((column, role));
    }
    if !found.columns.iter().any(|(_, role)| *role == Role::Key) {
        notes.push(Note::new(0, NoteCode::NoCaseKey));
    }
    Some(found)
}

/// The version by the fields that others do not have.
fn version(upper: &[(u32, String, Clue)], lower: &[(u32, String, Clue)]) -> &'static str {
    let has = |wanted: &dyn Fn(&str) -> bool| upper.iter().chain(lower).any(|(_, text, _)| wanted(&fold(text)));
    if has(&|t| t == "prsnationality" || t == "nationality") {
        "0.2"
    } else if has(&|t| standard().retired(t).is_some()) {
        "1.0"
    } else {
        super::table::VERSION
    }
}

/// What earlier columns hold.
#[derive(Default)]
struct Taken {
    slots: Vec<Slot>,
    names: Vec<String>,
    key: bool,
    last: Option<usize>,
}

impl Taken {
    fn role(
        &mut self,
        column: u32,
        line: u32,
        above: Option<(u32, String, Clue)>,
        below: Option<(u32, String, Clue)>,
        notes: &mut Vec<Note>,
    ) -> Role {
        let headings: Vec<(String, Clue)> =
            [above, below].into_iter().flatten().map(|(_, text, clue)| (text, clue)).collect();
        let heading = headings.iter().map(|(text, _)| text.clone()).next_back().unwrap_or_default();
        if !self.key && headings.iter().any(|(_, clue)| clue.key) {
            self.key = true;
            return Role::Key;
        }
        let known: Vec<&Clue> = headings.iter().map(|(_, clue)| clue).filter(|c| c.knows()).collect();
        let nth = known.iter().find_map(|c| c.nth);
        let Some(place) = self.place(&known, column, line, notes) else {
            let code = headings.iter().find_map(|(text, _)| standard().retired(&fold(text)));
            let code = if code.is_some() { NoteCode::RetiredField } else { NoteCode::UnknownColumn };
            notes.push(Note::new(line, code).column(column));
            return Role::Extension(self.unique(heading));
        };
        self.last = Some(place);
        let name = standard().field(place).map_or("", |f| f.name.as_str());
        if let Some(option) = known.iter().find_map(|c| c.option) {
            return Role::Option(Slot::new(place, nth.unwrap_or(0)), option);
        }
        let repeats = standard().field(place).is_some_and(|f| f.part.repeats());
        let free = (nth.unwrap_or(0)..MOST_REPEATS).map(|n| Slot::new(place, n)).find(|s| !self.slots.contains(s));
        match free.filter(|slot| slot.nth() == nth.unwrap_or(0) || (repeats && nth.is_none())) {
            Some(slot) => {
                self.slots.push(slot);
                Role::Field(slot)
            }
            None => {
                notes.push(Note::new(line, NoteCode::DuplicateColumn).column(column).field(name));
                Role::Extension(self.unique(format!("{heading} (again)")))
            }
        }
    }

    /// The field of a column. The label is what people saw when they wrote: it is believed against the machine name.
    fn place(&self, known: &[&Clue], column: u32, line: u32, notes: &mut Vec<Note>) -> Option<usize> {
        let named = known.iter().find_map(|c| c.named);
        let labelled = known.iter().map(|c| &c.labelled).find(|l| !l.is_empty());
        let free = |place: &&usize| !self.slots.iter().any(|s| s.place() == **place);
        let part = |place: usize| standard().field(place).map(|f| f.part);
        let of_label = |labels: &Vec<usize>| {
            // A label that several fields have is the one's beside it, or the first that is still free.
            let beside = labels.iter().find(|p| self.last.and_then(part) == part(**p));
            beside.or_else(|| labels.iter().find(free)).or_else(|| labels.first()).copied()
        };
        // The official form labels a person's position "Second Name": the second one of two is the position.
        let position = standard().place("prs_Title");
        let family = standard().place("prs_SecondName");
        match (named, labelled) {
            (Some(named), None) => Some(named),
            (Some(named), Some(labels)) if labels.contains(&named) => Some(named),
            (Some(named), Some(labels)) if Some(named) == position && labels.first().copied() == family => Some(named),
            (Some(_), Some(labels)) => {
                let place = of_label(labels)?;
                let name = standard().field(place).map_or("", |f| f.name.as_str());
                notes.push(Note::new(line, NoteCode::NameLabelMismatch).column(column).field(name));
                Some(place)
            }
            (None, Some(labels)) => {
                let place = of_label(labels)?;
                let again = Some(place) == family && self.slots.iter().any(|s| Some(s.place()) == family);
                let title = position.filter(|p| again && free(&p));
                title.or(Some(place))
            }
            (None, None) => None,
        }
    }

    /// A heading that no earlier column has.
    fn unique(&mut self, heading: String) -> String {
        let short: String = heading.chars().take(90).collect();
        let mut name = short.clone();
        let mut n = 1;
        while self.names.contains(&name) {
            n += 1;
            name = format!("{short} [{n}]");
        }
        self.names.push(name.clone());
        name
    }
}
