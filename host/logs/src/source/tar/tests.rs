use std::sync::atomic::AtomicU64;

use proptest::prelude::*;

use super::*;

/// One header of ustar, its checksum included.
fn record(name: &str, kind: u8, size: usize) -> Vec<u8> {
    let mut header = vec![0; RECORD_BYTES];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[124..136].copy_from_slice(format!("{size:011o}\0").as_bytes());
    header[156] = kind;
    header[257..265].copy_from_slice(b"ustar\x0000");
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}

/// A header, its bytes and what pads them.
fn member(name: &str, kind: u8, bytes: &[u8]) -> Vec<u8> {
    let padding = vec![0; bytes.len().wrapping_neg() % RECORD_BYTES];
    [record(name, kind, bytes.len()), bytes.to_vec(), padding].concat()
}

fn read(bytes: &[u8], head: usize) -> (Vec<(String, Vec<u8>)>, bool) {
    let (head, rest) = bytes.split_at(head.min(bytes.len()));
    let counter = Arc::new(AtomicU64::new(0));
    let input = Input::open(Box::new(io::Cursor::new(rest.to_vec())), counter).unwrap();
    let archive = Archive::new(head.to_vec(), input);
    let mut members = Vec::new();
    while let Some(mut member) = next_member(&archive).unwrap() {
        let mut bytes = Vec::new();
        member.bytes.read_to_end(&mut bytes).unwrap();
        members.push((member.name, bytes));
    }
    let broken = archive.lock().unwrap().broken;
    (members, broken)
}

/// What `tar` makes of a folder, in one of its formats.
fn by_tar(format: &str, dir: &std::path::Path) -> Vec<u8> {
    let made = std::process::Command::new("tar")
        .args(["--format", format, "-cf", "-", "log"])
        .current_dir(dir)
        .output()
        .unwrap();
    assert!(made.status.success());
    made.stdout
}

#[test]
fn archives_of_tar_itself_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let long = format!("log/{}/{}.log", "d".repeat(90), "f".repeat(90));
    std::fs::create_dir_all(dir.path().join(&long).parent().unwrap()).unwrap();
    let mut expected = vec![
        ("log/a.log".to_owned(), b"one".to_vec()),
        ("log/empty.log".to_owned(), Vec::new()),
        (long, vec![b'x'; 100_000]),
    ];
    for (name, bytes) in &expected {
        std::fs::write(dir.path().join(name), bytes).unwrap();
    }
    std::os::unix::fs::symlink("a.log", dir.path().join("log/link.log")).unwrap();
    expected.sort();
    for format in ["gnu", "posix", "ustar", "v7"] {
        if format == "v7" {
            // Its names are short.
            std::fs::remove_file(dir.path().join(&expected[1].0)).unwrap();
            expected.remove(1);
        }
        let bytes = by_tar(format, dir.path());
        assert!(is_archive(&bytes), "{format}");
        let (mut members, broken) = read(&bytes, 1000);
        members.sort();
        assert_eq!((members == expected, broken), (true, false), "{format}");
    }
}

#[test]
fn an_archive_that_is_cut_gives_what_is_there() {
    let bytes = [member("a", b'0', &[b'a'; 600]), member("b", b'0', &[b'b'; 10])].concat();
    for cut in 1..bytes.len() {
        let (members, broken) = read(&bytes[..cut], 700);
        let whole = [(0, 0), (512, 1), (512 + 1024 + 512, 2)];
        let expected = whole.iter().rev().find(|(start, _)| cut >= *start).unwrap().1;
        assert_eq!(members.len(), expected, "{cut}");
        assert_eq!(broken, cut != 512 + 1024, "{cut}");
    }
}

#[test]
fn a_header_that_is_none_ends_the_archive() {
    let mut bytes = [member("a", b'0', b"one"), member("b", b'0', b"two")].concat();
    bytes[1024] ^= 1;
    let (members, broken) = read(&bytes, 0);
    assert_eq!((members.len(), broken), (1, true));
}

#[test]
fn a_header_about_the_next_member_is_not_believed_beyond_its_limit() {
    let huge = member("././@LongLink", b'L', &vec![b'n'; 100_000]);
    let bytes = [huge, member("short", b'0', b"one")].concat();
    let (members, broken) = read(&bytes, 0);
    assert_eq!((members, broken), (vec![("short".to_owned(), b"one".to_vec())], false));
    // A size beyond all there is.
    let mut header = record("a", b'0', 0);
    header[124..136].copy_from_slice(&[0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header.extend_from_slice(b"rest");
    let (members, broken) = read(&header, 0);
    assert_eq!((members, broken), (vec![("a".to_owned(), b"rest".to_vec())], true));
}

#[test]
fn a_text_is_no_archive() {
    assert!(!is_archive(&[b' '; 4096]));
    assert!(!is_archive(&[0; 4096]));
    assert!(!is_archive(b"2026-11-23 05:04:31.054 UTC [7] LOG:  x\n"));
}

proptest! {
    #[test]
    fn no_archive_does_harm(mut bytes in proptest::collection::vec(any::<u8>(), 0..3000), head in 0usize..3000, place in 0usize..500, byte: u8) {
        read(&bytes, head);
        let mut header = record("a", byte, bytes.len() / 2);
        header[place] = byte;
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        header.append(&mut bytes);
        read(&header, head);
    }
}
