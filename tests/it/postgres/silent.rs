//! A network that loses what PostgreSQL responds: no caller waits forever, and the server stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use screenerd::store::{Arg, Location, Row, Store, Tx};
use sqlx::ConnectOptions as _;
use sqlx::postgres::PgConnectOptions;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::support::backend::{Backend, run};

/// More than the server gives a lost connection.
const PATIENCE: Duration = Duration::from_secs(20);
/// All connections of reads.
const READS: usize = 8;

/// Loses the responses of PostgreSQL while it is `silent`, and signals each loss.
#[derive(Default)]
struct Network {
    silent: AtomicBool,
    lost: Notify,
}

impl Network {
    async fn carry(self: Arc<Self>, client: TcpStream, server: TcpStream) {
        let (mut from_client, mut to_client) = client.into_split();
        let (mut from_server, mut to_server) = server.into_split();
        tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
        let mut bytes = vec![0; 1 << 16];
        while let Ok(count @ 1..) = from_server.read(&mut bytes).await {
            if self.silent.load(Ordering::SeqCst) {
                self.lost.notify_one();
            } else if to_client.write_all(&bytes[..count]).await.is_err() {
                return;
            }
        }
    }
}

async fn start(server: &PgConnectOptions) -> (u16, Arc<Network>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let address = format!("{}:{}", server.get_host(), server.get_port());
    let network = Arc::<Network>::default();
    let carrier = Arc::clone(&network);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(&address).await.expect("PostgreSQL accepts");
            tokio::spawn(Arc::clone(&carrier).carry(client, server));
        }
    });
    (port, network)
}

async fn one(tx: &mut Tx) -> screenerd::domain::error::Result<Option<i64>> {
    tx.one("SELECT CAST(1 AS BIGINT)", &[] as &[Arg<'_>], |row: &mut Row<'_>| row.int()).await
}

#[test]
fn reads_whose_end_is_lost_cost_no_connection_and_do_not_keep_the_server_from_stopping() {
    let Some(backend) = Backend::postgres("a network that loses responses") else { return };
    run(&backend, async |db| {
        let Location::Postgres(url) = &db.location else { unreachable!("it is PostgreSQL") };
        let options: PgConnectOptions = url.parse().expect("a URL");
        let (port, network) = start(&options).await;
        let through = Location::Postgres(options.port(port).to_url_lossy().to_string());
        let store = Store::open(&through).await.expect("it opens");
        let lose = async || {
            let silence = Arc::clone(&network);
            let read = store.read(async move |tx| {
                let read = one(tx).await;
                silence.silent.store(true, Ordering::SeqCst);
                read
            });
            assert_eq!(timeout(PATIENCE, read).await.expect("in time").expect("a row"), Some(1));
            timeout(PATIENCE, network.lost.notified()).await.expect("the end is lost");
            network.silent.store(false, Ordering::SeqCst);
        };
        for _ in 0..READS {
            lose().await;
        }
        let read = timeout(PATIENCE, store.read(one)).await.expect("in time");
        assert_eq!(read.expect("a row"), Some(1));
        lose().await;
        timeout(PATIENCE, store.close()).await.expect("it closes");
    });
}
