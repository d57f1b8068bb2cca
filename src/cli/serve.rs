//! A page for a browser on this machine, renewed while it is looked at.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use tiny_http::{Header, Method, Request, Response, Server, StatusCode};

use super::{open, print};
use crate::{
    error::{Error, Result},
    report::{Block, Document, Pictures},
};

/// So often it is looked whether Ctrl-C was pressed.
const TURN: Duration = Duration::from_millis(200);
/// The state is looked at no more often than this, however many pages ask.
const REST: Duration = Duration::from_secs(1);

/// A page with the state that it shows.
pub(super) struct Live {
    pub(super) state: String,
    pub(super) html: String,
}

/// Makes the page of now; `None` where its state is the one that is given.
pub(super) type Look<'a> = &'a dyn Fn(&str) -> Result<Option<Live>>;

/// Shows the page until Ctrl-C.
///
/// # Errors
/// When the port cannot be had. What goes wrong with the page is shown in its place.
pub(super) fn serve(port: u16, look: Look<'_>) -> Result<()> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let server = Server::http(address).map_err(|cause| {
        Error::failed(format!("cannot listen at port {port}: {cause}"))
            .help("give another port, or none for any that is free")
    })?;
    let port = server.server_addr().to_ip().map_or(port, |at| at.port());
    let stop = open::stop_on_signals()?;
    print::say(&format!(
        "http://127.0.0.1:{port}/ shows the report and renews it; Ctrl-C ends it"
    ));
    let mut shown = Shown {
        live: Live {
            state: String::new(),
            html: String::new(),
        },
        looked: None,
    };
    while !stop.requested() {
        let asked = server.recv_timeout(TURN);
        let asked = asked.map_err(|e| Error::failed("cannot listen any more").because(e))?;
        if let Some(request) = asked {
            answer(request, port, &mut shown, look);
        }
    }
    Ok(())
}

/// What is shown, and when it was last looked at.
struct Shown {
    live: Live,
    looked: Option<Instant>,
}

impl Shown {
    fn renew(&mut self, look: Look<'_>) {
        if self.looked.is_some_and(|at| at.elapsed() < REST) {
            return;
        }
        match look(&self.live.state) {
            Ok(None) => {}
            Ok(Some(live)) => self.live = live,
            Err(error) => {
                let told = error.to_string();
                if self.live.state != told {
                    self.live = mistake(told);
                }
            }
        }
        self.looked = Some(Instant::now());
    }
}

/// A page that says what is wrong, such as with a file that is just being edited.
fn mistake(told: String) -> Live {
    let document = Document::new(vec![
        Block::heading(1, "There is nothing to show now"),
        Block::Verbatim(told.clone()),
    ]);
    let html = document.html_served(&Pictures::default(), &told);
    Live {
        html: html.unwrap_or_default(),
        state: told,
    }
}

fn answer(request: Request, port: u16, shown: &mut Shown, look: Look<'_>) {
    let response = match (request.method(), request.url()) {
        // DNS rebinding: a page of another site, whose name was made to lead to this machine, must not read the report.
        _ if !is_own(&request, port) => text(403, "text/plain", "not this host"),
        (Method::Get, "/") => {
            shown.renew(look);
            text(200, "text/html; charset=utf-8", &shown.live.html)
        }
        (Method::Get, "/state") => {
            shown.renew(look);
            text(200, "text/plain; charset=utf-8", &shown.live.state)
        }
        _ => text(404, "text/plain", "there is nothing here but /"),
    };
    // Who asked may be gone; nobody else is concerned.
    let _ = request.respond(response);
}

fn is_own(request: &Request, port: u16) -> bool {
    let own = [format!("127.0.0.1:{port}"), format!("localhost:{port}")];
    let host = request.headers().iter().find(|h| h.field.equiv("Host"));
    host.is_some_and(|host| own.iter().any(|own| host.value.as_str() == own))
}

fn text(status: u16, kind: &str, body: &str) -> Response<std::io::Cursor<Vec<u8>>> {
    // In one piece: what asks may be a test or a simple program.
    let mut response = Response::from_string(body)
        .with_status_code(StatusCode(status))
        .with_chunked_threshold(usize::MAX);
    for (name, value) in [
        ("Content-Type", kind),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
    ] {
        if let Ok(header) = Header::from_bytes(name, value) {
            response.add_header(header);
        }
    }
    response
}
