"""What is seen of a simulation at work."""

import io

from boxloss.simulate import progress
from boxloss.simulate.progress import shown


class Terminal(io.StringIO):
    def isatty(self):
        return True


def told(stream, **how):
    with shown(10, stream, **how) as tell:
        for _ in range(5):
            tell("giou", 2)
    return stream.getvalue()


def test_lines_now_and_then(monkeypatch):
    assert told(io.StringIO()) == ""  # ten seconds have not passed
    monkeypatch.setattr(progress, "OFTEN", 0.0)
    assert told(io.StringIO()).splitlines()[0] == "giou: 2 of 10 cases, 20%"
    assert told(io.StringIO(), thing="loss").splitlines()[-1] == "giou: 10 of 10 losses, 100%"


def test_a_bar_on_a_terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    assert "giou" in told(Terminal())


def test_quiet():
    assert told(Terminal(), quiet=True) == ""
