//! Spill files: one Arrow IPC file for each attempt that ran out of memory, written once and then mapped.
//!
//! A file loses its name as soon as it is open, so that nothing is left behind however the process ends, and nobody
//! else can open it. It is not compressed: arrays read from it point into the mapping.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::ArrayRef;
use arrow::buffer::Buffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use arrow_ipc::reader::{FileDecoder, read_footer_length};
use arrow_ipc::writer::FileWriter;
use arrow_ipc::{Block, MetadataVersion, root_as_footer};
use bytes::Bytes;
use memmap2::{Mmap, UncheckedAdvice};

use crate::error::{Error, Result, codes};
use crate::id::JobId;
use crate::storage::filesystem::file_error;
use crate::storage::make_private;

use super::index::RunIndex;

/// Bytes gathered before they are written.
const WRITE_BYTES: usize = 256 << 10;

/// The job's own directory for spill files: made with the first of them, removed when the last user is gone.
#[derive(Debug)]
pub(super) struct SpillDirectory {
    path: PathBuf,
    is_made: Mutex<bool>,
    n_files: AtomicU64,
    bytes: AtomicU64,
}

impl SpillDirectory {
    pub fn new(temp_dir: &Path, job: JobId) -> Self {
        SpillDirectory {
            path: temp_dir.join(format!("shuffle-{job}")),
            is_made: Mutex::new(false),
            n_files: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        }
    }

    /// Bytes written to finished spill files so far.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// A new file without a name, and the path it had, for messages.
    fn create_file(&self) -> Result<(File, PathBuf)> {
        self.make()?;
        let path = self.path.join(format!("spill-{}.arrow", self.n_files.fetch_add(1, Ordering::Relaxed)));
        let file = open_private(&path).map_err(|e| file_error("create", &path, e, codes::STORAGE))?;
        fs::remove_file(&path).map_err(|e| file_error("remove", &path, e, codes::STORAGE))?;
        Ok((file, path))
    }

    fn make(&self) -> Result<()> {
        let mut is_made = self.is_made.lock().unwrap_or_else(PoisonError::into_inner);
        if !*is_made {
            make_private(&self.path).map_err(|e| file_error("create", &self.path, e, codes::STORAGE))?;
            *is_made = true;
        }
        Ok(())
    }
}

impl Drop for SpillDirectory {
    fn drop(&mut self) {
        if *self.is_made.get_mut().unwrap_or_else(PoisonError::into_inner) {
            // Empty, since its files have lost their names; if somebody put a file there, it is not ours to remove.
            let _ = fs::remove_dir(&self.path);
        }
    }
}

/// Writes the runs of one attempt to one file.
pub(super) struct SpillWriter {
    directory: Arc<SpillDirectory>,
    path: PathBuf,
    writer: FileWriter<BufWriter<File>>,
    index: RunIndex,
    schema: SchemaRef,
    file_schema: SchemaRef,
}

impl SpillWriter {
    pub fn create(directory: Arc<SpillDirectory>, schema: SchemaRef, n_partitions: usize) -> Result<Self> {
        let (file, path) = directory.create_file()?;
        SpillWriter::over(file, path, directory, schema, n_partitions)
    }

    fn over(
        file: File,
        path: PathBuf,
        directory: Arc<SpillDirectory>,
        schema: SchemaRef,
        n_partitions: usize,
    ) -> Result<Self> {
        let file_schema = without_dictionaries(&schema);
        let writer = FileWriter::try_new(BufWriter::with_capacity(WRITE_BYTES, file), &file_schema)
            .map_err(|e| spill_error(&path, e))?;
        Ok(SpillWriter { directory, path, writer, index: RunIndex::new(n_partitions), schema, file_schema })
    }

    /// Appends the next partition of the run being written; a run is all partitions, in order.
    pub fn write_partition(&mut self, batches: &[RecordBatch]) -> Result<()> {
        for batch in batches {
            let written = with_types_of(batch, &self.file_schema).and_then(|batch| self.writer.write(&batch));
            written.map_err(|e| spill_error(&self.path, e))?;
        }
        self.index.push_partition(batches.len());
        Ok(())
    }

