//! What browsers are told of the page and its files, besides their bytes.

/// The fields of every answer that is a file.
pub(super) const GUARDS: &str = "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n\
     Cross-Origin-Opener-Policy: same-origin\r\nCross-Origin-Resource-Policy: same-origin\r\n";

/// The fields of the page. It may use its own files, and talk with this server. `authority` is a checked
/// Host: Safari has long not counted a WebSocket as `'self'`.
pub(super) fn page_fields(authority: &str) -> String {
    format!(
        "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
         connect-src 'self' ws://{authority} wss://{authority}; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'\r\n{GUARDS}"
    )
}
