//! Servers that behave badly, on loopback.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value as Json;

/// A request that came.
#[derive(Clone, Debug)]
pub(crate) struct Got {
    pub(crate) at: Instant,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Got {
    pub(crate) fn json(&self) -> Json {
        serde_json::from_str(&self.body).expect("a body of JSON")
    }

    /// `name status` of each alert.
    pub(crate) fn said(&self) -> Vec<String> {
        let body = self.json();
        let alerts = body["alerts"].as_array().expect("alerts").iter();
        let said = alerts.map(|alert| {
            let name = alert["labels"]["name"].as_str().expect("a name");
            format!("{name} {}", alert["status"].as_str().expect("a status"))
        });
        said.collect()
    }
}

/// What it does when somebody asks.
#[derive(Clone)]
pub(crate) enum Answer {
    /// A status and a body.
    Say(u16, String),
    /// These bytes, whatever they are.
    Raw(Vec<u8>),
    /// Nothing, for so long.
    Hang(Duration),
    /// A body without an end, within so long.
    Flood(Duration),
    /// What it was asked, with status 500.
    Echo,
}

pub(crate) fn ok() -> Answer {
    Answer::Say(200, "ok".to_owned())
}

/// A web server that does one thing after the other; the last again and again.
pub(crate) struct Web {
    pub(crate) address: String,
    got: Arc<Mutex<Vec<Got>>>,
    script: Arc<Mutex<Vec<Answer>>>,
}

impl Web {
    pub(crate) fn new(script: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let (got, script) = (Arc::default(), Arc::new(Mutex::new(script)));
        let web = Self {
            address,
            got,
            script,
        };
        let (got, script) = (web.got.clone(), web.script.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (got, script) = (got.clone(), script.clone());
                std::thread::spawn(move || serve(stream, &got, &script));
            }
        });
        web
    }

    pub(crate) fn got(&self) -> Vec<Got> {
        self.got.lock().expect("no panic").clone()
    }

    /// What it does from now on.
    pub(crate) fn becomes(&self, script: Vec<Answer>) {
        *self.script.lock().expect("no panic") = script;
    }

    /// All that it was told, in order.
    pub(crate) fn said(&self) -> Vec<String> {
        self.got().iter().flat_map(Got::said).collect()
    }
}

fn serve(stream: TcpStream, got: &Mutex<Vec<Got>>, script: &Mutex<Vec<Answer>>) {
    let Some(request) = read(&stream) else {
        return;
    };
    let answer = {
        let mut got = got.lock().expect("no panic");
        let mut script = script.lock().expect("no panic");
        got.push(request.clone());
        match script.len() {
            1 => script[0].clone(),
            _ => script.remove(0),
        }
    };
    let mut stream = stream;
    let say = |stream: &mut TcpStream, status: u16, body: &str| {
        let length = body.len();
        let text = format!(
            "HTTP/1.1 {status} X\r\nlocation: http://127.0.0.1:1/elsewhere\r\n\
             content-length: {length}\r\nconnection: close\r\n\r\n{body}"
        );
        // Whoever asked may have gone.
        let _ = stream.write_all(text.as_bytes());
    };
    match answer {
        Answer::Say(status, body) => say(&mut stream, status, &body),
        Answer::Raw(bytes) => drop(stream.write_all(&bytes)),
        Answer::Hang(time) => std::thread::sleep(time),
        Answer::Echo => say(
            &mut stream,
            500,
            &format!("{}\n{}", request.head, request.body),
        ),
        Answer::Flood(time) => {
            let began = Instant::now();
            let _ = stream.write_all(b"HTTP/1.1 500 X\r\ncontent-length: 99999999999\r\n\r\n");
            while began.elapsed() < time && stream.write_all(&[b'x'; 65_536]).is_ok() {}
        }
    }
}

fn read(stream: &TcpStream) -> Option<Got> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let length = head.to_lowercase();
    let length = length
        .split("content-length:")
        .nth(1)?
        .split("\r\n")
        .next()?;
    let mut body = vec![0; length.trim().parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    Some(Got {
        at: Instant::now(),
        head,
        body: String::from_utf8(body).ok()?,
    })
}

/// A mail server; `say` answers each line, nothing where it is silent.
pub(crate) struct Mail {
    pub(crate) port: u16,
    got: Arc<Mutex<Vec<String>>>,
}

impl Mail {
    pub(crate) fn new(say: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let got: Arc<Mutex<Vec<String>>> = Arc::default();
        let mail = Self { port, got };
        let got = mail.got.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // Nobody may be there any more.
                let _ = talk(&stream, &got, &say);
            }
        });
        mail
    }

    /// One that takes what comes.
    pub(crate) fn kind() -> Self {
        Self::new(|line| usual(line).to_owned())
    }

    pub(crate) fn got(&self) -> Vec<String> {
        self.got.lock().expect("no panic").clone()
    }
}

/// What a mail server says.
pub(crate) fn usual(line: &str) -> &'static str {
    match line.split([' ', ':']).next().unwrap_or("") {
        "" => "220 here\r\n",
        "EHLO" => "250-here\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME\r\n",
        "AUTH" => "235 in\r\n",
        "DATA" => "354 go on\r\n",
        "QUIT" => "221 bye\r\n",
        _ => "250 well\r\n",
    }
}

fn talk(
    stream: &TcpStream,
    got: &Mutex<Vec<String>>,
    say: &dyn Fn(&str) -> String,
) -> std::io::Result<()> {
    let mut writer = stream;
    writer.write_all(say("").as_bytes())?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    while reader.read_line(&mut line)? > 0 {
        let said = say(line.trim_end());
        writer.write_all(said.as_bytes())?;
        if said.starts_with("354") {
            let mut mail = String::new();
            while !mail.ends_with("\r\n.\r\n") && reader.read_line(&mut mail)? > 0 {}
            got.lock().expect("no panic").push(mail);
            writer.write_all(say(".").as_bytes())?;
        }
        line.clear();
    }
    Ok(())
}
