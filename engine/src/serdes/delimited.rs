//! LazySimpleSerDe: fields between separators, `ROW FORMAT DELIMITED`.
//!
//! Source: `serde2/lazy/{LazySimpleSerDe,LazySerDeParameters,LazyStruct,LazyUtils}.java`, Hive 2.3 and 3.1. Complex
//! columns can be written and not yet be read.

mod separators;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Fields, SchemaRef};

use self::separators::Separators;
use super::column::{FieldPlace, FieldPlaces, FieldTable, is_readable};
use super::lazy_value::LazyRules;
use super::row_plan::RowPlan;
use super::text_writer::TextWriter;
use super::utf8::{RecordTexts, report_invalid};
use super::{BadRecords, Deserializer, RowFilter, Serializer, TableSerde};
use crate::config::{OnInvalidUtf8, SerdeConfig};
use crate::error::{Error, Result, codes};
use crate::hive_type::hive_type_name;
use crate::input::{RecordBlock, RecordRange};

/// Levels of nesting that Hive has separators for unless it is asked for more.
const SEPARATORS_DEFAULT: usize = 8;

/// The signs of a delimited text, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DelimitedFormat {
    /// Between columns, then between items, then between a key and its value, then of deeper levels.
    pub separators: Vec<u8>,
    pub escape: Option<u8>,
    pub null: Vec<u8>,
    /// Line breaks in text are escaped too, where there is an escape character.
    pub escape_line_breaks: bool,
    pub last_column_takes_rest: bool,
    /// A setting of the session in Hive, which whoever plans the table puts among the properties.
    pub extended_boolean_literal: bool,
}

/// A table in LazySimpleSerDe's format.
#[derive(Debug)]
pub(super) struct DelimitedSerde {
    format: Arc<DelimitedFormat>,
    columns: SchemaRef,
    warnings: Vec<String>,
    on_invalid_utf8: OnInvalidUtf8,
}

impl DelimitedFormat {
    /// Reads the properties; what cannot be followed to the letter is said in `warnings`.
    pub(super) fn new(properties: &BTreeMap<String, String>, warnings: &mut Vec<String>) -> Result<Self> {
        let get = |key: &str| properties.get(key).map(String::as_str);
        let mut byte = |keys: &[&str], default: u8| {
            let found = keys.iter().find_map(|&key| Some((key, get(key)?)));
            found.map_or(default, |(key, value)| separator_byte(key, value, default, warnings))
        };
        let mut separators = vec![
            byte(&["field.delim", "serialization.format"], 1),
            // Hive spells this key so.
            byte(&["colelction.delim", "collection.delim"], 2),
            byte(&["mapkey.delim"], 3),
        ];
        let escape = get("escape.delim").map(|_| byte(&["escape.delim"], b'\\'));
        separators.extend((4..=8).chain([11]).chain(14..=26).chain(28..=31).chain(128..=255));
        separators.truncate(if is_true(get("hive.serialization.extend.additional.nesting.levels")) {
            separators.len()
        } else if is_true(get("hive.serialization.extend.nesting.levels")) {
            24
        } else {
            SEPARATORS_DEFAULT
        });
        if get("line.delim").is_some_and(|value| !matches!(value, "\n" | "10")) {
            return Err(Error::new(codes::BAD_SERDE_PROPERTY, "lines can end in '\\n' only (`LINES TERMINATED BY`)"));
        }
        if let Some(formats) = get("timestamp.formats")
            && !formats
                .split(',')
                .all(|format| matches!(format.trim(), "yyyy-MM-dd HH:mm:ss" | "yyyy-MM-dd HH:mm:ss.S"))
        {
            return Err(Error::new(codes::UNSUPPORTED, format!("timestamp.formats `{formats}` is not supported"))
                .with_hint("declare the column as string and convert it with unix_timestamp(column, pattern)"));
        }
        if let Some(encoding) = get("serialization.encoding")
            && !encoding.eq_ignore_ascii_case("utf-8")
            && !encoding.eq_ignore_ascii_case("utf8")
        {
            return Err(Error::new(
                codes::UNSUPPORTED,
                format!("serialization.encoding `{encoding}` is not supported"),
            )
            .with_hint("convert the files to UTF-8"));
        }
        Ok(DelimitedFormat {
            separators,
            escape,
            null: get("serialization.null.format").unwrap_or("\\N").as_bytes().to_vec(),
            escape_line_breaks: is_true(get("serialization.escape.crlf")),
            last_column_takes_rest: is_true(get("serialization.last.column.takes.rest")),
            extended_boolean_literal: is_true(get("hive.lazysimple.extended_boolean_literal")),
        })
    }
}

