//! Archives, good and evil.

use std::io::Write as _;

/// One file of an archive: path, content, permission bits.
pub(crate) type File<'a> = (&'a str, &'a str, u32);

/// A `.tar.gz` with these files.
pub(crate) fn archive(files: &[File<'_>]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, content, mode) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(*mode);
        builder
            .append_data(&mut header, path, content.as_bytes())
            .expect("a file in an archive");
    }
    gzip(&builder.into_inner().expect("an archive"))
}

/// A `.tar.gz` of headers as they are, whatever they say.
pub(crate) fn raw_archive(entries: &[(tar::Header, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (header, content) in entries {
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(content);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    bytes.resize(bytes.len() + 1024, 0);
    gzip(&bytes)
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}
