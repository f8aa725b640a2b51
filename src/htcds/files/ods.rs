//! ODS: element by element. Repeated cells and rows are counted before they are made.

use quick_xml::Reader;
use quick_xml::escape::{resolve_xml_entity, unescape};
use quick_xml::events::{BytesStart, Event};

use super::{Cell, Collector, MOST_COLUMNS, Placed, Sheet, Unreadable, spread, zip};

/// Longest text of a cell, bytes.
const LONGEST: usize = 1 << 20;

fn broken<E>(_: E) -> Unreadable {
    Unreadable::Broken
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Result<Option<String>, Unreadable> {
    match element.try_get_attribute(name).map_err(broken)? {
        None => Ok(None),
        Some(attribute) => Ok(Some(unescape(&attribute.value).map_err(broken)?.into_owned())),
    }
}

fn count(element: &BytesStart<'_>, name: &str) -> Result<u32, Unreadable> {
    attribute(element, name)?.map_or(Ok(1), |text| text.parse().map_err(broken))
}

/// A cell while it is read.
struct Open {
    value: Option<Cell>,
    text: String,
    paragraphs: u32,
    formula: bool,
    repeated: u32,
    spans: (u32, u32),
}

impl Open {
    fn start(element: &BytesStart<'_>) -> Result<Self, Unreadable> {
        let get = |name| attribute(element, name);
        let number = |text: String| text.parse::<f64>().map_err(broken);
        let kind = get("office:value-type")?.unwrap_or_default();
        let value = match kind.as_str() {
            "float" | "percentage" | "currency" => get("office:value")?.map(number).transpose()?.map(Cell::Number),
            "date" => get("office:date-value")?.map(Cell::Text),
            "boolean" => get("office:boolean-value")?.map(|b| Cell::Flag(b == "true")),
            "string" => get("office:string-value")?.map(Cell::Text),
            _ => None,
        };
        let error = get("calcext:value-type")?.as_deref() == Some("error");
        Ok(Self {
            value: if error { Some(Cell::Error) } else { value },
            text: String::new(),
            paragraphs: 0,
            formula: get("table:formula")?.is_some(),
            repeated: count(element, "table:number-columns-repeated")?,
            spans: (count(element, "table:number-rows-spanned")?, count(element, "table:number-columns-spanned")?),
        })
    }

    fn push(&mut self, text: &str) -> Result<(), Unreadable> {
        self.text.push_str(text);
        if self.text.len() > LONGEST { Err(Unreadable::TooLarge) } else { Ok(()) }
    }

    fn finish(self) -> Option<Cell> {
        self.value.or_else(|| (!self.text.trim().is_empty()).then_some(Cell::Text(self.text)))
    }
}

/// Reads the tables of a document whose unpacked size has been checked.
pub fn read(bytes: &[u8]) -> Result<Vec<Sheet>, Unreadable> {
    let manifest = zip::part(bytes, "META-INF/manifest.xml").unwrap_or_default();
    if manifest.windows(15).any(|w| w == b"encryption-data") {
        return Err(Unreadable::Encrypted);
    }
    let content = zip::part(bytes, "content.xml")?;
    let mut reader = Reader::from_reader(content.as_slice());
    reader.config_mut().expand_empty_elements = true;
    let mut buffer = Vec::new();
    let mut sheets = Vec::new();
    let mut table: Option<Table> = None;
    let mut cell: Option<Open> = None;
    // Comments stand inside cells and are nobody's value.
    let mut comment = false;
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer).map_err(broken)? {
            Event::Eof => break,
            Event::Start(element) => match (element.name().as_ref(), &mut table, &mut cell) {
                ("table:table", none @ None, _) => {
                    *none = Some(Table { name: attribute(&element, "table:name")?.unwrap_or_default(), ..Table::default() });
                }
                ("table:table-row", Some(table), None) => {
                    table.repeated = count(&element, "table:number-rows-repeated")?;
                    table.row.clear();
                    table.column = 0;
                }
                ("table:table-cell" | "table:covered-table-cell", Some(_), open @ None) => {
                    *open = Some(Open::start(&element)?)
                }
                ("office:annotation", ..) => comment = true,
                ("text:p", _, Some(open)) if !comment => {
                    open.paragraphs += 1;
                    if open.paragraphs > 1 {
                        open.push("\n")?;
                    }
                }
                ("text:s", _, Some(open)) if !comment => {
                    let spaces = usize::try_from(count(&element, "text:c")?).map_err(broken)?;
                    open.push(&" ".repeat(spaces.min(LONGEST)))?;
                }
                ("text:tab", _, Some(open)) if !comment => open.push("\t")?,
                ("text:line-break", _, Some(open)) if !comment => open.push("\n")?,
                _ => {}
            },
            Event::Text(text) if !comment => {
                if let Some(open) = &mut cell {
                    open.push(&text.xml10_content())?;
                }
            }
            Event::GeneralRef(entity) if !comment => {
                if let Some(open) = &mut cell {
                    // An entity of the document's own is not resolved: it could stand for gigabytes.
                    let one = entity.resolve_char_ref().map_err(broken)?;
                    match (resolve_xml_entity(&entity), one) {
                        (Some(text), _) => open.push(text)?,
                        (None, Some(one)) => open.push(one.encode_utf8(&mut [0; 4]))?,
                        (None, None) => return Err(Unreadable::Broken),
                    }
                }
            }
            Event::End(element) => match (element.name().as_ref(), &mut table) {
                ("office:annotation", _) => comment = false,
                ("table:table-cell" | "table:covered-table-cell", Some(table)) => {
                    if let Some(open) = cell.take() {
                        table.put(open)?;
                    }
                }
                ("table:table-row", Some(table)) => table.end_row()?,
                ("table:table", some) => {
                    if let Some(Table { name, found, regions, .. }) = some.take() {
                        let mut sheet = Sheet { name, rows: found.rows, ..Sheet::default() };
                        spread(&mut sheet, &regions)?;
                        sheets.push(sheet);
                    }
                }
                _ => {}
            },
            _ => {}
        }
    }
    Ok(sheets)
}

