"""What the pages and docstrings show runs, and their links lead somewhere."""

import doctest
import importlib
import pkgutil
import re
import shlex

import pytest

import boxloss
from shared_data import ROOT

MODULES = sorted(found.name for found in pkgutil.walk_packages(boxloss.__path__, "boxloss.") if not found.name.endswith("__main__"))
PAGES = sorted(page.relative_to(ROOT).as_posix() for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_of_docstrings_run(module):
    names = {"np": importlib.import_module("numpy"), "torch": importlib.import_module("torch")}
    result = doctest.testmod(importlib.import_module(module), extraglobs=names, optionflags=doctest.ELLIPSIS)
    assert result.failed == 0


def test_there_are_examples():
    finder = doctest.DocTestFinder()
    found = sum(len(test.examples) for module in MODULES for test in finder.find(importlib.import_module(module)))
    assert found >= len(MODULES) // 4


@pytest.mark.parametrize("page", PAGES)
def test_the_code_of_pages_runs(page):
    names: dict[str, object] = {}  # a page is read from its beginning
    for code in re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), flags=re.DOTALL):
        if code.startswith(">>>"):
            runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
            runner.run(doctest.DocTestParser().get_doctest(code, {}, page, page, 0))
            assert runner.summarize(verbose=False).failed == 0
        else:
            exec(compile(code, page, "exec"), names)


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    text = re.sub(r"```.*?```", "", (ROOT / page).read_text(), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        if "://" not in target:
            assert (ROOT / page).parent.joinpath(target).exists(), f"{page} links to {target}"


@pytest.mark.parametrize("script", re.findall(r"`?(?<![\w./])((?:scripts|benchmarks)/\w+(?:\.py)?)\b", "\n".join((ROOT / page).read_text() for page in PAGES)))
def test_scripts_that_pages_name_exist(script):
    assert (ROOT / script).exists()


def command_lines():
    """Every command line of boxloss in a shell block of a page, or in a help text's examples, with where it stands."""
    from boxloss import cli

    for page in PAGES:
        for block in re.findall(r"```sh\n(.*?)```", (ROOT / page).read_text(), flags=re.DOTALL):
            yield from ((page, line) for line in block.replace("\\\n", " ").splitlines() if line.startswith("boxloss "))
    yield from (("boxloss --help", re.sub(r"\[dim\].*", "", line.strip())) for line in cli.app.info.epilog.splitlines() if line.startswith("  boxloss "))
    for typer_app in (cli.app, cli.draw):
        for command in typer_app.registered_commands:
            yield from ((command.callback.__name__, line) for line in re.findall(r"Example: (boxloss .*)", command.callback.__doc__ or ""))


def test_command_lines_of_pages_and_help_are_understood():
    """Each is parsed by its command, which is not run; what names losses, kinds of suppression and assigners names those that there are."""
    from typer.main import get_command

    from boxloss import cli
    from boxloss.assign import ASSIGNERS
    from boxloss.evaluate.suppressed import KINDS
    from boxloss.from_file import is_place, read_loss
    from boxloss.written import split_names

    def look(**given):
        for part in split_names(given.get("losses") or given.get("loss") or ""):
            assert is_place(part) or read_loss(part)
        assert set((given.get("nms") or "greedy").split(",")) <= set(KINDS)
        assert given.get("assigner", "atss") in ASSIGNERS
        seen.append(given)

    def disarm(group):
        for command in group.commands.values():
            if hasattr(command, "commands"):
                disarm(command)
            else:
                command.callback = look

    seen: list[dict] = []
    lines = list(command_lines())
    group = get_command(cli.app)
    disarm(group)
    for where, line in lines:
        words = shlex.split(re.sub(r" [|>] .*", "", line), comments=True)
        if "--help" in words:
            continue
        before = len(seen)
        try:
            group.main(words[1:], standalone_mode=False)
        except Exception as error:
            pytest.fail(f"{where}: {line}: {error!r}")
        assert len(seen) == before + 1, line
    assert len(seen) > 50


def test_the_readme_has_the_catalogue():
    table = (ROOT / "README.md").read_text().partition("| family | names |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`(\w+)`", table)) - set(boxloss.aliases()) == set(boxloss.catalogue())
