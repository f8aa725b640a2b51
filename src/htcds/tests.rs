//! Files as they come, and the round trip of everything that the standard can say.

use std::io::{Cursor, Write};

use proptest::prelude::*;
use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook};
use zip::write::SimpleFileOptions;

use super::dates::Order;
use super::files::{Cell, Placed, Row, Sheet};
use super::record::{Record, Slot, Value};
use super::report::{Level, NoteCode};
use super::table::{Field, Kind, standard};
use super::{FileFormat, Reading, Unreadable, read, write};
use crate::kernel::PartialDate;

fn text(given: &str) -> Option<Value> {
    Some(Value::Text(given.to_owned()))
}

fn of(bytes: &[u8]) -> Reading {
    read(bytes, Order::DayFirst).unwrap()
}

fn codes(reading: &Reading) -> Vec<(u32, NoteCode)> {
    reading.notes.iter().map(|n| (n.line, n.code)).collect()
}

/// A workbook of rows of text, the first of them as in the official template if there are two heads.
fn book(rows: &[&[&str]]) -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (row, cells) in (0..).zip(rows) {
        for (column, cell) in (0..).zip(*cells) {
            sheet.write_string(row, column, *cell).unwrap();
        }
    }
    book.save_to_buffer().unwrap()
}

fn pack(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A workbook with another part in the place of one of its own.
fn with_part(book: &[u8], name: &str, change: impl Fn(String) -> String) -> Vec<u8> {
    let mut from = zip::ZipArchive::new(Cursor::new(book)).unwrap();
    let mut parts = Vec::new();
    for index in 0..from.len() {
        let mut part = from.by_index(index).unwrap();
        let mut content = String::new();
        std::io::Read::read_to_string(&mut part, &mut content).unwrap();
        let part = part.name().unwrap().into_owned();
        let content = if part == name { change(content) } else { content };
        parts.push((part, content));
    }
    pack(&parts.iter().map(|(n, c)| (n.as_str(), c.as_bytes())).collect::<Vec<_>>())
}

const SHEET: &str = "xl/worksheets/sheet1.xml";

#[test]
fn the_labels_of_the_official_template_are_believed_against_its_shifted_names() {
    // Columns M to R of the template, T with its misspelt name, AJ without one, and its counted empty rows.
    let names = [
        "",
        "prs_MobilePhone",
        "prs_MailingCity",
        "prs_MailingCountry",
        "prs_MailingState",
        "prs_MailingStreet",
        "prs_MailingPostalCode",
        "vic_TraffickinStatusDecisionMakingOrg",
        "",
    ];
    let labels = [
        "",
        "Mobile Phone",
        "Mailing Street",
        "Mailing City",
        "Mailing State/Province",
        "Mailing Zip/Postal Code",
        "Mailing Country",
        "Trafficking Status Decision Making Organization",
        "Reason for Outgoing Referral",
    ];
    let row = ["1", "+51900000000", "Jr. Puno 1", "Lima", "Lima", "15001", "Peru", "Court or prosecution", "Other"];
    let reading = of(&book(&[&names, &labels, &row, &["2"], &["3"]]));
    assert_eq!(reading.records.len(), 1, "rows with a number alone are empty");
    let (line, record) = &reading.records[0];
    assert_eq!(*line, 3);
    let read: Vec<(String, String)> = record.values.iter().map(|(s, v)| (s.name(), v.text())).collect();
    for (field, value) in [
        ("prs_MailingStreet", "Jr. Puno 1"),
        ("prs_MailingCity", "Lima"),
        ("prs_MailingPostalCode", "15001"),
        ("prs_MailingCountry", "PE"),
        ("vic_TraffickingStatusDecisionMakingOrg", "CourtOrProsecution"),
        ("cas_ReasonForOutgoingReferral", "Other"),
    ] {
        assert!(read.contains(&(field.to_owned(), value.to_owned())), "{field}: {read:?}");
    }
    let shifted: Vec<&str> = reading
        .notes
        .iter()
        .filter(|n| n.code == NoteCode::NameLabelMismatch)
        .map(|n| n.column.as_deref().unwrap())
        .collect();
    assert_eq!(shifted, ["C", "D", "F", "G"]);
}

#[test]
fn the_official_form_is_read_with_its_names_its_double_label_and_its_columns_per_option() {
    let csv = "start,_uuid,prs_First_Name,prs_Second_Name,prs_Title,vic_Methods_of_Control,vic_Methods_of_Control/DebtBondage ,group/prs_Gender,vic_TypeOfExploitation/ForcedLabour,vic_TypeOfExploitation/Surrogacy\n\
        2026-01-01T10:00,uuid-1,Rosa,Quispe,Nurse,PhysicalThreats SexualAbuse,1,Feminine,TRUE,0\n";
    let reading = of(csv.as_bytes());
    let record = &reading.records[0].1;
    assert_eq!(record.key.as_deref(), Some("uuid-1"));
    assert_eq!((record.text("prs_FirstName"), record.text("prs_Title")), (Some("Rosa"), Some("Nurse")));
    assert_eq!(record.codes("vic_MethodsOfControl"), ["PhysicalThreats", "DebtBondage", "SexualAbuse"]);
    assert_eq!(
        (record.code("prs_Gender"), record.codes("vic_TypeOfExploitation")),
        (Some("Feminine"), &["ForcedLabour".to_owned()][..])
    );
    assert_eq!(record.extensions.get("start").map(String::as_str), Some("2026-01-01T10:00"));
    // With labels in the place of names, a person's position is called "Second Name", too.
    let labels = of("First Name,Second Name,Birthdate,Second Name\nRosa,Quispe,2004,Nurse\n".as_bytes());
    assert_eq!(
        (labels.records[0].1.text("prs_SecondName"), labels.records[0].1.text("prs_Title")),
        (Some("Quispe"), Some("Nurse"))
    );
    let definition = {
        let mut book = Workbook::new();
        for name in ["survey", "choices", "settings"] {
            book.add_worksheet().set_name(name).unwrap().write_string(0, 0, "prs_Gender").unwrap();
        }
        book.save_to_buffer().unwrap()
    };
    assert_eq!(read(&definition, Order::DayFirst).err(), Some(Unreadable::FormDefinition));
}

#[test]
fn older_versions_are_recognised_and_their_values_brought_up_to_date() {
    let old = of("prs_FirstName,prs_Gender,prs_Nationality,vic_TypeOfExploitation\nRosa,Female,PE,IllegalAdoption;IllicitActivities\n".as_bytes());
    assert_eq!(
        (old.version, old.records[0].1.code("prs_Gender"), old.records[0].1.code("prs_Citizenship")),
        ("0.2", Some("Feminine"), Some("PE"))
    );
    assert_eq!(old.records[0].1.codes("vic_TypeOfExploitation"), ["ForcedAdoption", "Other"]);
    let middle = of("prs_FirstName,con_Consent,con_UseOfData\nRosa,TRUE,FALSE\n".as_bytes());
    assert_eq!(
        (middle.version, middle.records[0].1.extensions.get("con_UseOfData").map(String::as_str)),
        ("1.0", Some("FALSE"))
    );
    assert!(codes(&middle).contains(&(1, NoteCode::RetiredField)));
    assert_eq!(of("prs_FirstName,prs_Gender\nRosa,F\n".as_bytes()).version, "2.0");
}

#[test]
fn days_of_both_epochs_formulas_errors_and_merged_cells_are_read_and_told() {
    let made = |old: bool| {
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        for (column, name) in
            (0..).zip(["cas_Id", "prs_FirstName", "prs_Birthdate", "prs_NumberOfChildren", "cas_CaseOwner"])
        {
            sheet.write_string(0, column, name).unwrap();
        }
        let day = Format::new().set_num_format("dd/mm/yyyy");
        sheet.write_datetime_with_format(1, 2, ExcelDateTime::from_ymd(2004, 5, 6).unwrap(), &day).unwrap();
        sheet.write_string(1, 1, "Rosa").unwrap();
        sheet.write_formula(1, 3, Formula::new("=1+1").set_result("2")).unwrap();
        sheet.merge_range(1, 4, 2, 4, "Team A", &Format::new()).unwrap();
        sheet.write_string(2, 1, "Ana").unwrap();
        sheet.write_number(2, 2, 38_113.0).unwrap();
        sheet.write_formula(2, 3, Formula::new("=1/0").set_result("#DIV/0!")).unwrap();
        let book = book.save_to_buffer().unwrap();
        if old {
            with_part(&book, "xl/workbook.xml", |x| x.replacen("<workbookPr ", "<workbookPr date1904=\"1\" ", 1))
        } else {
            book
        }
    };
    let reading = of(&made(false));
    let born = |reading: &Reading, n: usize| reading.records[n].1.get("prs_Birthdate").unwrap().text();
    assert_eq!((born(&reading, 0), born(&reading, 1)), ("2004-05-06".into(), "2004-05-06".into()));
    assert_eq!(reading.records[0].1.get("prs_NumberOfChildren"), Some(&Value::Number(2)));
    assert_eq!(reading.records[1].1.get("prs_NumberOfChildren"), None);
    assert_eq!([0, 1].map(|n| reading.records[n].1.text("cas_CaseOwner")), [Some("Team A"); 2]);
    for told in [(2, NoteCode::Formula), (2, NoteCode::MergedCells), (3, NoteCode::SerialDate), (3, NoteCode::CellError)] {
        assert!(codes(&reading).contains(&told), "{told:?}: {:?}", codes(&reading));
    }
    assert_eq!(born(&of(&made(true)), 0), "2008-05-07", "the same number, counted from 1904");
}

#[test]
fn a_hundred_thousand_empty_rows_and_a_sheet_that_says_it_is_a_billion_cost_nothing() {
    let small = book(&[&["prs_FirstName", "prs_Gender"], &["Rosa", "Feminine"]]);
    let empty: String = (3..100_003).map(|n| format!("<row r=\"{n}\"><c r=\"A{n}\" s=\"0\"/></row>")).collect();
    let large = with_part(&small, SHEET, |x| {
        x.replacen(
            "</sheetData>",
            &format!(
                "{empty}<row r=\"1048576\"><c r=\"B1048576\" t=\"inlineStr\"><is><t>Masculine</t></is></c></row></sheetData>"
            ),
            1,
        )
    });
    let large = with_part(&large, SHEET, |x| {
        let from = x.find("<dimension").unwrap();
        let to = from + x[from..].find("/>").unwrap();
        format!("{}<dimension ref=\"A1:XFD1048576\"{}", &x[..from], &x[to..])
    });
    let reading = of(&large);
    assert_eq!(reading.records.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 1_048_576]);
}

