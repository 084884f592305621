"""web3.py as its makers publish it, against a running node that knows the usual development accounts.

    python3 -m venv venv && venv/bin/pip install -r requirements.txt
    venv/bin/python check.py http://127.0.0.1:8545

`run.py` does so on a node of its own.
"""

import asyncio
import json
import pathlib
import sys

from web3 import AsyncWeb3, HTTPProvider, Web3, WebSocketProvider
from web3.exceptions import ContractLogicError, Web3RPCError

KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
STRANGER = Web3.to_checksum_address("0x8888888888888888888888888888888888888888")
REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
VAULT = json.loads((REPOSITORY / "examples/reentrancy/artifacts/Vault.json").read_text())
ETHER = 10**18


def ask(w3, method, *params):
    """A method that web3.py has no name for."""
    answer = w3.provider.make_request(method, list(params))
    assert "error" not in answer, f"{method}: {answer['error']}"
    return answer["result"]


def deploy(w3, sender):
    factory = w3.eth.contract(abi=VAULT["abi"], bytecode=VAULT["bytecode"])
    receipt = w3.eth.wait_for_transaction_receipt(factory.constructor().transact({"from": sender}))
    assert receipt.status == 1
    return w3.eth.contract(address=receipt.contractAddress, abi=VAULT["abi"])


def reads_the_chain(w3):
    block = w3.eth.get_block("latest", full_transactions=True)
    assert block.number == w3.eth.block_number
    assert w3.eth.get_block(0).number == 0
    assert w3.eth.chain_id == 31337 and w3.net.version == "31337"
    assert w3.eth.gas_price > 0 and w3.eth.max_priority_fee > 0
    history = w3.eth.fee_history(1, "latest", [50])
    assert len(history.baseFeePerGas) == 2


def signs_and_sends(w3):
    account = w3.eth.account.from_key(KEY)
    transaction = {
        "to": STRANGER,
        "value": 1,
        "gas": 21_000,
        "nonce": w3.eth.get_transaction_count(account.address),
        "maxFeePerGas": 10**11,
        "maxPriorityFeePerGas": 10**9,
        "chainId": w3.eth.chain_id,
    }
    raw = account.sign_transaction(transaction).raw_transaction
    receipt = w3.eth.wait_for_transaction_receipt(w3.eth.send_raw_transaction(raw))
    assert receipt.status == 1 and receipt.gasUsed == 21_000
    assert w3.eth.get_transaction(receipt.transactionHash).value == 1
    assert w3.eth.get_raw_transaction(receipt.transactionHash) == raw


def uses_a_contract(w3):
    sender = w3.eth.accounts[0]
    vault = deploy(w3, sender)
    receipt = w3.eth.wait_for_transaction_receipt(vault.functions.deposit().transact({"from": sender, "value": 3}))
    assert vault.functions.balanceOf(sender).call() == 3
    [event] = vault.events.Deposited().process_receipt(receipt)
    assert event.args.amount == 3
    logs = vault.events.Deposited.get_logs(from_block=receipt.blockNumber)
    assert [log.transactionHash for log in logs] == [receipt.transactionHash]
    try:
        w3.eth.contract(address=vault.address, abi=VAULT["abi"]).functions.withdraw().call({"from": STRANGER})
        raise AssertionError("it has nothing to withdraw")
    except ContractLogicError as error:
        assert error.data


def proves_storage(w3):
    vault = deploy(w3, w3.eth.accounts[0])
    proof = w3.eth.get_proof(vault.address, [f"0x{slot:064x}" for slot in (0, 1)], "latest")
    assert len(proof.storageProof) == 2 and proof.accountProof


def impersonates(w3):
    ask(w3, "anvil_setBalance", STRANGER, hex(ETHER))
    ask(w3, "anvil_impersonateAccount", STRANGER)
    sent = w3.eth.send_transaction({"from": STRANGER, "to": w3.eth.accounts[1], "value": 1})
    assert w3.eth.wait_for_transaction_receipt(sent)["from"] == STRANGER
    ask(w3, "anvil_stopImpersonatingAccount", STRANGER)
    try:
        w3.eth.send_transaction({"from": STRANGER, "to": w3.eth.accounts[1], "value": 1, "gas": 21_000})
        raise AssertionError("nobody impersonates it")
    except Web3RPCError:
        pass


def travels(w3):
    snapshot = ask(w3, "evm_snapshot")
    before = w3.eth.get_block("latest")
    ask(w3, "evm_increaseTime", 3_600)
    ask(w3, "evm_mine")
    assert w3.eth.get_block("latest").timestamp >= before.timestamp + 3_600
    assert ask(w3, "evm_revert", snapshot) is True
    assert w3.eth.block_number == before.number


def traces(w3):
    vault = deploy(w3, w3.eth.accounts[0])
    sent = vault.functions.deposit().transact({"from": w3.eth.accounts[0], "value": 1})
    w3.eth.wait_for_transaction_receipt(sent)
    trace = w3.tracing.trace_transaction(sent)
    assert trace[0].action["to"] == vault.address


def filters(w3):
    blocks, pending = w3.eth.filter("latest"), w3.eth.filter("pending")
    sent = w3.eth.send_transaction({"from": w3.eth.accounts[0], "to": STRANGER, "value": 1})
    receipt = w3.eth.wait_for_transaction_receipt(sent)
    assert receipt.blockHash in blocks.get_new_entries()
    assert sent in pending.get_new_entries()


async def subscribes(url):
    async with AsyncWeb3(WebSocketProvider(url.replace("http", "ws"))) as w3:
        subscription = await w3.eth.subscribe("newHeads")
        await w3.provider.make_request("evm_mine", [])
        async for message in w3.socket.process_subscriptions():
            assert message["subscription"] == subscription
            assert message["result"].number > 0
            break


CHECKS = [reads_the_chain, signs_and_sends, uses_a_contract, proves_storage, impersonates, travels, traces, filters]


def main(url):
    w3 = Web3(HTTPProvider(url))
    assert w3.is_connected(), f"no node answers at {url}"
    for check in CHECKS:
        check(w3)
        print(f"passed  web3.py: {check.__name__.replace('_', ' ')}")
    asyncio.run(asyncio.wait_for(subscribes(url), 20))
    print("passed  web3.py: subscribes")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python check.py URL")
    main(sys.argv[1])
