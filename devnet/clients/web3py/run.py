"""Runs check.py on a `parapet dev` of its own: python run.py PATH_TO_PARAPET"""

import json
import pathlib
import signal
import subprocess
import sys

CHECK = pathlib.Path(__file__).with_name("check.py")


def main(program):
    command = [str(pathlib.Path(program).resolve()), "dev", "--port", "0", "--json", "--log", "error"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as node:
        url = json.loads(node.stdout.readline())["http"]
        checked = subprocess.run([sys.executable, str(CHECK), url], check=False).returncode
        node.send_signal(signal.SIGINT)
        return checked or node.wait()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python run.py PATH_TO_PARAPET")
    sys.exit(main(sys.argv[1]))
