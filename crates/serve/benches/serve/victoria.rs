//! VictoriaMetrics under the same load, where it is installed (Debian's package
//! `victoria-metrics`): the twin of remote-write.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::door::{Ports, cpu_of};

const PROGRAM: &str = "victoria-metrics";
const PATIENCE: Duration = Duration::from_secs(20);

/// It runs; killed when this is dropped.
pub(crate) struct Victoria {
    process: Child,
    address: SocketAddr,
    pub(crate) version: String,
    _data: tempfile::TempDir,
}

impl Victoria {
    /// `None` where it is not installed or does not start.
    pub(crate) fn start() -> Option<Self> {
        // Debian's build does not tell its version itself.
        let query = ["-W", "-f=${Package} ${Version}", PROGRAM];
        let version = Command::new("dpkg-query").args(query).output().ok()?;
        let version = String::from_utf8_lossy(&version.stdout).trim().to_owned();
        // Beside the build, as our log.
        let data = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).ok()?;
        let address = TcpListener::bind(("127.0.0.1", 0))
            .ok()?
            .local_addr()
            .ok()?;
        let process = Command::new(PROGRAM)
            .arg(format!("-storageDataPath={}", data.path().display()))
            .arg(format!("-httpListenAddr={address}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let victoria = Self {
            process,
            address,
            version,
            _data: data,
        };
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if TcpStream::connect(address).is_ok() {
                return Some(victoria);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        None
    }

    pub(crate) fn ports(&self) -> Ports {
        Ports {
            api: self.address,
            grpc: self.address,
            http: self.address,
        }
    }

    pub(crate) fn cpu(&self) -> Duration {
        cpu_of(self.process.id())
    }
}

impl Drop for Victoria {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