    /// Ends the file and maps it.
    pub fn finish(self) -> Result<SpillFile> {
        let SpillWriter { directory, path, mut writer, index, schema, file_schema } = self;
        writer.finish().map_err(|e| spill_error(&path, e))?;
        let buffered = writer.into_inner().map_err(|e| spill_error(&path, e))?;
        let file = buffered.into_inner().map_err(|e| file_error("write", &path, e.into_error(), codes::STORAGE))?;
        // SAFETY: a map is sound while nobody changes or truncates the file. This process made the file with
        // `create_new` in a directory that only its user may enter, removed its only name before the first write, and
        // gives up its only writable descriptor at the end of this function. So nobody can open it any more.
        let map = unsafe { Mmap::map(&file) }.map_err(|e| file_error("map", &path, e, codes::STORAGE))?;
        let map = Arc::new(map);
        let bytes = Bytes::from_owner(Mapping(Arc::clone(&map)));
        directory.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        let (blocks, version) = read_footer(&bytes).map_err(|e| spill_error(&path, e))?;
        let decoder = FileDecoder::new(Arc::clone(&file_schema), version);
        Ok(SpillFile { map, bytes, blocks, decoder, version, index, schema, file_schema, path, _directory: directory })
    }
}

/// The bytes of a map, for arrays that point into it.
struct Mapping(Arc<Mmap>);

impl AsRef<[u8]> for Mapping {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// A finished spill file of one attempt.
#[derive(Debug)]
pub(super) struct SpillFile {
    map: Arc<Mmap>,
    /// The bytes of `map`.
    bytes: Bytes,
    blocks: Vec<Block>,
    decoder: FileDecoder,
    version: MetadataVersion,
    index: RunIndex,
    schema: SchemaRef,
    file_schema: SchemaRef,
    /// The name it had, for messages.
    path: PathBuf,
    _directory: Arc<SpillDirectory>,
}

impl SpillFile {
    /// The numbers of one partition's batches, in the order written.
    pub fn batches_of(&self, partition: usize) -> impl Iterator<Item = u32> {
        self.index.batches_of(partition)
    }

    /// One batch; its arrays point into the mapping.
    pub fn batch(&self, batch_idx: u32) -> Result<RecordBatch> {
        self.read(batch_idx, &self.decoder, &self.schema)
    }

    /// Some columns of one batch, which alone are read and checked; `columns` ascend.
    pub fn columns_of_batch(&self, batch_idx: u32, columns: &[usize]) -> Result<RecordBatch> {
        let schema = self.schema.project(columns).map_err(|e| spill_error(&self.path, e))?;
        let decoder = FileDecoder::new(Arc::clone(&self.file_schema), self.version).with_projection(columns.to_vec());
        self.read(batch_idx, &decoder, &Arc::new(schema))
    }

    /// Takes the pages of a batch out of this process's memory, where they count as its own while nobody needs them; whoever
    /// still has the batch finds them in the page cache.
    pub fn release(&self, batch_idx: u32) {
        let Some(range) = self.blocks.get(batch_idx as usize).map(block_range) else { return };
        // SAFETY: pages that are read after this come from the file again. They are the same, since the map is only read
        // and nobody can change the file, see `SpillWriter::finish`.
        let released = unsafe { self.map.unchecked_advise_range(UncheckedAdvice::DontNeed, range.start, range.len()) };
        // Advice that is not taken costs memory alone.
        let _ = released;
    }

    fn read(&self, batch_idx: u32, decoder: &FileDecoder, schema: &SchemaRef) -> Result<RecordBatch> {
        let read = || -> Result<Option<RecordBatch>, ArrowError> {
            let block = &self.blocks[batch_idx as usize];
            // A buffer of the block alone: an array's memory is counted by the whole buffer it points into.
            let buffer = Buffer::from(self.bytes.slice(block_range(block)));
            decoder.read_record_batch(block, &buffer)?.map(|batch| with_types_of(&batch, schema)).transpose()
        };
        match read() {
            Ok(Some(batch)) => Ok(batch),
            Ok(None) => Err(Error::internal("a spilled batch is missing")),
            Err(e) => Err(spill_error(&self.path, e)),
        }
    }

