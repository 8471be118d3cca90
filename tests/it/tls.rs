//! TLS of the public port.

use std::io::{Read as _, Write as _};
use std::net::TcpStream as Blocking;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hyper_util::rt::TokioIo;
use rcgen::{CertificateParams, CertifiedIssuer, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use screenerd::client as pb;
use screenerd::client::screener_session_service_client::ScreenerSessionServiceClient;
use screenerd::net::{Pair, Tls};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;

use crate::support::calls::request;
use crate::support::process::{Workplace, stderr};
use crate::support::{SPOT, Server, config};

/// An authority, and the folder of the files that it has issued.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.not_before = date_time_ymd(2024, 1, 1);
        params.not_after = date_time_ymd(2090, 1, 1);
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("an authority");
        Self { issuer, folder: TempDir::new().expect("a folder") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Returns a certificate for localhost with this end, and its key, in PEM.
    fn issue(&self, until: i32) -> (String, String) {
        let names = vec!["localhost".to_owned()];
        let mut params = CertificateParams::new(names).expect("a name");
        params.distinguished_name.push(rcgen::DnType::CommonName, "localhost");
        params.not_before = date_time_ymd(2023, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        (certificate.pem(), key.serialize_pem())
    }

    /// Writes a pair, as most tools do: into other files, which then replace the old ones.
    fn write(&self, (certificate, key): &(String, String)) {
        for (name, text) in [("server.key", key), ("server.pem", certificate)] {
            let new = self.path("new");
            std::fs::write(&new, text).expect("it can be written");
            std::fs::rename(new, self.path(name)).expect("it can be renamed");
        }
    }

    fn client(&self, protocols: &[&str]) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).expect("a root");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        TlsConnector::from(Arc::new(config))
    }
}

/// A server with a certificate.
struct Secured {
    server: Server,
    authority: Authority,
}

impl Secured {
    async fn start() -> Self {
        let authority = Authority::new();
        authority.write(&authority.issue(2080));
        let mut config = config(None, true);
        config.public_url = None;
        config.admin_listen = Some("127.0.0.1:0".parse().expect("an address"));
        config.tls_cert = Some(authority.path("server.pem"));
        config.tls_key = Some(authority.path("server.key"));
        Self { server: Server::start(&config).await, authority }
    }

    async fn connect(&self, protocols: &[&str]) -> std::io::Result<TlsStream<TcpStream>> {
        let socket = TcpStream::connect(self.server.running.address()).await?;
        let name = ServerName::try_from("localhost").expect("a name");
        self.authority.client(protocols).connect(name, socket).await
    }

    /// Returns the certificate that a new connection is shown.
    async fn shown(&self) -> CertificateDer<'static> {
        let stream = self.connect(&["http/1.1"]).await.expect("a handshake");
        let (_, session) = stream.get_ref();
        session.peer_certificates().expect("a chain")[0].clone().into_owned()
    }

    /// Sends a request of HTTP/1.1, and returns the response.
    async fn get(&self, path: &str, header: &str) -> String {
        let mut stream = self.connect(&["http/1.1"]).await.expect("a handshake");
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{header}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.expect("it is sent");
        let mut response = String::new();
        // Fails if the end of the connection is not the server's own.
        stream.read_to_string(&mut response).await.expect("a whole response");
        response
    }

    async fn channel(&self) -> Channel {
        let stream = self.connect(&["h2"]).await.expect("a handshake");
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let mut stream = Some(TokioIo::new(stream));
        let connect = service_fn(move |_| {
            let once = stream.take().ok_or(std::io::ErrorKind::NotConnected);
            std::future::ready(once.map_err(std::io::Error::from))
        });
        let endpoint = Endpoint::from_static("http://localhost");
        endpoint.connect_with_connector(connect).await.expect("a connection")
    }
}

fn get_session() -> tonic::Request<pb::GetScreenerSessionRequest> {
    request(pb::GetScreenerSessionRequest { id: "scses_789".into() }, SPOT)
}

#[tokio::test]
async fn both_versions_of_http_are_served_over_tls_and_links_begin_with_https() {
    let secured = Secured::start().await;
    let page = secured.get("/s/onboarding-003-kim", "accept: */*").await;
    assert!(page.starts_with("HTTP/1.1 200 OK"), "{page}");
    assert!(page.contains("strict-transport-security: max-age=63072000"), "{page}");
    let mut sessions = ScreenerSessionServiceClient::new(secured.channel().await);
    let session = sessions.get_screener_session(get_session()).await.expect("a session");
    assert!(!session.metadata().contains_key("strict-transport-security"));
    let access = "/tenant/surveys/survey-123/panelists/customer-456";
    let access = secured.get(access, "x-api-key: vtt_your_api_key").await;
    assert!(access.contains("\"https://127.0.0.1:"), "{access}");
    secured.server.stop().await;
}

