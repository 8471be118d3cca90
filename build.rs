//! Compiles the contract, without protoc, into messages, services and a descriptor set.

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
    Ok(())
}
