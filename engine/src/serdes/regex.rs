//! RegexSerDe: the groups of a regular expression as columns, in both of its generations.
//!
//! Source: `serde2/RegexSerDe.java` and `contrib/serde2/RegexSerDe.java`. Where we differ: more groups than columns
//! are a warning unless `logq.serde.strict` is set, as in Athena.

mod byte_index;
mod byte_set;
mod field_program;
mod format_string;
mod program;
mod source;

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};

use self::field_program::{GroupRange, LineBits, NO_GROUP, all_of};
use self::format_string::{FormatString, FormattedWriter};
use self::program::{Analysis, Matcher, Program};
use super::column::{FieldPlace, FieldTable, is_readable};
use super::java_value::JavaRules;
use super::report::{BadExample, excerpt};
use super::row_plan::RowPlan;
use super::utf8::{RecordTexts, report_invalid};
use super::{BadRecords, CONTRIB_REGEX_SERDE, Deserializer, REGEX_SERDE, RowFilter, Serializer, TableSerde};
use crate::config::{OnMismatch, SerdeConfig};
use crate::error::{Error, Result, codes};
use crate::hive_type::hive_type_name;
use crate::input::RecordBlock;
use crate::java_regex::{self as java, LetterCase};

/// Which of Hive's two classes it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Generation {
    /// Typed columns, exactly as many groups, no writing.
    Serde2,
    /// STRING columns, any number of groups, writes with `output.format.string`.
    Contrib,
}

/// A table in the format of one regular expression.
#[derive(Debug)]
pub(super) struct RegexSerde {
    generation: Generation,
    columns: SchemaRef,
    /// None in the contrib class without `input.regex`: such a table can be made and not be read.
    pattern: Option<Analysis>,
    output_format: Option<String>,
    config: SerdeConfig,
    /// Programs by the groups that they find. Tasks of one query ask for the same ones.
    programs: Mutex<HashMap<Vec<usize>, Program>>,
}

impl RegexSerde {
    pub(super) fn new(
        generation: Generation,
        properties: &BTreeMap<String, String>,
        columns: &SchemaRef,
        config: &SerdeConfig,
    ) -> Result<Self> {
        let input_regex = properties.get("input.regex");
        if input_regex.is_none() && generation == Generation::Serde2 {
            return Err(missing_input_regex());
        }
        check_columns(generation, columns)?;
        let letter_case = match properties.get("input.regex.case.insensitive") {
            Some(value) if value.eq_ignore_ascii_case("true") => LetterCase::Insensitive,
            _ => LetterCase::Sensitive,
        };
        let pattern = input_regex.map(|pattern| analyse(pattern, letter_case)).transpose()?;
        let serde = RegexSerde {
            generation,
            columns: Arc::clone(columns),
            pattern,
            output_format: properties.get("output.format.string").cloned(),
            config: config.clone(),
            programs: Mutex::new(HashMap::new()),
        };
        if let Some(pattern) = &serde.pattern {
            // What does not compile is found when the table is made.
            serde.program(pattern, &[])?;
        }
        Ok(serde)
    }

    /// The program that finds `groups`, made once.
    fn program(&self, pattern: &Analysis, groups: &[usize]) -> Result<Program> {
        let mut programs = self.programs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(program) = programs.get(groups) {
            return Ok(program.clone());
        }
        let program = pattern.compile(groups, self.config.backtrack_limit)?;
        programs.insert(groups.to_vec(), program.clone());
        Ok(program)
    }

    fn n_columns(&self) -> usize {
        self.columns.fields().len()
    }

    fn check_groups(&self, n_groups: usize) -> Result<()> {
        let n_columns = self.n_columns();
        let matches = match self.generation {
            Generation::Contrib => true,
            Generation::Serde2 if self.config.strict => n_groups == n_columns,
            Generation::Serde2 => n_groups >= n_columns,
        };
        if matches {
            return Ok(());
        }
        let message =
            format!("number of matching groups ({n_groups}) doesn't match the number of columns ({n_columns})");
        let error = Error::new(codes::GROUPS_DO_NOT_MATCH, message);
        Err(if n_groups > n_columns {
            error.with_hint("write `(?:…)` for groups that are no columns; `SET logq.serde.strict=false` ignores them")
        } else {
            error.with_hint("each column needs a group of its own in input.regex; partition columns need none")
        })
    }
}

