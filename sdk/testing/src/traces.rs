//! Transactions that are drawn, for properties that hold in all of them.
//!
//! What is drawn is coherent: frames are entered and left in order, nothing moves in static ones, nobody pays what they do
//! not have, tokens log what they move, what a reverted frame did is gone, and balances before and after differ by what
//! flowed. The states before and after single frames are not told apart from the state at that time.
//!
//! ```
//! use parapet_testing::{Scene, proptest::prelude::*, traces::Cast};
//! # use parapet_guest::prelude::*;
//! # /// The vault is left with what it had.
//! # #[guard(name = "keeps", triggers(flow))] pub struct Keeps;
//! # #[guard] impl Guard for Keeps {
//! #     fn on_tx(&self, tx: &Tx) {
//! #         if moved::by_asset(tx).iter().any(|asset| !asset.net_out().is_zero()) { veto!(1, "it left"); }
//! #     }
//! # }
//!
//! let vault = Address([0xaa; 20]);
//! let cast = Cast::around(&[vault]);
//! proptest!(|(drawn in cast.transactions())| {
//!     let mut scene = Scene::new(&Keeps, &[vault]);
//!     let books = drawn.play(&mut scene);
//!     let outcome = scene.finish();
//!     let lost = books.lost(vault).next().is_some();
//!     prop_assert_eq!(outcome.vetoed().is_some(), lost && drawn.succeeds());
//! });
//! ```

mod books;

use std::fmt;

use parapet_guest::{Address, B256, Fork, Guard, U256, abi::FrameStatus, calldata, descriptor::Described};
use proptest::{collection::vec, prelude::*, sample::Index};

pub use books::Books;

use crate::{Enter, Scene};

/// One whole, in basis points.
const WHOLE_BPS: u16 = 10_000;
/// Frames inside of each other, at most.
const DEPTH_MAX: u32 = 6;
/// Steps of a transaction, about.
const STEPS: u32 = 24;
/// Steps of one frame, at most.
const BRANCHES: usize = 4;

/// Who takes part in drawn transactions.
#[derive(Clone, Debug)]
pub struct Cast {
    accounts: Vec<Address>,
    tokens: Vec<Address>,
    selectors: Vec<[u8; 4]>,
}

impl Cast {
    /// The guarded accounts, four strangers and two tokens.
    #[must_use]
    pub fn around(guarded: &[Address]) -> Self {
        let strangers = (1..=4).map(|number| Address([0xe0 | number; 20]));
        let accounts = guarded.iter().copied().chain(strangers).collect();
        Self { accounts, tokens: vec![Address([0x71; 20]), Address([0x72; 20])], selectors: Vec::new() }
    }

    /// Others who are called and paid.
    #[must_use]
    pub fn with(mut self, accounts: &[Address]) -> Self {
        self.accounts.extend_from_slice(accounts);
        self
    }

    /// Other tokens, in place of the two.
    #[must_use]
    pub fn trading(mut self, tokens: &[Address]) -> Self {
        self.tokens = tokens.to_vec();
        self
    }

    /// Functions that calls are drawn from; any, if there are none.
    #[must_use]
    pub fn calling(mut self, selectors: &[[u8; 4]]) -> Self {
        self.selectors = selectors.to_vec();
        self
    }

    /// Transactions of these.
    pub fn transactions(&self) -> impl Strategy<Value = Drawn> + use<> {
        let cast = self.clone();
        let rich = vec(any::<u32>(), cast.accounts.len() * (1 + cast.tokens.len()));
        let root = (any::<Index>(), any::<Input>(), share(), vec(step(), 0..=BRANCHES), succeeds());
        (rich, root).prop_map(move |(riches, (to, input, value, inner, succeeds))| {
            let root = Step::Call { kind: Kind::Call, to, input, value, inner, succeeds };
            Drawn { cast: cast.clone(), riches, root }
        })
    }
}

/// A drawn transaction.
#[derive(Clone)]
pub struct Drawn {
    cast: Cast,
    /// What each account has of ether and of each token.
    riches: Vec<u32>,
    root: Step,
}

/// What a frame does.
#[derive(Clone, Debug)]
enum Step {
    Call {
        kind: Kind,
        to: Index,
        input: Input,
        value: u16,
        inner: Vec<Step>,
        succeeds: bool,
    },
    /// A transfer of a share of what the running account has of a token.
    Pay {
        token: Index,
        to: Index,
        share: u16,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Call,
    Static,
    Delegate,
}

/// What a call carries.
#[derive(Clone, Debug)]
enum Input {
    Nothing,
    Function { selector: Index, any: [u8; 4], arguments: Vec<u8> },
}

impl Arbitrary for Input {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        let function = (any::<Index>(), any::<[u8; 4]>(), vec(any::<u8>(), 0..=68));
        let function = function.prop_map(|(selector, any, arguments)| Self::Function { selector, any, arguments });
        prop_oneof![1 => Just(Self::Nothing), 4 => function].boxed()
    }
}

/// Mostly nothing, else any share, and all of it often enough.
fn share() -> impl Strategy<Value = u16> {
    prop_oneof![4 => Just(0), 3 => 0..=WHOLE_BPS, 1 => Just(WHOLE_BPS)]
}

