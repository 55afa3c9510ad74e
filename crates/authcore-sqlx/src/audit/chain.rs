//! Rows of which each has a hash over itself and the one before.

use aws_lc_rs::{digest, rand};

use super::entry::Entry;

/// The end of a chain: its id, how many rows it has, and the hash of the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainHead {
    /// The chain's id: 32 hexadecimal digits, drawn by its writer.
    pub chain: String,
    /// The place of the last row; 0 when there is none.
    pub seq: i64,
    /// The last row's hash: 64 hexadecimal digits.
    pub hash: String,
}

/// The same, to be continued.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) chain: String,
    pub(super) seq: i64,
    hash: [u8; 32],
}

impl Head {
    /// A chain of its own; `None` without random numbers.
    pub(super) fn begin() -> Option<Self> {
        let mut id = [0; 16];
        rand::fill(&mut id).ok()?;
        Some(Self::of(&hex(&id)))
    }

    /// Before the first row of a chain.
    pub(super) fn of(chain: &str) -> Self {
        Self { chain: chain.to_owned(), seq: 0, hash: [0; 32] }
    }

    /// The end once this is added: its hash is `SHA-256(hash before || chain || seq || fields)`. Each text begins with its
    /// length in eight bytes, so that none can be moved to its neighbour; a missing one is told from an empty one.
    pub(super) fn then(&self, entry: &Entry) -> Self {
        let seq = self.seq.saturating_add(1);
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(&self.hash);
        add(&mut context, Some(&self.chain));
        context.update(&seq.to_be_bytes());
        for field in &entry.0 {
            add(&mut context, field.as_deref());
        }
        let mut hash = [0; 32];
        hash.copy_from_slice(context.finish().as_ref());
        Self { chain: self.chain.clone(), seq, hash }
    }

    pub(super) fn hash(&self) -> String {
        hex(&self.hash)
    }

    pub(super) fn to_public(&self) -> ChainHead {
        ChainHead { chain: self.chain.clone(), seq: self.seq, hash: self.hash() }
    }
}

fn add(context: &mut digest::Context, text: Option<&str>) {
    let Some(text) = text else { return context.update(&[0]) };
    context.update(&[1]);
    context.update(&(text.len() as u64).to_be_bytes());
    context.update(text.as_bytes());
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(texts: [Option<&str>; 11]) -> Entry {
        Entry(texts.map(|text| text.map(str::to_owned)))
    }

    #[test]
    fn a_hash_is_over_every_field_in_its_place() {
        let start = Head::of("c");
        let mut seen = std::collections::HashSet::new();
        for texts in [[Some("ab"), Some("")], [Some("a"), Some("b")], [Some("ab"), None], [None, Some("ab")]] {
            let mut all = [Some("x"); 11];
            all[3..5].copy_from_slice(&texts);
            assert!(seen.insert(start.then(&entry(all)).hash()));
            assert!(seen.insert(Head::of("d").then(&entry(all)).hash()), "another chain");
            assert!(seen.insert(start.then(&entry(all)).then(&entry(all)).hash()), "another place");
        }
    }

    /// What somebody who checks a chain with other tools computes.
    #[test]
    fn a_hash_is_of_these_bytes() {
        let mut fields = [None; 11];
        fields[1] = Some("ann");
        let mut bytes = vec![0; 32];
        bytes.extend_from_slice(
            b"\x01\0\0\0\0\0\0\0\x01c\0\0\0\0\0\0\0\x01\0\x01\0\0\0\0\0\0\0\x03ann\0\0\0\0\0\0\0\0\0",
        );
        let expected = hex(digest::digest(&digest::SHA256, &bytes).as_ref());
        assert_eq!(Head::of("c").then(&entry(fields)).hash(), expected);
    }
}