    /// Bytes of the file.
    pub fn len(&self) -> u64 {
        self.bytes.len() as u64
    }
}

fn block_range(block: &Block) -> std::ops::Range<usize> {
    let start = block.offset() as usize;
    start..start + block.metaDataLength() as usize + block.bodyLength() as usize
}

/// Bytes at the end of an IPC file: the footer's length (i32) and `ARROW1`.
const TRAILER_BYTES: usize = 10;

fn read_footer(bytes: &[u8]) -> Result<(Vec<Block>, MetadataVersion), ArrowError> {
    let (rest, trailer) =
        bytes.split_last_chunk::<TRAILER_BYTES>().ok_or_else(|| ArrowError::IpcError("no trailer".to_owned()))?;
    let footer_len = read_footer_length(*trailer)?;
    let footer = root_as_footer(&rest[rest.len() - footer_len..])
        .map_err(|e| ArrowError::IpcError(format!("unreadable footer: {e}")))?;
    let blocks = footer.recordBatches().map(|blocks| blocks.iter().copied().collect()).unwrap_or_default();
    Ok((blocks, footer.version()))
}

/// An IPC file holds one dictionary a column, while map tasks bring one with each batch: so columns are stored plain.
fn without_dictionaries(schema: &SchemaRef) -> SchemaRef {
    if !schema.fields().iter().any(|field| matches!(field.data_type(), DataType::Dictionary(_, _))) {
        return Arc::clone(schema);
    }
    let plain = |field: &Arc<Field>| match field.data_type() {
        DataType::Dictionary(_, value_type) => Arc::new(field.as_ref().clone().with_data_type(*value_type.clone())),
        _ => Arc::clone(field),
    };
    Arc::new(Schema::new(schema.fields().iter().map(plain).collect::<Vec<_>>()))
}

fn with_types_of(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let convert = |(column, field): (&ArrayRef, &Arc<Field>)| match column.data_type() == field.data_type() {
        true => Ok(Arc::clone(column)),
        false => cast(column, field.data_type()),
    };
    let columns = batch.columns().iter().zip(schema.fields()).map(convert).collect::<Result<Vec<_>, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
}

fn spill_error(path: &Path, error: ArrowError) -> Error {
    match error {
        ArrowError::IoError(_, e) => file_error("write", path, e, codes::STORAGE),
        e => Error::internal(format!("cannot spill to `{}`", path.display())).with_source(e),
    }
}

#[cfg(unix)]
fn open_private(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn open_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).open(path)
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, DictionaryArray, Int64Array, StringViewArray};
    use arrow::datatypes::Int16Type;

    use super::*;

    fn spill(batches: &[RecordBatch]) -> (tempfile::TempDir, SpillFile) {
        let root = tempfile::tempdir().unwrap();
        let directory = Arc::new(SpillDirectory::new(root.path(), JobId::new()));
        let mut writer = SpillWriter::create(directory, batches[0].schema(), 1).unwrap();
        writer.write_partition(batches).unwrap();
        let file = writer.finish().unwrap();
        (root, file)
    }

    #[test]
    fn arrays_point_into_the_map() {
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..1000));
        let text: ArrayRef =
            Arc::new(StringViewArray::from_iter_values((0..1000).map(|i| format!("not stored inline {i}"))));
        let batch = RecordBatch::try_from_iter([("n", numbers), ("t", text)]).unwrap();
        let (_root, file) = spill(&[batch.clone(), batch.slice(10, 20)]);
        assert_eq!(file.batch(0).unwrap(), batch);
        assert_eq!(file.batch(1).unwrap(), batch.slice(10, 20));
        let map = file.bytes.as_ptr_range();
        for column in file.batch(0).unwrap().columns() {
            for buffer in column.to_data().buffers() {
                assert!(map.contains(&buffer.as_ptr()), "copied: {}", column.data_type());
                assert!(buffer.capacity() < 64_000);
            }
        }
    }

    #[test]
    fn dictionaries_come_back() {
        let batches: Vec<RecordBatch> = [["a", "b", "a"], ["c", "c", "d"]]
            .into_iter()
            .map(|values| {
                let column: ArrayRef = Arc::new(DictionaryArray::<Int16Type>::from_iter(values));
                RecordBatch::try_from_iter([("d", column)]).unwrap()
            })
            .collect();
        let (_root, file) = spill(&batches);
        assert_eq!([file.batch(0).unwrap(), file.batch(1).unwrap()], batches[..]);
    }

    #[cfg(unix)]
    #[test]
    fn directory_is_private_and_files_have_no_name() {
        use std::os::unix::fs::PermissionsExt;
        let column: ArrayRef = Arc::new(Int64Array::from(vec![1]));
        let (root, file) = spill(&[RecordBatch::try_from_iter([("n", column)]).unwrap()]);
        let directory = fs::read_dir(root.path()).unwrap().next().unwrap().unwrap();
        assert_eq!(directory.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
        drop(file);
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn full_disk_names_the_path() {
        let directory = Arc::new(SpillDirectory::new(Path::new("/nowhere"), JobId::new()));
        let column: ArrayRef = Arc::new(Int64Array::from_iter_values(0..100_000));
        let batch = RecordBatch::try_from_iter([("n", column)]).unwrap();
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let path = PathBuf::from("/tmp/spill-0.arrow");
        let mut writer = SpillWriter::over(full, path, directory, batch.schema(), 1).unwrap();
        let error = writer.write_partition(&[batch]).expect_err("a full disk");
        assert_eq!(error.code(), codes::DISK_LIMIT);
        assert!(error.message().contains("/tmp/spill-0.arrow"), "{error}");
    }

    #[test]
    fn missing_rights_name_the_path() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        fs::write(&file, "").unwrap();
        let directory = SpillDirectory::new(&file, JobId::new());
        let error = directory.create_file().expect_err("a file is no directory");
        assert_eq!(error.code(), codes::STORAGE);
    }
}
