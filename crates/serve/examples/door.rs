//! The door on its own, without the engine that answers questions: for trying
//! clients and for measuring ingest. `door HOME` prints where
//! it listens and serves until its standard input ends.

use std::io::Read;
use std::sync::Arc;

use tachograph_log::{DurableLog, Home};
use tachograph_model::{Answer, Answerer, AskError, Question};
use tachograph_serve::{Config, Doors, start};

struct NoEngine;

impl Answerer for NoEngine {
    fn answer(&self, question: &Question) -> Result<Answer, AskError> {
        Err(AskError::Mismatch {
            question: question.name(),
        })
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: door HOME")?;
    let home = Home::create(folder)?;
    let config = Config {
        dashboard: Some(0),
        otlp_grpc: Some(0),
        otlp_http: Some(0),
        json: Some(0),
        prometheus: Some(0),
        statsd: Some(0),
        ..Config::default()
    };
    let running = start(
        config,
        Doors {
            sink: Arc::new(DurableLog::new(&home)),
            answerer: Arc::new(NoEngine),
            salt: home.salt()?,
            home,
        },
    )?;
    println!("{:#?}", running.addresses());
    std::io::stdin().read_to_end(&mut Vec::new())?;
    running.stop();
    Ok(())
}