#[test]
fn what_unpacks_beyond_the_limits_is_refused_before_it_is_read() {
    let many = vec![b' '; 64 << 20];
    let parts: Vec<(String, &[u8])> = (0..9).map(|n| (format!("xl/{n}.xml"), many.as_slice())).collect();
    let bomb = pack(&parts.iter().map(|(n, c)| (n.as_str(), *c)).collect::<Vec<_>>());
    assert!(bomb.len() < 1 << 20);
    assert_eq!(read(&bomb, Order::DayFirst).err(), Some(Unreadable::TooLarge));
    // The same, with sizes that are a lie: what comes out counts.
    let mut liar = bomb.clone();
    let real = u32::try_from(many.len()).unwrap().to_le_bytes();
    let at: Vec<usize> = liar.windows(4).enumerate().filter(|(_, w)| **w == real).map(|(n, _)| n).collect();
    for at in at {
        liar[at..at + 4].copy_from_slice(&10_u32.to_le_bytes());
    }
    assert!(matches!(read(&liar, Order::DayFirst).err(), Some(Unreadable::TooLarge | Unreadable::Broken)));
    // One text of a megabyte in a thousand cells.
    let text = "x".repeat(1 << 20);
    let cells: String = (1..=400).map(|n| format!("<row r=\"{n}\"><c r=\"A{n}\" t=\"s\"><v>0</v></c></row>")).collect();
    let amplified =
        with_part(&book(&[&["x"]]), "xl/sharedStrings.xml", |x| x.replacen("<t>x</t>", &format!("<t>{text}</t>"), 1));
    let amplified = with_part(&amplified, SHEET, |x| {
        let (from, to) = (x.find("<sheetData>").unwrap(), x.find("</sheetData>").unwrap());
        format!("{}<sheetData>{cells}{}", &x[..from], &x[to..])
    });
    assert_eq!(read(&amplified, Order::DayFirst).err(), Some(Unreadable::TooLarge));
}

