//! What is refused before a conversation, and how.

use super::*;

#[test]
fn a_full_server_says_so_by_http() {
    let server = served().set("limits.connections", "2").start();
    let (alice, _bob) = (Browser::typed(&server, "alice"), Browser::typed(&server, "bob"));
    let mut refused = http(&server);
    refused.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let told = refused.rest();
    assert!(told.starts_with("HTTP/1.1 503 ") && told.ends_with("\r\n\r\nserver full\n"), "{told}");
    assert!(told.contains("\r\nRetry-After: ") && told.contains("\r\nConnection: close\r\n"), "{told}");
    drop(alice);
    eventually("there is a place again", || {
        let mut http = http(&server);
        http.send(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        http.rest().starts_with("HTTP/1.1 200 ")
    });
}

#[test]
fn an_address_begins_so_many_conversations_and_goes_on_fetching() {
    let server = served().set("limits.include_loopback", "true").set("limits.new_per_address", "2").start();
    let (_one, _other) = (Browser::greeted(server.door("web")), Browser::greeted(server.door("web")));
    let mut http = http(&server);
    let refused = http.ask(HANDSHAKE);
    assert_eq!((refused.code, refused.body.as_str()), (429, "too many from your address\n"));
    assert_eq!(http.get("/").code, 200, "on the same connection");
}