impl TableSerde for RegexSerde {
    fn deserializer(&self, projection: &[usize], filters: &[Arc<dyn RowFilter>]) -> Result<Box<dyn Deserializer>> {
        let pattern = self.pattern.as_ref().ok_or_else(missing_input_regex)?;
        self.check_groups(pattern.n_groups)?;
        let plan = RowPlan::new(&self.columns, projection, filters)?;
        let groups: Vec<usize> = plan.columns.iter().map(|column_idx| column_idx + 1).collect();
        Ok(Box::new(RegexDeserializer {
            matcher: Matcher::new(self.program(pattern, &groups)?),
            plan,
            config: self.config.clone(),
            groups: vec![NO_GROUP; groups.len()],
            table: FieldTable::default(),
            bad_records: BadRecords::default(),
        }))
    }

    fn serializer(&self) -> Result<Box<dyn Serializer>> {
        if self.generation == Generation::Serde2 {
            return Err(Error::new(codes::UNSUPPORTED, "Regex SerDe doesn't support the serialize() method")
                .with_hint("write to a table that is STORED AS TEXTFILE without a RegexSerDe"));
        }
        let Some(output_format) = &self.output_format else {
            let message = "Cannot write data into table because \"output.format.string\" is not specified in serde \
                           properties of the table";
            return Err(Error::new(codes::BAD_SERDE_PROPERTY, message));
        };
        let format = FormatString::parse(output_format, self.n_columns())?;
        Ok(Box::new(FormattedWriter::new(format, self.n_columns())))
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let (n_columns, n_groups) = (self.n_columns(), self.pattern.as_ref().map_or(0, |pattern| pattern.n_groups));
        if self.generation == Generation::Serde2 && n_groups > n_columns && !self.config.strict {
            warnings.push(format!(
                "input.regex has {n_groups} groups and the table {n_columns} columns: the groups after number \
                 {n_columns} are not used (Hive refuses such a table, Athena does not)"
            ));
        }
        if self.generation == Generation::Serde2 && self.output_format.is_some() {
            warnings.push("output.format.string has been deprecated and is not used".to_owned());
        }
        warnings
    }

    fn describe(&self) -> String {
        let class = match self.generation {
            Generation::Serde2 => "RegexSerDe",
            Generation::Contrib => "RegexSerDe (contrib)",
        };
        match &self.pattern {
            Some(pattern) if pattern.n_groups == 1 => format!("{class}, 1 group, {}", pattern.describe()),
            Some(pattern) => format!("{class}, {} groups, {}", pattern.n_groups, pattern.describe()),
            None => format!("{class}, without input.regex"),
        }
    }

    fn describe_decoded(&self, columns: &[usize]) -> String {
        let n_groups = self.pattern.as_ref().map_or(0, |pattern| pattern.n_groups);
        let n_needed = columns.iter().filter(|column_idx| **column_idx < n_groups).count();
        format!("{n_needed} of {n_groups} groups")
    }
}

fn analyse(pattern: &str, letter_case: LetterCase) -> Result<Analysis> {
    let pattern = java::parse(pattern, letter_case)
        .map_err(|e| Error::new(codes::BAD_REGEX, format!("input.regex does not compile: {e}")))?;
    Analysis::new(pattern)
}

fn missing_input_regex() -> Error {
    Error::new(codes::BAD_SERDE_PROPERTY, "This table does not have serde property \"input.regex\"!")
        .with_hint("WITH SERDEPROPERTIES (\"input.regex\" = \"...\")")
}

fn check_columns(generation: Generation, columns: &SchemaRef) -> Result<()> {
    for (column_idx, field) in columns.fields().iter().enumerate() {
        let (name, hive_type) = (field.name(), hive_type_name(field));
        let message = match generation {
            Generation::Contrib if hive_type != "string" => format!(
                "{CONTRIB_REGEX_SERDE} only accepts string columns, but column[{column_idx}] named {name} has type \
                 {hive_type}"
            ),
            Generation::Serde2 if field.data_type().is_nested() => {
                format!("{REGEX_SERDE} doesn't allow column [{column_idx}] named {name} with type {hive_type}")
            }
            _ if *field.data_type() == DataType::Binary || !is_readable(field.data_type()) => {
                format!("Unsupported type {hive_type} of column [{column_idx}] named {name}")
            }
            _ => continue,
        };
        return Err(Error::new(codes::UNSUPPORTED_TYPE, message)
            .with_hint("declare the column as string and convert it in the query"));
    }
    Ok(())
}

struct RegexDeserializer {
    matcher: Matcher,
    plan: RowPlan,
    config: SerdeConfig,
    /// Of the record at hand, in the block or in the changed text.
    groups: Vec<GroupRange>,
    table: FieldTable,
    bad_records: BadRecords,
}

