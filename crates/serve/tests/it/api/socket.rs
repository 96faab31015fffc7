//! A client of a WebSocket.

use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value as Json;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Message, WebSocket, client};

use crate::common::Door;

pub(crate) type Socket = WebSocket<TcpStream>;

/// The status where it is no WebSocket.
pub(crate) fn connect(door: &Door, path: &str) -> Result<Socket, u16> {
    let address = door.addresses().dashboard.expect("this door is open");
    let stream = TcpStream::connect(address).expect("a connection");
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .expect("a time-out");
    match client(format!("ws://{address}{path}"), stream) {
        Ok((socket, _)) => Ok(socket),
        Err(tungstenite::HandshakeError::Failure(tungstenite::Error::Http(response))) => {
            Err(response.status().as_u16())
        }
        Err(error) => panic!("{error}"),
    }
}

pub(crate) fn next(socket: &mut Socket) -> Json {
    loop {
        if let Message::Text(text) = socket.read().expect("a message") {
            return serde_json::from_str(&text).expect("JSON");
        }
    }
}

/// The code that the server closes with; none when it just hangs up.
pub(crate) fn closed(socket: &mut Socket) -> Option<CloseCode> {
    loop {
        match socket.read() {
            Ok(Message::Close(frame)) => return frame.map(|frame| frame.code),
            Ok(_) => {}
            Err(_) => return None,
        }
    }
}
