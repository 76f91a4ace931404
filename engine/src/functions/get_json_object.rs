//! `get_json_object(text, path)`: Hive's part of JSONPath: `$`, `.key`, `[3]`, `[*]`.
//!
//! Source: Hive `UDFJson`, followed step by step, its oddities included: a key is what stands before the first
//! character outside `[a-zA-Z0-9_\-:\s]`; over an array a key is looked up in each object; one result is not in an array.
//! Differs: numbers are written as they were read.

use arrow::array::ArrayRef;
use datafusion::common::Result;
use serde_json::Value;

use super::builtin::{Arguments, Builtin, Kind};

pub(super) fn builtins() -> Vec<Builtin> {
    vec![Builtin::fixed("get_json_object", &[Kind::String, Kind::String], 0, Kind::String, evaluate)]
}

fn evaluate(arguments: &Arguments) -> Result<ArrayRef> {
    let (texts, paths) = (arguments.strings(0)?, arguments.strings(1)?);
    let mut last: Option<(&str, Option<Path>)> = None;
    arguments.to_strings(|row, out| {
        let (text, path) = (texts.get(row)?, paths.get(row)?);
        if last.as_ref().is_none_or(|(last, _)| *last != path) {
            last = Some((path, Path::parse(path)));
        }
        let path = last.as_ref().and_then(|(_, path)| path.as_ref())?;
        let json: Value = serde_json::from_str(text).ok()?;
        match path.root_array {
            Some(true) if !json.is_array() => return None,
            Some(false) if !json.is_object() => return None,
            None if !json.is_array() && !json.is_object() => return None,
            _ => {}
        }
        write(&path.extract(json)?, out)
    })
}

/// Writes what was found: text without quotes, arrays and objects as JSON.
fn write(value: &Value, out: &mut String) -> Option<()> {
    match value {
        Value::Null => return None,
        Value::String(text) => out.push_str(text),
        other => out.push_str(&other.to_string()),
    }
    Some(())
}

#[derive(Debug)]
struct Path {
    /// Whether the text must be an array or an object; nothing for `$` alone.
    root_array: Option<bool>,
    steps: Vec<Step>,
}

#[derive(Debug)]
struct Step {
    /// Nothing for the step on a root array.
    key: Option<String>,
    /// Each a number, or all.
    indices: Vec<Option<usize>>,
}

impl Path {
    fn parse(path: &str) -> Option<Self> {
        let rest = path.strip_prefix('$')?;
        let (root_array, steps) = match rest.as_bytes() {
            [] => return Some(Path { root_array: None, steps: Vec::new() }),
            [b'[', ..] => (true, path),
            [b'.', rest @ ..] => (rest.first() == Some(&b'['), &path[2..]),
            _ => return None,
        };
        let steps = steps.split('.').enumerate();
        let steps = steps.map(|(position, step)| Step::parse(step, position == 0 && root_array));
        Some(Path { root_array: Some(root_array), steps: steps.collect::<Option<_>>()? })
    }

    fn extract(&self, mut json: Value) -> Option<Value> {
        for step in &self.steps {
            if let Some(key) = &step.key {
                json = with_key(json, key)?;
            }
            if !step.indices.is_empty() {
                json = with_indices(json, &step.indices)?;
            }
        }
        Some(json)
    }
}

impl Step {
    fn parse(text: &str, is_root: bool) -> Option<Self> {
        let is_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ':') || c.is_ascii_whitespace();
        let length = text.find(|c| !is_key(c)).unwrap_or(text.len());
        if length == 0 && !is_root {
            return None;
        }
        let mut indices = Vec::new();
        for part in text.split('[').skip(1) {
            let Some((index, _)) = part.split_once(']') else { continue };
            if index == "*" {
                indices.push(None);
            } else if !index.is_empty() && index.bytes().all(|b| b.is_ascii_digit()) {
                indices.push(Some(index.parse().ok()?));
            }
        }
        Some(Step { key: (!is_root).then(|| text[..length].to_owned()), indices })
    }
}

fn with_key(json: Value, key: &str) -> Option<Value> {
    match json {
        Value::Object(mut object) => object.remove(key),
        Value::Array(items) => {
            let mut found = Vec::new();
            for item in items {
                let Value::Object(mut object) = item else { continue };
                match object.remove(key) {
                    Some(Value::Array(inner)) => found.extend(inner),
                    None | Some(Value::Null) => {}
                    Some(value) => found.push(value),
                }
            }
            (!found.is_empty()).then_some(Value::Array(found))
        }
        _ => None,
    }
}

fn with_indices(json: Value, indices: &[Option<usize>]) -> Option<Value> {
    let mut current = vec![json];
    for index in indices {
        let mut next = Vec::new();
        for value in current {
            let Value::Array(mut items) = value else { continue };
            match index {
                None => next.append(&mut items),
                Some(index) if *index < items.len() => next.push(items.swap_remove(*index)),
                Some(_) => {}
            }
        }
        if next.is_empty() {
            return None;
        }
        current = next;
    }
    if current.len() == 1 { current.pop() } else { Some(Value::Array(current)) }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;

    #[test]
    fn paths() {
        let json = r#"'{"store":{"fruit":[{"weight":8,"type":"apple"},{"weight":9,"type":"pear"}],"basket":[[1,2],[3,4]]},"owner":"amy","n":null,"zip code":"94025","fb:testid":"1234","price":19.95,"t":true}'"#;
        for (path, expected) in [
            ("$.owner", "amy"),
            ("$.store.fruit[0].type", "apple"),
            ("$.store.fruit[*].weight", "[8,9]"),
            ("$.store.fruit.type", "[\"apple\",\"pear\"]"),
            ("$.store.basket[1]", "[3,4]"),
            ("$.store.basket[*]", "[[1,2],[3,4]]"),
            ("$.store.basket[0][1]", "2"),
            ("$.store.basket[*][0]", "[1,3]"),
            ("$.zip code", "94025"),
            ("$.fb:testid", "1234"),
            ("$.price", "19.95"),
            ("$.t", "true"),
            ("$.n", "NULL"),
            ("$.non_exist", "NULL"),
            ("$..owner", "NULL"),
            ("owner", "NULL"),
            ("$.store.fruit[9]", "NULL"),
        ] {
            check(&format!("get_json_object({json}, '{path}')"), expected);
        }
        check("get_json_object('[1,2]', '$[1]')", "2");
        check("get_json_object('[{\"a\":1}]', '$[0].a')", "1");
        check("get_json_object('{bad', '$.a')", "NULL");
        check("get_json_object('{\"a\":{\"b\":1}}', '$')", "{\"a\":{\"b\":1}}");
    }
}