impl Deserializer for RegexDeserializer {
    fn deserialize(&mut self, block: &RecordBlock, rows: Range<usize>) -> Result<RecordBatch> {
        self.table.clear(self.plan.columns.len(), block, rows.len());
        self.matcher.start_text();
        let texts = RecordTexts::new(block, &rows);
        let mut rows = rows;
        if texts.all_valid() {
            while let (n_lines @ 1.., matching) = self.matcher.try_lines(&block.data, &block.records[rows.clone()]) {
                let tried = rows.start..rows.start + n_lines;
                self.take_lines(block, tried.clone(), matching)?;
                rows.start = tried.end;
            }
        }
        for record_idx in rows {
            if texts.is_valid(record_idx) {
                self.read(block, record_idx, None)?;
            } else {
                // Hive matches what it has decoded, so wrong bytes are U+FFFD for the pattern too.
                report_invalid(block, record_idx, self.config.on_invalid_utf8, &mut self.bad_records)?;
                let changed = String::from_utf8_lossy(block.record(record_idx));
                self.matcher.start_text();
                self.read(block, record_idx, Some(&changed))?;
                self.matcher.start_text();
            }
        }
        self.table.build(&self.plan, &texts, &JavaRules, &mut self.bad_records)
    }

    fn take_bad_records(&mut self) -> BadRecords {
        std::mem::take(&mut self.bad_records)
    }

    fn rows_filtered(&self) -> u64 {
        self.table.rows_filtered
    }
}

impl RegexDeserializer {
    /// Takes the groups of records that were tried at once, and reads those that may match some other way.
    fn take_lines(&mut self, block: &RecordBlock, rows: Range<usize>, matching: LineBits) -> Result<()> {
        let n_columns = self.table.columns.len();
        if matching == all_of(rows.len()) {
            for column_idx in 0..n_columns {
                let place = self.matcher.tried(column_idx);
                self.table.columns[column_idx].extend((0..rows.len()).map(|line_idx| place_of(place(line_idx))));
            }
            self.table.record_of_row.extend(rows);
            return Ok(());
        }
        for (line_idx, record_idx) in rows.enumerate() {
            if matching >> line_idx & 1 == 0 {
                self.read(block, record_idx, None)?;
                continue;
            }
            for column_idx in 0..n_columns {
                self.table.columns[column_idx].push(place_of(self.matcher.tried(column_idx)(line_idx)));
            }
            self.table.record_of_row.push(record_idx);
        }
        Ok(())
    }

    /// Reads one record, in the block or as it was changed.
    #[inline]
    fn read(&mut self, block: &RecordBlock, record_idx: usize, changed: Option<&str>) -> Result<()> {
        let (text, line) = match changed {
            None => (&block.data[..], block.records[record_idx].bytes()),
            Some(text) => (text.as_bytes(), 0..text.len()),
        };
        let matches = self.matcher.find(text, line, &mut self.groups).map_err(|e| at_record(e, block, record_idx))?;
        if !matches {
            self.bad_records.malformed += 1;
            self.bad_records
                .first_malformed
                .get_or_insert_with(|| BadExample::new(block, record_idx, "does not match input.regex"));
            match self.config.on_mismatch {
                OnMismatch::Null => {}
                OnMismatch::Skip => return Ok(()),
                OnMismatch::Fail => {
                    let error = Error::new(codes::MALFORMED_RECORD, "a line does not match input.regex");
                    return Err(at_record(error, block, record_idx).with_hint(
                        "`SET logq.serde.on_mismatch=null` makes a row of NULLs of such lines, as Hive does",
                    ));
                }
            }
        }
        let text_start = match changed {
            None => 0,
            Some(text) => self.table.change(text.as_bytes())?,
        };
        for (column, &group) in self.table.columns.iter_mut().zip(&self.groups) {
            column.push(match place_of(group) {
                _ if !matches => FieldPlace::Absent,
                FieldPlace::At { start, end } => FieldPlace::At { start: text_start + start, end: text_start + end },
                place => place,
            });
        }
        self.table.record_of_row.push(record_idx);
        Ok(())
    }
}

fn place_of(group: GroupRange) -> FieldPlace {
    match group {
        NO_GROUP => FieldPlace::NoText,
        [start, end] => FieldPlace::At { start, end },
    }
}

/// Says which record it was; the file is known further out.
fn at_record(error: Error, block: &RecordBlock, record_idx: usize) -> Error {
    let (byte_offset, record) = (block.record_offset(record_idx), excerpt(block.record(record_idx)));
    let message = format!("{}, at byte {byte_offset}: {record}", error.message());
    let located = Error::new(error.code(), message);
    error.hints().iter().fold(located, |located, hint| located.with_hint(hint))
}

#[cfg(test)]
mod tests;