impl DelimitedSerde {
    pub(super) fn new(
        properties: &BTreeMap<String, String>,
        columns: &SchemaRef,
        config: &SerdeConfig,
    ) -> Result<Self> {
        for field in columns.fields() {
            if !is_readable(field.data_type()) {
                let message = format!(
                    "column `{}` has type {}, which LazySimpleSerDe cannot read here yet",
                    field.name(),
                    hive_type_name(field)
                );
                return Err(Error::new(codes::UNSUPPORTED_TYPE, message)
                    .with_hint("declare the column as string and take it apart with split() or str_to_map()"));
            }
        }
        let mut serde = Self::for_output(properties, columns)?;
        serde.on_invalid_utf8 = config.on_invalid_utf8;
        Ok(serde)
    }

    /// The format without a table to read: complex columns are allowed.
    pub(super) fn for_output(properties: &BTreeMap<String, String>, columns: &SchemaRef) -> Result<Self> {
        let mut warnings = Vec::new();
        let format = Arc::new(DelimitedFormat::new(properties, &mut warnings)?);
        let on_invalid_utf8 = SerdeConfig::default().on_invalid_utf8;
        Ok(DelimitedSerde { format, columns: Arc::clone(columns), warnings, on_invalid_utf8 })
    }
}

impl TableSerde for DelimitedSerde {
    fn deserializer(&self, projection: &[usize], filters: &[Arc<dyn RowFilter>]) -> Result<Box<dyn Deserializer>> {
        let plan = RowPlan::new(&self.columns, projection, filters)?;
        if let Some(field) = plan.fields.iter().find(|field| !is_readable(field.data_type())) {
            let message = format!("column `{}` has type {}", field.name(), hive_type_name(field));
            return Err(Error::new(codes::UNSUPPORTED_TYPE, message));
        }
        let greedy_column = self.format.last_column_takes_rest.then(|| self.columns.fields().len().saturating_sub(1));
        let (filtered, rest) = plan.filtered_and_rest();
        Ok(Box::new(DelimitedDeserializer {
            filtered: FieldFinder::new(filtered, &plan.columns, greedy_column),
            rest: FieldFinder::new(rest, &plan.columns, greedy_column),
            rules: LazyRules { extended_boolean_literal: self.format.extended_boolean_literal },
            format: Arc::clone(&self.format),
            on_invalid_utf8: self.on_invalid_utf8,
            table: FieldTable::default(),
            bad_records: BadRecords::default(),
            plan,
        }))
    }

    fn serializer(&self) -> Result<Box<dyn Serializer>> {
        Ok(Box::new(TextWriter::new(Arc::clone(&self.format), &self.columns)?))
    }

    fn warnings(&self) -> Vec<String> {
        self.warnings.clone()
    }

    fn describe(&self) -> String {
        let separator = self.format.separators[0] as char;
        let escape = match self.format.escape {
            Some(escape) => format!(", escaped by {:?}", escape as char),
            None => String::new(),
        };
        let null = String::from_utf8_lossy(&self.format.null);
        format!("LazySimpleSerDe, fields separated by {separator:?}{escape}, NULL is `{null}`")
    }

    fn describe_decoded(&self, columns: &[usize]) -> String {
        format!("{} of {} columns", columns.len(), self.columns.fields().len())
    }
}

struct DelimitedDeserializer {
    format: Arc<DelimitedFormat>,
    plan: RowPlan,
    /// Finds the fields that filters look at.
    filtered: FieldFinder,
    /// Finds the other ones, in the rows that are left, from the start of each record again.
    rest: FieldFinder,
    rules: LazyRules,
    on_invalid_utf8: OnInvalidUtf8,
    table: FieldTable,
    bad_records: BadRecords,
}