#[test]
fn a_reference_that_no_spreadsheet_writes_is_a_broken_file() {
    for (row, cell) in
        [("99999999999999", "ZZZZZZZZZZ99999999999999"), ("0", "A0"), ("4294967296", "A4294967296"), ("1", "ZZZZZZZ1")]
    {
        let sheet = with_part(&book(&[&["prs_FirstName"]]), SHEET, |x| {
            let (from, to) = (x.find("<sheetData>").unwrap(), x.find("</sheetData>").unwrap());
            format!("{}<sheetData><row r=\"{row}\"><c r=\"{cell}\"><v>1</v></c></row>{}", &x[..from], &x[to..])
        });
        assert!(read(&sheet, Order::DayFirst).is_err(), "{cell}");
    }
}

#[test]
fn merged_regions_do_not_make_a_small_file_a_large_table() {
    let columns = super::files::MOST_CELLS / super::files::MOST_ROWS + 1;
    let row = |line: u32, columns: usize| -> Row {
        let cell = |column| Placed { column, cell: Cell::Flag(true), formula: false };
        Row { line, cells: (0..u32::try_from(columns).unwrap()).map(cell).collect() }
    };
    let merged = |rows: usize| {
        let mut sheet = Sheet { rows: vec![row(1, columns)], ..Sheet::default() };
        sheet.rows.extend((2..=u32::try_from(rows).unwrap()).map(|line| row(line, 0)));
        let column = |n| ((0, n), (u32::MAX, n));
        let regions: Vec<_> = (0..u32::try_from(columns).unwrap()).map(column).collect();
        super::files::spread(&mut sheet, &regions).map(|()| sheet.rows.iter().map(|r| r.cells.len()).sum::<usize>())
    };
    assert_eq!(merged(100), Ok(100 * columns));
    assert_eq!(merged(super::files::MOST_ROWS), Err(Unreadable::TooLarge));
    let many = vec![((0, 0), (0, 0)); super::files::MOST_REGIONS + 1];
    assert_eq!(super::files::spread(&mut Sheet::default(), &many), Err(Unreadable::TooLarge));
}

