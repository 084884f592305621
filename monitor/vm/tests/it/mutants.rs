//! Modules with random bytes changed are refused, or run and end. Nothing panics, and nothing is the engine's fault.

use alloy_primitives::Bytes;
use parapet_monitor::Fuel;
use parapet_vm::{HookCall, vet};

use crate::{Bench, module};

const MUTANTS: u64 = 4_000;

/// Touches every part of the interface and of a module.
const BODY: &str = r#"
    (type $binary (func (param i32 i32) (result i32)))
    (table 4 funcref) (elem (i32.const 0) $add $sub $add $sub)
    (global $sum (mut i32) (i32.const 5))
    (data (i32.const 64) "key and value and detail")
    (func $add (type $binary) (i32.add (local.get 0) (local.get 1)))
    (func $sub (type $binary) (i32.sub (local.get 0) (local.get 1)))
    (func (export "init") (drop (call $config_read (i32.const 0) (i32.const 128) (i32.const 32))))
    (func (export "on_call") (param $frame i32) (local $i i32)
        (loop $again
            (global.set $sum (call_indirect (type $binary) (local.get $i) (global.get $sum)
                (i32.and (local.get $i) (i32.const 3))))
            (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 20))))
        (drop (call $trace_read (i32.const 3) (local.get $frame) (i32.const 2) (i32.const 256) (i32.const 192)))
        (drop (call $trace_data (i32.const 0) (local.get $frame) (i32.const 0) (i32.const 700) (i32.const 9))))
    (func (export "on_tx")
        (call $state_storage (i32.const 0) (i32.const 64) (i32.const 64) (i32.const 0))
        (call $state_balance (i32.const 1) (i32.const 64) (i32.const 0))
        (call $store_set (i32.const 64) (i32.const 3) (i32.const 0))
        (drop (call $window_add (i32.const 64) (i32.const 3) (i32.const 0) (i32.const 64) (i64.const 60)))
        (call $keccak256 (i32.const 0) (i32.const 300) (i32.const 0))
        (drop (memory.grow (i32.const 1)))
        (call $alert (global.get $sum) (i32.const 64) (i32.const 10))
        (call $veto (i32.const 9) (i32.const 64) (i32.const 24)))"#;

/// xorshift64: the same mutants on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }
}

#[test]
fn mutants_are_refused_or_end() {
    let original = module(BODY);
    let mut bench = Bench::new();
    bench.subject.fuel_max = Fuel(200_000);
    let (mut ran, mut refused) = (0, 0);
    for seed in 1..=MUTANTS {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut bytes = original.to_vec();
        for _ in 0..=dice.roll(3) {
            let at = dice.roll(bytes.len());
            bytes[at] = match dice.roll(3) {
                0 => dice.roll(256) as u8,
                1 => bytes[at] ^ (1 << dice.roll(8)),
                _ => bytes[dice.roll(bytes.len())],
            };
        }
        let bytes = Bytes::from(bytes);
        if vet(&bytes).is_err() {
            refused += 1;
            continue;
        }
        ran += 1;
        let mut session = bench.session(&bytes);
        for call in [HookCall::Init, HookCall::OnCall(0), HookCall::OnCallEnd(0), HookCall::OnTx] {
            let end = session.call(call, &bench.trace, &mut bench.state);
            assert!(end.is_ok(), "seed {seed}: {end:?}");
        }
        assert!(session.spent() <= bench.subject.fuel_max, "seed {seed}");
    }
    assert!(ran > 200 && refused > 200, "{ran} ran, {refused} were refused: both must be met often");
}
