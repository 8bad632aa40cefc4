//! The page and its files, which are part of the program.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use data_encoding::BASE32HEX_NOPAD;
use sha1::{Digest as _, Sha1};

use super::policy::page_fields;
use super::squeeze;

/// What stands in the page for the name of the folder of all other files.
const HASH_MARK: &str = "{{HASH}}";
/// Letters of that name: 80 bits.
const HASH_LETTERS: usize = 16;

/// A file of the page.
struct Source {
    name: &'static str,
    media_type: &'static str,
    text: &'static str,
}

impl Source {
    /// What clients get of it.
    fn served(&self) -> Cow<'static, str> {
        match self.media_type {
            SCRIPT => Cow::Owned(squeeze::script(self.text)),
            STYLE => Cow::Owned(squeeze::style(self.text)),
            _ => Cow::Borrowed(self.text),
        }
    }
}

/// A file of `web/`, by its name there.
macro_rules! source {
    ($name:literal, $media_type:expr) => {
        Source { name: $name, media_type: $media_type, text: include_str!(concat!("../../../web/", $name)) }
    };
}

/// The media type of a module.
const SCRIPT: &str = "text/javascript; charset=utf-8";
/// The media type of a style.
const STYLE: &str = "text/css; charset=utf-8";
/// The media type of an icon.
const ICON: &str = "image/svg+xml";
/// The media type of the page.
pub const PAGE: &str = "text/html; charset=utf-8";

/// The page itself.
const INDEX: &str = include_str!("../../../web/index.html");
/// All other files.
const SOURCES: &[Source] = &[
    source!("dialogs.js", SCRIPT),
    source!("dom.js", SCRIPT),
    source!("icon.svg", ICON),
    source!("icon-new.svg", ICON),
    source!("log.js", SCRIPT),
    source!("main.js", SCRIPT),
    source!("place.js", SCRIPT),
    source!("rows.js", SCRIPT),
    source!("session.js", SCRIPT),
    source!("style.css", STYLE),
    source!("text.js", SCRIPT),
    source!("view.js", SCRIPT),
    source!("wire.js", SCRIPT),
];

/// The page and its files, one behind the other.
pub struct Files {
    /// All bytes.
    pub blob: Vec<u8>,
    /// The page.
    pub index: File,
    /// The name of the folder of the other files, which is another one when any byte of them changes. It is the page's
    /// ETag, too.
    pub hash: String,
    others: Vec<(&'static str, File)>,
}

/// Where a file is, and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its bytes in the blob.
    pub at: Range<usize>,
    /// Its media type.
    pub media_type: &'static str,
}

impl Files {
    /// The files of this program.
    pub fn of_page() -> &'static Self {
        static FILES: LazyLock<Files> = LazyLock::new(Files::new);
        &FILES
    }

    fn new() -> Self {
        let served: Vec<_> = SOURCES.iter().map(|source| (source, source.served())).collect();
        // A page that a browser keeps has the policy of its time, too.
        let page = [("", INDEX), ("policy", &page_fields("localhost"))];
        let hash = hash(page.into_iter().chain(served.iter().map(|(source, text)| (source.name, &**text))));
        let mut blob = INDEX.replace(HASH_MARK, &hash).into_bytes();
        let index = File { at: 0..blob.len(), media_type: PAGE };
        let mut add = |(source, text): &(&Source, Cow<'_, str>)| {
            let start = blob.len();
            blob.extend_from_slice(text.as_bytes());
            (source.name, File { at: start..blob.len(), media_type: source.media_type })
        };
        let others = served.iter().map(&mut add).collect();
        Self { blob, index, hash, others }
    }

    /// The file `name` of the folder `hash`.
    pub fn find(&self, hash: &str, name: &str) -> Option<&File> {
        let mut others = self.others.iter().filter(|_| hash == self.hash);
        others.find(|(other, _)| *other == name).map(|(_, file)| file)
    }

    /// The bytes of a file.
    pub fn bytes(&self, file: &File) -> &[u8] {
        self.blob.get(file.at.clone()).unwrap_or_default()
    }
}

/// Names the content of all files, given with their names as clients get them.
fn hash<'t>(files: impl Iterator<Item = (&'t str, &'t str)>) -> String {
    let mut all = Sha1::new();
    for part in files.flat_map(|(name, text)| [name, text]) {
        all.update(part.len().to_be_bytes());
        all.update(part);
    }
    let mut text = BASE32HEX_NOPAD.encode(&all.finalize()).to_ascii_lowercase();
    text.truncate(HASH_LETTERS);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_its_files() {
        let files = Files::of_page();
        let page = std::str::from_utf8(files.bytes(&files.index)).unwrap();
        assert!(page.contains(&format!("src=\"a/{}/main.js\"", files.hash)) && !page.contains(HASH_MARK));
        let main = files.find(&files.hash, "main.js").unwrap();
        assert!(files.bytes(main).starts_with(b"import"));
        assert_eq!((files.find("0", "main.js"), files.find(&files.hash, "nothing.js")), (None, None));
    }

    #[test]
    fn the_folder_has_another_name_when_a_byte_changes_that_is_served() {
        let files = Files::of_page();
        let fields = page_fields("localhost");
        let mut parts = vec![("", INDEX), ("policy", &*fields)];
        let served = |name| std::str::from_utf8(files.bytes(files.find(&files.hash, name).unwrap())).unwrap();
        parts.extend(SOURCES.iter().map(|source| (source.name, served(source.name))));
        assert_eq!(hash(parts.iter().copied()), files.hash);
        for place in 0..parts.len() {
            let mut other = parts.clone();
            other[place].1 = &parts[place].1[1..];
            assert_ne!(hash(other.into_iter()), files.hash, "{}", parts[place].0);
        }
        assert_ne!(hash([("ab", "c")].into_iter()), hash([("a", "bc")].into_iter()));
    }

    #[test]
    fn the_page_is_small() {
        let all = Files::of_page().blob.len();
        assert!(all < 80 * 1024, "{all} bytes");
    }

    #[test]
    fn every_file_is_named() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/web");
        let mut there: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        there.retain(|path| path.is_file());
        let mut found: Vec<_> =
            there.iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect();
        found.sort();
        let mut named: Vec<_> = SOURCES.iter().map(|source| source.name.to_owned()).collect();
        named.push("index.html".to_owned());
        named.sort();
        assert_eq!(found, named);
    }
}