fn succeeds() -> impl Strategy<Value = bool> {
    prop_oneof![9 => Just(true), 1 => Just(false)]
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![6 => Just(Kind::Call), 1 => Just(Kind::Static), 1 => Just(Kind::Delegate)]
}

fn step() -> impl Strategy<Value = Step> {
    let call = |inner: BoxedStrategy<Vec<Step>>| {
        (kind(), any::<Index>(), any::<Input>(), share(), inner, succeeds()).prop_map(
            |(kind, to, input, value, inner, succeeds)| Step::Call { kind, to, input, value, inner, succeeds },
        )
    };
    let pay = (any::<Index>(), any::<Index>(), 0..=WHOLE_BPS);
    let pay = pay.prop_map(|(token, to, share)| Step::Pay { token, to, share });
    let leaf = prop_oneof![2 => pay, 1 => call(Just(Vec::new()).boxed())];
    leaf.prop_recursive(DEPTH_MAX, STEPS, BRANCHES as u32, move |inner| call(vec(inner, 1..=BRANCHES).boxed()))
}

impl fmt::Debug for Drawn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drawn").field("riches", &self.riches).field("root", &self.root).finish_non_exhaustive()
    }
}

impl Drawn {
    /// Whether the transaction's own frame succeeds, if nobody objects.
    #[must_use]
    pub const fn succeeds(&self) -> bool {
        match &self.root {
            Step::Call { succeeds, .. } => *succeeds,
            Step::Pay { .. } => true,
        }
    }

    /// Plays it to a guard, with the state around it; the scene is to be finished. Answers who had what before and has what
    /// now, if the transaction stands.
    pub fn play<G: Guard + Described>(&self, scene: &mut Scene<G>) -> Books {
        let mut books = self.books(scene);
        for fork in [Fork::PreTx, Fork::Now] {
            books.show(scene, fork);
        }
        let sender = Address::from(scene.world.context.sender);
        self.step(&self.root, sender, false, &mut books, scene);
        books
    }

    fn books<G: Guard + Described>(&self, scene: &Scene<G>) -> Books {
        let mut riches = self.riches.iter().map(|drawn| U256::from(*drawn));
        let mut books = Books::default();
        for asset in std::iter::once(Address::ZERO).chain(self.cast.tokens.iter().copied()) {
            for (account, amount) in self.cast.accounts.iter().zip(riches.by_ref()) {
                books.give(asset, *account, amount);
            }
            books.give(asset, scene.world.context.sender.into(), U256::from(u32::MAX));
        }
        books
    }

    fn step<G: Guard + Described>(
        &self,
        step: &Step,
        running: Address,
        is_static: bool,
        books: &mut Books,
        scene: &mut Scene<G>,
    ) {
        match step {
            Step::Pay { .. } if is_static || self.cast.tokens.is_empty() => {}
            Step::Pay { token, to, share } => {
                let (token, to) = (*token.get(&self.cast.tokens), *to.get(&self.cast.accounts));
                let amount = part(books.has(token, running), *share);
                scene.enter(Enter::call(token).input(&calldata!("transfer(address,uint256)", to, amount)));
                scene.transfer(token, running, to, amount);
                books.pay(token, running, to, amount);
                books.show(scene, Fork::Now);
                scene.leave_as(FrameStatus::Succeeded, &B256::from(U256::from(1)).0);
            }
            Step::Call { kind, to, input, value, inner, succeeds } => {
                let to = *to.get(&self.cast.accounts);
                let value = match kind {
                    Kind::Call if !is_static => part(books.has(Address::ZERO, running), *value),
                    Kind::Call | Kind::Static | Kind::Delegate => U256::ZERO,
                };
                let enter = match kind {
                    Kind::Call => Enter::call(to),
                    Kind::Static => Enter::static_call(to),
                    Kind::Delegate => Enter::delegate_call(to),
                };
                let before = books.clone();
                scene.enter(enter.input(&self.input(input)).value(value));
                books.pay(Address::ZERO, running, to, value);
                books.show(scene, Fork::Now);
                let runs = if *kind == Kind::Delegate { running } else { to };
                for step in inner {
                    self.step(step, runs, is_static || *kind == Kind::Static, books, scene);
                }
                let status = if *succeeds {
                    FrameStatus::Succeeded
                } else {
                    books.return_to(before);
                    books.show(scene, Fork::Now);
                    FrameStatus::Reverted
                };
                scene.leave_as(status, &[]);
            }
        }
    }

    fn input(&self, input: &Input) -> Vec<u8> {
        match input {
            Input::Nothing => Vec::new(),
            Input::Function { any, arguments, .. } if self.cast.selectors.is_empty() => [&any[..], arguments].concat(),
            Input::Function { selector, arguments, .. } => {
                [&selector.get(&self.cast.selectors)[..], arguments].concat()
            }
        }
    }
}

fn part(whole: U256, bps: u16) -> U256 {
    whole * U256::from(bps) / U256::from(WHOLE_BPS)
}