fn ods(rows: &str) -> Vec<u8> {
    let content = format!(
        "<?xml version=\"1.0\"?><office:document-content><office:body><office:spreadsheet><table:table table:name=\"S\">{rows}</table:table></office:spreadsheet></office:body></office:document-content>"
    );
    pack(&[
        ("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"),
        ("META-INF/manifest.xml", b"<m/>"),
        ("content.xml", content.as_bytes()),
    ])
}

#[test]
fn opendocument_is_read_like_the_others_and_its_repetitions_are_counted_first() {
    let head = "<table:table-row><table:table-cell office:value-type=\"string\"><text:p>prs_FirstName</text:p></table:table-cell><table:table-cell office:value-type=\"string\"><text:p>prs_Birthdate</text:p></table:table-cell><table:table-cell office:value-type=\"string\"><text:p>prs_Gender</text:p></table:table-cell></table:table-row>";
    let row = "<table:table-row table:number-rows-repeated=\"1000\"><table:table-cell table:number-columns-repeated=\"16384\"/></table:table-row>\
        <table:table-row><table:table-cell office:value-type=\"string\"><office:annotation><text:p>no</text:p></office:annotation><text:p>Rosa &amp; <text:s text:c=\"2\"/>Ana</text:p></table:table-cell>\
        <table:table-cell office:value-type=\"date\" office:date-value=\"2004-05-06T00:00:00\"><text:p>06/05/04</text:p></table:table-cell>\
        <table:table-cell office:value-type=\"string\" table:formula=\"of:=A1\" office:string-value=\"Feminine\"><text:p>F</text:p></table:table-cell></table:table-row>\
        <table:table-row table:number-rows-repeated=\"1048576\"><table:table-cell table:number-columns-repeated=\"16384\"/></table:table-row>";
    let reading = of(&ods(&format!("{head}{row}")));
    let (line, record) = &reading.records[0];
    assert_eq!(
        (*line, record.text("prs_FirstName"), record.code("prs_Gender")),
        (1_002, Some("Rosa &   Ana"), Some("Feminine"))
    );
    assert_eq!(record.get("prs_Birthdate").unwrap().text(), "2004-05-06");
    assert!(codes(&reading).contains(&(1_002, NoteCode::Formula)));
    for bomb in [
        "<table:table-row table:number-rows-repeated=\"1048576\"><table:table-cell office:value-type=\"string\"><text:p>x</text:p></table:table-cell></table:table-row>",
        "<table:table-row><table:table-cell table:number-columns-repeated=\"16384\" office:value-type=\"string\"><text:p>x</text:p></table:table-cell></table:table-row>",
        "<table:table-row><table:table-cell office:value-type=\"string\"><text:p>x<text:s text:c=\"4000000000\"/></text:p></table:table-cell></table:table-row>",
    ] {
        assert_eq!(read(&ods(bomb), Order::DayFirst).err(), Some(Unreadable::TooLarge), "{bomb}");
    }
}

