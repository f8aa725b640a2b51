//! Tables as CSV and as a chart (SVG without script). Pure.

use super::labels;
use super::question::{Question, Table};
use crate::catalogue::Catalogue;

/// Most bars of a chart.
pub const MOST_BARS: usize = 80;

/// A field of CSV (RFC 4180). What a spreadsheet would run as a formula is made a text.
pub fn field(text: &str) -> String {
    let risky = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if risky { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// Rows of CSV.
pub fn csv<'r>(head: &[&str], rows: impl Iterator<Item = Vec<String>> + 'r) -> String {
    let line = |fields: &[String]| fields.iter().map(|f| field(f)).collect::<Vec<_>>().join(",") + "\r\n";
    let mut text = line(&head.iter().map(|h| (*h).to_owned()).collect::<Vec<_>>());
    for row in rows {
        text.push_str(&line(&row));
    }
    text
}

/// A table as CSV: one column per dimension, and the count.
pub fn table_csv(question: &Question, table: &Table) -> String {
    let head: Vec<&str> = question.by.iter().map(|d| d.as_str()).chain(std::iter::once("count")).collect();
    let cells = table.cells.iter().map(|(values, count)| {
        let mut row = values.clone();
        row.push(count.to_string());
        row
    });
    csv(&head, cells)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A chart: a bar for each cell, named in the reader's language; `title` and `desc` tell it to a reader who does not see.
pub fn chart(law: &Catalogue, question: &Question, table: &Table, lang: &str) -> String {
    const LEFT: u64 = 320;
    const WIDE: u64 = 480;
    const LINE: u64 = 24;
    let by: Vec<&str> = question.by.iter().map(|d| labels::dimension(*d, lang)).collect();
    let subject = labels::subject(question.subject, lang);
    let title =
        if by.is_empty() { subject.to_owned() } else { format!("{subject} {} {}", labels::by(lang), by.join(" × ")) };
    let bars: Vec<(String, u64)> = table
        .cells
        .iter()
        .map(|(values, count)| {
            let names: Vec<String> = question.by.iter().zip(values).map(|(d, v)| labels::value(law, *d, v, lang)).collect();
            let name = if names.is_empty() { subject.to_owned() } else { names.join(" · ") };
            (name, *count)
        })
        .collect();
    let said: Vec<String> = bars.iter().map(|(name, count)| format!("{name}: {count}")).collect();
    let most = bars.iter().map(|(_, count)| *count).max().unwrap_or(0).max(1);
    let height = 56 + LINE * u64::try_from(bars.len()).unwrap_or(0) + 12;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" lang=\"{lang}\" aria-labelledby=\"title desc\" \
         viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <title id=\"title\">{title}</title>\n<desc id=\"desc\">{total}: {n}. {said}</desc>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
         <text x=\"12\" y=\"28\" font-size=\"17\" font-weight=\"bold\" fill=\"#1a1a1a\">{title}</text>\n",
        width = LEFT + WIDE + 90,
        title = escape(&title),
        total = labels::total(lang),
        n = table.total,
        said = escape(&said.join("; ")),
    );
    let mut y = 56;
    for (name, count) in &bars {
        let long = count * WIDE / most;
        let short: String = if name.chars().count() > 46 {
            name.chars().take(45).chain(std::iter::once('…')).collect()
        } else {
            name.clone()
        };
        text.push_str(&format!(
            "<text x=\"{x}\" y=\"{base}\" text-anchor=\"end\" fill=\"#1a1a1a\">{short}</text>\
             <rect x=\"{LEFT}\" y=\"{y}\" width=\"{long}\" height=\"16\" fill=\"#1f5a99\"/>\
             <text x=\"{after}\" y=\"{base}\" fill=\"#1a1a1a\">{count}</text>\n",
            x = LEFT - 8,
            base = y + 13,
            short = escape(&short),
            after = LEFT + long + 6,
        ));
        y += LINE;
    }
    text.push_str("</svg>\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::question::{Dimension, Subject};

    #[test]
    fn no_spreadsheet_runs_what_a_table_says() {
        assert_eq!(field("=1+1"), "'=1+1");
        assert_eq!(field("-5"), "'-5");
        assert_eq!(field("a,b"), "\"a,b\"");
        assert_eq!(field("say \"x\""), "\"say \"\"x\"\"\"");
        assert_eq!(field("2026-03"), "2026-03");
    }

    #[test]
    fn a_chart_is_told_in_words_and_runs_nothing() {
        let law = Catalogue::embedded().unwrap();
        let question = Question { by: vec![Dimension::Sex, Dimension::Minority], ..Question::of(Subject::Victims) };
        let cell = |a: &str, b: &str, n| (vec![a.to_owned(), b.to_owned()], n);
        let table = Table { total: 12, cells: vec![cell("female", "<b>&", 4), cell("male", "adult", 8)] };
        let svg = chart(&law, &question, &table, "fr");
        assert!(svg.contains("<title id=\"title\">Victimes par sexe × minorité</title>"), "{svg}");
        assert!(svg.contains("total: 12. "), "{svg}");
        assert!(svg.contains("&lt;b&gt;&amp;") && !svg.contains("<b>") && !svg.contains("script"), "{svg}");
        assert_eq!(svg.matches("fill=\"#1f5a99\"").count(), 2);
    }
}