impl Deserializer for DelimitedDeserializer {
    fn deserialize(&mut self, block: &RecordBlock, rows: Range<usize>) -> Result<RecordBatch> {
        let DelimitedDeserializer { format, plan, filtered, rest, rules, table, bad_records, .. } = self;
        table.clear(plan.columns.len(), block, rows.len());
        table.record_of_row.extend(rows.clone());
        let texts = RecordTexts::new(block, &rows);
        // A separator that is no ASCII character may cut a character in two.
        let separator_is_ascii = format.separators[0].is_ascii();
        if format.escape.is_none() && separator_is_ascii && texts.all_valid() {
            filtered.place_plain_fields(block, rows.clone(), format, &mut table.columns);
            let left = table.filter(plan, &texts, rules)?;
            match left.kept() {
                None => rest.place_plain_fields(block, rows, format, &mut table.columns),
                Some(kept) => {
                    let records = kept.iter().map(|&row_idx| rows.start + row_idx as usize);
                    rest.place_plain_fields(block, records, format, &mut table.columns);
                }
            }
            return table.build_left(left, plan, &texts, rules, bad_records);
        }
        for record_idx in rows {
            let valid = texts.is_valid(record_idx);
            if !valid {
                report_invalid(block, record_idx, self.on_invalid_utf8, bad_records)?;
            }
            for finder in [&mut *filtered, &mut *rest] {
                finder.place_fields(block, record_idx, format, &plan.fields, valid && separator_is_ascii, table)?;
            }
        }
        table.build(plan, &texts, rules, bad_records)
    }

    fn take_bad_records(&mut self) -> BadRecords {
        std::mem::take(&mut self.bad_records)
    }

    fn rows_filtered(&self) -> u64 {
        self.table.rows_filtered
    }
}

/// Finds the fields of some columns.
struct FieldFinder {
    /// Of these columns in the plan, ascending.
    places: Vec<usize>,
    /// Before each of them, the fields between it and the one before.
    skips: Vec<usize>,
    /// The last of them is the table's last column and holds all that is left.
    last_takes_rest: bool,
    /// Of the record at hand: as many as there are.
    fields: Vec<RecordRange>,
}

impl FieldFinder {
    fn new(places: Vec<usize>, plan_columns: &[usize], greedy_column: Option<usize>) -> Self {
        let columns: Vec<usize> = places.iter().map(|&place| plan_columns[place]).collect();
        FieldFinder {
            skips: skips(&columns),
            last_takes_rest: greedy_column.is_some() && columns.last().copied() == greedy_column,
            fields: Vec::with_capacity(places.len()),
            places,
        }
    }

    /// Places the fields of records whose texts need no change.
    fn place_plain_fields(
        &mut self,
        block: &RecordBlock,
        records: impl IntoIterator<Item = usize>,
        format: &DelimitedFormat,
        columns: &mut [FieldPlaces],
    ) {
        if self.places.is_empty() {
            return;
        }
        let (separator, null) = (format.separators[0], format.null.as_slice());
        for record_idx in records {
            let range = block.records[record_idx];
            let text = &block.data[range.start as usize..];
            self.find(range, Separators::new(text, (range.end - range.start) as usize, separator));
            for (field_idx, &place) in self.places.iter().enumerate() {
                columns[place].push(match self.fields.get(field_idx) {
                    Some(&RecordRange { start, end }) if &block.data[start as usize..end as usize] != null => {
                        FieldPlace::At { start, end }
                    }
                    _ => FieldPlace::Absent,
                });
            }
        }
    }