#[test]
fn files_that_are_none_are_refused_in_one_word() {
    let refused = |bytes: &[u8]| read(bytes, Order::DayFirst).err();
    assert_eq!(refused(b""), Some(Unreadable::Empty));
    assert_eq!(refused(b"PK\x03\x04 and nothing more"), Some(Unreadable::Broken));
    assert_eq!(refused(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), Some(Unreadable::OldWorkbook));
    assert_eq!(refused(b"a,b\n1,2\n"), Some(Unreadable::NoHeadings));
    let list =
        "Section,Status,Core,Prefix,Name here,Field Label,Field Type,Description,Notes\nPerson,DRAFT,,prs_,x,y,Text,z,\n";
    assert_eq!(refused(list.as_bytes()), Some(Unreadable::NoHeadings), "two labels of nine are chance");
    assert_eq!(refused(b"{\"htcds\": \"3.0\", \"records\": []}"), Some(Unreadable::NotTheProfile(0)));
    assert_eq!(
        refused(b"{\"htcds\": \"2.0\", \"records\": [{\"case\": {\"cas_Nothing\": \"x\"}}]}"),
        Some(Unreadable::NotTheProfile(1))
    );
    assert_eq!(refused(&pack(&[("x", b"y")])), Some(Unreadable::Broken));
}

#[test]
fn no_note_repeats_what_stood_in_a_cell() {
    let word = "Zqcanario";
    let csv = format!(
        "prs_FirstName,prs_Birthdate,prs_Gender,prs_HomePhone,prs_NumberOfChildren,{word} head\n{word},{word},{word},{word},{word},{word},{word}\n"
    );
    let reading = of(csv.as_bytes());
    assert!(reading.notes.len() >= 6);
    let told = serde_json::to_string(&reading.notes).unwrap();
    assert!(!told.contains(word), "{told}");
    let kept = &reading.records[0].1;
    for name in [
        "prs_Birthdate (as written)",
        "prs_Gender (as written)",
        "prs_NumberOfChildren (as written)",
        "Zqcanario head",
        "column G",
    ] {
        assert_eq!(kept.extensions.get(name).map(String::as_str), Some(word), "{name}");
    }
    assert_eq!(kept.get("prs_HomePhone"), text(word).as_ref());
    assert!(reading.notes.iter().all(|n| n.level != Level::Rejected));
}

/// Text that a cell can hold: trimmed, NFC, no controls; dangerous beginnings, line ends and quotes among it.
fn words() -> impl Strategy<Value = String> {
    "[=+@'\\-a-zñÁ0-9]([a-zñÁ,;|\"'\n\t =+.0-9-]{0,20}[a-zñÁ0-9.])?".prop_filter_map("tidy", |t| super::record::tidy(&t))
}

