//! The control socket as commands, strangers and dead servers meet it.

use std::sync::mpsc::{Receiver, channel};

use tempfile::TempDir;

use super::*;

/// Long enough to be forever, where a test must not hang on a timeout of ours.
const FOREVER: Duration = Duration::from_secs(3600);

fn folder(mode: u32) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(&folder, Permissions::from_mode(mode)).unwrap();
    folder
}

/// A server in `folder`, and where its calls of `wake` arrive.
fn served(folder: &TempDir) -> (Control, Receiver<()>) {
    let (woken, calls) = channel();
    (serve(folder.path(), move || woken.send(()).unwrap()).unwrap(), calls)
}

async fn ring_from_afar(folder: &TempDir) -> io::Result<Rung> {
    let path = folder.path().to_owned();
    tokio::task::spawn_blocking(move || ring(&path)).await.unwrap()
}

/// What the server says to `line` until it closes.
async fn say(folder: &TempDir, line: &[u8]) -> Vec<u8> {
    let mut stream = UnixStream::connect(folder.path().join(SOCKET)).await.unwrap();
    stream.write_all(line).await.unwrap();
    let mut said = Vec::new();
    // Closing on unread bytes resets the connection, which is an end as good as any.
    drop(stream.read_to_end(&mut said).await);
    said
}

#[tokio::test]
async fn a_ring_wakes_the_server_once_and_is_heard() {
    let folder = folder(0o700);
    let (_control, calls) = served(&folder);
    assert_eq!(ring_from_afar(&folder).await.unwrap(), Rung::Heard);
    assert_eq!(calls.try_iter().count(), 1);
    assert_eq!(ring_from_afar(&folder).await.unwrap(), Rung::Heard);
    assert_eq!(calls.try_iter().count(), 1);
}

#[tokio::test]
async fn only_the_one_word_is_understood() {
    let folder = folder(0o700);
    let (_control, calls) = served(&folder);
    for (line, answer) in [
        (&b"wake\n"[..], &b"ok\n"[..]),
        (b"wake\nwake\n", b"ok\n"),
        (b"wake\r\n", b""),
        (b"WAKE\n", b""),
        (b"\n", b""),
        (b"awake\n", b""),
        (b"wake-wake-wake-wake-wake", b""),
        (b"0123456789abcdefwake\n", b""),
    ] {
        assert_eq!(say(&folder, line).await, answer, "{}", line.escape_ascii());
    }
    assert_eq!(calls.try_iter().count(), 2);
}

#[tokio::test]
async fn a_silent_client_is_let_go() {
    let folder = folder(0o700);
    let listener = UnixListener::bind(folder.path().join(SOCKET)).unwrap();
    let task = tokio::spawn(accept(listener, Arc::new(|| {}), Duration::ZERO));
    assert_eq!(say(&folder, b"").await, b"");
    task.abort();
}

#[tokio::test]
async fn a_line_without_an_end_is_cut_off_without_waiting_for_it() {
    let folder = folder(0o700);
    let listener = UnixListener::bind(folder.path().join(SOCKET)).unwrap();
    let task = tokio::spawn(accept(listener, Arc::new(|| {}), FOREVER));
    assert_eq!(say(&folder, b"0123456789abcdef").await, b"");
    task.abort();
}

#[tokio::test]
async fn a_full_house_lets_the_next_in_when_one_leaves() {
    let folder = folder(0o700);
    let path = folder.path().join(SOCKET);
    let (woken, calls) = channel();
    let listener = UnixListener::bind(&path).unwrap();
    let wake = Arc::new(move || woken.send(()).unwrap());
    let task = tokio::spawn(accept(listener, wake, FOREVER));
    let mut silent = Vec::new();
    for _ in 0..MAX_CONNECTIONS {
        silent.push(UnixStream::connect(&path).await.unwrap());
    }
    let mut next = UnixStream::connect(&path).await.unwrap();
    next.write_all(WAKE).await.unwrap();
    // Each turn of this single-threaded runtime serves all that is ready.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(calls.try_iter().count(), 0);
    silent.pop();
    let mut said = Vec::new();
    next.read_to_end(&mut said).await.unwrap();
    assert_eq!((said.as_slice(), calls.try_iter().count()), (DONE, 1));
    task.abort();
}

#[tokio::test]
async fn the_socket_is_the_owners_alone_and_goes_with_the_server() {
    let folder = folder(0o700);
    let (control, _calls) = served(&folder);
    let path = folder.path().join(SOCKET);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, OWNER_ONLY);
    drop(control);
    assert!(!path.exists());
    assert_eq!(ring(folder.path()).unwrap(), Rung::NobodyHome);
}

#[tokio::test]
async fn a_server_that_stops_hears_nobody_any_more() {
    let folder = folder(0o700);
    let (control, calls) = served(&folder);
    let mut open = UnixStream::connect(folder.path().join(SOCKET)).await.unwrap();
    drop(control);
    tokio::task::yield_now().await;
    let mut said = Vec::new();
    // The connection may be closed or reset by now: either way nothing comes back.
    drop(open.write_all(WAKE).await);
    drop(open.read_to_end(&mut said).await);
    assert_eq!((said.as_slice(), calls.try_iter().count()), (&b""[..], 0));
}

#[tokio::test]
async fn a_folder_that_others_may_enter_is_refused() {
    for mode in [0o750, 0o710, 0o705, 0o701, 0o720] {
        let folder = folder(mode);
        let refused = serve(folder.path(), || {}).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::PermissionDenied, "{mode:o}");
        assert!(!folder.path().join(SOCKET).exists(), "{mode:o}");
    }
}

#[tokio::test]
async fn a_dead_servers_socket_is_refused_to_clients_and_replaced_by_the_next_server() {
    let folder = folder(0o700);
    drop(UnixListener::bind(folder.path().join(SOCKET)).unwrap());
    assert_eq!(ring(folder.path()).unwrap(), Rung::NobodyHome);
    let (_control, _calls) = served(&folder);
    assert_eq!(ring_from_afar(&folder).await.unwrap(), Rung::Heard);
}

#[tokio::test]
async fn a_file_that_is_no_socket_is_left_alone() {
    let folder = folder(0o700);
    fs::write(folder.path().join(SOCKET), "mine").unwrap();
    let refused = serve(folder.path(), || {}).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::AlreadyExists);
    assert_eq!(fs::read_to_string(folder.path().join(SOCKET)).unwrap(), "mine");
}

#[tokio::test]
async fn a_path_too_long_for_a_socket_is_an_error_here_and_nobody_there() {
    let folder = folder(0o700);
    let deep = folder.path().join("d".repeat(120));
    fs::create_dir(&deep).unwrap();
    fs::set_permissions(&deep, Permissions::from_mode(0o700)).unwrap();
    let refused = serve(&deep, || {}).unwrap_err();
    assert!(refused.to_string().ends_with("is longer than a socket address allows"), "{refused}");
    assert_eq!(ring(&deep).unwrap(), Rung::NobodyHome);
}

#[test]
fn a_server_that_hangs_up_is_an_error_and_not_an_absence() {
    let folder = folder(0o700);
    let listener = std::os::unix::net::UnixListener::bind(folder.path().join(SOCKET)).unwrap();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.read_exact(&mut [0; WAKE.len()]).unwrap();
    });
    assert_eq!(ring(folder.path()).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    server.join().unwrap();
}
