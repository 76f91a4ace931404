//! Digests of text and bytes: `md5`, `sha1`, `sha2`, `crc32`.
//!
//! Source: Hive 2.3 and 3.1 `UDFMd5`, `UDFSha1`, `GenericUDFSha2`, `UDFCrc32`. What is not binary is digested as its text.

use std::fmt::Write;

use arrow::array::{Array, AsArray};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

use super::builtin::{Arguments, Builtin, CallTypes, Kind, fixed_types};
use super::cast::cast_array;
use super::common_type::is_binary;

pub(super) fn builtins() -> Vec<Builtin> {
    vec![
        Builtin::new(
            "md5",
            |given| bytes_types("md5", &[], Kind::String, given),
            |arguments| hex_digests(arguments, |_, bytes, out| write_hex(&Md5::digest(bytes), out)),
        ),
        Builtin::new(
            "sha1",
            |given| bytes_types("sha1", &[], Kind::String, given),
            |arguments| hex_digests(arguments, |_, bytes, out| write_hex(&Sha1::digest(bytes), out)),
        )
        .alias(&["sha"]),
        Builtin::new(
            "sha2",
            |given| bytes_types("sha2", &[Kind::Int], Kind::String, given),
            |arguments| {
                let lengths = arguments.ints(1)?;
                hex_digests(arguments, |row, bytes, out| match lengths.get(row)? {
                    224 => write_hex(&Sha224::digest(bytes), out),
                    0 | 256 => write_hex(&Sha256::digest(bytes), out),
                    384 => write_hex(&Sha384::digest(bytes), out),
                    512 => write_hex(&Sha512::digest(bytes), out),
                    _ => None,
                })
            },
        ),
        Builtin::new(
            "crc32",
            |given| bytes_types("crc32", &[], Kind::Long, given),
            |arguments| {
                let bytes = cast_array(arguments.array(0), &DataType::Binary)?;
                let bytes = bytes.as_binary::<i32>();
                arguments.to_longs(|row| {
                    let row = arguments.row(0, row);
                    bytes.is_valid(row).then(|| i64::from(crc32fast::hash(bytes.value(row))))
                })
            },
        ),
    ]
}

/// Bytes stay bytes, anything else becomes its text.
fn bytes_types(name: &str, others: &[Kind], result: Kind, given: &[DataType]) -> Result<CallTypes> {
    let first = if given.first().is_some_and(is_binary) { Kind::Binary } else { Kind::String };
    let takes: Vec<Kind> = [first].iter().chain(others).copied().collect();
    fixed_types(name, &takes, 0, result.data_type(), given)
}

fn hex_digests(
    arguments: &Arguments,
    mut digest: impl FnMut(usize, &[u8], &mut String) -> Option<()>,
) -> Result<arrow::array::ArrayRef> {
    let bytes = cast_array(arguments.array(0), &DataType::Binary)?;
    let bytes = bytes.as_binary::<i32>();
    arguments.to_strings(|row, out| {
        let place = arguments.row(0, row);
        if bytes.is_null(place) {
            return None;
        }
        digest(row, bytes.value(place), out)
    })
}

fn write_hex(digest: &[u8], out: &mut String) -> Option<()> {
    digest.iter().try_for_each(|byte| write!(out, "{byte:02x}")).ok()
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;

    /// The values are those of Hive's own descriptions of the functions.
    #[test]
    fn digests() {
        check("md5('ABC')", "902fbdd2b1df0c4f70b4a5d23525e932");
        check("md5(unhex('414243'))", "902fbdd2b1df0c4f70b4a5d23525e932");
        check("md5('')", "d41d8cd98f00b204e9800998ecf8427e");
        check("md5(NULL)", "NULL");
        check("sha1('ABC')", "3c01bdbb26f358bab27f267924aa2c9a03fcfdb8");
        check("sha('ABC')", "3c01bdbb26f358bab27f267924aa2c9a03fcfdb8");
        check("sha1(1)", "356a192b7913b04c54574d18c28d46e6395428ab");
        check("sha2('ABC', 256)", "b5d4045c3f466fa91fe2cc6abe79232a1a57cdf104f7a26e716e0a1e2789df78");
        check("sha2('ABC', 0)", "b5d4045c3f466fa91fe2cc6abe79232a1a57cdf104f7a26e716e0a1e2789df78");
        check("sha2('ABC', 224)", "107c5072b799c4771f328304cfe1ebb375eb6ea7f35a3aa753836fad");
        check("length(sha2('ABC', 384))", "96");
        check("length(sha2('ABC', 512))", "128");
        check("sha2('ABC', 200)", "NULL");
        check("sha2('ABC', CAST(NULL AS INT))", "NULL");
        check("crc32('ABC')", "2743272264");
        check("crc32(unhex('414243'))", "2743272264");
    }
}