/// A table while it is read.
#[derive(Default)]
struct Table {
    name: String,
    found: Collector,
    regions: Vec<super::Region>,
    /// Rows before this one.
    above: u32,
    repeated: u32,
    column: u32,
    row: Vec<Placed>,
}

impl Table {
    fn put(&mut self, open: Open) -> Result<(), Unreadable> {
        let (from, repeated, formula) = (self.column, open.repeated, open.formula);
        self.column = from.checked_add(repeated).ok_or(Unreadable::TooLarge)?;
        let (rows, columns) = open.spans;
        if rows > 1 || columns > 1 {
            let bottom = self.above.saturating_add(rows.saturating_sub(1));
            self.regions.push(((self.above, from), (bottom, from.saturating_add(columns.saturating_sub(1)))));
        }
        let Some(cell) = open.finish() else { return Ok(()) };
        let heavy = match &cell {
            Cell::Text(text) => text.len().saturating_mul(usize::try_from(repeated).unwrap_or(usize::MAX)) > 16 * LONGEST,
            _ => false,
        };
        if heavy || self.column > MOST_COLUMNS {
            return Err(Unreadable::TooLarge);
        }
        self.row.extend((from..self.column).map(|column| Placed { column, cell: cell.clone(), formula }));
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), Unreadable> {
        if self.row.is_empty() {
            self.above = self.above.saturating_add(self.repeated);
            return Ok(());
        }
        for _ in 0..self.repeated {
            self.above = self.above.checked_add(1).ok_or(Unreadable::TooLarge)?;
            for placed in &self.row {
                self.found.put(self.above, placed.clone())?;
            }
        }
        Ok(())
    }
}
