//! JSON in its one canonical form (RFC 8785), so that two programs hash the same bytes. Pure.

use serde_json::Value;

/// The canonical form of a value: members sorted by their names' UTF-16 code units, nothing between the tokens. A number
/// that is no integer has none here: the registry's documents hold no such numbers.
pub fn canonical(value: &Value) -> Option<String> {
    let mut out = String::new();
    write(value, &mut out)?;
    Some(out)
}

fn write(value: &Value, out: &mut String) -> Option<()> {
    match value {
        Value::Object(members) => {
            let mut sorted: Vec<(&String, &Value)> = members.iter().collect();
            sorted.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            out.push('{');
            for (n, (name, member)) in sorted.into_iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                text(name, out)?;
                out.push(':');
                write(member, out)?;
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (n, item) in items.iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                write(item, out)?;
            }
            out.push(']');
        }
        Value::String(content) => text(content, out)?,
        Value::Number(number) if number.is_f64() => return None,
        Value::Null | Value::Bool(_) | Value::Number(_) => out.push_str(&value.to_string()),
    }
    Some(())
}

/// serde_json escapes what ECMAScript escapes, in the same way: RFC 8785 §3.2.2.2 asks for no more.
fn text(content: &str, out: &mut String) -> Option<()> {
    out.push_str(&serde_json::to_string(content).ok()?);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_examples_of_the_rfc_come_out_as_it_says() {
        // RFC 8785 §3.2.3, without its floating-point numbers.
        let value: Value = serde_json::from_str(
            "{\"\\u20ac\": \"Euro Sign\", \"\\r\": \"Carriage Return\", \"\\ufb33\": \"Hebrew\", \"1\": \"One\", \
             \"\\ud83d\\ude00\": \"Emoji\", \"\\u0080\": \"Control\", \"\\u00f6\": \"Latin\"}",
        )
        .unwrap();
        let expected = "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u{80}\":\"Control\",\"\u{f6}\":\"Latin\",\
                        \"\u{20ac}\":\"Euro Sign\",\"\u{1f600}\":\"Emoji\",\"\u{fb33}\":\"Hebrew\"}";
        assert_eq!(canonical(&value).unwrap(), expected);
        let escapes = serde_json::json!(["\u{20ac}$\u{f}\nA'B\"\\\\\"/", null, true, 12]);
        assert_eq!(canonical(&escapes).unwrap(), "[\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\",null,true,12]");
        assert_eq!(canonical(&serde_json::json!({"a": 1.5})), None);
    }

    proptest! {
        #[test]
        fn the_form_reads_back_to_the_value_and_is_its_own_form(names in prop::collection::btree_map(".{0,6}", ".{0,20}", 0..8), n in any::<i64>()) {
            let value = serde_json::json!({"m": names, "n": [n]});
            let form = canonical(&value).unwrap();
            let again: Value = serde_json::from_str(&form).unwrap();
            prop_assert_eq!(&again, &value);
            prop_assert_eq!(canonical(&again).unwrap(), form);
        }
    }
}
