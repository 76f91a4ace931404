//! Java's dialect of regular expressions, read into a tree.
//!
//! Source: `java.util.regex.Pattern` of JDK 17. `\s \d \w` and case folding are
//! ASCII; `\b` follows Unicode, as it does before JDK 19. Sets of characters are computed here, so a class means the
//! same in every engine behind. Suspect: JDK 8 negates only the first part of `[^a&&b]`; JDK 15 and later let
//! `(?i)\p{Lower}` match upper case, which JDK 8 and 11 do not.

use std::collections::BTreeMap;
use std::fmt;

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, HirKind};

/// A part of a regular expression.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    Empty,
    /// One character of a set; a literal is a set of one.
    Set(ClassUnicode),
    Assertion(Assertion),
    /// A capturing group; groups are numbered from 1 by their opening bracket.
    Capture {
        group: usize,
        node: Box<Node>,
    },
    Concat(Vec<Node>),
    Alternate(Vec<Node>),
    Repeat {
        node: Box<Node>,
        min: u32,
        max: Option<u32>,
        mode: RepeatMode,
    },
    Look {
        direction: LookDirection,
        negative: bool,
        node: Box<Node>,
        /// As the user wrote it.
        source: String,
    },
    Atomic(Box<Node>),
    Backreference(usize),
}

/// A place in the text that takes no characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Assertion {
    /// `^`, `\A`, `\G`
    Start,
    /// `\z`
    End,
    /// `$`, `\Z`: the end, or before the line break that ends the text.
    EndBeforeBreak,
    /// `^` with `(?m)`
    LineStart,
    /// `$` with `(?m)`
    LineEnd,
    WordBoundary,
    NotWordBoundary,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RepeatMode {
    Greedy,
    Lazy,
    Possessive,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LookDirection {
    Ahead,
    Behind,
}

/// Whether letters of ASCII match in either case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LetterCase {
    Sensitive,
    Insensitive,
}

/// A regular expression and the groups that it has.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    pub node: Node,
    pub n_groups: usize,
    pub group_names: BTreeMap<String, usize>,
}

/// Why a text is no regular expression, or none that can be run here.
#[derive(Debug)]
pub(crate) struct PatternError {
    what: String,
    /// In characters, from 0.
    position: usize,
    pattern: String,
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let before: String = self.pattern.chars().take(self.position).collect();
        let after: String = self.pattern.chars().skip(self.position).collect();
        write!(f, "{} at character {} of the pattern: {before} <here> {after}", self.what, self.position + 1)
    }
}

/// Reads a pattern with DOTALL, as RegexSerDe compiles it.
pub(crate) fn parse(pattern: &str, letter_case: LetterCase) -> Result<Pattern, PatternError> {
    let fold_case = letter_case == LetterCase::Insensitive;
    parse_with(pattern, Flags { fold_case, dot_all: true, ..Flags::default() })
}

/// Reads a pattern without flags, as the functions of HiveQL compile it.
pub(crate) fn parse_plain(pattern: &str) -> Result<Pattern, PatternError> {
    parse_with(pattern, Flags::default())
}

fn parse_with(pattern: &str, flags: Flags) -> Result<Pattern, PatternError> {
    let mut parser = Parser {
        pattern,
        characters: pattern.chars().collect(),
        position: 0,
        flags,
        n_groups: 0,
        group_names: BTreeMap::new(),
        quoting: false,
        depth: 0,
    };
    let node = parser.alternatives()?;
    if parser.peek().is_some() {
        return Err(parser.error("`)` without its `(`"));
    }
    Ok(Pattern { node, n_groups: parser.n_groups, group_names: parser.group_names })
}

/// Brackets in brackets that a pattern may have: reading one is recursive.
const DEPTH_MAX: usize = 100;

#[derive(Debug, Clone, Copy, Default)]
struct Flags {
    fold_case: bool,
    dot_all: bool,
    multi_line: bool,
    comments: bool,
    unix_lines: bool,
}

