//! The bare frameworks as the baseline: the generated service on tonic's own server and two routes
//! of axum on hyper, with no layer, no credential and no database. Both respond with constants that
//! `screenerd` itself returned for the same request, so that sizes are equal.
//!
//! `benches/run` starts it. It runs until it is killed.

use std::error::Error;
use std::path::{Path, PathBuf};

use axum::Router;
use bytes::{Buf as _, Bytes};
use clap::Parser;
use http::header;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use prost::Message as _;
use screenerd::pb::screener::v1;
use screenerd::pb::screener::v1::screener_session_service_server::{
    ScreenerSessionService, ScreenerSessionServiceServer,
};
use tokio::net::TcpListener;
use tonic::transport::server::{Server, TcpIncoming};
use tonic::{Response, Status};

#[derive(Parser)]
struct Arguments {
    /// A response to `GetScreenerSession`, framed as gRPC frames it.
    #[arg(long)]
    grpc_body: PathBuf,

    /// A response to `GET /screener-sessions/{id}`.
    #[arg(long)]
    rest_body: PathBuf,

    /// A page of questions.
    #[arg(long)]
    page: PathBuf,
}

struct Constant(v1::GetScreenerSessionResponse);

/// The methods that are not measured.
macro_rules! unmeasured {
    ($($method:ident($request:ident) -> $response:ident;)*) => {
        #[tonic::async_trait]
        impl ScreenerSessionService for Constant {
            async fn get_screener_session(
                &self,
                _: tonic::Request<v1::GetScreenerSessionRequest>,
            ) -> Result<Response<v1::GetScreenerSessionResponse>, Status> {
                Ok(Response::new(self.0.clone()))
            }

            $(async fn $method(
                &self,
                _: tonic::Request<v1::$request>,
            ) -> Result<Response<v1::$response>, Status> {
                Err(Status::unimplemented("not measured"))
            })*
        }
    };
}

unmeasured! {
    list_screener_sessions(ListScreenerSessionsRequest) -> ListScreenerSessionsResponse;
    create_screener_session(CreateScreenerSessionRequest) -> CreateScreenerSessionResponse;
    batch_create_screener_sessions(BatchCreateScreenerSessionsRequest)
        -> BatchCreateScreenerSessionsResponse;
    archive_screener_session(ArchiveScreenerSessionRequest) -> ArchiveScreenerSessionResponse;
    restore_screener_session(RestoreScreenerSessionRequest) -> RestoreScreenerSessionResponse;
    remove_screener_session(RemoveScreenerSessionRequest) -> RemoveScreenerSessionResponse;
}

/// Reads a framed message: one byte for "not compressed", four of length, the message.
fn read_message(path: &Path) -> Result<v1::GetScreenerSessionResponse, Box<dyn Error>> {
    let mut framed = Bytes::from(std::fs::read(path)?);
    if framed.remaining() < 5 || framed.get_u8() != 0 {
        return Err("not an uncompressed gRPC frame".into());
    }
    if usize::try_from(framed.get_u32())? != framed.remaining() {
        return Err("not exactly one gRPC frame".into());
    }
    Ok(v1::GetScreenerSessionResponse::decode(framed)?)
}

async fn serve_rest(listener: TcpListener, body: Bytes, page: Bytes) -> Result<(), Box<dyn Error>> {
    let answer = async move || ([(header::CONTENT_TYPE, "application/json")], body.clone());
    let page = async move || ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page.clone());
    let router = Router::new()
        .route("/screener-sessions/{id}", axum::routing::get(answer))
        .route("/page", axum::routing::get(page));
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let Arguments { grpc_body, rest_body, page } = Arguments::parse();
    let message = read_message(&grpc_body)?;
    let body = Bytes::from(std::fs::read(rest_body)?);
    let page = Bytes::from(std::fs::read(page)?);
    let grpc = TcpListener::bind("127.0.0.1:0").await?;
    let rest = TcpListener::bind("127.0.0.1:0").await?;
    println!("gRPC on {}, REST on {}", grpc.local_addr()?, rest.local_addr()?);
    tokio::spawn(async move {
        if let Err(error) = serve_rest(rest, body, page).await {
            eprintln!("noop: {error}");
            std::process::exit(1);
        }
    });
    let service = ScreenerSessionServiceServer::new(Constant(message));
    let incoming = TcpIncoming::from(grpc).with_nodelay(Some(true));
    Server::builder().add_service(service).serve_with_incoming(incoming).await?;
    Ok(())
}
