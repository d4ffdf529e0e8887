//! A client that sends one command and then neither reads nor goes away: a standby, a backup or a copy that stands still.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;

use pg_logstats_test_cluster::{Cluster, SUPERUSER};

/// Such a client; what it began ends when it is dropped.
#[derive(Debug)]
pub(super) struct Stalled(#[expect(dead_code, reason = "held open")] UnixStream);

impl Stalled {
    /// Sends `command` on a connection of its own; of the replication protocol when `replication`.
    pub(super) fn new(cluster: &Cluster, replication: bool, command: &str) -> Self {
        let socket = cluster.socket_dir().join(format!(".s.PGSQL.{}", cluster.port()));
        let mut stream = UnixStream::connect(socket).unwrap();
        let mut parameters = vec![
            ("user", SUPERUSER),
            ("database", "shop"),
            ("application_name", "stalled"),
        ];
        if replication {
            parameters.push(("replication", "true"));
        }
        // Version 3.0 of the protocol.
        let mut startup = 196_608_i32.to_be_bytes().to_vec();
        for (name, value) in parameters {
            startup.extend(format!("{name}\0{value}\0").as_bytes());
        }
        startup.push(0);
        stream.write_all(&framed(None, &startup)).unwrap();
        // Up to ReadyForQuery.
        loop {
            let mut head = [0; 5];
            stream.read_exact(&mut head).unwrap();
            let length = u32::from_be_bytes(head[1..].try_into().unwrap()) as usize - 4;
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            match head[0] {
                b'Z' => break,
                b'E' => panic!("{}", String::from_utf8_lossy(&body)),
                _ => {}
            }
        }
        stream
            .write_all(&framed(Some(b'Q'), format!("{command}\0").as_bytes()))
            .unwrap();
        Self(stream)
    }
}

fn framed(kind: Option<u8>, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap();
    let mut message: Vec<u8> = kind.into_iter().collect();
    message.extend(length.to_be_bytes());
    message.extend(body);
    message
}