    /// Places the fields of a record where texts may have to be unescaped, or to become UTF-8 unless `fields_are_utf8`.
    fn place_fields(
        &mut self,
        block: &RecordBlock,
        record_idx: usize,
        format: &DelimitedFormat,
        types: &Fields,
        fields_are_utf8: bool,
        table: &mut FieldTable,
    ) -> Result<()> {
        let (record, range, separator) = (block.record(record_idx), block.records[record_idx], format.separators[0]);
        match format.escape {
            Some(escape) => self.find(range, unescaped_separators(record, separator, escape)),
            None => self.find(range, Separators::new(record, record.len(), separator)),
        }
        for (field_idx, &place) in self.places.iter().enumerate() {
            let field_place = match self.fields.get(field_idx) {
                None => FieldPlace::Absent,
                Some(&RecordRange { start, end }) => {
                    let text = &block.data[start as usize..end as usize];
                    let is_text = *types[place].data_type() == DataType::Utf8View;
                    let escape = format.escape.filter(|&escape| memchr::memchr(escape, text).is_some());
                    if text == format.null {
                        FieldPlace::Absent
                    } else if is_text && (escape.is_some() || !fields_are_utf8) {
                        let text = escape.map_or_else(|| text.to_vec(), |escape| unescape(text, escape));
                        let text = String::from_utf8_lossy(&text);
                        let start = table.change(text.as_bytes())?;
                        FieldPlace::At { start, end: start + text.len() as u32 }
                    } else {
                        FieldPlace::At { start, end }
                    }
                }
            };
            table.columns[place].push(field_place);
        }
        Ok(())
    }

    /// Finds the fields of one record, whose separators are counted from its start.
    #[inline(always)]
    fn find(&mut self, record: RecordRange, separators: impl Iterator<Item = usize>) {
        self.fields.clear();
        find_fields(record, separators, &self.skips, &mut self.fields);
        if self.last_takes_rest
            && self.fields.len() == self.places.len()
            && let Some(last) = self.fields.last_mut()
        {
            last.end = record.end;
        }
    }
}

/// For columns that ascend, how many others are before each, from the one before on.
fn skips(columns: &[usize]) -> Vec<usize> {
    let first_left = std::iter::once(0).chain(columns.iter().map(|column_idx| column_idx + 1));
    columns.iter().zip(first_left).map(|(column_idx, first_left)| column_idx - first_left).collect()
}

/// The fields of a record that come after so many others each; without the last of them if it has fewer. The places of
/// `separators` are counted from the record's start.
#[inline(always)]
fn find_fields(
    record: RecordRange,
    mut separators: impl Iterator<Item = usize>,
    skips: &[usize],
    fields: &mut Vec<RecordRange>,
) {
    let mut start = record.start;
    for &n_skipped in skips {
        if n_skipped > 0 {
            let Some(separator) = separators.nth(n_skipped - 1) else {
                return;
            };
            start = record.start + separator as u32 + 1;
        }
        let Some(separator) = separators.next() else {
            fields.push(RecordRange { start, end: record.end });
            return;
        };
        let end = record.start + separator as u32;
        fields.push(RecordRange { start, end });
        start = end + 1;
    }
}

/// Where the separators of a record are; one after the escape character is none.
fn unescaped_separators(record: &[u8], separator: u8, escape: u8) -> impl Iterator<Item = usize> {
    let mut next = 0;
    std::iter::from_fn(move || {
        while let Some(found) = memchr::memchr2(separator, escape, &record[next..]) {
            let byte_idx = next + found;
            if record[byte_idx] == separator {
                next = byte_idx + 1;
                return Some(byte_idx);
            }
            // The last byte of a record escapes nothing.
            next = (byte_idx + 2).min(record.len());
        }
        next = record.len();
        None
    })
}

/// Without escape characters; `n` and `r` after one are the line break and the carriage return.
fn unescape(text: &[u8], escape: u8) -> Vec<u8> {
    let mut unescaped = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(&byte) = bytes.next() {
        unescaped.push(if byte != escape {
            byte
        } else {
            match bytes.next() {
                None => escape,
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                Some(&escaped) => escaped,
            }
        });
    }
    unescaped
}

/// Java's `Byte.parseByte`, else the first character.
fn separator_byte(key: &str, value: &str, default: u8, warnings: &mut Vec<String>) -> u8 {
    if let Ok(number) = value.parse::<i8>() {
        return number as u8;
    }
    let mut characters = value.chars();
    let Some(first) = characters.next() else {
        return default;
    };
    if characters.next().is_some() {
        warnings.push(format!("only the first character of {key} `{value}` is used, as in Hive"));
    }
    // Java's cast of a character to a byte.
    u32::from(first) as u8
}

fn is_true(value: Option<&str>) -> bool {
    value.is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

#[cfg(test)]
mod tests;
