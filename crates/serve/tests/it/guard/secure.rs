//! TLS at every door, and certificates that cannot be used.

use std::sync::Arc;
use std::time::Duration;

use tachograph_serve::config::{Config, Limits, Tls};
use tachograph_serve::guard::tls;

use super::{doors, dribble, request, say, status};
use crate::common::{Door, config};

const CERT: &[u8] = include_bytes!("../../data/tls-cert.pem");
const KEY: &[u8] = include_bytes!("../../data/tls-key.pem");

#[test]
fn tls_is_spoken_and_nothing_else_then() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio_rustls::rustls::pki_types::pem::PemObject as _;
    use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
    use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};

    let pair = Tls {
        certificates: CERT.to_vec(),
        key: KEY.to_vec(),
    };
    let door = Door::with(Config {
        tls: Some(pair),
        limits: Limits {
            read_timeout: Duration::from_secs(1),
            ..Limits::default()
        },
        ..config()
    });
    let mut roots = RootCertStore::empty();
    let own = CertificateDer::from_pem_slice(CERT).expect("a certificate");
    roots.add(own).expect("a root");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    for address in doors(&door) {
        for protocol in ["http/1.1", "h2"] {
            let mut client =
                ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
                    .with_safe_default_protocol_versions()
                    .expect("versions")
                    .with_root_certificates(roots.clone())
                    .with_no_client_auth();
            client.alpn_protocols = vec![protocol.as_bytes().to_vec()];
            let connector = tokio_rustls::TlsConnector::from(Arc::new(client));
            let answer = runtime.block_on(async {
                let stream = tokio::net::TcpStream::connect(address)
                    .await
                    .expect("a connection");
                let name = ServerName::try_from("localhost").expect("a name");
                let mut stream = connector.connect(name, stream).await.expect("a handshake");
                assert_eq!(
                    stream.get_ref().1.alpn_protocol(),
                    Some(protocol.as_bytes())
                );
                if protocol == "h2" {
                    return None;
                }
                let ask = request("GET", "/nothing-here", &["host: localhost"], "");
                stream.write_all(ask.as_bytes()).await.expect("sent");
                let mut answer = Vec::new();
                // Whether it ends with a farewell or not, the answer is there.
                let _ = stream.read_to_end(&mut answer).await;
                Some(String::from_utf8_lossy(&answer).into_owned())
            });
            if let Some(answer) = answer {
                assert_eq!(status(&answer), 404, "{answer}");
            }
        }
        let plain = say(
            address,
            &request("GET", "/nothing-here", &["host: localhost"], ""),
        );
        assert!(!plain.starts_with("HTTP/"), "{plain}");
        // Who opens a connection and says nothing is left as well.
        let (took, said) = dribble(address, "", b"");
        assert!(took < Duration::from_secs(8), "{took:?}");
        assert_eq!(said, "");
    }
}

#[test]
fn a_wrong_certificate_is_named() {
    for (certificates, key, words) in [
        (&b"nothing"[..], KEY, "no certificate in PEM"),
        (CERT, &b"nothing"[..], "no private key in PEM"),
        (CERT, CERT, "no private key in PEM"),
    ] {
        let error = tls::acceptor(&Tls {
            certificates: certificates.to_vec(),
            key: key.to_vec(),
        });
        let said = error.map(|_| ()).expect_err("it cannot do").to_string();
        assert!(said.contains(words), "{said}");
    }
}