struct Parser<'a> {
    pattern: &'a str,
    characters: Vec<char>,
    position: usize,
    flags: Flags,
    n_groups: usize,
    group_names: BTreeMap<String, usize>,
    /// Between `\Q` and `\E`.
    quoting: bool,
    depth: usize,
}

/// What a backslash and what follows it mean.
enum Escaped {
    Character(char),
    Set(ClassUnicode),
    Assertion(Assertion),
    Backreference(usize),
    LineBreak,
    Quote,
}

type ParseResult<T> = Result<T, PatternError>;

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.characters.get(self.position).copied()
    }

    fn peek_at(&self, ahead: usize) -> Option<char> {
        self.characters.get(self.position + ahead).copied()
    }

    fn next(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.position += 1;
        Some(character)
    }

    fn eat(&mut self, text: &str) -> bool {
        let found = text.chars().enumerate().all(|(ahead, character)| self.peek_at(ahead) == Some(character));
        if found {
            self.position += text.chars().count();
        }
        found
    }

    fn error(&self, what: impl Into<String>) -> PatternError {
        let position = self.position.min(self.characters.len());
        PatternError { what: what.into(), position, pattern: self.pattern.to_owned() }
    }

    fn unsupported(&self, what: &str) -> PatternError {
        self.error(format!("Java's {what} is not supported,"))
    }

    fn alternatives(&mut self) -> ParseResult<Node> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.error(format!("more than {DEPTH_MAX} brackets in brackets")));
        }
        let mut branches = vec![self.sequence()?];
        while self.eat("|") {
            branches.push(self.sequence()?);
        }
        self.depth -= 1;
        Ok(if branches.len() == 1 { branches.swap_remove(0) } else { Node::Alternate(branches) })
    }

    fn sequence(&mut self) -> ParseResult<Node> {
        let mut nodes = Vec::new();
        while let Some(character) = self.peek() {
            if self.quoting {
                if self.eat("\\E") {
                    self.quoting = false;
                    continue;
                }
                self.position += 1;
                nodes.push(self.literal(character));
                if self.eat("\\E") {
                    self.quoting = false;
                    self.quantify(&mut nodes)?;
                }
                continue;
            }
            if self.flags.comments && self.skip_comment() {
                continue;
            }
            let node = match character {
                '|' | ')' => break,
                '(' => match self.group()? {
                    Some(node) => node,
                    None => continue,
                },
                '[' => {
                    self.position += 1;
                    Node::Set(self.class()?)
                }
                '\\' => match self.escape(Place::Outside)? {
                    Escaped::Character(character) => self.literal(character),
                    Escaped::Set(set) => Node::Set(set),
                    Escaped::Assertion(assertion) => Node::Assertion(assertion),
                    Escaped::Backreference(group) => Node::Backreference(group),
                    Escaped::LineBreak => line_break(),
                    Escaped::Quote => {
                        self.quoting = true;
                        continue;
                    }
                },
                '^' => {
                    self.position += 1;
                    Node::Assertion(if self.flags.multi_line { Assertion::LineStart } else { Assertion::Start })
                }
                '$' => {
                    self.position += 1;
                    Node::Assertion(if self.flags.multi_line { Assertion::LineEnd } else { Assertion::EndBeforeBreak })
                }
                '.' => {
                    self.position += 1;
                    Node::Set(self.dot())
                }
                '*' | '+' | '?' => return Err(self.error(format!("`{character}` with nothing to repeat"))),
                '{' => return Err(self.error("`{` with nothing to repeat (a literal one is `\\{`)")),
                character => {
                    self.position += 1;
                    self.literal(character)
                }
            };
            nodes.push(node);
            self.quantify(&mut nodes)?;
        }
        Ok(match nodes.len() {
            0 => Node::Empty,
            1 => nodes.swap_remove(0),
            _ => Node::Concat(nodes),
        })
    }

    fn skip_comment(&mut self) -> bool {
        match self.peek() {
            Some(' ' | '\t' | '\n' | '\x0b' | '\x0c' | '\r') => self.position += 1,
            Some('#') => while self.next().is_some_and(|character| !is_line_end(character)) {},
            _ => return false,
        }
        true
    }

    fn literal(&self, character: char) -> Node {
        Node::Set(self.folded(ClassUnicode::new([ClassUnicodeRange::new(character, character)])))
    }

    fn dot(&self) -> ClassUnicode {
        let mut excluded = if self.flags.dot_all {
            ClassUnicode::empty()
        } else if self.flags.unix_lines {
            set(&[('\n', '\n')])
        } else {
            line_ends()
        };
        excluded.negate();
        excluded
    }

    /// With the other case of each letter of ASCII, if letters are folded here.
    fn folded(&self, mut set: ClassUnicode) -> ClassUnicode {
        if self.flags.fold_case {
            for (from, to) in [('a', 'A'), ('A', 'a')] {
                for letter in 0..26 {
                    let letter_of = |first: char| char::from(first as u8 + letter);
                    if set.iter().any(|range| range.start() <= letter_of(from) && letter_of(from) <= range.end()) {
                        set.push(ClassUnicodeRange::new(letter_of(to), letter_of(to)));
                    }
                }
            }
        }
        set
    }

    /// Takes the quantifier that follows, if any, and puts it on the last node.
    fn quantify(&mut self, nodes: &mut Vec<Node>) -> ParseResult<()> {
        while self.flags.comments && self.skip_comment() {}
        let (min, max) = match self.peek() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some('{') => {
                let start = self.position;
                self.position += 1;
                let Some(min) = self.number() else {
                    self.position = start;
                    return Err(self.error("`{` without a number (a literal one is `\\{`)"));
                };
                let max = if self.eat(",") { self.number() } else { Some(min) };
                if self.peek() != Some('}') {
                    return Err(self.error("`{` without its `}`"));
                }
                if max.is_some_and(|max| max < min) {
                    self.position = start;
                    return Err(self.error("a repetition whose end is below its start"));
                }
                (min, max)
            }
            _ => return Ok(()),
        };
        self.position += 1;
        let mode = if self.eat("?") {
            RepeatMode::Lazy
        } else if self.eat("+") {
            RepeatMode::Possessive
        } else {
            RepeatMode::Greedy
        };
        let node = Box::new(nodes.pop().unwrap_or(Node::Empty));
        nodes.push(Node::Repeat { node, min, max, mode });
        match self.peek() {
            Some(character @ ('*' | '+' | '?')) => Err(self.error(format!("`{character}` with nothing to repeat"))),
            _ => Ok(()),
        }
    }

    fn number(&mut self) -> Option<u32> {
        let start = self.position;
        let mut number = 0_u32;
        while let Some(digit) = self.peek().and_then(|character| character.to_digit(10)) {
            number = number.checked_mul(10)?.checked_add(digit)?;
            self.position += 1;
        }
        (self.position > start).then_some(number)
    }

    /// What stands in brackets; `None` for flags that hold for the rest of what they are in.
    fn group(&mut self) -> ParseResult<Option<Node>> {
        let start = self.position;
        let flags = self.flags;
        self.position += 1;
        let look =
            |direction, negative| move |node, source| Node::Look { direction, negative, node: Box::new(node), source };
        let wrap: Box<dyn FnOnce(Node, String) -> Node> = if !self.eat("?") {
            self.capture()
        } else if self.eat(":") {
            Box::new(|node, _| node)
        } else if self.eat("=") {
            Box::new(look(LookDirection::Ahead, false))
        } else if self.eat("!") {
            Box::new(look(LookDirection::Ahead, true))
        } else if self.eat("<=") {
            Box::new(look(LookDirection::Behind, false))
        } else if self.eat("<!") {
            Box::new(look(LookDirection::Behind, true))
        } else if self.eat(">") {
            Box::new(|node, _| Node::Atomic(Box::new(node)))
        } else if self.eat("<") {
            let name = self.group_name()?;
            let group = self.n_groups + 1;
            if self.group_names.insert(name, group).is_some() {
                return Err(self.error("two groups of the same name"));
            }
            self.capture()
        } else {
            self.inline_flags()?;
            if self.eat(")") {
                return Ok(None);
            }
            if !self.eat(":") {
                return Err(self.error("an unknown kind of group"));
            }
            Box::new(|node, _| node)
        };
        let node = self.alternatives()?;
        if !self.eat(")") {
            self.position = start;
            return Err(self.error("`(` without its `)`"));
        }
        self.flags = flags;
        Ok(Some(wrap(node, self.characters[start..self.position].iter().collect())))
    }

    fn capture(&mut self) -> Box<dyn FnOnce(Node, String) -> Node> {
        self.n_groups += 1;
        let group = self.n_groups;
        Box::new(move |node, _| Node::Capture { group, node: Box::new(node) })
    }

    fn group_name(&mut self) -> ParseResult<String> {
        let mut name = String::new();
        while let Some(character) = self.next() {
            match character {
                '>' if !name.is_empty() => return Ok(name),
                'a'..='z' | 'A'..='Z' => name.push(character),
                '0'..='9' if !name.is_empty() => name.push(character),
                _ => break,
            }
        }
        Err(self.error("a group's name is not letters and digits of ASCII"))
    }

    fn inline_flags(&mut self) -> ParseResult<()> {
        let mut on = true;
        while let Some(flag) = self.peek() {
            match flag {
                'i' => self.flags.fold_case = on,
                's' => self.flags.dot_all = on,
                'm' => self.flags.multi_line = on,
                'x' => self.flags.comments = on,
                'd' => self.flags.unix_lines = on,
                'u' | 'U' if on => {
                    return Err(self.unsupported(&format!("flag `{flag}` (case and classes of Unicode)")));
                }
                'u' | 'U' => {}
                '-' => on = false,
                _ => break,
            }
            self.position += 1;
        }
        Ok(())
    }

    /// A class after its `[`.
    fn class(&mut self) -> ParseResult<ClassUnicode> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.error(format!("more than {DEPTH_MAX} brackets in brackets")));
        }
        let start = self.position - 1;
        let negated = self.eat("^");
        let mut result: Option<ClassUnicode> = None;
        let mut operand = ClassUnicode::empty();
        let mut is_empty = true;
        loop {
            match self.peek() {
                None => {
                    self.position = start;
                    return Err(self.error("`[` without its `]`"));
                }
                // As the first character a `]` is itself.
                Some(']') if !is_empty || result.is_some() => {
                    self.position += 1;
                    break;
                }
                Some('[') => {
                    self.position += 1;
                    operand.union(&self.class()?);
                    is_empty = false;
                }
                Some('&') if self.peek_at(1) == Some('&') => {
                    self.position += 2;
                    if !is_empty {
                        intersect(&mut result, &operand);
                    }
                    operand = ClassUnicode::empty();
                    is_empty = true;
                }
                Some(character) => {
                    if self.flags.comments && self.skip_comment() {
                        continue;
                    }
                    is_empty = false;
                    let first = if character == '\\' {
                        match self.escape(Place::InClass)? {
                            Escaped::Character(character) => character,
                            Escaped::Set(set) => {
                                operand.union(&set);
                                continue;
                            }
                            _ => return Err(self.error("an escape that cannot stand in a class")),
                        }
                    } else {
                        self.position += 1;
                        character
                    };
                    let last = self.range_end()?.unwrap_or(first);
                    if last < first {
                        return Err(self.error("a range whose end is below its start"));
                    }
                    operand.union(&self.folded(set(&[(first, last)])));
                }
            }
        }
        if !is_empty {
            intersect(&mut result, &operand);
        }
        let mut class = result.ok_or_else(|| self.error("an empty class"))?;
        if negated {
            class.negate();
        }
        self.depth -= 1;
        Ok(class)
    }

    /// The end of a range whose start was just read; a `-` before `]` or `[` is itself.
    fn range_end(&mut self) -> ParseResult<Option<char>> {
        if self.peek() != Some('-') || matches!(self.peek_at(1), None | Some(']' | '[')) {
            return Ok(None);
        }
        self.position += 1;
        if self.peek() == Some('\\') {
            return match self.escape(Place::InClass)? {
                Escaped::Character(character) => Ok(Some(character)),
                _ => Err(self.error("a range that ends in a class")),
            };
        }
        Ok(self.next())
    }

    fn escape(&mut self, place: Place) -> ParseResult<Escaped> {
        let start = self.position;
        self.position += 1;
        let Some(character) = self.next() else {
            self.position = start;
            return Err(self.error("a backslash at the end"));
        };
        let negated = |mut set: ClassUnicode| {
            set.negate();
            Escaped::Set(set)
        };
        Ok(match character {
            't' => Escaped::Character('\t'),
            'n' => Escaped::Character('\n'),
            'r' => Escaped::Character('\r'),
            'f' => Escaped::Character('\x0c'),
            'a' => Escaped::Character('\x07'),
            'e' => Escaped::Character('\x1b'),
            'c' => match self.next() {
                Some(control) if control.is_ascii() => Escaped::Character(char::from(control as u8 ^ 64)),
                _ => return Err(self.error("`\\c` without its letter")),
            },
            '0' => Escaped::Character(self.octal()?),
            'x' => Escaped::Character(self.hexadecimal()?),
            'u' => Escaped::Character(self.utf16()?),
            'd' => Escaped::Set(set(&[('0', '9')])),
            'D' => negated(set(&[('0', '9')])),
            's' => Escaped::Set(spaces()),
            'S' => negated(spaces()),
            'w' => Escaped::Set(word_characters()),
            'W' => negated(word_characters()),
            'h' => Escaped::Set(horizontal_spaces()),
            'H' => negated(horizontal_spaces()),
            'v' => Escaped::Set(line_ends_and_tabs()),
            'V' => negated(line_ends_and_tabs()),
            'p' => Escaped::Set(self.property()?),
            'P' => negated(self.property()?),
            'R' if place == Place::Outside => Escaped::LineBreak,
            'Q' if place == Place::Outside => Escaped::Quote,
            'E' if place == Place::Outside => return Err(self.error("`\\E` without its `\\Q`")),
            'A' | 'G' if place == Place::Outside => Escaped::Assertion(Assertion::Start),
            'z' if place == Place::Outside => Escaped::Assertion(Assertion::End),
            'Z' if place == Place::Outside => Escaped::Assertion(Assertion::EndBeforeBreak),
            'b' if place == Place::Outside => {
                if self.eat("{g}") {
                    return Err(self.unsupported("`\\b{g}`"));
                }
                Escaped::Assertion(Assertion::WordBoundary)
            }
            'B' if place == Place::Outside => Escaped::Assertion(Assertion::NotWordBoundary),
            '1'..='9' if place == Place::Outside => {
                if self.flags.fold_case {
                    return Err(self.unsupported("back-reference that ignores case"));
                }
                self.position -= 1;
                Escaped::Backreference(self.backreference_number())
            }
            'k' if place == Place::Outside && self.eat("<") => {
                if self.flags.fold_case {
                    return Err(self.unsupported("back-reference that ignores case"));
                }
                let name = self.group_name()?;
                match self.group_names.get(&name) {
                    Some(&group) => Escaped::Backreference(group),
                    None => return Err(self.error(format!("no group before this is named `{name}`"))),
                }
            }
            letter if letter.is_ascii_alphanumeric() => {
                self.position = start;
                return Err(self.unsupported(&format!("`\\{letter}`")));
            }
            itself => Escaped::Character(itself),
        })
    }

    /// As many digits as there are groups for: `\11` is group 1 and a `1` if there are fewer than eleven so far.
    fn backreference_number(&mut self) -> usize {
        let mut number = 0;
        while let Some(digit) = self.peek().and_then(|character| character.to_digit(10)) {
            let longer = number * 10 + digit as usize;
            if number != 0 && longer > self.n_groups {
                break;
            }
            number = longer;
            self.position += 1;
        }
        number
    }

    fn octal(&mut self) -> ParseResult<char> {
        let mut number = 0;
        let mut n_digits = 0;
        while let Some(digit) = self.peek().and_then(|character| character.to_digit(8)) {
            if n_digits == 3 || number * 8 + digit > 0o377 {
                break;
            }
            number = number * 8 + digit;
            n_digits += 1;
            self.position += 1;
        }
        if n_digits == 0 {
            return Err(self.error("`\\0` without octal digits"));
        }
        char::from_u32(number).ok_or_else(|| self.error("an octal escape that is no character"))
    }

    fn hexadecimal(&mut self) -> ParseResult<char> {
        let number = if self.eat("{") {
            let mut number = 0_u32;
            while let Some(digit) = self.peek().and_then(|character| character.to_digit(16)) {
                number = number.saturating_mul(16).saturating_add(digit);
                self.position += 1;
            }
            if !self.eat("}") {
                return Err(self.error("`\\x{` without its `}`"));
            }
            number
        } else {
            self.hexadecimal_digits(2)?
        };
        char::from_u32(number).ok_or_else(|| self.error("a hexadecimal escape that is no character"))
    }

    fn hexadecimal_digits(&mut self, n_digits: usize) -> ParseResult<u32> {
        let mut number = 0;
        for _ in 0..n_digits {
            let Some(digit) = self.peek().and_then(|character| character.to_digit(16)) else {
                return Err(self.error(format!("an escape without its {n_digits} hexadecimal digits")));
            };
            number = number * 16 + digit;
            self.position += 1;
        }
        Ok(number)
    }

    /// The character of `\uhhhh`, or of two of them that are a surrogate pair.
    fn utf16(&mut self) -> ParseResult<char> {
        let first = self.hexadecimal_digits(4)? as u16;
        let second = match first {
            0xd800..=0xdbff if self.eat("\\u") => Some(self.hexadecimal_digits(4)? as u16),
            _ => None,
        };
        let mut decoded = char::decode_utf16([first].into_iter().chain(second));
        match (decoded.next(), decoded.next()) {
            (Some(Ok(character)), None) => Ok(character),
            _ => Err(self.error("half a surrogate pair, which is no character")),
        }
    }

    fn property(&mut self) -> ParseResult<ClassUnicode> {
        let name: String = if self.eat("{") {
            let start = self.position;
            while self.next().is_some_and(|character| character != '}') {}
            if self.characters.get(self.position - 1) != Some(&'}') {
                return Err(self.error("`\\p{` without its `}`"));
            }
            self.characters[start..self.position - 1].iter().collect()
        } else {
            self.next().into_iter().collect()
        };
        property(&name).ok_or_else(|| self.unsupported(&format!("`\\p{{{name}}}`")))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Outside,
    InClass,
}