fn value(field: &'static Field) -> BoxedStrategy<Value> {
    let list = || standard().list(field.list.as_deref().unwrap());
    let of_list = move |most: usize| {
        proptest::sample::subsequence((0..list().len()).collect::<Vec<_>>(), 1..=most.min(list().len()))
            .prop_map(move |places| Value::Codes(places.into_iter().map(|p| list()[p].code.clone()).collect()))
    };
    let day = (1900_i32..2200, 1_u32..13, 1_u32..29, 0_usize..3).prop_map(|(y, m, d, cut)| {
        Value::Date(PartialDate::parse(&format!("{y:04}-{m:02}-{d:02}")[..[4, 7, 10][cut]]).unwrap())
    });
    match field.kind {
        Kind::Text | Kind::Long | Kind::Phone => words().prop_map(Value::Text).boxed(),
        Kind::Date => day.boxed(),
        Kind::Number => (0_u32..=200).prop_map(Value::Number).boxed(),
        Kind::Decimal => (-180_i32..=180, 0_u32..1_000_000).prop_map(|(w, p)| Value::Text(format!("{w}.{p:06}"))).boxed(),
        Kind::Flag => any::<bool>().prop_map(Value::Flag).boxed(),
        Kind::Code => of_list(1).boxed(),
        Kind::Codes => of_list(usize::MAX).boxed(),
        Kind::Country => {
            proptest::sample::select(standard().countries()).prop_map(|c| Value::Codes(vec![c.to_owned()])).boxed()
        }
        Kind::Countries => proptest::sample::subsequence(standard().countries(), 1..4)
            .prop_shuffle()
            .prop_map(|all| Value::Codes(all.into_iter().map(str::to_owned).collect()))
            .boxed(),
        Kind::Language => "[a-z]{2,3}".prop_map(|c| Value::Codes(vec![c])).boxed(),
    }
}

/// Any record: every field may be said, in every slot of what repeats, and things that the standard does not know.
pub(super) fn any_record() -> impl Strategy<Value = Record> {
    let slots = (0..standard().fields().len()).flat_map(|place| {
        let repeats = standard().fields()[place].part.repeats();
        (0..if repeats { 3 } else { 1 }).map(move |nth| Slot::new(place, nth))
    });
    let values: Vec<_> =
        slots.map(|slot| (Just(slot), proptest::option::weighted(0.4, value(slot.field().unwrap())))).collect();
    let extensions = proptest::collection::btree_map("x[a-z]{3,8} [a-z]{2}", words(), 0..4);
    (proptest::option::of("[A-Z]{3}-[0-9]{1,6}"), values, extensions).prop_map(|(key, values, extensions)| Record {
        key,
        values: values.into_iter().filter_map(|(slot, value)| Some((slot, value?))).collect(),
        extensions,
    })
}

#[test]
fn every_field_and_every_code_comes_back_from_every_format() {
    let mut records = Vec::new();
    for (place, field) in standard().fields().iter().enumerate() {
        let all: Vec<Value> = match (field.kind, &field.list) {
            (Kind::Code, Some(list)) => standard().list(list).iter().map(|c| Value::Codes(vec![c.code.clone()])).collect(),
            (Kind::Codes, Some(list)) => {
                let codes = standard().list(list);
                let each = codes.iter().map(|c| Value::Codes(vec![c.code.clone()]));
                each.chain([Value::Codes(codes.iter().map(|c| c.code.clone()).collect())]).collect()
            }
            (Kind::Country | Kind::Countries, _) => {
                standard().countries().iter().map(|c| Value::Codes(vec![(*c).to_owned()])).collect()
            }
            _ => Vec::new(),
        };
        for value in all {
            let name = Slot::of("prs_FirstName").unwrap();
            let values = [(name, Value::Text("x".into())), (Slot::new(place, 0), value)].into();
            records.push(Record { key: Some(format!("K-{}", records.len())), values, ..Record::default() });
        }
    }
    assert!(records.len() > 700);
    for format in [FileFormat::Csv, FileFormat::Xlsx, FileFormat::Json] {
        let reading = of(&write(&records, format).unwrap());
        assert_eq!(codes(&reading), [], "{format:?}");
        for (said, (line, back)) in records.iter().zip(&reading.records) {
            assert_eq!(said, back, "{format:?} line {line}");
        }
        assert_eq!(reading.records.len(), records.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn import_of_an_export_is_the_record_in_every_format(mut records in proptest::collection::vec(any_record(), 1..4)) {
        records.retain(|r| !r.is_empty());
        for format in [FileFormat::Csv, FileFormat::Xlsx, FileFormat::Json] {
            let back: Vec<Record> = of(&write(&records, format).unwrap()).records.into_iter().map(|(_, r)| r).collect();
            prop_assert_eq!(&back, &records, "{:?}", format);
        }
    }
}
