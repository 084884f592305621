use std::{num::NonZeroUsize, path::Path};

use parapet_bench::{Case, agree};
use parapet_executor::Workers;
use parapet_fixtures::RealBlocks;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/fixtures/dev");

/// The real blocks, where the fixtures are unpacked.
pub(crate) fn all() -> Option<Vec<Case>> {
    let mut blocks = RealBlocks::default();
    for folder in ["prestate-blocks", "witness-blocks"] {
        let folder = Path::new(FIXTURES).join(folder);
        if !folder.is_dir() {
            println!("skipped: the fixtures are not unpacked, {} is missing", folder.display());
            return None;
        }
        blocks.add(&folder).unwrap();
    }
    Some(blocks.blocks.into_iter().map(Case::from).collect())
}

#[test]
fn real_blocks_have_their_headers_receipts_and_agree_in_all_three_ways_to_run_them() {
    let Some(cases) = all() else { return };
    assert_eq!(cases.len(), 27, "blocks that follow rules which the node has");
    for case in &cases {
        agree::check(case, &Workers::new(NonZeroUsize::new(2).unwrap())).unwrap();
    }
}
