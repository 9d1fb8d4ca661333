"""Halves of a list: what the other process finds, and what becomes of it when something ends it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks on Linux only")

BEGIN = """
import os, signal, sys, time
from kvaudit.rules import side_by_side
from kvaudit.rules.side_by_side import in_halves
side_by_side._can_fork = lambda: True  # whatever this machine has
here = os.getpid()
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", BEGIN + code]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, stdin=subprocess.DEVNULL)


def test_each_half_by_a_process_of_its_own() -> None:
    done = run(
        "print('once'); found = in_halves(range(5), lambda part: (os.getpid() == here, list(part)), least=2); print(found)"
    )
    assert (done.stdout, done.stderr) == ("once\n[(True, [0, 1]), (False, [2, 3, 4])]\n", "")


def test_a_short_list_is_not_halved() -> None:
    assert run("print(in_halves([1], list, least=2), in_halves([1, 2, 3], list))").stdout == "[[1]] [[1, 2, 3]]\n"


def test_what_a_killed_process_owes_is_done_here() -> None:
    done = run("""
def work(part):
    if os.getpid() != here:
        os.kill(os.getpid(), signal.SIGKILL)
    return sum(part)
print(in_halves(range(6), work, least=2))
""")
    assert (done.stdout, done.stderr) == ("[3, 12]\n", "")


def test_an_error_in_the_second_half_is_told_as_one_here() -> None:
    done = run("""
def work(part):
    return [1 // (5 - item) for item in part]
try:
    in_halves(range(6), work, least=2)
except ZeroDivisionError:
    print("told")
""")
    assert done.stdout == "told\n"


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_nothing_is_left_behind(sent: signal.Signals) -> None:
    code = """
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGTERM, signal.default_int_handler)
def work(part):
    os.write(1, f"{os.getpid()}\\n".encode())  # whole, beside the other's
    time.sleep(30)
try:
    in_halves(range(6), work, least=2)
except KeyboardInterrupt:
    print("ended")
"""
    command = [sys.executable, "-c", BEGIN + code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        workers = {int(process.stdout.readline()) for _ in range(2)}
        process.send_signal(sent)
        rest, errors = process.communicate(timeout=20)
    assert (rest, errors, process.returncode) == ("ended\n", "", 0)
    (other,) = workers - {process.pid}
    deadline = time.monotonic() + 10
    while Path(f"/proc/{other}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{other}").exists()
    assert os.getpid() not in workers


def test_cycles_are_looked_for_as_before_when_the_work_is_done() -> None:
    done = run("""
import gc
from kvaudit.rules.side_by_side import collecting_seldom
before = gc.get_threshold()
try:
    with collecting_seldom():
        during = gc.get_threshold(), gc.isenabled()
        in_halves(range(6), sum, least=2)
        1 // 0
except ZeroDivisionError:
    print(during[0][0] > before[0], during[1], gc.get_threshold() == before, gc.get_freeze_count())
""")
    assert (done.stdout, done.stderr) == ("True True True 0\n", "")