#[tokio::test]
async fn a_client_that_speaks_plain_http_is_told_so() {
    let secured = Secured::start().await;
    let address = secured.server.running.address();
    let response = tokio::task::spawn_blocking(move || {
        let mut socket = Blocking::connect(address).expect("a connection");
        socket.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").expect("it is sent");
        let mut response = String::new();
        socket.read_to_string(&mut response).expect("a response");
        response
    });
    let response = response.await.expect("a response");
    assert!(response.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{response}");
    let (head, body) = response.split_once("\r\n\r\n").expect("a body");
    assert_eq!(body, "This port speaks TLS. Use https://.\n");
    assert!(head.contains(&format!("content-length: {}", body.len())), "{head}");
    let operator = secured.server.running.admin_address().expect("the operator's address");
    let counted = "screenerd_connections_ended_total{reason=\"plain_http\"} 1\n";
    let is_counted = async || {
        let scrape = secured.server.http.get(format!("http://{operator}/metrics")).send().await;
        scrape.expect("a response").text().await.expect("a text").contains(counted)
    };
    let counting = async {
        while !is_counted().await {
            tokio::task::yield_now().await;
        }
    };
    let patience = std::time::Duration::from_secs(30);
    tokio::time::timeout(patience, counting).await.expect("it is counted");
    secured.server.stop().await;
}

/// Sends SIGHUP to this process, whose server with TLS waits for it.
fn hang_up() {
    let itself = rustix::process::getpid();
    rustix::process::kill_process(itself, rustix::process::Signal::HUP).expect("it is sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_replaced_without_a_failed_call_and_never_by_one_that_cannot_be_used() {
    let secured = Arc::new(Secured::start().await);
    let first = secured.shown().await;
    let stop = tokio_util::sync::CancellationToken::new();
    let (count, mut counted) = tokio::sync::watch::channel(0);
    let calls = tokio::spawn({
        let (secured, stop) = (Arc::clone(&secured), stop.clone());
        async move {
            let kept = secured.channel().await;
            while !stop.is_cancelled() {
                for channel in [kept.clone(), secured.channel().await] {
                    let mut sessions = ScreenerSessionServiceClient::new(channel);
                    sessions.get_screener_session(get_session()).await.expect("a session");
                    count.send_modify(|count| *count += 1);
                }
            }
        }
    });
    let mut more_calls = async || {
        let enough = *counted.borrow_and_update() + 10;
        counted.wait_for(|count| *count >= enough).await.expect("the calls succeed");
    };

    let authority = &secured.authority;
    let (other, expired) = (authority.issue(2080), authority.issue(2024));
    let good = authority.issue(2081);
    for (certificate, key) in [
        (&other.0, &good.1),
        (&expired.0, &expired.1),
        (&"no certificate".to_owned(), &good.1),
        (&good.0, &String::new()),
    ] {
        authority.write(&(certificate.clone(), key.clone()));
        hang_up();
        more_calls().await;
        assert_eq!(secured.shown().await, first);
    }
    authority.write(&good);
    hang_up();
    let hung_up = tokio::time::Instant::now();
    while secured.shown().await == first {
        more_calls().await;
    }
    // The regular comparison alone may take 10 seconds.
    assert!(hung_up.elapsed() < std::time::Duration::from_secs(8), "SIGHUP is heeded");
    more_calls().await;
    stop.cancel();
    calls.await.expect("every call succeeds");
}

#[tokio::test]
async fn a_pair_that_cannot_be_used_is_refused_at_the_start_by_a_sentence_with_its_file() {
    let authority = Authority::new();
    let good = authority.issue(2080);
    let (other, expired) = (authority.issue(2080), authority.issue(2024));
    let chain = format!("{}{}", good.0, other.0);
    let write = |name: &str, text: &str| {
        std::fs::write(authority.path(name), text).expect("it can be written");
    };
    for (name, text) in [
        ("good.pem", &good.0),
        ("good.key", &good.1),
        ("other.key", &other.1),
        ("expired.pem", &expired.0),
        ("expired.key", &expired.1),
        ("sealed.key", &good.1.replace("PRIVATE", "ENCRYPTED PRIVATE")),
        ("chain.pem", &chain),
        ("empty", &String::new()),
    ] {
        write(name, text);
    }
    for (certificate, key, why) in [
        ("absent.pem", "good.key", "cannot read the certificate {}/absent.pem: No such file"),
        ("good.pem", "absent.key", "cannot read the key {}/absent.key: No such file"),
        ("empty", "good.key", "{}/empty has no certificate in PEM"),
        ("good.key", "good.key", "{}/good.key has no certificate in PEM"),
        ("good.pem", "empty", "{}/empty has no private key in PEM"),
        ("good.pem", "sealed.key", "the private key in {}/sealed.key is encrypted: remove its"),
        ("good.pem", "other.key", "the key in {}/other.key does not belong to the certificate"),
        ("expired.pem", "expired.key", "(number 1) that expired at 2024-01-01T00:00:00Z"),
        ("chain.pem", "good.key", "is out of order: certificate 2 did not issue the one before"),
    ] {
        let mut config = config(None, true);
        config.tls_cert = Some(authority.path(certificate));
        config.tls_key = Some(authority.path(key));
        let refused = screenerd::serve::start(&config).await.expect_err("a refusal");
        let why = why.replace("{}", &Path::new(authority.folder.path()).display().to_string());
        assert!(refused.detail().contains(&why), "{}\n{why}", refused.detail());
    }
}

#[test]
fn a_reload_replaces_a_pair_by_one_that_can_be_used_and_by_no_other() {
    let authority = Authority::new();
    let pair =
        Pair { certificate: authority.path("server.pem"), key: authority.path("server.key") };
    let now = "2024-06-01T12:00:00Z".parse().expect("an instant");
    let (first, second, expired) =
        (authority.issue(2080), authority.issue(2081), authority.issue(2024));
    authority.write(&first);
    let tls = Tls::load(pair, now).expect("a pair");
    let until = tls.not_after();
    assert_eq!(tls.reload(now), Ok(()), "nothing has changed");
    for (certificate, key, why) in [
        (&second.0, &first.1, "does not belong to the certificate"),
        (&expired.0, &expired.1, "expired at 2024-01-01T00:00:00Z"),
        (&String::new(), &first.1, "no certificate in PEM"),
    ] {
        authority.write(&(certificate.clone(), key.clone()));
        let refused = tls.reload(now).expect_err("a refusal");
        assert!(refused.contains(why), "{refused}");
        assert_eq!(tls.not_after(), until);
    }
    std::fs::remove_file(authority.path("server.key")).expect("it is there");
    assert!(tls.reload(now).is_err_and(|why| why.contains("cannot read the key")));
    // A file without an end or a bound is not read.
    let made = std::process::Command::new("mkfifo").arg(authority.path("server.key")).status();
    assert!(made.expect("it runs").success());
    assert!(tls.reload(now).is_err_and(|why| why.contains("it is not a regular file")));
    std::fs::remove_file(authority.path("server.key")).expect("it is there");
    std::fs::write(authority.path("server.key"), vec![b'x'; 2 << 20]).expect("it is written");
    assert!(tls.reload(now).is_err_and(|why| why.contains("more than 1048576 bytes")));
    authority.write(&second);
    assert_eq!(tls.reload(now), Ok(()));
    assert!(tls.not_after() > until);
    let later = "2100-01-01T00:00:00Z".parse().expect("an instant");
    assert!(tls.reload(later).is_err_and(|why| why.contains("the current one expired at 2081")));
    assert!(!format!("{tls:?}").contains("PRIVATE"));
}

#[test]
fn the_tree_has_one_provider_of_cryptography_for_tls() {
    let lock = include_str!("../../Cargo.lock");
    assert!(lock.contains("name = \"ring\"") && !lock.contains("aws-lc"));
}

#[test]
fn a_health_check_of_a_port_with_tls_names_the_operators_address() {
    let authority = Authority::new();
    authority.write(&authority.issue(2080));
    let (certificate, key) = (authority.path("server.pem"), authority.path("server.key"));
    let (certificate, key) = (certificate.display().to_string(), key.display().to_string());
    let place = Workplace::new();
    let files = ["--tls-cert", &certificate, "--tls-key", &key];
    let same = [&["--admin-listen", "127.0.0.1:0"][..], &files].concat();
    let serving = place.serve(&same);
    let output = place.run(&["healthcheck", "--listen", &serving.address]);
    let words = format!(
        "screenerd: {} speaks TLS: name the operator's address of the server with --admin-listen.\n",
        serving.address
    );
    assert_eq!(stderr(&output), words);
    // The address of one port cannot be that of the other.
    let address = serving.address.clone();
    let port = address.rsplit(':').next().expect("a port");
    assert!(serving.terminate().success());
    let both = format!(":{port}");
    let local = format!("127.0.0.1:{port}");
    let output = place.run(&["serve", "--listen", &local, "--admin-listen", &both]);
    assert!(stderr(&output).contains("is the address of --listen. Name another port."));
}

#[test]
fn a_certificate_without_an_end_is_taken_and_a_chain_ends_with_its_first_end() {
    let authority = Authority::new();
    let now = "2024-06-01T12:00:00Z".parse().expect("an instant");
    let pair =
        || Pair { certificate: authority.path("server.pem"), key: authority.path("server.key") };
    authority.write(&authority.issue(9999));
    let tls = Tls::load(pair(), now).expect("a pair");
    assert!(tls.not_after().to_string().starts_with("9999-"), "{}", tls.not_after());
    // The authority itself ends in 2090.
    let (certificate, key) = authority.issue(2095);
    authority.write(&(format!("{certificate}{}", authority.issuer.pem()), key));
    let tls = Tls::load(pair(), now).expect("a pair");
    assert!(tls.not_after().to_string().starts_with("2090-01-01"), "{}", tls.not_after());
}
