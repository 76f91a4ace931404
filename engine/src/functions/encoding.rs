//! Other ways to write bytes and numbers: base64, hexadecimal, other bases.
//!
//! Source: Hive `UDFBase64`, `UDFUnbase64`, `UDFHex`, `UDFUnhex`, `UDFBin`, `UDFConv`.

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray};
use arrow::datatypes::DataType;
use datafusion::common::Result;

use super::builtin::{Arguments, Builtin, CallTypes, Kind, check_count};
use super::common_type::is_binary;

pub(super) fn builtins() -> Vec<Builtin> {
    vec![
        Builtin::fixed("base64", &[Kind::Binary], 0, Kind::String, |arguments| {
            let values = arguments.binaries(0)?;
            arguments.to_strings(|row, out| {
                base64(values.get(row)?, out);
                Some(())
            })
        }),
        Builtin::fixed("unbase64", &[Kind::String], 0, Kind::Binary, |arguments| {
            let texts = arguments.strings(0)?;
            binary(arguments, |row| texts.get(row).map(unbase64))
        }),
        Builtin::new("hex", hex_types, hex),
        Builtin::fixed("unhex", &[Kind::String], 0, Kind::Binary, |arguments| {
            let texts = arguments.strings(0)?;
            binary(arguments, |row| unhex(texts.get(row)?))
        }),
        Builtin::fixed("bin", &[Kind::Long], 0, Kind::String, |arguments| {
            let values = arguments.longs(0)?;
            arguments.to_strings(|row, out| write!(out, "{:b}", values.get(row)?).ok())
        }),
        Builtin::fixed("conv", &[Kind::String, Kind::Int, Kind::Int], 0, Kind::String, conv),
    ]
}

fn binary(arguments: &Arguments, f: impl FnMut(usize) -> Option<Vec<u8>>) -> Result<ArrayRef> {
    Ok(Arc::new((0..arguments.rows).map(f).collect::<BinaryArray>()))
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64(bytes: &[u8], out: &mut String) {
    for chunk in bytes.chunks(3) {
        let word = (0..3).fold(0u32, |word, i| word << 8 | u32::from(chunk.get(i).copied().unwrap_or(0)));
        for position in 0..4 {
            if position <= chunk.len() {
                out.push(char::from(BASE64[(word >> (18 - 6 * position) & 63) as usize]));
            } else {
                out.push('=');
            }
        }
    }
}

/// What is not of the alphabet is skipped, as commons-codec does.
fn unbase64(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut word, mut bits) = (0u32, 0);
    for byte in text.bytes().take_while(|b| *b != b'=') {
        let byte = match byte {
            b'-' => b'+',
            b'_' => b'/',
            other => other,
        };
        let Some(digit) = BASE64.iter().position(|b| *b == byte) else { continue };
        word = word << 6 | digit as u32;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((word >> bits) as u8);
            word &= (1 << bits) - 1;
        }
    }
    bytes
}

fn hex_types(given: &[DataType]) -> Result<CallTypes> {
    check_count("hex", given, 1, 1)?;
    let kind = match &given[0] {
        t if t.is_integer() => Kind::Long,
        t if is_binary(t) => Kind::Binary,
        _ => Kind::String,
    };
    Ok(CallTypes { arguments: vec![kind.data_type()], result: DataType::Utf8View })
}

fn hex(arguments: &Arguments) -> Result<ArrayRef> {
    let write_bytes = |bytes: &[u8], out: &mut String| bytes.iter().try_for_each(|b| write!(out, "{b:02X}")).ok();
    match arguments.data_type(0) {
        DataType::Int64 => {
            let values = arguments.longs(0)?;
            arguments.to_strings(|row, out| write!(out, "{:X}", values.get(row)?).ok())
        }
        DataType::Binary => {
            let values = arguments.binaries(0)?;
            arguments.to_strings(|row, out| write_bytes(values.get(row)?, out))
        }
        _ => {
            let values = arguments.strings(0)?;
            arguments.to_strings(|row, out| write_bytes(values.get(row)?.as_bytes(), out))
        }
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.bytes().map(|b| char::from(b).to_digit(16).map(|d| d as u8)).collect::<Option<Vec<_>>>()?;
    let padded = if digits.len() % 2 == 1 { [vec![0], digits].concat() } else { digits };
    Some(padded.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

/// A number in another base: a negative target base writes it signed. Digits stop at the first that is none.
fn conv(arguments: &Arguments) -> Result<ArrayRef> {
    let (numbers, from, to) = (arguments.strings(0)?, arguments.ints(1)?, arguments.ints(2)?);
    arguments.to_strings(|row, out| {
        let (number, from, to) = (numbers.get(row)?, from.get(row)?, to.get(row)?);
        if !(2..=36).contains(&from) || !(2..=36).contains(&to.unsigned_abs()) || number.is_empty() {
            return None;
        }
        let (mut negative, digits) = match number.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, number),
        };
        let mut value: u64 = 0;
        for digit in digits.chars().map_while(|c| c.to_digit(from.unsigned_abs())) {
            let next = value.checked_mul(from as u64).and_then(|v| v.checked_add(u64::from(digit)));
            let Some(next) = next else {
                value = u64::MAX;
                break;
            };
            value = next;
        }
        if negative && to > 0 {
            value = if (value as i64) < 0 { u64::MAX } else { (value as i64).wrapping_neg() as u64 };
        }
        if to < 0 && (value as i64) < 0 {
            value = (value as i64).wrapping_neg() as u64;
            negative = true;
        }
        if negative && to < 0 {
            out.push('-');
        }
        write_in_base(value, u64::from(to.unsigned_abs()), out);
        Some(())
    })
}

fn write_in_base(mut value: u64, base: u64, out: &mut String) {
    let mut digits = Vec::new();
    loop {
        digits.push(char::from_digit((value % base) as u32, base as u32).unwrap_or('?').to_ascii_uppercase());
        value /= base;
        if value == 0 {
            break;
        }
    }
    out.extend(digits.iter().rev());
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;

    #[test]
    fn bases() {
        check("hex(17)", "11");
        check("hex('Facebook')", "46616365626F6F6B");
        check("hex(-1)", "FFFFFFFFFFFFFFFF");
        check("unhex('4D7953514C')", "MySQL");
        check("unhex('G')", "NULL");
        check("bin(13)", "1101");
        check("conv('100', 2, 10)", "4");
        check("conv('-10', 16, -10)", "-16");
        check("conv('ff', 16, 10)", "255");
        check("conv('-1', 10, 16)", "FFFFFFFFFFFFFFFF");
        check("base64(unhex('66'))", "Zg==");
        check("base64('foobar')", "Zm9vYmFy");
        check("unbase64('Zm9vYg==')", "foob");
    }
}
