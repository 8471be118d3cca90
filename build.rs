//! Compiles the contract, without protoc, into messages, services and a descriptor set, and embeds
//! the migrations of the databases.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::{env, error, fs};

use prost::Message as _;
use tonic_prost_build::FileDescriptorSet;

fn main() -> Result<(), Box<dyn error::Error>> {
    // Once one of these is printed, Cargo watches nothing else.
    println!("cargo::rerun-if-changed=proto");
    println!("cargo::rerun-if-changed=src/store/migrations");

    let out = PathBuf::from(env::var("OUT_DIR")?);
    let mut files = Vec::new();
    for folder in ["proto/screener/v1", "proto/google/rpc"] {
        for entry in fs::read_dir(folder)? {
            files.push(entry?.path());
        }
    }
    files.sort();
    let mut compiler = protox::Compiler::new(["proto"])?;
    compiler.include_imports(true).include_source_info(true).open_files(&files)?;
    // Encoded by the compiler itself: a round trip through prost's types drops custom options.
    let encoded = compiler.encode_file_descriptor_set();
    fs::write(out.join("descriptor.binpb"), &encoded)?;
    let descriptors = FileDescriptorSet::decode(encoded.as_slice())?;
    tonic_prost_build::configure()
        .build_transport(false)
        .codec_path("crate::grpc::codec::SizingCodec")
        // The type that the library of error details has already.
        .extern_path(".google.rpc.Status", "::tonic_types::Status")
        // It is far larger than the other variant.
        .boxed(".screener.v1.SubmissionResult.result.submission")
        .compile_fds(descriptors)?;
    fs::write(out.join("migrations.rs"), migrations()?)?;
    Ok(())
}

/// Writes the files of each engine's migrations as a table: version, description, statements.
///
/// `sqlx::migrate!` does the same, but has both drivers compiled a second time for the compiler.
fn migrations() -> Result<String, Box<dyn error::Error>> {
    let mut table = String::new();
    for engine in ["sqlite", "postgres"] {
        let folder = format!("src/store/migrations/{engine}");
        let files = fs::read_dir(&folder)?.map(|file| file.map(|file| file.file_name()));
        let mut files = files.collect::<Result<Vec<_>, _>>()?;
        files.sort();
        writeln!(table, "const {}: &[Embedded] = &[", engine.to_uppercase())?;
        for file in files {
            let file = file.into_string().map_err(|_| "a migration's name is not UTF-8")?;
            let name = file.strip_suffix(".sql").and_then(|name| name.split_once('_'));
            let (version, name) = name.ok_or("a migration is named VERSION_NAME.sql")?;
            let (version, name) = (version.parse::<i64>()?, name.replace('_', " "));
            let path = format!(r#"concat!(env!("CARGO_MANIFEST_DIR"), "/{folder}/{file}")"#);
            writeln!(table, "    ({version}, {name:?}, include_str!({path})),")?;
        }
        writeln!(table, "];")?;
    }
    Ok(table)
}