fn intersect(result: &mut Option<ClassUnicode>, operand: &ClassUnicode) {
    match result {
        Some(result) => result.intersect(operand),
        None => *result = Some(operand.clone()),
    }
}

fn set(ranges: &[(char, char)]) -> ClassUnicode {
    ClassUnicode::new(ranges.iter().map(|&(first, last)| ClassUnicodeRange::new(first, last)))
}

pub(crate) fn spaces() -> ClassUnicode {
    set(&[('\t', '\r'), (' ', ' ')])
}

pub(crate) fn word_characters() -> ClassUnicode {
    set(&[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')])
}

fn horizontal_spaces() -> ClassUnicode {
    set(&[
        ('\t', '\t'),
        (' ', ' '),
        ('\u{a0}', '\u{a0}'),
        ('\u{1680}', '\u{1680}'),
        ('\u{180e}', '\u{180e}'),
        ('\u{2000}', '\u{200a}'),
        ('\u{202f}', '\u{202f}'),
        ('\u{205f}', '\u{205f}'),
        ('\u{3000}', '\u{3000}'),
    ])
}

fn line_ends_and_tabs() -> ClassUnicode {
    set(&[('\n', '\r'), ('\u{85}', '\u{85}'), ('\u{2028}', '\u{2029}')])
}

/// What ends a line for `.`, `^` and `$`.
pub(crate) fn line_ends() -> ClassUnicode {
    set(&[('\n', '\n'), ('\r', '\r'), ('\u{85}', '\u{85}'), ('\u{2028}', '\u{2029}')])
}

fn is_line_end(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// `\R`
fn line_break() -> Node {
    let pair = ['\r', '\n'].map(|character| Node::Set(set(&[(character, character)])));
    Node::Alternate(vec![Node::Concat(pair.into()), Node::Set(line_ends_and_tabs())])
}

fn property(name: &str) -> Option<ClassUnicode> {
    let ascii: &[(char, char)] = match name {
        "Lower" => &[('a', 'z')],
        "Upper" => &[('A', 'Z')],
        "ASCII" => &[('\0', '\x7f')],
        "Alpha" => &[('A', 'Z'), ('a', 'z')],
        "Digit" => &[('0', '9')],
        "Alnum" => &[('0', '9'), ('A', 'Z'), ('a', 'z')],
        "Punct" => &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
        "Graph" => &[('!', '~')],
        "Print" => &[(' ', '~')],
        "Blank" => &[('\t', '\t'), (' ', ' ')],
        "Cntrl" => &[('\0', '\x1f'), ('\x7f', '\x7f')],
        "XDigit" => &[('0', '9'), ('A', 'F'), ('a', 'f')],
        "Space" => &[('\t', '\r'), (' ', ' ')],
        "L1" => &[('\0', '\u{ff}')],
        "javaISOControl" => &[('\0', '\x1f'), ('\x7f', '\u{9f}')],
        _ => &[],
    };
    if !ascii.is_empty() {
        return Some(set(ascii));
    }
    let unicode = match name {
        "javaLowerCase" => "[\\p{Lowercase}]",
        "javaUpperCase" => "[\\p{Uppercase}]",
        "javaAlphabetic" => "[\\p{Alphabetic}]",
        "javaTitleCase" => "[\\p{Lt}]",
        "javaDigit" => "[\\p{Nd}]",
        "javaLetter" => "[\\p{L}]",
        "javaLetterOrDigit" | "LD" => "[\\p{L}\\p{Nd}]",
        "javaSpaceChar" => "[\\p{Z}]",
        "javaWhitespace" => "[\\t-\\r\\x1c-\\x1f\\p{Z}--[\\u{a0}\\u{2007}\\u{202f}]]",
        // Blocks (`InGreek`) are unknown to the tables at hand.
        _ if name.starts_with("In") || name.starts_with("java") || name.contains(['&', '[', ']', '\\']) => return None,
        _ => {
            let name = name.strip_prefix("Is").unwrap_or(name);
            return unicode_class(&format!("\\p{{{name}}}"));
        }
    };
    unicode_class(unicode)
}

fn unicode_class(syntax: &str) -> Option<ClassUnicode> {
    match regex_syntax::parse(syntax).ok()?.into_kind() {
        HirKind::Class(Class::Unicode(class)) => Some(class),
        _ => None,
    }
}
