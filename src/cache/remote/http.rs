//! Requests of object stores through `ureq`, the client that is here already: each waits on a thread of the runtime.
//!
//! An answer is read whole before it is handed on. Nothing larger than a piece of an object is ever asked for, and so a connection that
//! breaks in the middle is a failed request, which is sent again.

use std::{io::Read, time::Duration};

use async_trait::async_trait;
use http_body_util::BodyExt;
use object_store::{
    ClientOptions,
    client::{
        HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
    },
};
use ureq::{
    Agent,
    http::{Request, Response},
    tls::{RootCerts, TlsConfig},
};

/// No answer for so long is none.
const PATIENCE: Duration = Duration::from_secs(30);
/// Nor is a connection that takes so long.
const REACHED: Duration = Duration::from_secs(10);
/// A piece of an object that takes longer does not arrive.
const LONGEST: Duration = Duration::from_mins(5);
/// More than any answer has: pieces of objects, and lists of a thousand names.
const MOST: u64 = 64 << 20;

/// Makes the one client of a store.
#[derive(Debug)]
pub(super) struct Connector;

impl HttpConnector for Connector {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        // Whom the machine trusts: a store within a house may have certificates of the house.
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier);
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .tls_config(tls.build())
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(REACHED))
            .timeout_recv_response(Some(PATIENCE))
            .timeout_per_call(Some(LONGEST));
        Ok(HttpClient::new(Client(config.build().into())))
    }
}

#[derive(Debug)]
struct Client(Agent);

#[async_trait]
impl HttpService for Client {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let request = Request::from_parts(parts, body.to_vec());
        let agent = self.0.clone();
        let sent = tokio::task::spawn_blocking(move || send(&agent, request));
        sent.await
            .map_err(|e| HttpError::new(HttpErrorKind::Unknown, e))?
    }
}

fn send(agent: &Agent, request: Request<Vec<u8>>) -> Result<HttpResponse, HttpError> {
    let answer = agent.run(request).map_err(failed)?;
    let (parts, body) = answer.into_parts();
    let mut bytes = Vec::new();
    let interrupted = |e| HttpError::new(HttpErrorKind::Interrupted, e);
    body.into_reader()
        .take(MOST)
        .read_to_end(&mut bytes)
        .map_err(interrupted)?;
    Ok(Response::from_parts(parts, bytes.into()))
}

/// What may be tried again.
fn failed(error: ureq::Error) -> HttpError {
    let kind = match &error {
        ureq::Error::Timeout(_) => HttpErrorKind::Timeout,
        ureq::Error::ConnectionFailed => HttpErrorKind::Connect,
        ureq::Error::Io(e) if e.kind() == std::io::ErrorKind::ConnectionRefused => {
            HttpErrorKind::Connect
        }
        ureq::Error::Io(_) => HttpErrorKind::Interrupted,
        // Whoever has no such name now has none in a second.
        ureq::Error::HostNotFound | ureq::Error::Tls(_) | ureq::Error::Rustls(_) => {
            HttpErrorKind::Unknown
        }
        ureq::Error::Protocol(_) => HttpErrorKind::Interrupted,
        _ => HttpErrorKind::Unknown,
    };
    HttpError::new(kind, error)
}
